"""The answer to a shell that asks for completion, by click: for every command, option and argument."""

from __future__ import annotations

from click.shell_completion import ShellComplete, split_arg_string

from gitreg.cli.completion.fast import after_the_program
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.main import cli
from gitreg.cli.text import one_line


def answer(line: str) -> str:
    """Return the lines for the shell; `gitreg.cli.completion.fast` has their format.

    Parameters
    ----------
    line:
        The command line up to the cursor.
    """
    words = split_arg_string(line)
    if not words or line[-1:].isspace():
        words.append("")
    *before, incomplete = after_the_program(words) or [""]
    completion = ShellComplete(cli, {"obj": GlobalOptions()}, "gitreg", "_GITREG_COMPLETE")
    items = completion.get_completions(before, incomplete)
    return "".join(f"{item.type}\t{one_line(item.value)}\t{one_line(item.help or '')}\n" for item in items)

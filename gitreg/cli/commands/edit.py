"""``gitreg edit``."""

from __future__ import annotations

import difflib
import shutil
import subprocess
import tempfile
from pathlib import Path

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import local_option, open_registry, output_option, pr_option
from gitreg.cli.output import emit, note, print_text
from gitreg.cli.results import report
from gitreg.documents.layout import REGISTRY_FILE
from gitreg.errors import GitregError
from gitreg.git.program import editor
from gitreg.sdk import verbs


@click.command(
    "edit",
    cls=Command,
    examples=[
        "gitreg edit",
        "gitreg edit models/ranker/README.md",
    ],
    exit_codes={4: "a rule refuses the change", 5: "others changed the file meanwhile"},
    guides=["policies"],
)
@click.argument("path", metavar="[FILE]", shell_complete=complete("registry_files"), default=REGISTRY_FILE)
@output_option
@local_option
@pr_option
def command(path: str, output: str) -> None:
    """Edit gitreg.yaml, or another file such as models/MODEL/README.md, in your editor.

    What you wrote is checked, shown as a diff and committed. The editor is that of git: GIT_EDITOR, core.editor, VISUAL
    or EDITOR.
    """
    registry = open_registry()
    session = registry.session
    before = verbs.settings.read_text(session, path)
    folder = tempfile.mkdtemp(prefix="gitreg-")
    copy = Path(folder, Path(path).name)
    copy.write_bytes(before)
    try:
        _run_editor(editor(session.environment.env), copy)
        if not copy.exists():
            raise GitregError(f"the editor left no {copy.name}", hint="nothing was committed")
        after = copy.read_bytes()
        if after == before:
            note(f"{path} is as it was")
            if output != "table":
                emit({"changed": False, "commit": None, "subject": None}, output)
        else:
            outcome = verbs.settings.write_text(session, path, before, after)
            if output == "table":
                print_text(_diff(path, before, after))
            report(registry, outcome, output)
    except GitregError as error:
        if not copy.exists() or copy.read_bytes() == before:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        error.advise(f"nothing was committed; what you wrote is kept in {copy}")
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _run_editor(program: str, path: Path) -> None:
    """Run an editor on a file as git does: the setting is a line for the shell."""
    ended = subprocess.run(["/bin/sh", "-c", f'{program} "$@"', program, str(path)], check=False)
    if ended.returncode:
        raise GitregError(f"the editor {program!r} ended with {ended.returncode}", hint="nothing was committed")


def _diff(path: str, before: bytes, after: bytes) -> str:
    old, new = (text.decode(errors="replace").splitlines() for text in (before, after))
    return "\n".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm=""))

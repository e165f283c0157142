"""``gitreg help``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import click
from click.shell_completion import CompletionItem

from gitreg import guides
from gitreg.cli import terminal
from gitreg.cli.command import Command
from gitreg.cli.usage_errors import UnknownWordError, WrongLineError

_WIDEST = 100
"""Columns of rendered text: longer lines are hard to read."""

_STYLES = {"markdown.h1": "bold", "markdown.h2": "bold", "markdown.h3": "bold", "markdown.code": "cyan"}
"""Styles that are readable on a light and on a dark terminal."""


def complete_topic(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the guides and commands, or the subcommands of the command in the preceding arguments."""
    before = ctx.params.get("topic") or ()
    group = _command(ctx.find_root(), before)[0].command
    words = dict.fromkeys((*(() if before else guides.TOPICS), *_subcommands(group, ctx)))
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


@click.command(
    "help", cls=Command, examples=["gitreg help", "gitreg help start", "gitreg help store add"], guides=["start"]
)
@click.argument("topic", metavar="[TOPIC|COMMAND...]", nargs=-1, shell_complete=complete_topic)
@click.pass_context
def command(ctx: click.Context, topic: tuple[str, ...]) -> None:
    """Show a guide, or the help of a command; without an argument, all commands and guides.

    A guide is rendered on a terminal; into a pipe it is printed as Markdown. `man gitreg-start` is the same guide;
    where man does not find it, as with `uv tool`, `gitreg help` is the way.
    """
    if len(topic) == 1 and topic[0] in guides.TOPICS:
        source = guides.source(topic[0])
        _print_paged(_rendered(source) if terminal.is_terminal() else source)
        return
    inner, rest = _command(ctx.find_root(), topic)
    if rest:
        if topic[0] in guides.TOPICS and len(rest) == len(topic):
            raise WrongLineError(f"the guide {topic[0]} takes no further words: {' '.join(rest[1:])}", ctx, topic[:1])
        raise _unknown(inner, rest[0], top=len(rest) == len(topic))
    text = f"{inner.get_help()}\n"
    if not topic:
        formatter = ctx.make_formatter()
        with formatter.section("Guides (gitreg help TOPIC)"):
            formatter.write_dl([(name, guides.title(name)) for name in guides.TOPICS])
        text += f"\n{formatter.getvalue()}"
    _print_paged(text)


def _command(root: click.Context, names: Sequence[str]) -> tuple[click.Context, Sequence[str]]:
    """Return the context of the command that the names lead to, and the names that lead nowhere."""
    ctx = root
    for place, name in enumerate(names):
        found = ctx.command.get_command(ctx, name) if isinstance(ctx.command, click.Group) else None
        if found is None:
            return ctx, names[place:]
        ctx = click.Context(found, info_name=name, parent=ctx, **found.context_settings)
    return ctx, ()


def _subcommands(group: click.Command, ctx: click.Context) -> Iterator[str]:
    if isinstance(group, click.Group):
        yield from group.list_commands(ctx)


def _unknown(ctx: click.Context, name: str, *, top: bool) -> UnknownWordError:
    """Return the error for a name that is neither a guide nor a command."""
    words = [*_subcommands(ctx.command, ctx), *(guides.TOPICS if top else ())]
    message = f"no guide and no command is called {name!r}" if top else f"{ctx.command_path} has no command {name!r}"
    return UnknownWordError(message, ctx, name, dict.fromkeys(words))


def _print_paged(text: str) -> None:
    """Print a text, on a terminal through a pager where it is longer than the screen."""
    if terminal.is_terminal() and text.count("\n") >= terminal.size().lines:
        terminal.start_pager()
    click.echo(text, nl=False)


def _rendered(markdown: str) -> str:
    """Return a guide as it looks on this terminal."""
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import CodeBlock, Markdown
    from rich.style import Style
    from rich.syntax import ANSISyntaxTheme, Syntax
    from rich.text import Text
    from rich.theme import Theme

    class WholeLines(CodeBlock):
        """A block of code whose lines are never broken, so that they can be copied."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            code = Syntax("", self.lexer_name, theme=self.theme).highlight(str(self.text).rstrip())
            yield Text()
            for line in code.split("\n"):
                yield Text.assemble("  ", line, no_wrap=True, overflow="ignore")
            yield Text()

    class Guide(Markdown):
        elements: ClassVar = {**Markdown.elements, "fence": WholeLines, "code_block": WholeLines}

    columns = terminal.width()
    width = min(columns, _WIDEST) if columns else None
    console = Console(width=width, theme=Theme(_STYLES), no_color=terminal.color() is False)
    prompts = ANSISyntaxTheme({("Generic", "Prompt"): Style(bold=True), ("Comment",): Style(dim=True)})
    guide = Guide(markdown, code_theme=prompts, hyperlinks=False)  # type: ignore[arg-type] # it takes both
    with console.capture() as captured:
        console.print(guide, crop=False)
    return captured.get()

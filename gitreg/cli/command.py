"""A command whose help ends with examples, its own exit codes and the guides that say more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click


class Command(click.Command):
    """A command that declares, beside its options, what a reader of its help looks for next.

    Parameters
    ----------
    examples:
        Lines for the shell, as a user types them; ``tests/cli/test_examples.py`` runs each.
    exit_codes:
        The meaning of each exit code that the command has beyond 0, 1 and 2.
    guides:
        The names of the guides that say more, see `gitreg.guides`.
    """

    def __init__(
        self,
        *arguments: Any,
        examples: Sequence[str] = (),
        exit_codes: Mapping[int, str] | None = None,
        guides: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        super().__init__(*arguments, **settings)
        self.examples = examples
        self.exit_codes = exit_codes or {}
        self.guides = guides

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the line that the help of the group shows: the first sentence, never cut."""
        return (self.short_help or (self.help or "").partition("\n\n")[0].partition(". ")[0]).strip().rstrip(".")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the epilog, then the sections of this class."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        if self.exit_codes:
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(code), meaning) for code, meaning in self.exit_codes.items()])
        if self.guides:
            formatter.write_paragraph()
            names = ", ".join(f"gitreg help {guide}" for guide in self.guides)
            formatter.write_text(f"Guide{'s' if len(self.guides) > 1 else ''}: {names}")

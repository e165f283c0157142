"""``gitreg sync``."""

from __future__ import annotations

import click

from gitreg.cli.command import Command
from gitreg.cli.options import open_registry, output_option
from gitreg.cli.output import emit, print_done, print_line
from gitreg.errors import IntegrityError, Refused
from gitreg.sdk import verbs
from gitreg.units import counted


@click.command(
    "sync",
    cls=Command,
    examples=[
        "gitreg sync",
    ],
    exit_codes={4: "a policy refuses who holds a stage", 6: "a tag of a version was moved"},
    guides=["team"],
)
@output_option
def command(output: str) -> None:
    """Make tags, and move the refs of stages and aliases, on the remote, after a merge.

    Running it again, or twice at once, changes nothing more.
    """
    synced = verbs.remotes.sync(open_registry().session)
    if output != "table":
        emit(synced._asdict(), output)
    else:
        for ref in synced.moved:
            print_line(ref)
        count = len(synced.moved)
        print_done(f"Made or moved {counted(count, 'ref')}" if count else "All tags and refs are already in place")
    if synced.refused and not synced.wrong:
        count = len(synced.refused)
        raise Refused(
            f"{counted(count, 'ref')} of stages stayed: the policy refuses who holds them",
            hint="`gitreg doctor` says what to do",
        )
    if synced.wrong:
        more = f", and {len(synced.wrong) - 1} more" if len(synced.wrong) > 1 else ""
        raise IntegrityError(f"{synced.wrong[0]}{more}", hint="a version's tag never moves: see `gitreg doctor`")

"""``gitreg card``."""

from __future__ import annotations

from pathlib import Path

import click

from gitreg.blobs.file_io import replacing, write_all
from gitreg.blobs.os_errors import readable_os_errors
from gitreg.cli.command import Command
from gitreg.cli.options import NamedPath, fetch_option, open_registry, output_option, reference_argument
from gitreg.cli.output import emit, print_line
from gitreg.cli.results import after_the_work
from gitreg.names import slug


@click.command(
    "card",
    cls=Command,
    examples=[
        "gitreg card ranker@production",
        "gitreg card ranker@3 --out card.html",
        "gitreg card ranker@3 --out - | wc -c",
    ],
    exit_codes={3: "there is no such version"},
    guides=["start"],
)
@reference_argument
@click.option(
    "--out",
    metavar="FILE",
    type=NamedPath(dir_okay=False, allow_dash=True),
    help="Write to FILE (-: standard output).  [default: MODEL@VERSION.html]",
)
@output_option
@fetch_option
def command(reference: str, out: str | None, output: str) -> None:
    """Write a version's card: one HTML file that needs nothing else.

    Its stage, since when and by whom, what each gate says, its metrics beside the incumbent's and over the versions,
    how to load it, the model's card, files with their digests, its lineage as a picture, and whether it is what was
    sealed. It fits a screen, a phone and paper.
    """
    if out == "-" and output != "table":
        raise click.UsageError(f"--out - prints the card itself, and -o {output} what was written: give one of them")
    from gitreg.cards.page import render_card  # the help of the command needs neither
    from gitreg.sdk.views.card import card

    found = card(open_registry(), reference)
    page = render_card(found)
    if out == "-":
        click.echo(page, nl=False)
        return
    path = (
        Path(out)
        if out
        else Path(f"{slug(found.title.partition('@')[0]).replace('/', '-')}@{slug(found.version)}.html")
    )
    _write(path, page)
    with after_the_work():
        if output == "table":
            print_line(str(path))
        else:
            emit({"reference": found.title, "path": str(path)}, output)


def _write(path: Path, page: str) -> None:
    """Write a page in place of what the file had, whole or not at all; into a device or a pipe, as it comes."""
    with readable_os_errors("write the card", path):
        if path.exists() and not path.is_file():
            path.write_text(page, encoding="utf-8")
            return
        with replacing(path.resolve()) as descriptor:  # a link stays one
            write_all(descriptor, page.encode(), 0)

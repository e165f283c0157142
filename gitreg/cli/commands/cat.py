"""``gitreg cat``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import fetch_option, open_registry, unsafe_code_option
from gitreg.cli.progress import progress
from gitreg.errors import GitregError, InvalidInput

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry

_STEP = 1 << 20  # bytes written at once


@click.command(
    "cat",
    cls=Command,
    examples=[
        "gitreg cat ranker@production:vocab.json",
        "gitreg cat ranker@3:model.bin > model.bin",
    ],
    exit_codes={
        3: "there is no such version or file",
        4: "the file can run code, and the registry is not trusted for code",
        6: "the bytes are not those that were saved",
    },
    guides=["start"],
)
@click.argument("file", metavar="REF:PATH", shell_complete=complete("files"))
@click.option(
    "--artifact",
    metavar="NAME",
    shell_complete=complete("artifacts_of_version"),
    help="Artifact to read.  [default: model, or the only one]",
)
@unsafe_code_option
@fetch_option
def command(file: str, artifact: str | None, unsafe_code: bool) -> None:
    """Print one file of a version; all of it is verified before the first byte is printed."""
    reference, colon, path = file.rpartition(":")  # no path in an artifact has a colon in it
    if not (reference and colon and path):
        raise InvalidInput(f"{file!r} names no file of a version", hint="write MODEL@VERSION:PATH")
    registry = open_registry()
    with progress("Loading", lambda: _size(registry, reference, path)) as bar:
        opened = registry.open_file(reference, path, artifact=artifact, unsafe_code=unsafe_code, progress=bar)
    with opened:
        while data := opened.read(_STEP):
            sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _size(registry: Registry, reference: str, path: str) -> int | None:
    """Return the size of a file in bytes; None where the record does not list it."""
    try:
        artifacts = registry.version(reference).artifacts.values()
    except GitregError:  # told by the read itself
        return None
    return next((each.files[path].size for each in artifacts if each.files and path in each.files), None)

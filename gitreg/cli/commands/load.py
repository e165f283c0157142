"""``gitreg load``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import (
    NamedPath,
    at_option,
    fetch_option,
    open_registry,
    output_option,
    reference_argument,
    unsafe_code_option,
)
from gitreg.cli.output import emit
from gitreg.cli.progress import progress
from gitreg.errors import GitregError

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry


@click.command(
    "load",
    cls=Command,
    examples=[
        "gitreg load ranker@production",
        "gitreg load ranker@3 serving/",
        "gitreg load ranker@3 serving/ --file '*.json'",
        'cp "$(gitreg load ranker@production)/model.bin" serving.bin',
    ],
    exit_codes={
        3: "there is no such version, stage or file",
        4: "a file can run code, and the registry is not trusted for code",
        6: "the bytes are not those that were saved",
    },
    guides=["start", "security"],
)
@reference_argument
@click.argument("dest", required=False, type=NamedPath(file_okay=False))
@click.option(
    "--artifact",
    metavar="NAME",
    shell_complete=complete("artifacts_of_version"),
    help="Artifact to load.  [default: model, or the only one]",
)
@click.option(
    "--file", metavar="GLOB", shell_complete=complete("paths"), help="Load only files whose path or name matches."
)
@click.option("--link", is_flag=True, help="Link DEST to the files in the cache instead of copying them.")
@partial(at_option, about="Load what REF meant then.")
@unsafe_code_option
@output_option
@fetch_option
def command(
    reference: str,
    dest: str | None,
    artifact: str | None,
    file: str | None,
    link: bool,
    at: str | None,
    unsafe_code: bool,
    output: str,
) -> None:
    """Load a version's files, verified, and print the folder they are in.

    With DEST the files are copied there, yours to change; without, the folder is in the cache and
    read-only. Files that can run code are refused (`gitreg scan`), unless you trust the registry for code
    (`gitreg trust --code`).

    With --link nothing is copied: DEST holds hardlinks to the cache's files, or symbolic links where it is on another
    file system. They are read-only and shared: a change to one would be seen by all who load it, until gitreg finds it
    and fetches the file again. `gitreg cache prune` leaves hardlinked files in DEST, and takes what symbolic
    links point to.
    """
    registry = open_registry()
    with progress("Loading", lambda: _size(registry, reference, artifact, file, at)) as bar:
        folder = registry.load(
            reference, dest, artifact=artifact, file=file, link=link, at=at, unsafe_code=unsafe_code, progress=bar
        )
    if output == "table":
        click.echo(folder)
    else:
        emit({"reference": registry.version(reference, at=at).reference, "path": str(folder)}, output)


def _size(registry: Registry, reference: str, artifact: str | None, file: str | None, at: str | None) -> int | None:
    """Return the number of bytes to load; None where that is not known."""
    try:
        artifacts = registry.version(reference, at=at).artifacts
    except GitregError:  # told by the load itself
        return None
    name = artifact or ("model" if "model" in artifacts else next(iter(artifacts), ""))
    return artifacts[name].size if file is None and name in artifacts else None

"""Objects that a partial clone (``git clone --filter``) has left out, brought from the remote that promised them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gitreg.errors import GitregError, NotFound
from gitreg.git.program import Git
from gitreg.git.remote.git_program import GitRemote

_AT_ONCE = 500  # objects; a system limits the length of a command

PROMISOR = re.compile(r"remote\.(.+)\.(?:promisor|partialclonefilter)", re.DOTALL)
"""The settings by which git knows the remote that has what was left out."""


def left_out(git: Git, git_dir: Path, commit: str, folder: str, *, history: bool) -> list[str]:
    """Return the ids of the objects of a commit that are not here; the rest is as for `Remotes.bring_missing`."""
    walk = [] if history else ["--no-walk"]
    listed = git.run(
        "--git-dir", str(git_dir), "rev-list", "--objects", "--missing=print", *walk, commit,
        *(["--", folder] if folder else []), cwd=git_dir,
    )  # fmt: skip
    if listed.returncode:
        raise not_to_be_had(listed.stderr.decode(errors="replace").strip())
    return [line[1:].decode() for line in listed.stdout.split(b"\n") if line.startswith(b"?")]


def bring(remote: GitRemote, oids: Sequence[str]) -> None:
    """Fetch objects from the remote that promised them.

    Raises
    ------
    NotFound
        They cannot be had now; the error says why.
    """
    try:
        for start in range(0, len(oids), _AT_ONCE):
            remote.fetch_objects(oids[start : start + _AT_ONCE])
    except GitregError as error:
        raise not_to_be_had(error.message) from error


def not_to_be_had(why: str) -> NotFound:
    """Return the error that what was left out of a partial clone cannot be had."""
    return NotFound(
        f"this is a partial clone, and what was left out of it cannot be had: {why}",
        hint="`git fetch --refetch --no-filter` brings it, once the remote answers",
    )

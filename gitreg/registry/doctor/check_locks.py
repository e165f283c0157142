"""Lock files that a killed Git process has left, here and on a remote that is a folder of this machine."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.git import Repository
from gitreg.git.leftovers import stale_locks
from gitreg.registry.doctor.problem import Problem
from gitreg.registry.upstream import Upstream


def problems_of_locks(repository: Repository, upstream: Upstream | None) -> Iterator[Problem]:
    """Name the lock files that stay, so that nobody can move what they lock.

    Parameters
    ----------
    upstream:
        The remote; None where it is not asked.
    """
    found = {*stale_locks(repository.common_dir), *stale_locks(repository.git_dir)}
    if upstream is not None:
        found.update(upstream.stale_locks())
    for path in sorted(found):
        yield Problem(
            str(path),
            "is there and stays: the Git process that made it was killed, or could not remove it",
            "if no Git process is running there, remove that file",
        )

"""The check of lock files left by a killed Git process, here and on a remote that is a folder of this machine."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.git import Repository
from gitreg.git.refs.stale_locks import stale_locks
from gitreg.registry.remote.upstream import Upstream
from gitreg.registry.rules.problem import Problem


def problems_of_locks(repository: Repository, upstream: Upstream | None) -> Iterator[Problem]:
    """Yield a problem for each stale lock file, which blocks every change of the file that it locks.

    Parameters
    ----------
    upstream:
        The remote; None leaves it out.
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

"""The check of Git configuration: settings of the clone that are ignored."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from gitreg.git import Repository
from gitreg.registry.rules.problem import Problem


def problems_of_config(repository: Repository) -> Iterator[Problem]:
    """Yield a problem for each program or protocol that the repository's own configuration sets for its remotes."""
    for key in repository.remotes.ignored_keys():
        yield Problem(
            key,
            "is set by this repository and ignored: only your own configuration names programs",
            f"`git config --global {quote(key)} ...` if you want it; `git config --unset-all {quote(key)}` if not",
        )

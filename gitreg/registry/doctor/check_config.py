"""Settings of the clone's own Git configuration that are not used."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from gitreg.git import Repository
from gitreg.registry.doctor.problem import Problem


def problems_of_config(repository: Repository) -> Iterator[Problem]:
    """Name the programs and protocols that a repository's own configuration names for its remotes."""
    for key in repository.named_programs():
        yield Problem(
            key,
            "is set by this repository and ignored: only your own configuration names programs",
            f"`git config --global {quote(key)} ...` if you want it; `git config --unset-all {quote(key)}` if not",
        )

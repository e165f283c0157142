"""Registries without a clone: a bare copy of the registry's branch alone, refreshed whenever it is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from gitreg.documents.layout import REGISTRY_FILE
from gitreg.errors import NotFound
from gitreg.git import Repository
from gitreg.git.remote import Remote, hide_login
from gitreg.registry.commit import PATIENCE
from gitreg.registry.location import OWN_BRANCH, Location, Place, note_place, noted_place

_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]{2,}:(?!//)[^#]+")
REMOTE = "origin"


def is_address(text: str) -> bool:
    """Whether a registry is named by where another machine has it: ``https://...``, ``user@host:path`` and the like."""
    return "://" in text or (_SCP.fullmatch(text.partition("#")[0]) is not None and not Path(text).exists())


def open_mirror(text: str, folder: Path, *, env: Mapping[str, str], offline: bool) -> Location:
    """Open the mirror of a registry, and bring it up to date.

    Parameters
    ----------
    text:
        ``URL``, ``URL#BRANCH`` or ``URL#BRANCH:FOLDER``.
    folder:
        Where mirrors lie.
    offline:
        Take the mirror as it is.

    Raises
    ------
    NotFound
        There is no repository, no registry in it, or no mirror of it while offline.
    Unreachable
        It does not answer.
    """
    url, _, told = text.partition("#")
    branch, _, root = told.partition(":")
    place = Place(branch, root.strip("/")) if branch else None
    path = folder / f"{sha256(text.encode()).hexdigest()[:32]}.git"
    if offline and not (path / "HEAD").exists():
        raise NotFound(f"there is no mirror of {hide_login(text)} here", hint="open it once without GITREG_OFFLINE")
    repository = Repository.mirror(path, url, env=env)
    try:
        if not offline:
            with repository.lock(timeout=PATIENCE):
                _refresh(repository, url, place)
        place = noted_place(repository)
        if place is None or repository.read_ref(f"refs/heads/{place.branch}") is None:
            raise NotFound(f"there is no registry at {hide_login(text)}", hint="name its branch: URL#BRANCH")
    except BaseException:
        repository.close()
        raise
    return Location(repository, *place)


def _refresh(repository: Repository, url: str, place: Place | None) -> None:
    """Bring the registry's branch; where it is, is found out the first time, and noted."""
    remote = repository.remote(REMOTE)
    remote.name = hide_login(url)
    known = noted_place(repository)
    if known is not None:
        _fetch(remote, repository, known.branch)
        return
    for candidate in [place] if place else _likely(remote):
        with suppress(NotFound):
            _fetch(remote, repository, candidate.branch)
            commit = repository.read_ref(f"refs/heads/{candidate.branch}")
            file = f"{candidate.root}/{REGISTRY_FILE}" if candidate.root else REGISTRY_FILE
            if commit and repository.has(commit, file):
                note_place(repository, candidate)
                return


def _likely(remote: Remote) -> list[Place]:
    head = remote.head()
    named = [head.removeprefix("refs/heads/")] if head else []
    return [Place(branch, "") for branch in dict.fromkeys((*named, OWN_BRANCH))]


def _fetch(remote: Remote, repository: Repository, branch: str) -> None:
    """Bring a branch: without its history the first time, then what is new, wherever it went."""
    there = repository.read_ref(f"refs/heads/{branch}")
    here = (f"refs/heads/{branch}", f"refs/gitreg/{REMOTE}/accepted/{branch}")
    remote.fetch([f"+refs/heads/{branch}:{name}" for name in here], depth=None if there else 1)

"""Registries without a clone: a bare copy of the registry's branch alone, refreshed whenever it is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from gitreg.documents.layout import REGISTRY_FILE
from gitreg.errors import NotFound
from gitreg.git import RefUpdate, Repository
from gitreg.git.remote import Remote, hide_login
from gitreg.git.values import check_ref_name, is_ref_name
from gitreg.registry.commit import PATIENCE
from gitreg.registry.location import OWN_BRANCH, Location, Place, note_place, noted_place

_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]{2,}:(?!//)[^#]+")
REMOTE = "origin"


class Mirror(NamedTuple):
    """An open mirror.

    Parameters
    ----------
    rewritten_from:
        Where the branch was before a rewritten history was accepted now; None where it was not rewritten.
    """

    location: Location
    rewritten_from: str | None


def is_address(text: str) -> bool:
    """Whether a registry is named by where another machine has it: ``https://...``, ``user@host:path`` and the like."""
    return "://" in text or (_SCP.fullmatch(text.partition("#")[0]) is not None and not Path(text).exists())


def open_mirror(
    text: str, folder: Path, *, env: Mapping[str, str], offline: bool, accept_rewrite: bool = False
) -> Mirror:
    """Open the mirror of a registry, and bring it up to date.

    Parameters
    ----------
    text:
        ``URL``, ``URL#BRANCH`` or ``URL#BRANCH:FOLDER``.
    folder:
        Where mirrors lie.
    offline:
        Take the mirror as it is.
    accept_rewrite:
        Follow the remote's branch to what does not follow from where it was, too.

    Raises
    ------
    InvalidInput
        No branch can be called so.
    Refused
        The history of the branch was rewritten, or another registry is behind the address.
    NotFound
        There is no repository, no registry in it, or no mirror of it while offline.
    Unreachable
        It does not answer.
    """
    url, _, told = text.partition("#")
    branch, _, root = told.partition(":")
    if branch:
        check_ref_name(f"refs/heads/{branch}")
    place = Place(branch, root.strip("/")) if branch else None
    path = folder / f"{sha256(text.encode()).hexdigest()[:32]}.git"
    if offline and not (path / "HEAD").exists():
        raise NotFound(f"there is no mirror of {hide_login(text)} here", hint="open it once without GITREG_OFFLINE")
    repository = Repository.mirror(path, url, env=env)
    rewritten_from = None
    try:
        if not offline:
            with repository.lock(timeout=PATIENCE):
                rewritten_from = _refresh(repository, text, place, accept_rewrite=accept_rewrite)
        place = noted_place(repository)
        if place is None or repository.read_ref(f"refs/heads/{place.branch}") is None:
            raise NotFound(f"there is no registry at {hide_login(text)}", hint="name its branch: URL#BRANCH")
    except BaseException:
        repository.close()
        raise
    return Mirror(Location(repository, *place), rewritten_from)


def _refresh(repository: Repository, text: str, place: Place | None, *, accept_rewrite: bool) -> str | None:
    """Fetch the registry's branch; where it is, is found out the first time, and noted.

    Returns
    -------
    str or None:
        Where the branch was, if what was accepted does not follow from there.
    """
    remote = repository.remote(REMOTE)
    remote.name = hide_login(text.partition("#")[0])
    known = noted_place(repository)
    if known is not None:
        return _follow(remote, repository, known, hide_login(text), accept_rewrite=accept_rewrite)
    for candidate in [place] if place else _likely(remote):
        with suppress(NotFound):
            fetched = _fetch(remote, repository, candidate.branch, depth=1)
            file = f"{candidate.root}/{REGISTRY_FILE}" if candidate.root else REGISTRY_FILE
            if repository.has(fetched, file):
                _accept(repository, candidate.branch, fetched)
                note_place(repository, candidate)
                break
    return None


def _likely(remote: Remote) -> list[Place]:
    head = remote.head()
    named = [head.removeprefix("refs/heads/")] if head and is_ref_name(head) else []  # a server may say anything
    return [Place(branch, "") for branch in dict.fromkeys((*named, OWN_BRANCH))]


def _follow(remote: Remote, repository: Repository, place: Place, address: str, *, accept_rewrite: bool) -> str | None:
    """Fetch what is new on the branch, and go there if it follows; return as `_refresh`."""
    before = repository.read_ref(f"refs/gitreg/{REMOTE}/accepted/{place.branch}")
    theirs = _fetch(remote, repository, place.branch, depth=None if before else 1)
    rewritten = before is not None and before != theirs and not repository.is_ancestor(before, theirs)
    if before is not None and rewritten:
        from gitreg.registry.rewrites import check_fixed, refusal  # which read YAML

        if not accept_rewrite:
            names = {"remote": remote.name, "branch": place.branch, "url": address}
            raise refusal(repository, place.root, before, theirs, **names)
        check_fixed(repository, place.root, before, theirs)
    _accept(repository, place.branch, theirs)
    return before if rewritten else None


def _fetch(remote: Remote, repository: Repository, branch: str, *, depth: int | None) -> str:
    """Fetch a branch of the remote, and return where it is there; the mirror's own stays where it was."""
    fetched = f"refs/gitreg/{REMOTE}/fetched/{branch}"
    remote.fetch([f"+refs/heads/{branch}:{fetched}"], depth=depth)
    commit = repository.read_ref(fetched)
    assert commit is not None
    return commit


def _accept(repository: Repository, branch: str, commit: str) -> None:
    names = (f"refs/heads/{branch}", f"refs/gitreg/{REMOTE}/accepted/{branch}")
    moves = [RefUpdate(name, commit, old) for name in names if (old := repository.read_ref(name)) != commit]
    if moves:
        repository.update_refs(moves, reason=f"gitreg: follow {REMOTE}")

"""The mirrors: bare clones of a registry's branch in the cache, for registries opened by URL; refreshed on opening."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from gitreg.blobs.os_errors import CACHE_DENIED, readable_os_errors
from gitreg.documents.layout import REGISTRY_FILE
from gitreg.errors import NotFound
from gitreg.git import RefUpdate, Repository
from gitreg.git.creation import mirror_repository
from gitreg.git.remote.protocol import Remote
from gitreg.git.urls import hide_login
from gitreg.git.values import check_ref_name, is_ref_name
from gitreg.names import check_utf8
from gitreg.registry.discovery.location import OWN_BRANCH, Location, RegistryRoot, note_place, noted_place
from gitreg.registry.state.branch import PATIENCE

_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]{2,}:(?!//)[^#]+")
REMOTE = "origin"


class Mirror(NamedTuple):
    """An open mirror.

    Parameters
    ----------
    location:
        The location of the registry in the mirror.
    rewritten_from:
        The commit that the branch was at before a rewritten history was accepted just now; None if it was not
        rewritten.
    """

    location: Location
    rewritten_from: str | None


def is_address(text: str) -> bool:
    """Return whether a text is a registry's address elsewhere, as ``https://...`` or ``user@host:path``."""
    return "://" in text or (_SCP.fullmatch(text.partition("#")[0]) is not None and not Path(text).exists())


def open_mirror(
    text: str, folder: Path, *, env: Mapping[str, str], offline: bool, accept_rewrite: bool = False
) -> Mirror:
    """Open the mirror of a registry and, unless offline, fetch the branch.

    Parameters
    ----------
    text:
        ``URL``, ``URL#BRANCH`` or ``URL#BRANCH:FOLDER``.
    folder:
        The folder of all mirrors.
    env:
        The environment variables.
    offline:
        True to open the mirror without fetching.
    accept_rewrite:
        True to follow the remote's branch even if its history was rewritten.

    Raises
    ------
    InvalidInput
        The branch name is invalid.
    Refused
        The history of the branch was rewritten, or the address now leads to another registry.
    NotFound
        There is no repository, no registry in it, or no mirror of it while offline.
    Unreachable
        The remote does not answer.
    """
    url, _, fragment = check_utf8(text, "the address of the registry").partition("#")
    branch, _, root = fragment.partition(":")
    if branch:
        check_ref_name(f"refs/heads/{branch}")
    place = RegistryRoot(branch, root.strip("/")) if branch else None
    path = folder / f"{sha256(text.encode()).hexdigest()[:32]}.git"
    if offline and not (path / "HEAD").exists():
        raise NotFound(f"there is no mirror of {hide_login(text)} here", hint="open it once without GITREG_OFFLINE")
    with readable_os_errors("make a mirror", path, CACHE_DENIED):
        repository = mirror_repository(path, url, env=env)
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


def _refresh(repository: Repository, text: str, place: RegistryRoot | None, *, accept_rewrite: bool) -> str | None:
    """Fetch the registry's branch; the first time, find the branch and note it in the mirror.

    Returns
    -------
    str or None:
        The former commit of the branch, if a rewritten history was accepted.
    """
    remote = repository.remotes.open(REMOTE)
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


def _likely(remote: Remote) -> list[RegistryRoot]:
    head = remote.head()
    named = [head.removeprefix("refs/heads/")] if head and is_ref_name(head) else []  # a server may answer anything
    return [RegistryRoot(branch, "") for branch in dict.fromkeys((*named, OWN_BRANCH))]


def _follow(
    remote: Remote, repository: Repository, place: RegistryRoot, address: str, *, accept_rewrite: bool
) -> str | None:
    """Fetch the branch and move the mirror to it; return the former commit as `_refresh` does."""
    before = repository.read_ref(f"refs/gitreg/{REMOTE}/accepted/{place.branch}")
    theirs = _fetch(remote, repository, place.branch, depth=None if before else 1)
    rewritten = before is not None and before != theirs and not repository.is_ancestor(before, theirs)
    if before is not None and rewritten:
        from gitreg.registry.remote.rewrites import check_fixed, refusal  # lazy: they import the YAML parser

        if not accept_rewrite:
            names = {"remote": remote.name, "branch": place.branch, "url": address}
            raise refusal(repository, place.root, before, theirs, **names)
        check_fixed(repository, place.root, before, theirs)
    _accept(repository, place.branch, theirs)
    return before if rewritten else None


def _fetch(remote: Remote, repository: Repository, branch: str, *, depth: int | None) -> str:
    """Fetch a branch of the remote and return its commit there; the mirror's own branch does not move."""
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

"""Where the registries of a repository are: on which branches, in which folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from gitreg.documents.files import read_data
from gitreg.documents.layout import FOLDERS, MAX_BYTES, REGISTRY_FILE, Key
from gitreg.documents.types import RegistryDocument
from gitreg.errors import InvalidDocument, TooLarge
from gitreg.git import RefUpdate, Repository
from gitreg.registry.location import Place, noted_place

_BRANCHES = "refs/heads/"


def places(repository: Repository, updates: Sequence[RefUpdate]) -> list[Place]:
    """Give the registries that moves of refs may concern.

    Those in whose folders something changes; where other refs than branches move, all that there are.

    Parameters
    ----------
    updates:
        What moves, from where to where; the objects are here.
    """
    found: dict[Place, None] = {}
    moved = [update for update in updates if update.name.startswith(_BRANCHES)]
    for update in moved:
        branch = update.name.removeprefix(_BRANCHES)
        found |= dict.fromkeys(Place(branch, root) for root in _roots(repository, branch, update.old, update.new))
    if len(moved) < len(updates):
        found |= dict.fromkeys(standing(repository))
    return list(found)


def standing(repository: Repository) -> Iterator[Place]:
    """Yield the registries that branches have, at their top or in a folder, and what the clone has noted."""
    branches = {name.removeprefix(_BRANCHES): commit for name, commit in repository.refs(_BRANCHES).items()}
    held: dict[str, list[str]] = {}
    for commit, root in repository.folders_with(dict.fromkeys(branches.values()), REGISTRY_FILE, skip=FOLDERS):
        held.setdefault(commit, []).append(root)
    for branch, commit in branches.items():
        for root in held.get(commit, ()):
            if declared(repository, commit, root) == branch:
                yield Place(branch, root)
    noted = noted_place(repository)
    if noted is not None and noted.branch in branches:
        yield noted


def registries(repository: Repository) -> dict[Place, RegistryDocument]:
    """Return the registries that a repository has, with their settings; what cannot be read is left out."""
    settings = {place: _settings(repository, place) for place in sorted(set(standing(repository)))}
    return {place: said for place, said in settings.items() if said is not None and said.branch == place.branch}


def _settings(repository: Repository, place: Place) -> RegistryDocument | None:
    commit = repository.read_ref(f"{_BRANCHES}{place.branch}")
    said = settings_said(repository, commit, place.root) if commit else None
    return RegistryDocument.from_data(said) if said else None


def declared(repository: Repository, commit: str, root: str) -> str | None:
    """Give the branch that a registry says it is on; "" where that cannot be read, None where there is no registry."""
    said = settings_said(repository, commit, root)
    return None if said is None else said.get("branch", "")


def settings_said(repository: Repository, commit: str, root: str) -> dict[str, Any] | None:
    """Return what the ``gitreg.yaml`` of a folder says at a commit; nothing where it cannot be read, None for none."""
    try:
        content = repository.read(commit, f"{root}/{REGISTRY_FILE}" if root else REGISTRY_FILE, limit=MAX_BYTES)
        return read_data(Key("registry"), content) if content is not None else None
    except (InvalidDocument, TooLarge):
        return {}


def roots_of(repository: Repository, old: str | None, new: str | None) -> Iterator[str]:
    """Give the folders with a registry in which something differs between two commits; "" for the top."""
    yield ""
    seen: set[str] = set()
    for path in _changed(repository, old, new):
        for folder in PurePosixPath(path).parents:
            root = folder.as_posix()
            if root in seen:
                break
            seen.add(root)
            file = f"{root}/{REGISTRY_FILE}"
            if root != "." and any(commit and repository.has(commit, file) for commit in (old, new)):
                yield root


def _changed(repository: Repository, old: str | None, new: str | None) -> Iterable[str]:
    if old is None or new is None:
        whole = new or old
        return (path for path, _ in repository.walk(whole)) if whole else ()
    return (change.path for change in repository.diff(old, new))


def _roots(repository: Repository, branch: str, old: str | None, new: str | None) -> Iterator[str]:
    """Give the folders of a branch's own registries; what they said before counts before what they shall say."""
    for root in roots_of(repository, old, new):
        said = [declared(repository, commit, root) for commit in (old, new) if commit is not None]
        told = [each for each in said if each is not None]
        if told and told[0] in (branch, ""):
            yield root

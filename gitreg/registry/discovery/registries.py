"""The registries of a repository: their branches and folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from gitreg.documents.layout import FOLDERS, REGISTRY_FILE
from gitreg.documents.types import RegistryDocument
from gitreg.git import RefUpdate, Repository
from gitreg.registry.discovery.location import RegistryRoot, noted_place
from gitreg.registry.state.settings_file import settings_data

_BRANCHES = "refs/heads/"


def affected_roots(repository: Repository, updates: Sequence[RefUpdate]) -> list[RegistryRoot]:
    """Return the registries that ref updates may affect.

    These are the registries whose folders change; if refs other than branches move, all registries are added.

    Parameters
    ----------
    updates:
        The updates; their objects have to be in the repository.
    """
    found: dict[RegistryRoot, None] = {}
    moved = [update for update in updates if update.name.startswith(_BRANCHES)]
    for update in moved:
        branch = update.name.removeprefix(_BRANCHES)
        found |= dict.fromkeys(
            RegistryRoot(branch, root) for root in _roots(repository, branch, update.old, update.new)
        )
    if len(moved) < len(updates):
        found |= dict.fromkeys(registry_roots(repository))
    return list(found)


def registry_roots(repository: Repository, namespace: str = _BRANCHES) -> Iterator[RegistryRoot]:
    """Yield the registries on all branches, at the top or in a folder, and the one that the clone has noted.

    Parameters
    ----------
    namespace:
        The refs that are read as branches: ``refs/heads/``, or ``refs/remotes/NAME/`` for those of a remote.
    """
    branches = {name.removeprefix(namespace): commit for name, commit in repository.refs(namespace).items()}
    roots_by_commit: dict[str, list[str]] = {}
    for commit, root in repository.folders_with(dict.fromkeys(branches.values()), REGISTRY_FILE, skip=FOLDERS):
        roots_by_commit.setdefault(commit, []).append(root)
    for branch, commit in branches.items():
        for root in roots_by_commit.get(commit, ()):
            if declared_branch(repository, commit, root) == branch:
                yield RegistryRoot(branch, root)
    noted = noted_place(repository)
    if noted is not None and noted.branch in branches:
        yield noted


def registries(repository: Repository) -> dict[RegistryRoot, RegistryDocument]:
    """Return the registries of a repository with their settings; unreadable ones are left out."""
    settings = {place: _settings(repository, place) for place in sorted(set(registry_roots(repository)))}
    return {
        place: document
        for place, document in settings.items()
        if document is not None and document.branch == place.branch
    }


def _settings(repository: Repository, place: RegistryRoot) -> RegistryDocument | None:
    commit = repository.read_ref(f"{_BRANCHES}{place.branch}")
    data = settings_data(repository, commit, place.root) if commit else None
    return RegistryDocument.from_data(data) if data else None


def declared_branch(repository: Repository, commit: str, root: str) -> str | None:
    """Return the branch that a registry's settings name; "" if they cannot be read, None if there is no registry."""
    data = settings_data(repository, commit, root)
    return None if data is None else data.get("branch", "")


def changed_roots(repository: Repository, old: str | None, new: str | None) -> Iterator[str]:
    """Yield "" (the top), and each folder with a registry in which a file differs between two commits."""
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
    """Yield the changed folders whose registry is on this branch; the settings before the change count first."""
    for root in changed_roots(repository, old, new):
        branches = [declared_branch(repository, commit, root) for commit in (old, new) if commit is not None]
        known = [each for each in branches if each is not None]
        if known and known[0] in (branch, ""):
            yield root

"""The creation of a registry, in a repository of its own or on a branch of an existing one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gitreg.blobs.urls import open_store
from gitreg.documents.files import read_data, write
from gitreg.documents.layout import REGISTRY_FILE, Key
from gitreg.documents.types import DEFAULT_PREFIX, RegistryDocument
from gitreg.errors import GitregError, InvalidInput, NotFound, Refused
from gitreg.git import RefUpdate, Repository
from gitreg.git.creation import create_repository
from gitreg.git.remote.protocol import no_such_remote
from gitreg.names import is_ref_path
from gitreg.registry.discovery.location import (
    OWN_BRANCH,
    Location,
    RegistryRoot,
    locate,
    note_place,
    spelled_place,
)
from gitreg.registry.discovery.registries import registries
from gitreg.registry.state.branch import PATIENCE
from gitreg.registry.state.dates import dated_after
from gitreg.registry.state.registry_refs import DEFAULT_MIRRORS, mirror_namespaces
from gitreg.registry.state.store_urls import STORE_FOLDER, is_private, store_address, store_setting
from gitreg.registry.writing.commit import Writer

_ABOUT = """\
# The settings of this model registry. `gitreg --help` tells how to use it; every file here is plain YAML.
"""


def create(
    path: Path,
    *,
    env: Mapping[str, str],
    writer: Callable[[Repository], Writer],
    registry_id: str,
    store: str | None = None,
    branch: str | None = None,
    prefix: str | None = None,
    remote: str | None = None,
    store_in_remote_folder: bool = False,
) -> tuple[Location, bool]:
    """Make a registry at a path, or find the one that is there.

    Where there is no folder yet, or no repository around it, a repository is made, with the registry at the top of its
    branch ``main``. Inside a repository that has commits, the registry gets a branch of its own (``registry``), without
    history and without a change of the work tree. An existing branch named by `branch` is continued, with the registry
    in the folder `path` of it.

    Parameters
    ----------
    path:
        The absolute path of the folder.
    writer:
        Returns the author and the committer for the repository.
    registry_id:
        The id of a new registry: 32 hexadecimal digits that no other registry has.
    store:
        The absolute path or URL of the blob store; None for a folder of the clone's own.
    prefix:
        The folder of the version tags, ``models`` by default.
    remote:
        The name of the Git remote that moves first; None for a registry without one. The remote is not contacted. An
        existing registry without a remote is returned as it is, and declares none yet.
    store_in_remote_folder:
        True for a store inside of the remote's own Git folder, on this machine or a shared disk.

    Returns
    -------
    tuple:
        The location of the registry, and True if it was made now, False if it existed.

    Raises
    ------
    Refused
        Tags with that prefix, or its refs, are taken; files in the work tree are in the way; or the registry exists
        with other settings.
    InvalidInput
        The branch or the prefix is no valid ref name, gitreg cannot open the store, or the path is a file; or others
        would get the records of a new registry by its remote, and its weights would stay in this clone.
    NotFound
        Git knows no such remote.
    """
    if store_in_remote_folder and (remote is None or store is not None):
        reason = "needs --remote" if remote is None else "and --store name two stores"
        raise InvalidInput(f"--store-in-remote-folder {reason}", hint="name the remote, and one store")
    for kind, name in (("branch", branch or "main"), ("prefix", prefix or DEFAULT_PREFIX)):
        if not is_ref_path(name):
            raise InvalidInput(f"{name!r} cannot be a {kind}", hint="use letters, digits, '.', '_', '-' and '/'")
    if store is not None:
        open_store(store)
    repository = _repository(path, env, branch, remote)
    try:
        place = _place(repository, path, branch)
        if remote is not None and not repository.remotes.has(remote):
            raise no_such_remote(remote, f"in {repository.work_tree or repository.git_dir}")
        if remote is not None and store_in_remote_folder:
            store = _store_in_remote(repository, remote)
        store = store_setting(store, repository) if store is not None else None
        alone, before = not registries(repository), _meant(path, env)
        with repository.lock(timeout=PATIENCE):
            repository.finish_following()
            made = _commit(repository, place, registry_id, store, prefix, remote, writer)
        found_without = (
            place == RegistryRoot(OWN_BRANCH, "") or repository.head_branch() == f"refs/heads/{place.branch}"
        )
        if made and alone and (place.root or not found_without):
            note_place(repository, place)
        if made and not alone:
            _tell_meaning(repository, path, env, before, place)
    except BaseException:
        repository.close()
        raise
    return Location(repository, *place), made


def _commit(
    repository: Repository,
    place: RegistryRoot,
    registry_id: str,
    store: str | None,
    prefix: str | None,
    remote: str | None,
    writer: Callable[[Repository], Writer],
) -> bool:
    """Write ``gitreg.yaml`` in one commit; return False where it existed already."""
    ref = f"refs/heads/{place.branch}"
    file = f"{place.root}/{REGISTRY_FILE}" if place.root else REGISTRY_FILE
    head = repository.read_ref(ref)
    present = repository.read(head, file) if head else None
    if present is not None:
        _check_same(present, store=store, prefix=prefix, remote=remote)
        return False
    prefix = prefix or DEFAULT_PREFIX
    if repository.refs(f"refs/tags/{prefix}/"):
        raise Refused(f"there are tags under {prefix}/ already", hint="choose another --prefix")
    if remote is not None and is_private(store):
        raise _store_wanted(repository, remote)
    mirrors = _mirrors_beside(repository, prefix)
    document = RegistryDocument(
        id=registry_id, branch=place.branch, remote=remote, prefix=prefix, store=store, mirrors=mirrors
    )
    who = writer(repository)
    if store is not None:
        open_store(store_address(store, repository)).create()
    commit = repository.build_commit(
        head,
        {file: _ABOUT.encode() + write(Key("registry"), document)},
        message="Begin the model registry\n\nGitreg-Operation: init\n",
        author=who.author,
        committer=dated_after(who.committer, repository.commit(head)) if head else who.committer,
    )
    with repository.follow(ref, head, commit):
        repository.update_refs([RefUpdate(ref, commit, head)], reason="gitreg: init")
    return True


def _mirrors_beside(repository: Repository, prefix: str) -> dict[str, str]:
    """Return the namespaces of a new registry's mirrors by kind; an empty dict for the default ones, if they are free.

    Raises
    ------
    Refused
        The prefix collides with the tags of another registry, or the namespaces are taken.
    """
    others = registries(repository)
    for other, settings in others.items():
        if f"{prefix}/".startswith(f"{settings.prefix}/") or f"{settings.prefix}/".startswith(f"{prefix}/"):
            raise Refused(
                f"the registry {spelled_place(other)} of this repository has its tags under {settings.prefix}/",
                hint="choose another --prefix",
            )
    taken = [namespace for settings in others.values() for namespace in mirror_namespaces(settings)]
    if not any(_is_taken(repository, namespace, taken) for namespace in DEFAULT_MIRRORS.values()):
        return {}
    own = {kind: f"refs/registries/{prefix}/{kind}" for kind in DEFAULT_MIRRORS}
    for namespace in own.values():
        if _is_taken(repository, namespace, taken):
            raise Refused(f"there are refs under {namespace}/ already", hint="choose another --prefix")
    return own


def _meant(path: Path, env: Mapping[str, str]) -> RegistryRoot | None:
    """Return the place of the registry that commands in a folder use; None where they find none."""
    with suppress(GitregError):
        found = locate(path, env=env)
        found.repository.close()
        return RegistryRoot(found.branch, found.root)
    return None


def _tell_meaning(
    repository: Repository, path: Path, env: Mapping[str, str], before: RegistryRoot | None, made: RegistryRoot
) -> None:
    """Warn which of several registries commands in the folder use, and how to name the other one."""
    top = repository.work_tree or repository.git_dir
    now = _meant(path, env)
    if now == made and before not in (None, made):
        change, other = f"meant the registry {spelled_place(before)} and mean this one now; name that one by", before
    elif now not in (None, made):
        change, other = f"mean the registry {spelled_place(now)}, as before; name this one by", made
    else:
        return
    warnings.warn(f"commands in {path} {change} --repo {top}#{spelled_place(other)}", stacklevel=3)


def _is_taken(repository: Repository, namespace: str, taken: Sequence[str]) -> bool:
    return namespace in taken or bool(repository.refs(f"{namespace}/"))


def _store_in_remote(repository: Repository, remote: str) -> str:
    """Return the path of the store inside of the Git folder of a remote.

    Raises
    ------
    InvalidInput
        The remote is no folder on this machine.
    """
    folder = repository.remotes.folder(remote)
    if folder is None:
        raise InvalidInput(
            f"{remote} is no folder on this machine: {repository.remotes.url(remote)}",
            hint="name a folder or a bucket that all clones reach: --store URL",
        )
    return str(folder / STORE_FOLDER)


def _store_wanted(repository: Repository, remote: str) -> InvalidInput:
    folder = repository.remotes.folder(remote)
    inside = "" if folder is None else f"; or --store-in-remote-folder, for {folder / STORE_FOLDER}"
    return InvalidInput(
        f"{remote} would get the records alone: without a store that all clones reach, the weights stay in this clone, "
        "and nobody else can load them",
        hint=f"--store URL, for a folder or a bucket that all reach, as s3://bucket/folder{inside}",
    )


def _repository(path: Path, env: Mapping[str, str], branch: str | None, remote: str | None) -> Repository:
    if path.exists() and not path.is_dir():
        raise InvalidInput(f"{path} is a file", hint="name a folder")
    # A folder that does not exist yet gets a repository of its own, even inside another one.
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    if nearest == path or branch is not None:
        try:
            return Repository.discover(nearest, env=env)
        except NotFound:
            pass
    if remote is not None:
        raise no_such_remote(remote, f"at {path}, which is no Git repository")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GitregError(f"cannot make the folder {path}: {error.strerror}", hint="name another folder") from None
    return create_repository(path, branch=branch or "main", env=env)


def _place(repository: Repository, path: Path, branch: str | None) -> RegistryRoot:
    """Return the branch for the registry, and the folder inside it."""
    head = repository.head_branch()
    current = head.removeprefix("refs/heads/") if head else None
    if head is not None and repository.read_ref(head) is None and branch in (None, current):
        # A repository without commits is made for the registry.
        return RegistryRoot(current or "main", _folder(repository, path))
    if branch is None:
        declared = repository.work_tree is not None and (repository.work_tree / REGISTRY_FILE).is_file()
        return RegistryRoot(current if declared and current else OWN_BRANCH, "")
    return RegistryRoot(branch, _folder(repository, path) if repository.read_ref(f"refs/heads/{branch}") else "")


def _folder(repository: Repository, path: Path) -> str:
    if repository.work_tree is None:
        return ""
    folder, top = path.resolve(), repository.work_tree.resolve()
    if folder == top or not folder.is_relative_to(top):  # GIT_DIR names a repository that lies elsewhere
        return ""
    return folder.relative_to(top).as_posix()


def _check_same(present: bytes, **asked: str | None) -> None:
    settings = read_data(Key("registry"), present)
    for field, wanted in asked.items():
        if wanted is None or settings.get(field) == wanted or (field == "remote" and field not in settings):
            continue
        now = settings.get(field, DEFAULT_PREFIX if field == "prefix" else "a folder of this clone")
        raise Refused(f"there is a registry already, and its {field} is {now}, not {wanted}", hint=_OTHERWISE[field])


_OTHERWISE = {
    "store": "`gitreg store set URL --copy` gives it another store",
    "remote": "`gitreg remote set NAME` gives it another remote",
    "prefix": "a prefix stays: versions are tagged under it",
}

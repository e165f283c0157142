"""Making a registry: a repository of its own, or a branch inside an existing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gitreg.documents.files import read_data, write
from gitreg.documents.layout import REGISTRY_FILE, Key
from gitreg.documents.types import DEFAULT_PREFIX, RegistryDocument
from gitreg.errors import Conflict, InvalidInput, NotFound, Refused
from gitreg.git import RefUpdate, Repository
from gitreg.names import slug
from gitreg.registry.commit import PATIENCE, Writer
from gitreg.registry.location import OWN_BRANCH, Location, note_branch

_ABOUT = """\
# The settings of this model registry. `gitreg --help` tells how to use it; every file here is plain YAML.
"""


def create(
    path: Path,
    *,
    env: Mapping[str, str],
    writer: Callable[[Repository], Writer],
    store: str | None = None,
    branch: str | None = None,
    prefix: str | None = None,
) -> tuple[Location, bool]:
    """Make a registry at a path.

    Outside a repository one is made there, the registry at the top of its branch ``main``. Inside one that has
    commits, the registry gets a branch of its own (``registry``), without history and without touching the work
    tree; a branch that exists already is taken as it is, the registry in the folder given.

    Parameters
    ----------
    store:
        Where the weights lie; None for a folder of the clone's own.
    prefix:
        The folder of the version tags, ``models`` by default.

    Returns
    -------
    tuple:
        Where it is, and whether it was made now (False: it was there).

    Raises
    ------
    Refused
        Tags of that prefix belong to something else, or the work tree holds something in the way.
    InvalidInput
        The branch or the prefix is no name for a ref, or an existing registry says otherwise.
    """
    repository = _repository(path, env, branch)
    try:
        branch, root = _place(repository, path, branch)
        prefix_given, prefix = prefix, prefix or DEFAULT_PREFIX
        for what, name in (("branch", branch), ("prefix", prefix)):
            if slug(name) != name or not all(name.split("/")):
                raise InvalidInput(f"{name!r} cannot be a {what}", hint="use letters, digits, '.', '_', '-' and '/'")
        ref = f"refs/heads/{branch}"
        file = f"{root}/{REGISTRY_FILE}" if root else REGISTRY_FILE
        with repository.lock(timeout=PATIENCE):
            repository.finish_following()
            head = repository.read_ref(ref)
            present = repository.read(head, file) if head else None
            if present is not None:
                _check_same(present, store, prefix_given)
                return Location(repository, branch, root), False
            if repository.refs(f"refs/tags/{prefix}/"):
                raise Refused(f"there are tags under {prefix}/ already", hint="choose another --prefix")
            document = RegistryDocument(branch=branch, prefix=prefix, store=store)
            content = _ABOUT.encode() + write(Key("registry"), document)
            who = writer(repository)
            commit = repository.build_commit(
                head,
                {file: content},
                message="Begin the model registry\n\nGitreg-Operation: init\n",
                author=who.author,
                committer=who.committer,
            )
            with repository.follow(ref, head, commit):
                repository.update_refs([RefUpdate(ref, commit, head)], reason="gitreg: init")
        if not root and branch != OWN_BRANCH and repository.head_branch() != ref:
            note_branch(repository, branch)
    except BaseException:
        repository.close()
        raise
    return Location(repository, branch, root), True


def _repository(path: Path, env: Mapping[str, str], branch: str | None) -> Repository:
    if path.exists() and not path.is_dir():
        raise InvalidInput(f"{path} is a file", hint="name a folder")
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        return Repository.discover(nearest, env=env)
    except NotFound:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Conflict(f"cannot make the folder {path}: {error.strerror}") from None
        return Repository.create(path, branch=branch or "main", env=env)


def _place(repository: Repository, path: Path, branch: str | None) -> tuple[str, str]:
    """Choose the branch, and the folder inside it."""
    head = repository.head_branch()
    current = head.removeprefix("refs/heads/") if head else None
    if head is not None and repository.read_ref(head) is None and branch in (None, current):
        # A repository without commits: the registry is what it is for.
        return current or "main", _folder(repository, path)
    if branch is None:
        declared = repository.work_tree is not None and (repository.work_tree / REGISTRY_FILE).is_file()
        return (current, "") if declared and current else (OWN_BRANCH, "")
    return branch, _folder(repository, path) if repository.read_ref(f"refs/heads/{branch}") else ""


def _folder(repository: Repository, path: Path) -> str:
    if repository.work_tree is None:
        return ""
    relative = path.resolve().relative_to(repository.work_tree.resolve()).as_posix()
    return "" if relative == "." else relative


def _check_same(present: bytes, store: str | None, prefix: str | None) -> None:
    said = read_data(Key("registry"), present)
    for field, wanted in (("store", store), ("prefix", prefix)):
        if wanted is not None and said.get(field) != wanted:
            raise Refused(
                f"there is a registry already, and its {field} is {said.get(field)!r}, not {wanted!r}",
                hint=f"edit {field} in {REGISTRY_FILE} and commit it",
            )

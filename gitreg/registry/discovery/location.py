"""The location of a registry: discovery from a folder upwards, and the note of it in the clone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitreg import documents
from gitreg.documents.layout import REGISTRY_FILE, Key
from gitreg.errors import InvalidDocument, InvalidInput, NotFound
from gitreg.git import Repository
from gitreg.registry.state.branch import index_path

OWN_BRANCH = "registry"
"""The default branch of a registry inside a project's own repository."""


class Location(NamedTuple):
    """The location of a registry: repository, branch, and folder in the branch ("" for the top)."""

    repository: Repository
    branch: str
    root: str


class RegistryRoot(NamedTuple):
    """The branch of a registry and its folder in the branch, "" for the top."""

    branch: str
    root: str


def locate(
    start: Path, *, env: Mapping[str, str], place: RegistryRoot | None = None, checked_out: bool = False
) -> Location:
    """Return the location of the registry that a folder belongs to.

    The nearest ``gitreg.yaml`` in the work tree, from the folder upwards, names its branch. Otherwise the registry is
    searched at the location noted in the clone, at the top of the branch ``registry``, and at the top of the branch of
    HEAD, in this order.

    Parameters
    ----------
    start:
        The folder.
    env:
        The environment variables.
    place:
        The registry to open, if a repository has several.
    checked_out:
        True if a ``gitreg.yaml`` in the work tree is enough, even if its branch does not exist here: CI services check
        out one commit.

    Raises
    ------
    NotFound
        There is no repository, or no registry in it.
    """
    if not start.exists():
        raise NotFound(f"there is no folder {start}", hint="name the registry's folder")
    repository = Repository.discover(start, env=env)
    try:
        found = _declared(repository, start.resolve()) if place is None else None
        candidates = (
            [place] if place else [found, noted_place(repository), RegistryRoot(OWN_BRANCH, ""), _head(repository)]
        )
        for candidate in candidates:
            if candidate and ((checked_out and candidate is found) or _holds_registry(repository, candidate)):
                return Location(repository, *candidate)
        message = f"there is no registry in {repository.work_tree or repository.git_dir}"
        if place is not None:
            message += f" on the branch {place.branch}" + (f" in the folder {place.root}" if place.root else "")
        hint = _remote_hint(repository) or "name one by --repo or GITREG_REGISTRY; `gitreg init` makes one here"
        raise NotFound(message, hint=hint)
    except BaseException:
        repository.close()
        raise


def _declared(repository: Repository, start: Path) -> RegistryRoot | None:
    """Return the registry of the nearest ``gitreg.yaml`` in the work tree, from a folder upwards, or None."""
    top = repository.work_tree
    if top is None or not start.is_relative_to(top):
        return None
    for folder in (start, *start.parents):
        file = folder / REGISTRY_FILE
        if file.is_file():
            root = "" if folder == top else folder.relative_to(top).as_posix()
            try:
                return RegistryRoot(_declared_branch(repository, file), root)
            except InvalidDocument:
                # The file was broken by an edit: the file committed on the checked-out branch counts.
                head = _head(repository)
                if head is None or not _holds_registry(repository, head := RegistryRoot(head.branch, root)):
                    raise
                return head
        if folder == top:
            return None
    return None


def _declared_branch(repository: Repository, file: Path) -> str:
    """Return the branch that a ``gitreg.yaml`` names.

    The answer is cached by the bytes of the file, beside the index, so that discovery parses no YAML.
    """
    content = file.read_bytes()
    text = content.decode("latin-1")
    note = repository.common_dir / "gitreg" / "branches.json"
    with suppress(OSError, ValueError, AttributeError, RecursionError):
        noted = json.loads(note.read_text()).get(text)
        if isinstance(noted, str):
            return noted
    branch: str = documents.files.read_data(Key("registry"), content)["branch"]
    with suppress(OSError):
        note.parent.mkdir(exist_ok=True)
        aside = note.with_name(f"{note.name}.{os.getpid()}")
        aside.write_text(json.dumps({text: branch}))
        os.replace(aside, note)
    return branch


def noted_place(repository: Repository) -> RegistryRoot | None:
    """Return the registry that `note_place` noted in this clone; None if there is none."""
    with suppress(OSError, ValueError):
        branch, _, root = (repository.common_dir / "gitreg" / "place").read_text().strip().partition(":")
        return RegistryRoot(branch, root)
    return None


def note_place(repository: Repository, place: RegistryRoot) -> None:
    """Write into this clone the location of a registry that discovery would not find otherwise."""
    folder = repository.common_dir / "gitreg"
    folder.mkdir(exist_ok=True)
    (folder / "place").write_text(f"{place.branch}:{place.root}\n")


def _head(repository: Repository) -> RegistryRoot | None:
    head = repository.head_branch()
    return RegistryRoot(head.removeprefix("refs/heads/"), "") if head else None


def spelled_place(place: RegistryRoot) -> str:
    """Return branch and folder as written after the ``#`` in ``--repo``."""
    return f"{place.branch}:{place.root}" if place.root else place.branch


def _holds_registry(repository: Repository, place: RegistryRoot) -> bool:
    """Return whether there is a registry on a branch and in a folder."""
    commit = repository.read_ref(f"refs/heads/{place.branch}")
    if commit is None:
        return False
    if index_path(repository, *place).exists():  # only a registry has an index; this check reads no Git object
        return True
    file = f"{place.root}/{REGISTRY_FILE}" if place.root else REGISTRY_FILE
    try:
        return repository.has(commit, file)
    except NotFound:
        repository.bring_missing(commit, place.root, history=False)  # folders, too, may be left out
        return repository.has(commit, file)


def _remote_hint(repository: Repository) -> str | None:
    """Return a hint how to check out a registry found on a remote's branch, or None; HEAD of the remote is ignored."""
    for ref, commit in repository.refs("refs/remotes/").items():
        tracking = ref.removeprefix("refs/remotes/")
        branch = tracking.partition("/")[2]
        if branch != "HEAD" and repository.has(commit, REGISTRY_FILE):
            verb = "branch" if branch == OWN_BRANCH else "switch -c"
            return f"a remote has one: `git {verb} {branch} {tracking}`"
    return None


def split_place(text: str, folder: Path) -> tuple[Path, RegistryRoot | None]:
    """Split ``PATH#BRANCH`` or ``PATH#BRANCH:FOLDER``, as in ``--repo`` and ``GITREG_REGISTRY``.

    Parameters
    ----------
    text:
        The text to split.
    folder:
        The folder that a relative path starts from.

    Returns
    -------
    tuple:
        The path, and branch and folder; None without ``#``.

    Raises
    ------
    InvalidInput
        There is nothing before or after the ``#``.
    """
    if (folder / text).exists():  # a folder may have a "#" in its name
        return folder / text, None
    path, mark, place = text.rpartition("#")
    if not mark:
        return folder / text, None
    branch, _, root = place.partition(":")
    if not path or not branch:
        raise InvalidInput(f"{text!r} names no registry", hint="write PATH, or PATH#BRANCH where there are several")
    return folder / path, RegistryRoot(branch, root.strip("/"))

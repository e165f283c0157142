"""Where a registry is: found from a folder upwards, or made there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitreg.documents.layout import REGISTRY_FILE, Key
from gitreg.errors import InvalidInput, NotFound
from gitreg.git import Repository

OWN_BRANCH = "registry"
"""The branch of a registry inside a project's own repository, unless ``init`` was told another."""


class Location(NamedTuple):
    """A registry's branch and folder inside a repository."""

    repository: Repository
    branch: str
    root: str


def locate(start: Path, *, env: Mapping[str, str], branch: str | None = None) -> Location:
    """Find the registry that a folder belongs to.

    A ``gitreg.yaml`` in the work tree, from the folder upwards, says its branch. Where there is none, the branch of the
    clone's own note, the branch ``registry``, or the one that HEAD names holds it at its top.

    Parameters
    ----------
    branch:
        The registry branch to take, where a repository has several.

    Raises
    ------
    NotFound
        There is no repository, or no registry in it.
    """
    if not start.exists():
        raise NotFound(f"there is no folder {start}", hint="name the registry's folder")
    repository = Repository.discover(start, env=env)
    try:
        found = _locate(repository, start.resolve(), branch)
    except BaseException:
        repository.close()
        raise
    if found is None:
        message = f"there is no registry in {repository.work_tree or repository.git_dir}"
        hint = _remote_hint(repository) or "run `gitreg init`, or name one by --repo or GITREG_REGISTRY"
        repository.close()
        raise NotFound(message, hint=hint)
    return Location(repository, *found)


def _locate(repository: Repository, start: Path, branch: str | None) -> tuple[str, str] | None:
    top = repository.work_tree
    if branch is None and top is not None and start.is_relative_to(top):
        for folder in (start, *start.parents):
            file = folder / REGISTRY_FILE
            if file.is_file():
                root = "" if folder == top else folder.relative_to(top).as_posix()
                return _declared_branch(repository, file), root
            if folder == top:
                break
    candidates = [branch] if branch else [_noted_branch(repository), OWN_BRANCH, _head_branch(repository)]
    for candidate in dict.fromkeys(candidates):
        if candidate and _holds_registry(repository, candidate):
            return candidate, ""
    return None


def _declared_branch(repository: Repository, file: Path) -> str:
    """Give the branch that a ``gitreg.yaml`` names.

    What a file of these bytes says is noted beside the index, so that finding the registry reads no YAML.
    """
    content = file.read_bytes()
    text = content.decode("latin-1")
    note = repository.common_dir / "gitreg" / "branches.json"
    with suppress(OSError, ValueError, AttributeError):
        noted = json.loads(note.read_text()).get(text)
        if isinstance(noted, str):
            return noted
    from gitreg.documents.files import read_data  # only where it was not read before

    branch: str = read_data(Key("registry"), content)["branch"]
    with suppress(OSError):
        note.parent.mkdir(exist_ok=True)
        aside = note.with_name(f"{note.name}.{os.getpid()}")
        aside.write_text(json.dumps({text: branch}))
        os.replace(aside, note)
    return branch


def _noted_branch(repository: Repository) -> str | None:
    with suppress(OSError):
        return (repository.common_dir / "gitreg" / "branch").read_text().strip() or None
    return None


def note_branch(repository: Repository, branch: str) -> None:
    """Remember, in this clone, the branch of a registry that nothing in the work tree points to."""
    folder = repository.common_dir / "gitreg"
    folder.mkdir(exist_ok=True)
    (folder / "branch").write_text(f"{branch}\n")


def _head_branch(repository: Repository) -> str | None:
    head = repository.head_branch()
    return head.removeprefix("refs/heads/") if head else None


def _holds_registry(repository: Repository, branch: str) -> bool:
    commit = repository.read_ref(f"refs/heads/{branch}")
    return commit is not None and repository.read(commit, REGISTRY_FILE) is not None


def _remote_hint(repository: Repository) -> str | None:
    for ref, commit in repository.refs("refs/remotes/").items():
        if ref.endswith(f"/{OWN_BRANCH}") and repository.read(commit, REGISTRY_FILE) is not None:
            return f"a remote has one: `git branch {OWN_BRANCH} {ref.removeprefix('refs/remotes/')}`"
    return None


def split_branch(text: str) -> tuple[str, str | None]:
    """Split ``PATH#BRANCH``, as --repo and GITREG_REGISTRY take it.

    Raises
    ------
    InvalidInput
        There is nothing before or after the ``#``.
    """
    path, mark, branch = text.partition("#")
    if not path or (mark and not branch):
        raise InvalidInput(f"{text!r} names no registry", hint="write PATH, or PATH#BRANCH where there are several")
    return path, branch or None

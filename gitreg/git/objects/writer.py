"""Creation of commits and tags from files at paths: only objects are written, no ref moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Union

from gitreg.errors import InvalidInput
from gitreg.git.objects.parsing import TreeEntry, format_commit, format_tag, format_tree, with_header
from gitreg.git.objects.store import ObjectStore
from gitreg.git.signing import Signer
from gitreg.git.values import Identity
from gitreg.names import is_dot_git

Write = Callable[[str, bytes], str]
"""Writes an object of a type and content, and returns its id."""

_Plan = dict[str, Union[bytes, "_Plan", None]]


def build_commit(
    objects: ObjectStore,
    write: Write,
    signer: Signer,
    parent: str | None,
    changes: Mapping[str, bytes | None],
    *,
    message: str,
    author: Identity,
    committer: Identity,
    sign: bool = True,
) -> str:
    """See `gitreg.git.Repository.build_commit`."""
    plan = _plan(changes)
    before = objects.root(parent) if parent else None
    tree = _build_tree(objects, write, before, plan, "") or write("tree", b"")
    headers, body = format_commit(tree, [parent] if parent else [], author, committer, message)
    if sign and signer.signs_commits:
        headers = with_header(headers, signer.commit_header, signer.sign(headers + body, committer))
    return write("commit", headers + body)


def build_tag(
    objects: ObjectStore, write: Write, signer: Signer, name: str, target: str, *, message: str, tagger: Identity
) -> str:
    """See `gitreg.git.Repository.build_tag`."""
    kind = objects.kind(target)
    if kind is None:
        raise InvalidInput(f"tag {name} would point to {target}, which is not here", hint="write its target first")
    content = format_tag(target, kind, name, tagger, message)
    return write("tag", content + signer.sign(content, tagger) if signer.signs_tags else content)


def check_path(path: str) -> None:
    """Refuse a path that is not valid in Git, or that would leave or damage a work tree.

    Raises
    ------
    InvalidInput
        The path is empty or absolute, has an empty, ``.``, ``..`` or ``.git`` part, or contains NUL.
    """
    for part in path.split("/"):
        if part in ("", ".", "..") or "\0" in part or is_dot_git(part):
            raise InvalidInput(f"{path!r} cannot be a path in Git: {part!r} in it", hint="give a plain relative path")


def _plan(changes: Mapping[str, bytes | None]) -> _Plan:
    """Return the changes as nested folders; the keys of folders end in ``/``, so that a file may have the same name."""
    plan: _Plan = {}
    for path, content in changes.items():
        check_path(path)
        *folders, name = path.split("/")
        folder_plan = plan
        for folder in folders:
            folder_plan = folder_plan.setdefault(f"{folder}/", {})  # type: ignore[assignment]
        folder_plan[name] = content
    return plan


def _build_tree(objects: ObjectStore, write: Write, before: str | None, plan: _Plan, at: str) -> str | None:
    """Write the trees that the plan changes, and return the id of the top one; None where nothing is left in it."""
    entries = dict(objects.tree(before)) if before else {}
    for name, content in plan.items():  # removals first, so that a file can make way for a folder
        if content is None and name in entries and not entries[name].is_folder:
            del entries[name]
    for key, sub in plan.items():
        if isinstance(sub, dict):
            name = key[:-1]
            was = entries.get(name)
            is_folder = was is not None and was.is_folder
            folder = _build_tree(objects, write, was.oid if was and is_folder else None, sub, f"{at}{key}")
            if folder and was and not is_folder:
                raise InvalidInput(f"{at}{name} is a file and cannot hold files", hint="remove it in the same change")
            if folder:
                entries[name] = TreeEntry(0o040000, folder)
            elif is_folder:
                del entries[name]
    for name, content in plan.items():
        if isinstance(content, bytes):
            was = entries.get(name)
            if was is not None and was.is_folder:
                raise InvalidInput(f"{at}{name} is a folder and cannot become a file", hint="remove what is in it")
            mode = was.mode if was is not None and was.is_file else 0o100644
            entries[name] = TreeEntry(mode, write("blob", content))
    if not entries:
        return None
    content = format_tree(entries.items())
    return write("tree", content)

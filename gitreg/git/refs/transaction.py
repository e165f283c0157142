"""Ref transactions: all refs move by compare-and-swap, or none; with random waits (jitter) for locks."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg import system
from gitreg.errors import Conflict, GitregError, IntegrityError, Locked, Refused
from gitreg.git.dulwich_internals import forget_ref
from gitreg.git.objects.store import ObjectStore
from gitreg.git.program import Git
from gitreg.git.refs.refs import Refs
from gitreg.git.refs.stale_locks import noted
from gitreg.git.values import ANY, RefUpdate, check_ref_name

if TYPE_CHECKING:
    pass

_PATIENCE = 1.0  # seconds to wait for another process's lock on a ref
_LOGGED = ("refs/heads/", "refs/remotes/", "refs/notes/", "refs/bisect/", "refs/worktree/", "refs/rewritten/")
"""Refs that have a reflog by git's defaults, and refs with another folder in a linked work tree."""
_HINT_AGAIN = "read again and try again"

# The error messages of git (refs.c, refs/files-backend.c, lockfile.c) by their causes.
_MOVED = re.compile(r"but expected|reference already exists|reference is missing|unable to resolve reference")
_LOCKED = re.compile(r"Unable to create '([^']*\.lock)': File exists")
_IN_THE_WAY = re.compile(r"cannot create '|there are still|there is a non-empty directory|cannot process '")
_MISSING = re.compile(r"nonexistent object|missing object|bad object")
_NAMED = re.compile(r"cannot lock ref '([^']+)'|'(refs/[^']+?)(?:\.lock)?'")


def update_refs(
    git: Git | None, refs: Refs, objects: ObjectStore, updates: Sequence[RefUpdate], *, reason: str, group: bool
) -> None:
    """See `gitreg.git.Repository.update_refs`.

    Parameters
    ----------
    group:
        True to make new files writable for the group, as core.sharedRepository asks.
    """
    for update in updates:
        check_ref_name(update.name)
    if not updates:
        return
    with noted(refs.git_dir, refs.common_dir, [update.name for update in updates]):
        if len(updates) == 1 and _moved_alone(refs, objects, updates[0], group):
            return
        if git is not None:
            _by_git(git, refs.git_dir, updates, reason, refs.oid_length)
        else:
            _by_dulwich(refs, objects, updates)


def _moved_alone(refs: Refs, objects: ObjectStore, update: RefUpdate, group: bool) -> bool:
    """Move one existing ref from a commit to the next, as git's files backend does, without a process; return success.

    A run's draft moves so with every checkpoint. Nothing is done and False is returned where more than a file is
    involved: a reflog is kept (git begins one when it creates the ref, if at all), or the ref is symbolic, locked or
    elsewhere.
    """
    name, new, old = update
    path = refs.common_dir / name
    if new is None or old in (None, ANY) or name.startswith(_LOGGED) or (refs.common_dir / "logs" / name).exists():
        return False
    lock = path.with_name(f"{path.name}.lock")
    try:
        file = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | system.CLOSED_TO_CHILDREN, 0o666)
    except OSError:  # leave it to git, which waits for the lock or reports the error
        return False
    moved = False
    try:
        with os.fdopen(file, "wb") as held:
            if refs.is_symbolic(name) or refs.read(name) != old or objects.kind(new) is None:
                return False  # leave the error to git
            if group:
                system.set_mode(held.fileno(), 0o664)
            held.write(f"{new}\n".encode())
            held.flush()
            system.sync(held.fileno())
        with suppress(IsADirectoryError):  # an empty folder, which git removes
            system.replace(lock, path)
            moved = True
        return moved
    finally:
        if not moved:
            with suppress(OSError):  # git reports a lock that stays
                lock.unlink(missing_ok=True)


def _by_git(git: Git, git_dir: Path, updates: Sequence[RefUpdate], reason: str, oid_length: int) -> None:
    lines = ["start", *(_instruction(update, "0" * oid_length) for update in updates), "prepare", "commit"]
    result = git.run(
        "--git-dir", str(git_dir), "update-ref", "-m", " ".join(reason.split()) or "gitreg", "--stdin",
        cwd=git_dir,
        stdin="".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"),
        settings={"core.filesRefLockTimeout": str(int(_PATIENCE * 1000))},  # git itself waits with jitter
    )  # fmt: skip
    if result.returncode:
        raise _meaning(result.stderr.decode(errors="replace").strip(), updates)


def _instruction(update: RefUpdate, zeros: str) -> str:
    if update.new is None:
        if update.old is None:
            return f"verify {update.name} {zeros}"
        return f"delete {update.name}" + (f" {update.old}" if update.old != ANY else "")
    if update.old is None:
        return f"create {update.name} {update.new}"
    return f"update {update.name} {update.new}" + (f" {update.old}" if update.old != ANY else "")


def _meaning(output: str, updates: Sequence[RefUpdate]) -> GitregError:
    match = _NAMED.search(output)
    name = (match[1] or match[2]) if match else ", ".join(update.name for update in updates[:3])
    words = output.removeprefix("fatal: ")
    if held := _LOCKED.search(output):
        return _locked(name, held[1])
    if _IN_THE_WAY.search(output):
        return Refused(f"{name} cannot be written: {words}", hint="delete or rename the other ref")
    if _MOVED.search(output):
        return Conflict(f"{name} is not where it was: {words}", hint=_HINT_AGAIN)
    if _MISSING.search(output):
        return IntegrityError(f"{name} would point to nothing: {words}", hint="run `git fsck`")
    return GitregError(f"git could not move {name}: {words}", hint="run `git fsck`, and look at the folder's rights")


def _locked(name: str, path: str) -> Locked:
    return Locked(f"{name} is locked by another process: {path} is there", path=path)


def _by_dulwich(refs: Refs, objects: ObjectStore, updates: Sequence[RefUpdate]) -> None:
    """Lock every ref as git does, check all of them, then move all: branches are locked last, so they move first."""
    # slow to import: slower than reading a ref
    from dulwich.file import FileLocked
    from dulwich.refs import DiskRefsContainer, Ref, locked_ref

    for update in updates:
        if update.new is not None and objects.kind(update.new) is None:
            raise IntegrityError(f"{update.name} would point to {update.new}, which is not here", hint="run `git fsck`")
    container = DiskRefsContainer(refs.common_dir, refs.git_dir)
    deadline = time.monotonic() + _PATIENCE
    ordered = sorted(updates, key=lambda update: update.name.startswith("refs/heads/"))
    while True:
        name = ""
        try:
            with ExitStack() as stack:
                locks = []
                for update in ordered:
                    name = update.name
                    _check_room(refs, update)
                    lock = locked_ref(container, Ref(name.encode()))
                    stack.callback(forget_ref, lock)
                    locks.append(stack.enter_context(lock))
                for update in ordered:
                    now = refs.read(update.name)
                    if update.old not in (ANY, now):
                        was = f"is at {now}" if now else "is not there"
                        raise Conflict(f"{update.name} {was}, expected {update.old or 'none'}", hint=_HINT_AGAIN)
                for update, lock in zip(ordered, locks, strict=True):
                    if update.new is None:
                        lock.delete()
                    else:
                        lock.set(update.new.encode())
            return
        except (FileLocked, FileNotFoundError) as error:  # the latter: git packed refs and removed an empty folder
            if time.monotonic() > deadline:
                raise _locked(name, str(refs.common_dir / f"{name}.lock")) from error
            time.sleep(random.uniform(0.002, 0.02))  # noqa: S311 - jitter, no secret


def _check_room(refs: Refs, update: RefUpdate) -> None:
    """Refuse a ref below or above another one: dulwich would create both, and git could then read neither."""
    if update.new is None:
        return
    parts = update.name.split("/")
    above = (name for n in range(2, len(parts)) if refs.read(name := "/".join(parts[:n])))
    for folder, _, _ in os.walk(refs.common_dir / update.name, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)  # an empty folder of deleted refs; git removes it too
    other = next(above, None) or next(iter(refs.under(f"{update.name}/")), None)
    if other:
        raise Refused(f"{update.name} cannot be made beside {other}", hint="delete or rename the other ref")

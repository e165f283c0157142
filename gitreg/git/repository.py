"""The one class of the Git layer: a repository as bytes at paths, commits, tags, refs and work trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Self

from gitreg.git import writing
from gitreg.git.config import Config, read_config
from gitreg.git.creation import create
from gitreg.git.discovery import Layout, discover, object_folders, shared_with_group
from gitreg.git.history import first_parents, resolve, shallow_boundary
from gitreg.git.identity import identity
from gitreg.git.locking import writers_lock
from gitreg.git.loose import write_loose
from gitreg.git.objects import Objects
from gitreg.git.ownership import check_owner
from gitreg.git.program import Git, find_git
from gitreg.git.refs import Refs
from gitreg.git.signing import Signer
from gitreg.git.transaction import update_refs
from gitreg.git.values import Commit, PathChange, RefUpdate, Signature, Tag
from gitreg.git.worktrees import WorkTrees


class Repository:
    """A Git repository, seen from one of its work trees.

    Opening one and reading a ref imports no Git library and starts no process; objects, writing and work trees bring
    in what they need when they are used first. Close it, or use it in a ``with`` statement.

    Parameters
    ----------
    layout:
        Where it is.
    env:
        The user's environment: where git and its configuration are found, who commits.
    """

    def __init__(self, layout: Layout, env: Mapping[str, str]) -> None:
        self._layout = layout
        self._env = env
        self._refs = Refs(layout.git_dir, layout.common_dir, layout.oid_length)
        self._objects = Objects(object_folders(layout, env), layout.object_format, layout.oid_length)

    @classmethod
    def discover(cls, start: Path, *, env: Mapping[str, str] = MappingProxyType({})) -> Self:
        """Open the repository that a folder belongs to, as git finds it: upwards, or by ``GIT_DIR``.

        Raises
        ------
        NotFound
            There is none.
        Refused
            It belongs to another user, or is in a format that gitreg does not read.
        """
        layout = discover(start, env)
        check_owner(layout, env)
        return cls(layout, env)

    @classmethod
    def create(cls, path: Path, *, branch: str, env: Mapping[str, str]) -> Self:
        """Make a repository in a folder, as ``git init`` does, and open it.

        Parameters
        ----------
        branch:
            The short name of the branch that the first commit will be on.

        Raises
        ------
        AlreadyExists
            The folder is a repository already.
        InvalidInput
            The branch is no name for one.
        """
        create(path, branch, env)
        return cls.discover(path, env={key: value for key, value in env.items() if key != "GIT_DIR"})

    @property
    def git_dir(self) -> Path:
        """The Git folder of this work tree alone."""
        return self._layout.git_dir

    @property
    def common_dir(self) -> Path:
        """The Git folder that all work trees share: objects, refs, and our own ``gitreg/``."""
        return self._layout.common_dir

    @property
    def work_tree(self) -> Path | None:
        """The folder with the files; None in a bare repository."""
        return self._layout.work_tree

    @property
    def object_format(self) -> str:
        """``sha1`` or ``sha256``."""
        return self._layout.object_format

    def close(self) -> None:
        """Let go of open files; they are opened again when needed."""
        self._objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- refs --------------------------------------------------------------------------------------------------------

    def read_ref(self, name: str) -> str | None:
        """Return the object id that a ref points to, by its full name; None when there is no such ref."""
        return self._refs.read(name)

    def refs(self, prefix: str) -> dict[str, str]:
        """Return the refs whose full names start so, sorted by name, to object ids; the prefix may end anywhere."""
        return self._refs.under(prefix)

    def head_branch(self) -> str | None:
        """Return the full name of the branch that is checked out here, born or not; None when HEAD is detached."""
        return self._refs.head_branch()

    # -- objects -----------------------------------------------------------------------------------------------------

    def resolve(self, text: str) -> str | None:
        """Return the commit that a full or abbreviated (at least 4 digits) id, a branch or a tag means, or None.

        Raises
        ------
        InvalidInput
            Several commits have ids that start so.
        """
        return resolve(self._objects, self._refs, text)

    def commit(self, oid: str) -> Commit:
        """Return a commit.

        Raises
        ------
        NotFound
            It is not in this repository (or was left out of a partial clone).
        InvalidInput
            It is something else.
        IntegrityError
            It is damaged.
        """
        return self._objects.commit(oid)

    def history(self, oid: str, *, until: str | None = None) -> Iterator[Commit]:
        """Yield a commit and its first parents, newest first, ending before ``until`` or at a shallow boundary."""
        return first_parents(self._objects, oid, shallow_boundary(self.common_dir), until)

    def is_boundary(self, oid: str) -> bool:
        """Whether a shallow clone has cut off the parents of this commit."""
        return oid in shallow_boundary(self.common_dir)

    @property
    def is_shallow(self) -> bool:
        """Whether older history was left out when this repository was cloned."""
        return bool(shallow_boundary(self.common_dir))

    def read(self, tree_ish: str, path: str) -> bytes | None:
        """Return the content of the file at a path of a commit or tree; None when no file is there.

        Symbolic links and submodules are no files, here and everywhere below.
        """
        entry = self._objects.entry(tree_ish, path)
        return self.read_blob(entry.oid) if entry and entry.is_file else None

    def read_blob(self, oid: str) -> bytes:
        """Return the content of a file by its object id; raises as `commit`."""
        return self._objects.get(oid, "blob")

    def listing(self, tree_ish: str, folder: str) -> dict[str, str]:
        """Return what is directly in a folder: names (those of folders end in ``/``) to object ids."""
        tree = self._objects.folder(tree_ish, folder)
        entries = self._objects.tree(tree).items() if tree else ()
        return {f"{n}/" if e.is_folder else n: e.oid for n, e in entries if e.is_folder or e.is_file}

    def walk(self, tree_ish: str, folder: str = "") -> Iterator[tuple[str, str]]:
        """Yield (path, object id) of every file in a folder and below, sorted by path; paths are full."""
        tree = self._objects.folder(tree_ish, folder)
        for path, entry in self._objects.walk(tree, _prefix(folder)) if tree else ():
            yield path, entry.oid

    def diff(self, old: str | None, new: str, folder: str = "") -> Iterator[PathChange]:
        """Yield the files that differ in a folder between two commits or trees, sorted; ``old`` None is empty.

        Equal subtrees are never opened, so this costs as much as there are changes.
        """
        before = self._objects.folder(old, folder) if old else None
        return self._objects.diff(before, self._objects.folder(new, folder), _prefix(folder))

    def tag(self, oid: str) -> Tag | None:
        """Return an annotated tag by its object id; None when the object is something else or missing."""
        return self._objects.tag(oid)

    def peel(self, oid: str) -> str | None:
        """Return the commit that an object id means, through any tags; None when it means none that is here."""
        peeled = self._objects.peel(oid)
        return peeled if peeled and self.object_type(peeled) == "commit" else None

    def object_type(self, oid: str) -> str | None:
        """Return ``commit``, ``tree``, ``blob`` or ``tag``; None when the object is missing."""
        found = self._objects.find(oid)
        return found[0] if found else None

    # -- writing -----------------------------------------------------------------------------------------------------

    def build_commit(
        self,
        parent: str | None,
        changes: Mapping[str, bytes | None],
        *,
        message: str,
        author: Signature,
        committer: Signature,
    ) -> str:
        """Write a commit that changes files, and return its id; no ref moves.

        Parameters
        ----------
        parent:
            The commit to build on; None for a first commit.
        changes:
            Paths to new content, None to remove; emptied folders vanish, executable files stay executable.

        Raises
        ------
        InvalidInput
            A path cannot stand in Git (empty, absolute, ``..``, ``.git``), or is a file here and a folder there.
        """
        return writing.build_commit(
            self._objects, self._write, self._signer, parent, changes,
            message=message, author=author, committer=committer,
        )  # fmt: skip

    def build_tag(self, name: str, target: str, *, message: str, tagger: Signature) -> str:
        """Write an annotated tag and return its id; no ref moves.

        Parameters
        ----------
        name:
            As after ``refs/tags/``.
        target:
            The object that it tags.

        Raises
        ------
        InvalidInput
            The target is not here.
        """
        return writing.build_tag(self._objects, self._write, self._signer, name, target, message=message, tagger=tagger)

    def update_refs(self, updates: Sequence[RefUpdate], *, reason: str) -> None:
        """Move refs in one transaction: all of them, or none.

        Waits up to a second where another process holds a ref.

        Parameters
        ----------
        reason:
            One line for the reflog.

        Raises
        ------
        Conflict
            A ref is not where it should be, or stayed locked; the message names it.
        Refused
            A ref's name is in the way of another's.
        InvalidInput
            A name cannot be a ref.
        IntegrityError
            A ref would point to an object that is not here.
        """
        update_refs(self._git, self._refs, self._objects, updates, reason=reason)

    def lock(self, *, timeout: float) -> AbstractContextManager[None]:
        """Hold the lock that gitreg's own writers take; it ends with the process, however that ends.

        Parameters
        ----------
        timeout:
            Seconds to wait for it.

        Raises
        ------
        Conflict
            Another process, or another ``with`` of this one, held it all that time.
        """
        return writers_lock(self.common_dir, timeout=timeout, group=self._group)

    def identity(self, *, time: int, offset: int) -> Signature:
        """Return who commits, by Git's configuration and environment.

        Parameters
        ----------
        time, offset:
            Now, in seconds since the epoch, and the zone in minutes east of UTC; ``GIT_COMMITTER_DATE`` goes before.

        Raises
        ------
        InvalidInput
            Git does not know who the user is.
        """
        return identity("committer", self._config, self._env, time=time, offset=offset)

    def author_identity(self, *, time: int, offset: int) -> Signature:
        """Return who writes, as `identity`, by ``GIT_AUTHOR_*`` and ``author.*``."""
        return identity("author", self._config, self._env, time=time, offset=offset)

    # -- work trees --------------------------------------------------------------------------------------------------

    def follow(self, branch: str, old: str | None, new: str) -> AbstractContextManager[None]:
        """Let every work tree that has a branch checked out follow the move made inside the ``with``.

        As ``git merge --ff-only`` would: a user's uncommitted work, staged or not, is never touched. Call it while
        holding `lock`, after `finish_following`. What cannot follow after the branch has moved (a file was changed in
        that moment) is kept for `finish_following`, and named by `unfinished_following`.

        Parameters
        ----------
        branch:
            The full name of the branch.
        old, new:
            The commits that it moves from (None: it is unborn) and to.

        Raises
        ------
        Refused
            Uncommitted work is in the way; raised on entering, before anything moves.
        Conflict
            Another process holds the index of a work tree.
        """
        return self._work_trees.follow(branch, old, new)

    def finish_following(self) -> list[Path]:
        """Bring up to date the work trees that a killed process left behind, and return them.

        Call it while holding `lock`. Where the branch did not move after all, there is nothing to do. Where
        uncommitted work is in the way, the work tree stays as it is and is named by `unfinished_following`.
        """
        return self._work_trees.finish()

    def unfinished_following(self) -> list[Path]:
        """Return the work trees that a killed process, or one that is moving the branch now, has left behind."""
        return self._work_trees.unfinished()

    # -- what is made when it is used first --------------------------------------------------------------------------

    @cached_property
    def _git(self) -> Git | None:
        return find_git(self._env)

    @cached_property
    def _config(self) -> Config:
        return read_config(self._git, self._env, self._layout)

    @cached_property
    def _signer(self) -> Signer:
        return Signer(self._config, self._env, self.object_format)

    @cached_property
    def _group(self) -> bool:
        return shared_with_group(self.common_dir)

    def _write(self, kind: str, content: bytes) -> str:
        return write_loose(self._objects.folders[0], kind, content, self.object_format, group=self._group)

    @cached_property
    def _work_trees(self) -> WorkTrees:
        return WorkTrees(self._layout, self._git, self._objects, self._refs)


def _prefix(folder: str) -> str:
    return f"{folder.strip('/')}/" if folder.strip("/") else ""

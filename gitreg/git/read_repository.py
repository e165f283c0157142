"""The repository for readers: files at paths, commits, tags and refs."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from gitreg.git import history
from gitreg.git.discovery import RepositoryLayout, discover, object_folders
from gitreg.git.history.history import ahead, commit_of, first_parents, is_ancestor, resolve, shallow_boundary
from gitreg.git.objects.parsing import signature_kind, split_commit, split_tag
from gitreg.git.objects.store import ObjectStore
from gitreg.git.ownership import check_owner
from gitreg.git.program import QUARANTINE, find_git
from gitreg.git.refs.refs import Refs
from gitreg.git.values import Commit, PathChange, Tag

if TYPE_CHECKING:
    from gitreg.git.history.replay import Replayed


class ReadOnlyRepository:
    """A Git repository, seen from one of its work trees; it cannot be changed by this class.

    Opening and reading it starts no process, and imports no Git library before a packed object is read. Close it, or
    use it in a ``with`` statement.

    Parameters
    ----------
    layout:
        The folders of the repository.
    env:
        The user's environment: it locates git and its configuration, and may name the committer.
    """

    def __init__(self, layout: RepositoryLayout, env: Mapping[str, str]) -> None:
        env = _with_absolute_settings(env, layout.work_tree or layout.git_dir)
        folders = object_folders(layout, env)
        self._layout = layout
        # The quarantine of a push to another repository does not concern this one.
        self._env = env if len(folders) > 1 else {k: v for k, v in env.items() if k != QUARANTINE}
        self._refs = Refs(layout.git_dir, layout.common_dir, layout.oid_length)
        self._objects = ObjectStore(folders, layout.object_format, layout.oid_length)

    @classmethod
    def discover(cls, start: Path, *, env: Mapping[str, str] = MappingProxyType({})) -> Self:
        """Open the repository that a folder belongs to, found as git does: upwards, or by ``GIT_DIR``.

        Raises
        ------
        NotFound
            There is no repository.
        Refused
            The repository belongs to another user, or its format is not supported.
        """
        layout = discover(start, env)
        check_owner(layout, env)
        return cls(layout, env)

    @property
    def git_dir(self) -> Path:
        """The Git folder of this work tree alone."""
        return self._layout.git_dir

    @property
    def common_dir(self) -> Path:
        """The Git folder that all work trees share: objects, refs, and gitreg's own ``gitreg/``."""
        return self._layout.common_dir

    @property
    def work_tree(self) -> Path | None:
        """The folder with the files; None in a bare repository."""
        return self._layout.work_tree

    @property
    def object_format(self) -> str:
        """The hash of the object ids, ``sha1`` or ``sha256``."""
        return self._layout.object_format

    def close(self) -> None:
        """Close open files; they are opened again when needed."""
        self._objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- refs --------------------------------------------------------------------------------------------------------

    def read_ref(self, name: str) -> str | None:
        """Return the object id that a ref points to, by its full name; None where there is no such ref."""
        return self._refs.read(name)

    def refs(self, prefix: str) -> dict[str, str]:
        """Return the refs whose full names start with a prefix, with their object ids, sorted by name.

        Parameters
        ----------
        prefix:
            The start of the names, which begins with ``refs/`` and may end anywhere.

        Raises
        ------
        InvalidInput
            The prefix does not start with ``refs/``.
        """
        return self._refs.under(prefix)

    def head_branch(self) -> str | None:
        """Return the full name of the branch that HEAD points to, also an unborn one; None where HEAD is detached."""
        return self._refs.head_branch()

    def checked_out(self) -> list[str]:
        """Return the ids of the commits that are checked out in the work trees, main and linked, sorted."""
        linked = sorted(path.parent for path in (self.common_dir / "worktrees").glob("*/HEAD"))
        heads = (
            Refs(folder, self.common_dir, self._layout.oid_length).read("HEAD")
            for folder in (self.common_dir, *linked, self.git_dir)
        )
        return sorted({oid for oid in heads if oid})

    # -- objects -----------------------------------------------------------------------------------------------------

    def resolve(self, text: str) -> str | None:
        """Return the id of the commit that a revision means to Git (gitrevisions(7)), or None.

        Full and abbreviated ids, branches, tags and ``HEAD``, and steps after them (``HEAD~1``, ``main^2``) are looked
        up in process. Anything else (``main@{1}``, ``@{upstream}``, ``:/text``) needs the git program.

        Raises
        ------
        InvalidInput
            The abbreviated id fits several commits.
        """
        found = resolve(self._objects, self._refs, text)
        if found is None and (git := find_git(self._env)):
            oid = history.replay.revision_by_git(git, self.git_dir, text)
            return commit_of(self._objects, oid) if oid else None
        return found

    def commit(self, oid: str) -> Commit:
        """Return a commit by its id.

        Raises
        ------
        NotFound
            The commit is not in this repository (or was left out of a partial clone).
        InvalidInput
            The object has another type.
        IntegrityError
            The commit is damaged.
        TooLarge
            The object is too large for a commit.
        """
        return self._objects.commit(oid)

    def history(self, oid: str, *, until: str | None = None) -> Iterator[Commit]:
        """Yield a commit and its first parents, newest first, down to ``until`` (excluded) or a shallow boundary."""
        return first_parents(self._objects, oid, shallow_boundary(self.common_dir), until)

    def line(self, oid: str, *, until: str | None = None) -> list[str]:
        """Return the ids of the commits that `history` yields; a long history is read with the git program."""
        found: list[str] = []
        for commit in self.history(oid, until=until):
            if len(found) == history.replay.WORTH_A_PROCESS and (git := find_git(self._env)):
                asked = history.replay.line_by_git(git, self.git_dir, commit.oid)
                if asked is not None:
                    return found + asked[: asked.index(until) if until in asked else None]
            found.append(commit.oid)
        return found

    def replay(
        self, before: str | None, line: Sequence[str], folder: str = "", *, limit: int | None = None
    ) -> Iterator[Replayed]:
        """Yield commits, oldest first, each with the files in a folder that it changed; paths are full.

        Read the files of each commit before the next commit is taken.

        Parameters
        ----------
        before:
            The parent of the first commit; None compares it with an empty folder.
        line:
            The ids of the commits, each the first parent of the next.
        folder:
            The folder whose files are compared; "" for all.
        limit:
            The largest file to read, in bytes; a larger one is given as `Oversized`. None for any size.
        """
        whole = before is None and bool(line) and self.is_boundary(line[0])  # one commit with every file
        if (whole or len(line) > history.replay.WORTH_A_PROCESS) and (git := find_git(self._env)):
            by_git = history.replay.replay_by_git(git, self.git_dir, self._objects, before, line, folder, limit)
            if by_git is not None:
                return by_git
        return history.replay.replay_in_process(self._objects, before, line, folder, self.diff, limit)

    def follows(self, oid: str, parent: str) -> bool:
        """Return whether the first parent of a commit is another commit, and is in this repository."""
        return self.commit(oid).parents[:1] == (parent,) and not self.is_boundary(oid)

    def is_ancestor(self, ancestor: str, oid: str) -> bool:
        """Return whether a commit is another one or an ancestor of it, by any parent, as far as history is here."""
        return is_ancestor(self._objects, ancestor, oid, shallow_boundary(self.common_dir))

    def ahead(self, oid: str, base: str) -> tuple[str | None, list[Commit]]:
        """Return the merge base of two commits and the commits that only one has."""
        return ahead(self._objects, oid, base, shallow_boundary(self.common_dir))

    def is_boundary(self, oid: str) -> bool:
        """Return whether a shallow clone has left out the parents of a commit."""
        return oid in shallow_boundary(self.common_dir)

    @property
    def is_shallow(self) -> bool:
        """Return whether older history was left out when this repository was cloned."""
        return bool(shallow_boundary(self.common_dir))

    @property
    def is_partial(self) -> bool:
        """Return whether objects were left out when this repository was cloned (``git clone --filter``)."""
        return any((self._objects.folders[-1] / "pack").glob("*.promisor"))

    def read(self, tree_ish: str, path: str, *, limit: int | None = None) -> bytes | None:
        """Return the content of the file at a path of a commit or tree; None where no file is there.

        Symbolic links and submodules do not count as files in this class. ``limit`` is as in `read_blob`.
        """
        entry = self._objects.entry(tree_ish, path)
        return self.read_blob(entry.oid, limit=limit) if entry and entry.is_file else None

    def has(self, tree_ish: str, path: str) -> bool:
        """Return whether a file is at a path of a commit or tree, without reading it."""
        entry = self._objects.entry(tree_ish, path)
        return entry is not None and entry.is_file

    def links(self, tree_ish: str, path: str) -> Iterator[str]:
        """Yield the full path of every symbolic link and submodule at a path of a commit or tree and below."""
        entry = self._objects.entry(tree_ish, path)
        if entry is None or entry.is_file:
            return
        if entry.is_folder:
            yield from self._objects.links(entry.oid, _prefix(path))
        else:
            yield path

    def read_blob(self, oid: str, *, limit: int | None = None) -> bytes:
        """Return the content of a file by its object id; raises as `commit`.

        Parameters
        ----------
        limit:
            The largest content to read, in bytes; None for any size.

        Raises
        ------
        TooLarge
            The file, or a delta base that it needs, is larger than the limit; it was not read.
        """
        return self._objects.get(oid, "blob", limit)

    def listing(self, tree_ish: str, folder: str) -> dict[str, str]:
        """Return the object ids of the files and folders directly in a folder by name; folders have a final ``/``."""
        tree = self._objects.folder(tree_ish, folder)
        entries = self._objects.tree(tree).items() if tree else ()
        return {f"{n}/" if e.is_folder else n: e.oid for n, e in entries if e.is_folder or e.is_file}

    def walk(self, tree_ish: str, folder: str = "") -> Iterator[tuple[str, str]]:
        """Yield the full path and the object id of every file in a folder and below, sorted by path."""
        tree = self._objects.folder(tree_ish, folder)
        for path, entry in self._objects.walk(tree, _prefix(folder)) if tree else ():
            yield path, entry.oid

    def folders_with(
        self, commits: Iterable[str], name: str, *, skip: Collection[str] = ()
    ) -> Iterator[tuple[str, str]]:
        """Yield pairs of a commit and a folder in it that has a file of a name; "" is the top folder.

        Parameters
        ----------
        name:
            The name of the file.
        skip:
            Names of folders that are not searched where they lie beside such a file.
        """
        known: dict[str, tuple[str, ...]] = {}
        for commit in commits:
            tree = self._objects.folder(commit, "")
            for folder in self._objects.folders_with(tree, name, skip, known) if tree else ():
                yield commit, folder

    def diff(self, old: str | None, new: str, folder: str = "") -> Iterator[PathChange]:
        """Yield the files in a folder that differ between two commits or trees, sorted; None as ``old`` is empty.

        Equal subtrees are not read, so the cost grows with the number of changes.
        """
        before = self._objects.folder(old, folder) if old else None
        return self._objects.diff(before, self._objects.folder(new, folder), _prefix(folder))

    def new_links(self, old: str | None, new: str, folder: str = "") -> Iterator[str]:
        """Yield the full path of every symbolic link and submodule in a folder that is new or changed after ``old``."""
        before = self._objects.folder(old, folder) if old else None
        after = self._objects.folder(new, folder)
        return self._objects.new_links(before, after, _prefix(folder)) if after else iter(())

    def tag(self, oid: str) -> Tag | None:
        """Return an annotated tag by its object id; None where the object is missing or has another type."""
        return self._objects.tag(oid)

    def tagged_commits(self, oids: Iterable[str]) -> dict[str, str]:
        """Return the ids of the commits that annotated tags point to, by the tags' ids; other tags are left out.

        It is not checked that the commits are here. Many tags are read with the git program.
        """
        wanted = list(oids)
        if len(wanted) > history.replay.WORTH_A_PROCESS and (git := find_git(self._env)):
            tags = history.replay.tags_by_git(git, self.git_dir, self._objects, wanted)
        else:
            tags = filter(None, map(self.tag, wanted))
        return {tag.oid: tag.target for tag in tags if tag.target_type == "commit"}

    def tag_signer(self, oid: str, keys: Mapping[str, Sequence[str]]) -> str | None:
        """Return the person whose SSH key signed an annotated tag, or None."""
        payload, signature = split_tag(self._objects.get(oid, "tag", None))
        return self.statement_signer(payload, signature, namespace="git", keys=keys) if signature else None

    def commit_signer(self, oid: str, keys: Mapping[str, Sequence[str]]) -> str | None:
        """Return the person whose SSH key signed a commit, or None."""
        payload, signature = split_commit(self._objects.get(oid, "commit", None))
        return self.statement_signer(payload, signature, namespace="git", keys=keys) if signature else None

    def tag_signature_kind(self, oid: str) -> str | None:
        """Return the format of an annotated tag's signature, ``ssh``, ``openpgp`` or ``x509``, or None for none."""
        return signature_kind(split_tag(self._objects.get(oid, "tag", None))[1])

    def statement_signer(
        self, payload: bytes, signature: bytes, *, namespace: str, keys: Mapping[str, Sequence[str]]
    ) -> str | None:
        """Return the person whose SSH key signed a statement, or None."""
        from gitreg.git.signature_check import signer_of

        return signer_of(payload, signature, namespace=namespace, keys=keys, env=self._env)

    def peel(self, oid: str) -> str | None:
        """Return the id of the commit that an object is or tags, through chains of tags; None where none is here."""
        return commit_of(self._objects, oid)

    def object_type(self, oid: str) -> str | None:
        """Return ``commit``, ``tree``, ``blob`` or ``tag``; None where the object is missing."""
        return self._objects.kind(oid)


def _prefix(folder: str) -> str:
    return f"{folder.strip('/')}/" if folder.strip("/") else ""


def _with_absolute_settings(env: Mapping[str, str], top: Path) -> Mapping[str, str]:
    """Return variables with absolute paths of Git's settings: git, too, reads them from the top of the work tree."""
    relative = {
        name: str(top / path)
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
        if (path := env.get(name)) and not os.path.isabs(path)
    }
    return {**env, **relative} if relative else env

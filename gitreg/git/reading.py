"""A repository as its readers see it: bytes at paths, commits, tags and refs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

from gitreg.git.discovery import Layout, discover, object_folders
from gitreg.git.history import ahead, commit_of, first_parents, is_ancestor, resolve, shallow_boundary
from gitreg.git.objects import Objects
from gitreg.git.ownership import check_owner
from gitreg.git.program import QUARANTINE, find_git
from gitreg.git.refs import Refs
from gitreg.git.replay import WORTH_A_PROCESS, Replayed, line_by_git, replay_by_git, replay_in_process, tags_by_git
from gitreg.git.values import Commit, PathChange, Tag


class ReadOnlyRepository:
    """A Git repository, seen from one of its work trees; nothing here changes it.

    Opening one and reading it starts no process, and imports no Git library before something packed is read. Close it,
    or use it in a ``with`` statement.

    Parameters
    ----------
    layout:
        Where it is.
    env:
        The user's environment: where git and its configuration are found, who commits.
    """

    def __init__(self, layout: Layout, env: Mapping[str, str]) -> None:
        folders = object_folders(layout, env)
        self._layout = layout
        # The quarantine of a push to another repository is nothing to the git that is run for this one.
        self._env = env if len(folders) > 1 else {k: v for k, v in env.items() if k != QUARANTINE}
        self._refs = Refs(layout.git_dir, layout.common_dir, layout.oid_length)
        self._objects = Objects(folders, layout.object_format, layout.oid_length)

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

    def checked_out(self) -> list[str]:
        """Return the commits that the work trees are at, main and linked, on a branch or not; sorted."""
        linked = sorted(path.parent for path in (self.common_dir / "worktrees").glob("*/HEAD"))
        heads = (
            Refs(folder, self.common_dir, self._layout.oid_length).read("HEAD")
            for folder in (self.common_dir, *linked, self.git_dir)
        )
        return sorted({oid for oid in heads if oid})

    # -- objects -----------------------------------------------------------------------------------------------------

    def resolve(self, text: str) -> str | None:
        """Return the commit that a full or abbreviated (at least 4 digits) id, a branch or a tag means, or None.

        Steps may follow it: ``HEAD~1``, ``main^2``.

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

    def line(self, oid: str, *, until: str | None = None) -> list[str]:
        """Return the ids that `history` yields; the git program is asked where there are many."""
        found: list[str] = []
        for commit in self.history(oid, until=until):
            if len(found) == WORTH_A_PROCESS and (git := find_git(self._env)):
                asked = line_by_git(git, self.git_dir, commit.oid)
                if asked is not None:
                    return found + asked[: asked.index(until) if until in asked else None]
            found.append(commit.oid)
        return found

    def replay(
        self, before: str | None, line: Sequence[str], folder: str = "", *, limit: int | None = None
    ) -> Iterator[Replayed]:
        """Yield commits, oldest first, each with the files in a folder that it changed; paths are full.

        The files of each are to be read before the next commit is.

        Parameters
        ----------
        before:
            The first one's parent; None compares it to nothing.
        line:
            Commits, each the first parent of the next.
        limit:
            The most bytes that a file may have; what is larger comes as `Oversized`, and is not read.
        """
        whole = before is None and bool(line) and self.is_boundary(line[0])  # one commit, but every file
        if (whole or len(line) > WORTH_A_PROCESS) and (git := find_git(self._env)):
            by_git = replay_by_git(git, self.git_dir, self._objects, before, line, folder, limit)
            if by_git is not None:
                return by_git
        return replay_in_process(self._objects, before, line, folder, self.diff, limit)

    def follows(self, oid: str, parent: str) -> bool:
        """Whether a commit's first parent is another one, and is in this repository."""
        return self.commit(oid).parents[:1] == (parent,) and not self.is_boundary(oid)

    def is_ancestor(self, ancestor: str, oid: str) -> bool:
        """Whether one commit is another or leads to it, by any parent, as far as this repository goes back."""
        return is_ancestor(self._objects, ancestor, oid, shallow_boundary(self.common_dir))

    def ahead(self, oid: str, base: str) -> tuple[str | None, list[Commit]]:
        """Return where two commits parted, and what one has that the other lacks (:func:`gitreg.git.history.ahead`)."""
        return ahead(self._objects, oid, base, shallow_boundary(self.common_dir))

    def is_boundary(self, oid: str) -> bool:
        """Whether a shallow clone has cut off the parents of this commit."""
        return oid in shallow_boundary(self.common_dir)

    @property
    def is_shallow(self) -> bool:
        """Whether older history was left out when this repository was cloned."""
        return bool(shallow_boundary(self.common_dir))

    def read(self, tree_ish: str, path: str, *, limit: int | None = None) -> bytes | None:
        """Return the content of the file at a path of a commit or tree; None when no file is there.

        Symbolic links and submodules are no files, here and everywhere below. ``limit`` is as in `read_blob`.
        """
        entry = self._objects.entry(tree_ish, path)
        return self.read_blob(entry.oid, limit=limit) if entry and entry.is_file else None

    def has(self, tree_ish: str, path: str) -> bool:
        """Whether a file is at a path of a commit or tree; it is not read."""
        entry = self._objects.entry(tree_ish, path)
        return entry is not None and entry.is_file

    def links(self, tree_ish: str, path: str) -> Iterator[str]:
        """Yield the path of every symbolic link and submodule at a path and below; paths are full."""
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
            The most bytes that it may have; None for any number.

        Raises
        ------
        TooLarge
            It has more, or is made from what is much larger; it was not read.
        """
        return self._objects.get(oid, "blob", limit)

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

    def folders_with(
        self, commits: Iterable[str], name: str, *, skip: Collection[str] = ()
    ) -> Iterator[tuple[str, str]]:
        """Yield each commit with each of its folders ("" for the top) that hold a file of a name.

        Parameters
        ----------
        skip:
            The folders beside such a file that are not looked into.
        """
        known: dict[str, tuple[str, ...]] = {}
        for commit in commits:
            tree = self._objects.folder(commit, "")
            for folder in self._objects.folders_with(tree, name, skip, known) if tree else ():
                yield commit, folder

    def diff(self, old: str | None, new: str, folder: str = "") -> Iterator[PathChange]:
        """Yield the files that differ in a folder between two commits or trees, sorted; ``old`` None is empty.

        Equal subtrees are never opened, so this costs as much as there are changes.
        """
        before = self._objects.folder(old, folder) if old else None
        return self._objects.diff(before, self._objects.folder(new, folder), _prefix(folder))

    def new_links(self, old: str | None, new: str, folder: str = "") -> Iterator[str]:
        """Yield the path of every symbolic link and submodule in a folder that came, or changed, from old to new."""
        before = self._objects.folder(old, folder) if old else None
        after = self._objects.folder(new, folder)
        return self._objects.new_links(before, after, _prefix(folder)) if after else iter(())

    def tag(self, oid: str) -> Tag | None:
        """Return an annotated tag by its object id; None when the object is something else or missing."""
        return self._objects.tag(oid)

    def tagged_commits(self, oids: Iterable[str]) -> dict[str, str]:
        """Return, by their object ids, the commits that annotated tags directly mean; what is none is left out.

        The commits themselves are not looked for. The git program is asked where there are many.
        """
        wanted = list(oids)
        if len(wanted) > WORTH_A_PROCESS and (git := find_git(self._env)):
            tags = tags_by_git(git, self.git_dir, self._objects, wanted)
        else:
            tags = filter(None, map(self.tag, wanted))
        return {tag.oid: tag.target for tag in tags if tag.target_type == "commit"}

    def tag_signer(self, oid: str, keys: Mapping[str, Sequence[str]]) -> str | None:
        """Return whose SSH key signed an annotated tag (:func:`gitreg.git.verifying.signer_of`); None: nobody's."""
        from gitreg.git.parsing import split_tag

        payload, signature = split_tag(self._objects.get(oid, "tag", None))
        return self.statement_signer(payload, signature, namespace="git", keys=keys) if signature else None

    def commit_signer(self, oid: str, keys: Mapping[str, Sequence[str]]) -> str | None:
        """Return whose SSH key signed a commit (:func:`gitreg.git.verifying.signer_of`); None: nobody's."""
        from gitreg.git.parsing import split_commit

        payload, signature = split_commit(self._objects.get(oid, "commit", None))
        return self.statement_signer(payload, signature, namespace="git", keys=keys) if signature else None

    def tag_signature_kind(self, oid: str) -> str | None:
        """Return what made an annotated tag's signature: ``ssh``, ``openpgp`` or ``x509``; None where it has none."""
        from gitreg.git.parsing import signature_kind, split_tag

        return signature_kind(split_tag(self._objects.get(oid, "tag", None))[1])

    def statement_signer(
        self, payload: bytes, signature: bytes, *, namespace: str, keys: Mapping[str, Sequence[str]]
    ) -> str | None:
        """Return whose SSH key signed a statement (:func:`gitreg.git.verifying.signer_of`)."""
        from gitreg.git.verifying import signer_of

        return signer_of(payload, signature, namespace=namespace, keys=keys, env=self._env)

    def peel(self, oid: str) -> str | None:
        """Return the commit that an object id means, through any tags; None when it means none that is here."""
        return commit_of(self._objects, oid)

    def object_type(self, oid: str) -> str | None:
        """Return ``commit``, ``tree``, ``blob`` or ``tag``; None when the object is missing."""
        return self._objects.kind(oid)


def _prefix(folder: str) -> str:
    return f"{folder.strip('/')}/" if folder.strip("/") else ""

"""Reading what is in the object database: commits, tags, and files at paths.

Loose objects are read directly; packs, alternates and whatever `git gc` does to them meanwhile are dulwich's, which is
imported when the first packed object is asked for.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gitreg.errors import GitregError, IntegrityError, InvalidInput, NotFound, Refused, TooLarge
from gitreg.git.loose import object_id, read_loose
from gitreg.git.parsing import Entry, encode_name, parse_commit, parse_tag, parse_tree
from gitreg.git.values import Commit, PathChange, Tag

if TYPE_CHECKING:
    from dulwich.object_store import BaseObjectStore, DiskObjectStore

    from gitreg.git.packs import Weight

_DEEPEST_ALTERNATE = 5  # as git
_DEEPEST_FOLDER = 256  # folders in one another; no path that a file system takes has many more
_TREES_KEPT = 64  # parsed trees in memory: enough for one folder's siblings, small for 10,000 entries each
_HEX = re.compile(r"[0-9a-f]+")

LARGEST = 32 * 1024 * 1024
"""Bytes that a commit, a tag or a tree may have: a tree of 100,000 entries has 4 MB."""


class Objects:
    """The objects of one repository.

    Parameters
    ----------
    folders:
        Where they are: the repository's own ``objects`` first, then further ones to look in (a hook's quarantine).
    object_format:
        ``sha1`` or ``sha256``.
    oid_length:
        Hexadecimal digits in an object id.
    """

    def __init__(self, folders: Sequence[Path], object_format: str, oid_length: int) -> None:
        self.folders = folders
        self.object_format = object_format
        self._oid_length = oid_length
        self._store: DiskObjectStore | None = None
        self._weights: dict[tuple[str, int], Weight] = {}
        self._lock = threading.Lock()  # dulwich seeks in pack files that it keeps open: one thread at a time
        self._tree: Callable[[str], dict[str, Entry]] = lru_cache(_TREES_KEPT)(self._read_tree)

    def close(self) -> None:
        """Let go of the packs; they are opened again when needed."""
        with self._lock:
            self._close_store()

    # -- single objects ----------------------------------------------------------------------------------------------

    def find(self, oid: str, limit: int | None = LARGEST) -> tuple[str, bytes] | None:
        """Return kind and content of an object, None when it is not here.

        Parameters
        ----------
        limit:
            The most bytes that it may have; None for any number.

        Raises
        ------
        IntegrityError
            Its bytes do not hash to its id.
        TooLarge
            It is larger than the limit, or made from what is much larger; it was not read.
        """
        if len(oid) != self._oid_length or not _HEX.fullmatch(oid):
            return None
        # Twice loose: `git repack -A` may take an object out of a pack between our two looks.
        found = self._loose(oid, limit) or self._packed(oid, limit) or self._loose(oid, limit)
        if found is not None and object_id(*found, self.object_format) != oid:
            raise IntegrityError(f"object {oid} is damaged", hint="run `git fsck`; fetch the object again")
        return found

    def get(self, oid: str, kind: str, limit: int | None = LARGEST) -> bytes:
        """Return the content of an object of the kind.

        Raises
        ------
        NotFound
            It is not here.
        InvalidInput
            It is something else.
        TooLarge
            It is larger than the limit.
        """
        found = self.find(oid, limit)
        if found is None:
            raise NotFound(
                f"the {kind} {oid} is not in this repository",
                hint="run `git fsck`; in a partial clone, `git fetch --refetch` brings what was left out",
            )
        if found[0] != kind:
            raise InvalidInput(f"{oid} is a {found[0]}, not a {kind}", hint=f"give the id of a {kind}")
        return found[1]

    def kind(self, oid: str) -> str | None:
        """Return ``commit``, ``tree``, ``blob`` or ``tag``; None when the object is not here."""
        try:
            found = self.find(oid)
        except TooLarge as error:
            return error.kind
        return found[0] if found else None

    def commit(self, oid: str) -> Commit:
        """Return a commit."""
        return parse_commit(oid, self.get(oid, "commit"))

    def tag(self, oid: str) -> Tag | None:
        """Return an annotated tag, None when the object is something else or not here."""
        found = self._small(oid)
        return parse_tag(oid, found[1]) if found and found[0] == "tag" else None

    def peel(self, oid: str) -> str | None:
        """Follow tags to the commit or tree that they mean; None when they mean something else or nothing."""
        for _ in range(100):  # a chain of tags ends: each names an object older than itself
            found = self._small(oid)
            if found is None or found[0] != "tag":
                return oid if found and found[0] in ("commit", "tree") else None
            oid = parse_tag(oid, found[1]).target
        return None

    def starting_with(self, digits: str) -> list[str]:
        """Return the ids of all objects that start so (at least two digits), sorted."""
        found = set()
        for folder in self.folders:
            loose = folder / digits[:2]
            if loose.is_dir():
                found |= {digits[:2] + f.name for f in loose.iterdir() if len(f.name) == self._oid_length - 2}
        with self._lock:
            self._close_store()  # dulwich notices packs that git has replaced when it reads objects, but not here
            found |= {bytes(oid).decode() for oid in self._opened().iter_prefix(digits.encode())}
        return sorted(oid for oid in found if oid.startswith(digits))

    def _small(self, oid: str) -> tuple[str, bytes] | None:
        """As `find`, but what is too large for a commit, tag or tree counts as not here."""
        try:
            return self.find(oid)
        except TooLarge:
            return None

    def _loose(self, oid: str, limit: int | None) -> tuple[str, bytes] | None:
        return next((found for folder in self.folders if (found := read_loose(folder, oid, limit))), None)

    def _packed(self, oid: str, limit: int | None) -> tuple[str, bytes] | None:
        from gitreg.git.packs import KINDS, read_packed

        with self._lock:
            try:
                if limit is not None:
                    return read_packed(self._opened(), oid, limit, _DEEPEST_ALTERNATE, self._weights)
                number, content = self._opened().get_raw(oid.encode())  # type: ignore[arg-type]
            except KeyError:
                return None
            except GitregError:
                raise
            except Exception as error:  # dulwich has a dozen exceptions for damage, and lets zlib's and others pass
                raise IntegrityError(f"object {oid} cannot be read: {error}", hint="run `git fsck`") from error
        return KINDS[number], content

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
            self._weights.clear()

    def _opened(self) -> DiskObjectStore:
        if self._store is None:
            # dulwich's object store takes twice as long to import as Python to start
            from dulwich.object_format import get_object_format
            from dulwich.object_store import DiskObjectStore

            here, *others = self.folders
            self._store = DiskObjectStore(here, object_format=get_object_format(self.object_format), alternates=others)
            _tell_format(self._store, _DEEPEST_ALTERNATE)
        return self._store

    def add_pack(self, file: IO[bytes], write: Callable[[str, bytes], str]) -> None:
        """Take in the objects of a pack that another repository sent; dulwich's dozens of errors pass.

        Parameters
        ----------
        write:
            Writes an object of a kind.
        """
        from gitreg.git.incoming import take_in

        with self._lock:
            take_in(self._opened(), file, write)

    # -- files at paths ----------------------------------------------------------------------------------------------

    def entry(self, tree_ish: str, path: str) -> Entry | None:
        """Return what stands at a path of a commit or tree; the tree itself for ``""``."""
        entry = Entry(0o040000, self.root(tree_ish))
        for part in path.split("/") if path else ():
            if not entry.is_folder or (found := self._tree(entry.oid).get(part)) is None:
                return None
            entry = found
        return entry

    def root(self, tree_ish: str) -> str:
        """Return the tree of a commit, a tag of one, or a tree."""
        oid = self.peel(tree_ish)
        if oid is None:
            raise NotFound(
                f"{tree_ish} is no commit or tree of this repository",
                hint="run `git fetch`; in a partial clone, `git fetch --refetch` brings what was left out",
            )
        found = self.find(oid)
        return parse_commit(oid, found[1]).tree if found and found[0] == "commit" else oid

    def tree(self, oid: str) -> dict[str, Entry]:
        """Return the entries of a tree; not to be changed."""
        return self._tree(oid)

    def folder(self, tree_ish: str, path: str) -> str | None:
        """Return the tree at a path, None when no folder is there."""
        entry = self.entry(tree_ish, path.strip("/"))
        return entry.oid if entry and entry.is_folder else None

    def walk(self, tree: str, at: str = "") -> Iterator[tuple[str, Entry]]:
        """Yield every file below a tree in the order of their paths' bytes."""
        for name, entry in self._tree(tree).items():
            if entry.is_folder:
                yield from self.walk(entry.oid, _inside(at, name))
            elif entry.is_file:
                yield at + name, entry

    def links(self, tree: str, at: str = "") -> Iterator[str]:
        """Yield the path of everything below a tree that is neither file nor folder."""
        for name, entry in self._tree(tree).items():
            if entry.is_folder:
                yield from self.links(entry.oid, _inside(at, name))
            elif not entry.is_file:
                yield at + name

    def folders_with(
        self, tree: str, name: str, skip: Collection[str], known: dict[str, tuple[str, ...]], at: str = ""
    ) -> tuple[str, ...]:
        """Return a tree ("") and the folders below it that hold a file of a name.

        Parameters
        ----------
        skip:
            The folders beside such a file that are not opened.
        known:
            What was found in each tree; branches share most of theirs.
        """
        if tree not in known:
            entries = self._tree(tree)
            here = name in entries and entries[name].is_file
            below = (
                f"{child}/{path}" if path else child
                for child, entry in entries.items()
                if entry.is_folder and not (here and child in skip)
                for path in self.folders_with(entry.oid, name, skip, known, _inside(at, child))
            )
            known[tree] = (*([""] if here else []), *below)
        return known[tree]

    def diff(self, old: str | None, new: str | None, at: str = "") -> Iterator[PathChange]:
        """Yield the files that differ between two trees; equal subtrees are not opened."""
        if old == new:
            return
        before = self._tree(old) if old else {}
        after = self._tree(new) if new else {}
        differing = ((name, entry) for side in (before, after) for name, entry in side.items())
        keys = {_order(name, entry): name for name, entry in differing if before.get(name) != after.get(name)}
        for key in sorted(keys):
            name = keys[key]
            was, now = before.get(name), after.get(name)
            if key.endswith(b"/"):
                was, now = (e.oid if e and e.is_folder else None for e in (was, now))  # type: ignore[assignment]
                yield from self.diff(was, now, _inside(at, name))  # type: ignore[arg-type]
            else:
                change = PathChange(at + name, *(e.oid if e and e.is_file else None for e in (was, now)))
                if change.old != change.new:
                    yield change

    def new_links(self, old: str | None, new: str, at: str = "") -> Iterator[str]:
        """Yield the path of everything below a tree that is neither file nor folder, and that another tree lacks."""
        if old == new:
            return
        before = self._tree(old) if old else {}
        for name, entry in self._tree(new).items():
            was = before.get(name)
            if entry.is_folder:
                yield from self.new_links(was.oid if was and was.is_folder else None, entry.oid, _inside(at, name))
            elif not entry.is_file and entry != was:
                yield at + name

    def _read_tree(self, oid: str) -> dict[str, Entry]:
        return parse_tree(self.get(oid, "tree"), self._oid_length)


def check_depth(depth: int) -> None:
    """Refuse to go further down than any folder is that is meant.

    Raises
    ------
    Refused
        It is.
    """
    if depth > _DEEPEST_FOLDER:
        raise Refused(
            f"a commit has more than {_DEEPEST_FOLDER} folders in one another, which are not read",
            hint="take that folder out of the commits, or delete the branch that has it",
        )


def _inside(at: str, name: str) -> str:
    """Return the beginning of the paths in a folder."""
    check_depth(at.count("/") + 1)
    return f"{at}{name}/"


def _order(name: str, entry: Entry) -> bytes:
    return encode_name(name) + b"/" if entry.is_folder else encode_name(name)


def _tell_format(store: BaseObjectStore, depth: int) -> None:
    """Tell alternates which hash they use: dulwich takes each for sha1."""
    for alternate in getattr(store, "alternates", ()) if depth else ():
        alternate.object_format = store.object_format
        _tell_format(alternate, depth - 1)

"""Reading of the object database: commits, trees, tags, and files at paths.

Loose objects are read directly. Packs and alternates, also while `git gc` rewrites them, are read by dulwich, which is
imported when the first packed object is needed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gitreg.errors import GitregError, IntegrityError, InvalidInput, NotFound, Refused, TooLarge
from gitreg.git.objects.loose import object_id, read_loose
from gitreg.git.objects.parsing import TreeEntry, encode_name, parse_commit, parse_tag, parse_tree
from gitreg.git.values import Commit, PathChange, Tag

if TYPE_CHECKING:
    from dulwich.object_store import BaseObjectStore, DiskObjectStore

    from gitreg.git.objects.packs import InflationSizes

_DEEPEST_ALTERNATE = 5  # as git
_DEEPEST_FOLDER = 256  # nested folders; file systems hardly accept deeper paths
_TREES_KEPT = 64  # parsed trees in memory: enough for one folder's siblings, small for 10,000 entries each
_HEX = re.compile(r"[0-9a-f]+")

LARGEST = 32 * 1024 * 1024
"""The largest size of a commit, a tag or a tree, in bytes: a tree of 100,000 entries has 4 MB."""


class ObjectStore:
    """The objects of one repository.

    Parameters
    ----------
    folders:
        The object folders: the repository's own ``objects`` first, or a hook's quarantine before it.
    object_format:
        ``sha1`` or ``sha256``.
    oid_length:
        The number of hexadecimal digits in an object id.
    """

    def __init__(self, folders: Sequence[Path], object_format: str, oid_length: int) -> None:
        self.folders = folders
        self.object_format = object_format
        self._oid_length = oid_length
        self._store: DiskObjectStore | None = None
        self._sizes: dict[tuple[str, int], InflationSizes] = {}
        self._lock = threading.Lock()  # dulwich seeks in pack files that it keeps open: one thread at a time
        self._tree: Callable[[str], dict[str, TreeEntry]] = lru_cache(_TREES_KEPT)(self._read_tree)

    def close(self) -> None:
        """Close the packs; they are opened again when needed."""
        with self._lock:
            self._close_store()

    # -- single objects ----------------------------------------------------------------------------------------------

    def find(self, oid: str, limit: int | None = LARGEST) -> tuple[str, bytes] | None:
        """Return type and content of an object, or None where it is missing.

        Parameters
        ----------
        limit:
            The largest content to read, in bytes; None for any size.

        Raises
        ------
        IntegrityError
            The object is damaged: its hash differs from its id, or it cannot be read.
        TooLarge
            The object, or a delta base that it needs, is larger than the limit; it was not read.
        """
        if len(oid) != self._oid_length or not _HEX.fullmatch(oid):
            return None
        # Loose twice: `git repack -A` may move an object out of its pack in between.
        found = self._loose(oid, limit) or self._packed(oid, limit) or self._loose(oid, limit)
        if found is not None and object_id(*found, self.object_format) != oid:
            raise IntegrityError(f"object {oid} is damaged", hint="run `git fsck`; fetch the object again")
        return found

    def get(self, oid: str, kind: str, limit: int | None = LARGEST) -> bytes:
        """Return the content of an object of a type.

        Raises
        ------
        NotFound
            The object is missing.
        InvalidInput
            The object has another type.
        TooLarge
            The object is larger than the limit.
        """
        found = self.find(oid, limit)
        if found is None:
            raise NotFound(
                f"the {kind} {oid} is not in this repository",
                hint="run `git fsck`; in a partial clone, `git fetch --refetch --no-filter` brings what was left out",
            )
        if found[0] != kind:
            raise InvalidInput(f"{oid} is a {found[0]}, not a {kind}", hint=f"give the id of a {kind}")
        return found[1]

    def kind(self, oid: str) -> str | None:
        """Return the type of an object: ``commit``, ``tree``, ``blob`` or ``tag``; None where it is missing."""
        try:
            found = self.find(oid)
        except TooLarge as error:
            return error.object_type
        return found[0] if found else None

    def commit(self, oid: str) -> Commit:
        """Return a commit by its id; raises as `get`."""
        return parse_commit(oid, self.get(oid, "commit"))

    def tag(self, oid: str) -> Tag | None:
        """Return an annotated tag, or None where the object is missing or has another type."""
        found = self._small(oid)
        return parse_tag(oid, found[1]) if found and found[0] == "tag" else None

    def peel(self, oid: str) -> str | None:
        """Return the id of the commit or tree that an id means, through chains of tags; None where there is none."""
        for _ in range(100):  # every chain of tags ends: a tag points to an older object
            found = self._small(oid)
            if found is None or found[0] != "tag":
                return oid if found and found[0] in ("commit", "tree") else None
            oid = parse_tag(oid, found[1]).target
        return None

    def starting_with(self, digits: str) -> list[str]:
        """Return the ids of all objects that start with the digits (at least two), sorted."""
        found = set()
        for folder in self.folders:
            loose = folder / digits[:2]
            if loose.is_dir():
                found |= {digits[:2] + f.name for f in loose.iterdir() if len(f.name) == self._oid_length - 2}
        with self._lock:
            self._close_store()  # here dulwich does not notice that git has replaced packs
            found |= {bytes(oid).decode() for oid in self._opened().iter_prefix(digits.encode())}
        return sorted(oid for oid in found if oid.startswith(digits))

    def _small(self, oid: str) -> tuple[str, bytes] | None:
        """Return type and content as `find`, or None also where the object is too large for a commit, tag or tree."""
        try:
            return self.find(oid)
        except TooLarge:
            return None

    def _loose(self, oid: str, limit: int | None) -> tuple[str, bytes] | None:
        return next((found for folder in self.folders if (found := read_loose(folder, oid, limit))), None)

    def _packed(self, oid: str, limit: int | None) -> tuple[str, bytes] | None:
        from gitreg.git.objects.packs import KINDS, read_packed

        with self._lock:
            try:
                if limit is not None:
                    return read_packed(self._opened(), oid, limit, _DEEPEST_ALTERNATE, self._sizes)
                number, content = self._opened().get_raw(oid.encode())  # type: ignore[arg-type]
            except KeyError:
                return None
            except GitregError:
                raise
            except Exception as error:  # damage raises a dozen types of exceptions in dulwich, zlib and others
                raise IntegrityError(f"object {oid} cannot be read: {error}", hint="run `git fsck`") from error
        return KINDS[number], content

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
            self._sizes.clear()

    def _opened(self) -> DiskObjectStore:
        if self._store is None:
            # slow to import: twice the start of Python
            from dulwich.object_format import get_object_format
            from dulwich.object_store import DiskObjectStore

            own, *others = self.folders
            self._store = DiskObjectStore(own, object_format=get_object_format(self.object_format), alternates=others)
            _tell_format(self._store, _DEEPEST_ALTERNATE)
        return self._store

    def add_pack(self, file: IO[bytes], write: Callable[[str, bytes], str]) -> None:
        """Store the objects of a pack that another repository sent; errors of dulwich are not converted.

        Parameters
        ----------
        file:
            The pack.
        write:
            Writes an object of a type and content, and returns its id.
        """
        from gitreg.git.objects.receive_pack import store_pack

        with self._lock:
            store_pack(self._opened(), file, write)

    # -- files at paths ----------------------------------------------------------------------------------------------

    def entry(self, tree_ish: str, path: str) -> TreeEntry | None:
        """Return the entry at a path of a commit or tree, the tree itself for ``""``; None where there is none."""
        entry = TreeEntry(0o040000, self.root(tree_ish))
        for part in path.split("/") if path else ():
            if not entry.is_folder or (found := self._tree(entry.oid).get(part)) is None:
                return None
            entry = found
        return entry

    def root(self, tree_ish: str) -> str:
        """Return the tree of a commit, of a tag or of a tree.

        Raises
        ------
        NotFound
            The object is missing or is neither commit nor tree.
        """
        oid = self.peel(tree_ish)
        if oid is None:
            raise NotFound(
                f"{tree_ish} is no commit or tree of this repository",
                hint="run `git fetch`; in a partial clone, `git fetch --refetch --no-filter` brings what was left out",
            )
        found = self.find(oid)
        return parse_commit(oid, found[1]).tree if found and found[0] == "commit" else oid

    def tree(self, oid: str) -> dict[str, TreeEntry]:
        """Return the entries of a tree by name; do not change the dict."""
        return self._tree(oid)

    def folder(self, tree_ish: str, path: str) -> str | None:
        """Return the id of the tree at a path, or None where no folder is there."""
        entry = self.entry(tree_ish, path.strip("/"))
        return entry.oid if entry and entry.is_folder else None

    def walk(self, tree: str, at: str = "") -> Iterator[tuple[str, TreeEntry]]:
        """Yield path and entry of every file below a tree, in the order of the paths' bytes."""
        for name, entry in self._tree(tree).items():
            if entry.is_folder:
                yield from self.walk(entry.oid, _inside(at, name))
            elif entry.is_file:
                yield at + name, entry

    def links(self, tree: str, at: str = "") -> Iterator[str]:
        """Yield the path of every symbolic link and submodule below a tree."""
        for name, entry in self._tree(tree).items():
            if entry.is_folder:
                yield from self.links(entry.oid, _inside(at, name))
            elif not entry.is_file:
                yield at + name

    def folders_with(
        self, tree: str, name: str, skip: Collection[str], known: dict[str, tuple[str, ...]], at: str = ""
    ) -> tuple[str, ...]:
        """Return the folders below a tree that have a file of a name; "" is the tree itself.

        Parameters
        ----------
        name:
            The name of the file.
        skip:
            Names of folders that are not searched where they lie beside such a file.
        known:
            The results by tree id, filled here; branches share most of their trees.
        at:
            The path of the tree.
        """
        if tree not in known:
            entries = self._tree(tree)
            has_file = name in entries and entries[name].is_file
            below = (
                f"{child}/{path}" if path else child
                for child, entry in entries.items()
                if entry.is_folder and not (has_file and child in skip)
                for path in self.folders_with(entry.oid, name, skip, known, _inside(at, child))
            )
            known[tree] = (*([""] if has_file else []), *below)
        return known[tree]

    def diff(self, old: str | None, new: str | None, at: str = "") -> Iterator[PathChange]:
        """Yield the files that differ between two trees; equal subtrees are not read."""
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
        """Yield the path of every symbolic link and submodule below a tree that another tree does not have so."""
        if old == new:
            return
        before = self._tree(old) if old else {}
        for name, entry in self._tree(new).items():
            was = before.get(name)
            if entry.is_folder:
                yield from self.new_links(was.oid if was and was.is_folder else None, entry.oid, _inside(at, name))
            elif not entry.is_file and entry != was:
                yield at + name

    def _read_tree(self, oid: str) -> dict[str, TreeEntry]:
        return parse_tree(self.get(oid, "tree"), self._oid_length)


def check_depth(depth: int) -> None:
    """Refuse folders that are nested deeper than any honest commit has them.

    Raises
    ------
    Refused
        The depth is too large.
    """
    if depth > _DEEPEST_FOLDER:
        raise Refused(
            f"a commit has more than {_DEEPEST_FOLDER} folders in one another, which are not read",
            hint="take that folder out of the commits, or delete the branch that has it",
        )


def _inside(at: str, name: str) -> str:
    """Return the prefix of the paths in a folder, such as ``a/b/``."""
    check_depth(at.count("/") + 1)
    return f"{at}{name}/"


def _order(name: str, entry: TreeEntry) -> bytes:
    return encode_name(name) + b"/" if entry.is_folder else encode_name(name)


def _tell_format(store: BaseObjectStore, depth: int) -> None:
    """Set the hash of the alternates, which dulwich takes for sha1 otherwise."""
    for alternate in getattr(store, "alternates", ()) if depth else ():
        alternate.object_format = store.object_format
        _tell_format(alternate, depth - 1)

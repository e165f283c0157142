"""Reading of refs from their files, without a Git library or a process, in less than a millisecond.

A loose ref takes precedence over a packed one. Loose files are read before packed-refs, because git packs in the
opposite order (it writes packed-refs, then removes the loose file): so a ref is always found in one of the two, also
while it is packed.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from gitreg.errors import InvalidInput
from gitreg.git.values import is_ref_name

_PER_WORK_TREE = ("refs/bisect/", "refs/worktree/", "refs/rewritten/")
_DEEPEST_SYMREF = 5  # as git
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})
_HEX = re.compile(r"[0-9a-f]+")


class Refs(NamedTuple):
    """The refs of one work tree.

    Parameters
    ----------
    git_dir:
        The Git folder of the work tree, with HEAD.
    common_dir:
        The Git folder that all work trees share.
    oid_length:
        The number of hexadecimal digits in an object id; a ref with other content does not count.
    """

    git_dir: Path
    common_dir: Path
    oid_length: int

    def read(self, name: str) -> str | None:
        """Return the object id that a ref points to, also through symbolic refs; None where there is none."""
        for _ in range(_DEEPEST_SYMREF):
            if not is_ref_name(name):
                return None
            text = self._loose(name)
            if text is None:
                return self._packed(name)
            if not text.startswith("ref:"):
                return self._oid(text)
            name = text[len("ref:") :].strip()
        return None

    def is_symbolic(self, name: str) -> bool:
        """Return whether a ref points to another ref."""
        return (self._loose(name) or "").startswith("ref:")

    def under(self, prefix: str) -> dict[str, str]:
        """Return the refs whose full names start with a prefix, with their object ids, sorted by name.

        Broken refs are left out.

        Raises
        ------
        InvalidInput
            The prefix does not start with ``refs/``.
        """
        if not prefix.startswith("refs/") or ".." in prefix:
            raise InvalidInput(f"{prefix!r} does not start the full name of a ref", hint="write it as refs/<kind>/")
        loose = {name: self.read(name) for name in self._loose_names(prefix)}
        found: dict[str, str | None] = dict(self._packed_under(prefix))
        found.update((name, oid) for name, oid in loose.items() if oid)
        return {name: oid for name in sorted(found) if (oid := found[name])}

    def head_branch(self) -> str | None:
        """Return the full name of the branch that HEAD points to, also an unborn one; None where HEAD is detached."""
        return head_branch(self.git_dir)

    def _oid(self, text: str) -> str | None:
        oid = text[: self.oid_length].lower()
        return oid if len(oid) == self.oid_length and _HEX.fullmatch(oid) else None

    def _loose(self, name: str) -> str | None:
        own = not name.startswith("refs/") or name.startswith(_PER_WORK_TREE)
        return _read_text((self.git_dir if own else self.common_dir) / name)

    def _loose_names(self, prefix: str) -> list[str]:
        folder = prefix.rpartition("/")[0]
        top = self.common_dir / folder
        names = []
        for where, _, files in os.walk(top):
            below = os.path.relpath(where, self.common_dir).replace(os.sep, "/")
            names += [name for file in files if (name := f"{below}/{file}").startswith(prefix) and is_ref_name(name)]
        return names

    # -- packed-refs -------------------------------------------------------------------------------------------------

    def _packed(self, name: str) -> str | None:
        key = _encode(name)
        with _Mapped(self.common_dir / "packed-refs") as data:
            for found, oid in _records(data, key):
                if found == key:
                    return self._oid(oid.decode("ascii", "replace"))
                if data.sorted:
                    break
        return None

    def _packed_under(self, prefix: str) -> Iterator[tuple[str, str]]:
        key = _encode(prefix)
        with _Mapped(self.common_dir / "packed-refs") as data:
            for found, raw in _records(data, key):
                if found.startswith(key):
                    name = found.decode("utf-8", "surrogateescape")
                    oid = self._oid(raw.decode("ascii", "replace"))
                    if oid and is_ref_name(name):
                        yield name, oid
                elif data.sorted:
                    break


def head_branch(git_dir: Path) -> str | None:
    """Return the full name of the branch that a work tree's HEAD points to; None where it is detached or missing."""
    text = _read_text(git_dir / "HEAD")
    if text is None or not text.startswith("ref:"):
        return None
    return text[len("ref:") :].strip()


class _Mapped:
    """The content of packed-refs, memory-mapped while it is read; empty where there is no such file."""

    data: mmap.mmap | bytes = b""
    sorted = False

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size:  # an empty file cannot be mapped
                    self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            return
        header = self.data[: max(self.data.find(b"\n"), 0)]
        self.sorted = header.startswith(b"# pack-refs with:") and b" sorted" in header

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self.data, mmap.mmap):
            self.data.close()


def _records(packed: _Mapped, key: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and object id from the first name that is not before the key; from the start where unsorted."""
    data = packed.data
    position = _bisect(data, key) if packed.sorted else 0
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        line = data[position:end]
        position = end + 1
        if line[:1] not in (b"#", b"^", b""):  # not a comment, nor the object that the tag of the line above points to
            oid, _, name = line.rstrip(b"\r").partition(b" ")
            yield name, oid


def _bisect(data: mmap.mmap | bytes, key: bytes) -> int:
    """Return the offset of the first record with a name >= key in sorted data."""
    low, high = data.find(b"\n") + 1, len(data)  # the header is not a record
    while low < high:
        start = data.rfind(b"\n", low, (low + high) // 2) + 1 or low
        while start > low and data[start : start + 1] == b"^":
            start = data.rfind(b"\n", low, start - 1) + 1 or low
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        name = data[start:end].partition(b" ")[2]
        if name < key:
            low = end + 1
            while data[low : low + 1] == b"^":
                low = (data.find(b"\n", low) + 1) or len(data)
        else:
            high = start
    return low


def _encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise

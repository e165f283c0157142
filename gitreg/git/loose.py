"""Loose objects: one zlib-compressed file each (gitrepository-layout(5), objects/[0-9a-f][0-9a-f]).

They are read and written here rather than by dulwich for two reasons: a process killed while dulwich writes leaves a
``.lock`` that no later write of the same object gets past, and what was just written can be read without importing it.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from gitreg.errors import IntegrityError


def object_id(kind: str, content: bytes, object_format: str) -> str:
    """Return the id that an object has: the hash of its header and content, in the repository's own hash."""
    import hashlib  # loads OpenSSL, which a warm index spares its readers

    return hashlib.new(object_format, _header(kind, content) + content, usedforsecurity=False).hexdigest()


def read_loose(objects: Path, oid: str) -> tuple[str, bytes] | None:
    """Return kind and content of a loose object, None when there is no such file.

    Raises
    ------
    IntegrityError
        The file is not an object.
    """
    path = objects / oid[:2] / oid[2:]
    try:
        header, _, content = zlib.decompress(path.read_bytes()).partition(b"\0")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except zlib.error as error:
        raise IntegrityError(f"{path} is damaged: {error}", hint="run `git fsck`; fetch the object again") from error
    return header.partition(b" ")[0].decode("ascii", "replace"), content


def write_loose(objects: Path, kind: str, content: bytes, object_format: str, *, group: bool) -> str:
    """Write an object and return its id.

    An object that is there already gets a new modification time instead, so that a `git gc` running beside us does not
    prune it before a ref reaches it.

    Parameters
    ----------
    group:
        Give new folders and files to the group, as core.sharedRepository asks.
    """
    oid = object_id(kind, content, object_format)
    path = objects / oid[:2] / oid[2:]
    try:
        os.utime(path)
        return oid
    except (FileNotFoundError, PermissionError):
        pass  # not there, or another user's: write it
    if not path.parent.is_dir():
        path.parent.mkdir(exist_ok=True)
        if group:
            path.parent.chmod(0o2775)
    temporary = path.parent / f"tmp_obj_{os.urandom(8).hex()}"  # the name that `git prune` takes for left behind
    try:
        temporary.write_bytes(zlib.compress(_header(kind, content) + content, 1))
        temporary.chmod(0o444)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return oid


def _header(kind: str, content: bytes) -> bytes:
    return f"{kind} {len(content)}".encode() + b"\0"

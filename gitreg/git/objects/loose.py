"""Loose objects: one zlib-compressed file each (gitrepository-layout(5), objects/[0-9a-f][0-9a-f]).

They are not read and written with dulwich, for two reasons: a process killed while dulwich writes leaves a ``.lock``
that blocks every later write of the same object, and an object just written can be read without importing dulwich.
"""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

from gitreg.errors import IntegrityError, TooLarge

_FIRST_READ = 8192  # bytes: enough for the header and all of a small object
_SIZE = re.compile(r"[0-9]{1,18}")


def object_id(kind: str, content: bytes, object_format: str) -> str:
    """Return the id of an object: the hash of its header and content, by the hash of the repository.

    Parameters
    ----------
    kind:
        ``commit``, ``tree``, ``blob`` or ``tag``.
    object_format:
        ``sha1`` or ``sha256``.
    """
    import hashlib  # loads OpenSSL, not needed where the index is current

    return hashlib.new(object_format, _header(kind, content) + content, usedforsecurity=False).hexdigest()


def read_loose(objects: Path, oid: str, limit: int | None) -> tuple[str, bytes] | None:
    """Return type and content of a loose object, or None where there is no such file.

    Parameters
    ----------
    limit:
        The largest content to read, in bytes; None for any size.

    Raises
    ------
    IntegrityError
        The file is not an object.
    TooLarge
        The content is larger than the limit.
    """
    path = objects / oid[:2] / oid[2:]
    try:
        with path.open("rb") as file:
            stream = zlib.decompressobj()
            begun = stream.decompress(file.read(_FIRST_READ), _FIRST_READ)
            header, end, content = begun.partition(b"\0")
            kind, _, digits = header.decode("ascii", "replace").partition(" ")
            if not end or not _SIZE.fullmatch(digits):
                raise _damaged(path, "it has no header")
            size = int(digits)
            if limit is not None and size > limit:
                raise TooLarge(f"the {kind} {oid}", size, limit, object_type=kind)
            left = size - len(content) + 1  # one byte more, to detect content that is too long
            rest = stream.decompress(stream.unconsumed_tail + file.read(), left) if left > 0 else b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    except zlib.error as error:
        raise _damaged(path, str(error)) from error
    if len(content) + len(rest) != size or not stream.eof:
        raise _damaged(path, f"it does not hold the {size:,} bytes that it says")
    return kind, content + rest if rest else content


def _damaged(path: Path, why: str) -> IntegrityError:
    return IntegrityError(f"{path} is damaged: {why}", hint="run `git fsck`; fetch the object again")


def write_loose(objects: Path, kind: str, content: bytes, object_format: str, *, group: bool) -> str:
    """Write an object and return its id.

    An object that exists already gets a new modification time instead, so that a concurrent `git gc` does not prune it
    before a ref reaches it.

    Parameters
    ----------
    group:
        True to make new folders writable for the group, as core.sharedRepository asks.
    """
    oid = object_id(kind, content, object_format)
    path = objects / oid[:2] / oid[2:]
    try:
        os.utime(path)
        return oid
    except (FileNotFoundError, PermissionError):
        pass  # missing, or owned by another user: write it
    if not path.parent.is_dir():
        path.parent.mkdir(exist_ok=True)
        if group:
            path.parent.chmod(0o2775)
    temporary = path.parent / f"tmp_obj_{os.urandom(8).hex()}"  # `git prune` removes old files of this name
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

"""The scan of one file: the worst verdict over all formats that it can be read as."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from gitreg.contents import archives, formats
from gitreg.contents.findings import CODE, DATA, TOO_DEEP, TOO_LONG, Finding, worst
from gitreg.contents.limits import LEVELS, Budget, TooLongError
from gitreg.contents.pickles import look_at_pickles
from gitreg.contents.unpacking import packings
from gitreg.contents.window import size_of

_HEAD = 512


def scan_path(path: str | os.PathLike[str]) -> Finding:
    """Return the finding on a local file.

    Returns
    -------
    Finding
        The worst verdict on the file and on what is packed in it, with the reason.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open(path, "rb") as file:
        return scan(file)


def scan(file: BinaryIO) -> Finding:
    """Return the finding on a seekable file; its texts are printable, whatever the file contains."""
    found = _look(file, Budget(), 0)
    return found._replace(why=_printable(found.why), names=tuple(map(_printable, found.names)))


def _printable(text: str) -> str:
    """Return a text in which escapes replace terminal controls and invalid characters."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _look(file: BinaryIO, budget: Budget, level: int) -> Finding:
    try:
        return worst(_readings(file, budget, level))
    except TooLongError:
        return Finding(CODE, TOO_LONG)


def _readings(file: BinaryIO, budget: Budget, level: int) -> Iterator[Finding]:
    """Yield a finding for each format that the file can be read as."""
    size = size_of(file)
    file.seek(0)
    head = file.read(_HEAD)
    if not head:
        yield Finding(DATA, "empty")
        return
    found = [each for each in _all_readings(file, head, size, budget, level) if each is not None]
    if not found:
        found = [formats.look_at_data(file, head, size) or formats.look_at_text(file, size)]
    yield from found


def _all_readings(file: BinaryIO, head: bytes, size: int, budget: Budget, level: int) -> Iterator[Finding | None]:
    def inside(member: BinaryIO) -> Finding:
        return _look(member, budget, level + 1)

    file.seek(0)
    yield look_at_pickles(file, budget)
    yield formats.look_at_program(head)
    yield formats.look_at_closed(head)
    yield formats.look_at_npy(file, head, budget)
    yield formats.look_at_safetensors(file, head, size)
    yield formats.look_at_hdf5(file, size)
    yield formats.look_at_json(file, head, size)
    deep = level >= LEVELS
    if archives.is_zip(file, head, size):
        yield Finding(CODE, f"zip, {TOO_DEEP}") if deep else archives.look_at_zip(file, inside, budget)
    for kind in packings(head):
        yield Finding(CODE, f"{kind}, {TOO_DEEP}") if deep else archives.look_at_packed(file, kind, inside, budget)
    if archives.is_tar(head):
        yield Finding(CODE, f"tar, {TOO_DEEP}") if deep else archives.look_at_tar(file, inside, budget)

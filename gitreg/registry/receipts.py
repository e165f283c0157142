"""Receipts: when a commit of the branch was first seen here, by this machine's clock, which no committer sets.

They lie in ``gitreg/receipts.jsonl`` of the repository's common folder, one line for each move of a branch that was
seen, in the order in which that happened. Lines are only ever appended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from gitreg.git import Repository

BY_PUSH = "post-receive"
"""The writer of a receipt for each push: what it brought came at that very time."""


class Receipt(NamedTuple):
    """One line.

    Parameters
    ----------
    ref:
        The branch's full name.
    commit:
        Where it was.
    at:
        When that was seen, in seconds since the epoch.
    by:
        What saw it: ``post-receive``, ``pre-receive``, ``update``, ``sync`` or ``hooks install``.
    """

    ref: str
    commit: str
    at: int
    by: str


def receipts_path(repository: Repository) -> Path:
    """Return the file of a repository's receipts; it is there once something was seen."""
    return repository.common_dir / "gitreg" / "receipts.jsonl"


def receipts_state(repository: Repository) -> tuple[int, int] | None:
    """Return what changes with the file of a repository's receipts; None where there is none."""
    with suppress(FileNotFoundError):
        status = receipts_path(repository).stat()
        return status.st_size, status.st_mtime_ns
    return None


def read_receipts(repository: Repository, ref: str) -> list[Receipt]:
    """Return the receipts of a branch, oldest first; lines that are none are left out."""
    return [receipt for _, receipt in _lines(repository) if receipt is not None and receipt.ref == ref]


def damaged_receipts(repository: Repository) -> Iterator[tuple[int, str]]:
    """Yield the numbers of lines that are no receipts, and of those whose time is before an earlier line's, and why."""
    latest = 0
    for number, receipt in _lines(repository):
        if receipt is None:
            yield number, "is no receipt, and counts for nothing"
            continue
        if receipt.at < latest:
            when = datetime.fromtimestamp(latest, UTC)
            yield number, f"says a time before an earlier line's, and counts as of {when:%Y-%m-%dT%H:%M:%SZ}"
        latest = max(latest, receipt.at)


def write_receipt(repository: Repository, receipt: Receipt) -> bool:
    """Append a receipt where its branch has moved since the last one; return whether it had.

    Call it while holding the repository's lock.
    """
    known = read_receipts(repository, receipt.ref)
    if known and known[-1].commit == receipt.commit:
        return False
    from gitreg.blobs.copying import sync_folder  # readers need none of it

    path = receipts_path(repository)
    line = json.dumps(receipt._asdict(), separators=(", ", ": ")).encode() + b"\n"
    mode = path.parent.stat().st_mode & 0o666  # as the folder, which the lock has made: the group's where it is shared
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":  # a crash cut the last line off
            line = b"\n" + line
        if not size:
            os.fchmod(file, mode)  # whatever the umask
        os.write(file, line)
        os.fsync(file)
    finally:
        os.close(file)
    if not size:
        sync_folder(path.parent)
    return True


def _lines(repository: Repository) -> list[tuple[int, Receipt | None]]:
    """Return each line's number, and what it says; None for one that is no receipt."""
    try:
        content = receipts_path(repository).read_bytes()
    except FileNotFoundError:
        return []
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    try:
        said = json.loads(b"[" + b",".join(lines) + b"]")  # all at once takes half the time
        if len(said) != len(lines):
            raise ValueError
    except (ValueError, RecursionError):
        said = [_parsed(line) for line in lines]
    return [(number, _receipt(each)) for number, each in enumerate(said, start=1)]


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _receipt(said: Any) -> Receipt | None:
    if not isinstance(said, dict) or set(said) != set(Receipt._fields):
        return None
    receipt = Receipt(**said)
    if not all(isinstance(text, str) for text in (receipt.ref, receipt.commit, receipt.by)):
        return None
    if isinstance(receipt.at, bool) or not isinstance(receipt.at, int) or not 0 <= receipt.at < 2**38:
        return None
    return receipt

"""The receipts: the times at which commits of the branch were first seen here, by this machine's clock.

No committer can set that clock. The receipts are in ``gitreg/receipts.jsonl`` of the repository's common folder, one
line for each observed move of a branch, in order. Lines are only ever appended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg import system
from gitreg.blobs.file_io import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from gitreg.git import Repository

BY_PUSH = "post-receive"
"""The writer of a receipt for each push: the commits of the push arrived at exactly that time."""


class Receipt(NamedTuple):
    """One line of the file of receipts.

    Parameters
    ----------
    ref:
        The branch's full name.
    commit:
        The commit that the branch was at.
    at:
        The time at which it was seen, in seconds since the epoch.
    by:
        The writer: ``post-receive``, ``pre-receive``, ``update``, ``sync`` or ``hooks install``.
    """

    ref: str
    commit: str
    at: int
    by: str


def receipts_path(repository: Repository) -> Path:
    """Return the path of a repository's receipts; the file exists once there is a receipt."""
    return repository.common_dir / "gitreg" / "receipts.jsonl"


def receipts_state(repository: Repository) -> tuple[int, int] | None:
    """Return size (bytes) and modification time (ns) of the file of receipts; None if there is no file."""
    with suppress(FileNotFoundError):
        status = receipts_path(repository).stat()
        return status.st_size, status.st_mtime_ns
    return None


def read_receipts(repository: Repository, ref: str) -> list[Receipt]:
    """Return the receipts of a branch, oldest first; invalid lines are skipped."""
    return [receipt for _, receipt in _lines(repository) if receipt is not None and receipt.ref == ref]


def damaged_receipts(repository: Repository) -> Iterator[tuple[int, str]]:
    """Yield line number and problem of each line that is invalid, or has a time before that of an earlier line."""
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
    """Append a receipt if its branch has moved since its last receipt; return whether it had.

    Call it while holding the repository's lock.
    """
    known = read_receipts(repository, receipt.ref)
    if known and known[-1].commit == receipt.commit:
        return False
    path = receipts_path(repository)
    line = json.dumps(receipt._asdict(), separators=(", ", ": ")).encode() + b"\n"
    mode = path.parent.stat().st_mode & 0o666  # the mode of the folder: writable for the group in a shared repository
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | system.CLOSED_TO_CHILDREN, mode)
    try:
        size = os.fstat(file).st_size
        if size and system.read_at(file, 1, size - 1) != b"\n":  # a crash cut the last line off
            line = b"\n" + line
        if not size:
            system.set_mode(file, mode)  # whatever the umask
        os.write(file, line)
        system.sync(file)
    finally:
        os.close(file)
    if not size:
        sync_folder(path.parent)
    return True


def _lines(repository: Repository) -> list[tuple[int, Receipt | None]]:
    """Return number and receipt of each line; None for an invalid line."""
    try:
        content = receipts_path(repository).read_bytes()
    except FileNotFoundError:
        return []
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    try:
        parsed = json.loads(b"[" + b",".join(lines) + b"]")  # one call for all lines takes half the time
        if len(parsed) != len(lines):
            raise ValueError
    except (ValueError, RecursionError):
        parsed = [_parsed(line) for line in lines]
    return [(number, _receipt(each)) for number, each in enumerate(parsed, start=1)]


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _receipt(parsed: Any) -> Receipt | None:
    if not isinstance(parsed, dict) or set(parsed) != set(Receipt._fields):
        return None
    receipt = Receipt(**parsed)
    if not all(isinstance(text, str) for text in (receipt.ref, receipt.commit, receipt.by)):
        return None
    if isinstance(receipt.at, bool) or not isinstance(receipt.at, int) or not 0 <= receipt.at < 2**38:
        return None
    return receipt

"""The checkpoint of a verification: the files read so far, so that an interrupted run can be resumed."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from gitreg import system

_FIRST = re.compile(r"gitreg-verified 1 ([0-9a-f]{32})")
_TOO_OLD = 7 * 86400.0  # seconds since the last note; files that were whole then may be damaged now


class VerifyCheckpoint:
    """The checkpoint of one verification, in a small file of the user; several processes may append to it at once.

    If the file is lost or cut off, some files are read once more. Its format::

        gitreg-verified 1 <seed>
        <token>                           one line for each file that was found whole

    Parameters
    ----------
    path:
        The file; None keeps the checkpoint in memory only.
    now:
        The time in seconds since the epoch.
    """

    def __init__(self, path: Path | None, now: float) -> None:
        self._path = path
        self._descriptor: int | None = None
        lines = _read(path, now) if path else []
        header = _FIRST.fullmatch(lines[0]) if lines else None
        self.seed = header[1] if header else os.urandom(16).hex()
        self._whole = set(lines[1:]) if header else set()
        self.before = len(self._whole)
        self._begin = f"gitreg-verified 1 {self.seed}\n" if not header else "\n"  # the last line may be incomplete

    def __contains__(self, token: str) -> bool:
        return token in self._whole

    def note(self, token: str) -> None:
        """Note that a file was found whole."""
        self._whole.add(token)
        if self._path is None:
            return
        with suppress(OSError):  # a full disk, or a folder that cannot be written: only time is lost
            if self._descriptor is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | system.CLOSED_TO_CHILDREN
                self._descriptor = os.open(self._path, flags if self.before else flags | os.O_TRUNC, 0o666)
                os.write(self._descriptor, self._begin.encode())
            os.write(self._descriptor, f"{token}\n".encode())

    def end(self) -> None:
        """Remove the checkpoint: the verification is complete."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; its notes stay."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _read(path: Path, now: float) -> list[str]:
    with suppress(OSError, UnicodeDecodeError):
        if now - path.stat().st_mtime < _TOO_OLD:
            return [line for line in path.read_text("ascii").split("\n")[:-1] if line]
    return []

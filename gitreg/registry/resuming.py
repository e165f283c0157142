"""What a verification under way has read so far, so that one that was interrupted goes on where it ended."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_FIRST = re.compile(r"gitreg-verified 1 ([0-9a-f]{32})")
_TOO_OLD = 7 * 86400.0  # seconds since it last got on; what was whole then need not be now


class Run:
    """One run of a verification, in a small file of the user's own; of these processes may write to one at once.

    The file may be lost or cut off: then something is read once more. ::

        gitreg-verified 1 <seed>
        <token>                           a line for each thing that was found whole

    Parameters
    ----------
    path:
        The file; None keeps nothing.
    now:
        The time in seconds since 1970.
    """

    def __init__(self, path: Path | None, now: float) -> None:
        self._path = path
        self._descriptor: int | None = None
        lines = _read(path, now) if path else []
        said = _FIRST.fullmatch(lines[0]) if lines else None
        self.seed = said[1] if said else os.urandom(16).hex()
        self._whole = set(lines[1:]) if said else set()
        self.before = len(self._whole)
        self._begin = f"gitreg-verified 1 {self.seed}\n" if not said else "\n"  # the last line may be half a one

    def __contains__(self, token: str) -> bool:
        return token in self._whole

    def note(self, token: str) -> None:
        """Note that something was found whole."""
        self._whole.add(token)
        if self._path is None:
            return
        with suppress(OSError):  # the disk is full, or it is no folder of ours: only time is lost
            if self._descriptor is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags if self.before else flags | os.O_TRUNC, 0o666)
                os.write(self._descriptor, self._begin.encode())
            os.write(self._descriptor, f"{token}\n".encode())

    def end(self) -> None:
        """Forget it all: the run is complete."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; what was noted stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _read(path: Path, now: float) -> list[str]:
    with suppress(OSError, UnicodeDecodeError):
        if now - path.stat().st_mtime < _TOO_OLD:
            return [line for line in path.read_text("ascii").split("\n")[:-1] if line]
    return []

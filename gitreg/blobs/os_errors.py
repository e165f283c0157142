"""The translation of operating system errors into readable messages with hints."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import TracebackType

from gitreg.errors import GitregError

_HINTS = {
    errno.ENOSPC: "make room on that disk and run it again",
    errno.EDQUOT: "your quota on that disk is used up; make room and run it again",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), or use a file system that holds files of this size",
    errno.EACCES: "ask for the permission, or choose a folder of your own",
    errno.EPERM: "ask for the permission, or choose a folder of your own",
    errno.EROFS: "it is mounted read-only; mount it writable, or choose another folder",
    errno.ENOTDIR: "a file stands where a folder should be; move it away",
    errno.EISDIR: "a folder stands where a file should be; move it away",
    errno.ENAMETOOLONG: "choose a shorter name, or a folder nearer to the root",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.EIO: "the disk or its connection fails; check it before you go on",
    errno.ESTALE: "the network folder went away; mount it again",
}


CACHE_DENIED = "set GITREG_CACHE or XDG_CACHE_HOME to a folder that you may write to"
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}


class readable_os_errors:  # noqa: N801 - used as contextlib's are
    """A context manager that turns an OSError of its body into a GitregError with the path, the reason and a hint.

    It is a class, not a generator, for speed: it surrounds the reading of each of ten thousand files.

    Parameters
    ----------
    doing:
        The body's action, as it follows "cannot": ``save weights``.
    where:
        The path to report if the error itself has none.
    denied:
        The hint if there is no folder that the user may write to: the way to name another. None gives a general one.
    """

    __slots__ = ("_denied", "_doing", "_where")

    def __init__(self, doing: str, where: Path | str, denied: str | None = None) -> None:
        self._doing = doing
        self._where = where
        self._denied = denied

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(self._where)
            reason = os.strerror(error.errno) if error.errno else str(error)
            hint = _HINTS.get(error.errno or 0, "check that path and run it again")
            if self._denied and error.errno in _DENIED:
                hint = self._denied
            raise GitregError(f"cannot {self._doing}: {path}: {reason}", hint=hint) from error

"""The exit of the program."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn, TextIO


def leave(code: int) -> NoReturn:
    """Exit with a code.

    All files are closed by then, so Python does not free its thousands of objects one by one, which would cost half as
    much time as its start; unless a tracer or profiler watches the run.
    """
    if sys.gettrace() is None and sys.getprofile() is None:
        with suppress(OSError):  # it is closed, or its disk is full
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def silence(stream: TextIO) -> None:
    """Send the rest of a standard stream to nowhere: Python must not try to write it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

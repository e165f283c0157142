"""The exit of the program."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """Exit with a code.

    All files are closed by then, so Python does not free its thousands of objects one by one, which would cost half as
    much time as its start; unless a tracer or profiler watches the run.
    """
    if sys.gettrace() is None and sys.getprofile() is None:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)

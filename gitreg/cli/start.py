"""The entry point of the program: completion is answered before click, the slowest import, is needed."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

_OBJECTS = 50_000  # objects before Python collects garbage: imports create as many, and almost no garbage


def main() -> NoReturn:
    """Run the command line, or answer the shell's request for a completion, and exit."""
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
    if "_GITREG_COMPLETE" in os.environ:
        from gitreg.cli.fast_completion import answer

        said = answer(os.environ)
        if said is not None:
            with suppress(OSError):  # the shell may not wait for it
                sys.stdout.write(said)
                sys.stdout.flush()
            leave(0)
    from gitreg.cli.main import main as run

    run()


def leave(code: int) -> NoReturn:
    """Exit with a code.

    All files are closed by then, so Python does not free its thousands of objects one by one, which would cost half as
    much time as its start; unless a tracer or profiler watches the run.
    """
    if sys.gettrace() is None and sys.getprofile() is None:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)

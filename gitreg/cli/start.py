"""Where the program starts: half-written words are completed before click, which takes longest to import, is needed."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

_OBJECTS = 50_000  # made before Python looks for garbage: importing makes as many and next to none of it


def main() -> NoReturn:
    """Run the command line, or answer the shell that asks what may follow, and exit."""
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
    if "_GITREG_COMPLETE" in os.environ:
        from gitreg.cli.completing import answer

        said = answer(os.environ)
        if said is not None:
            with suppress(OSError):  # the shell may not wait for it
                sys.stdout.write(said)
                sys.stdout.flush()
            leave(0)
    from gitreg.cli.main import main as run

    run()


def leave(code: int) -> NoReturn:
    """Exit.

    All that was opened is closed by then. So Python does not take its thousands of objects apart one by one, which
    would cost as much as half of its start; unless somebody watches the run.
    """
    if sys.gettrace() is None and sys.getprofile() is None:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)

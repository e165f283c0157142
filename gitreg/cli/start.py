"""The entry point of the program: completion is answered before click, the slowest import, is needed."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

from gitreg.cli.exit import leave

_OBJECTS = 50_000  # objects before Python collects garbage: imports create as many, and almost no garbage


def main() -> NoReturn:
    """Run the command line, or answer the shell's request for a completion, and exit."""
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
    if "_GITREG_COMPLETE" in os.environ:
        from gitreg.cli.fast_completion import answer

        words = answer(os.environ)
        if words is not None:
            with suppress(OSError):  # the shell may not wait for it
                sys.stdout.write(words)
                sys.stdout.flush()
            leave(0)
    from gitreg.cli.main import main as run

    run()

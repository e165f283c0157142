"""The entry point of the program: completion is answered before click, the slowest import, is needed."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from gitreg.cli import completion
from gitreg.cli.exit import leave

_OBJECTS = 50_000  # objects before Python collects garbage: imports create as many, and almost no garbage


def open_standard_streams() -> None:
    """Open /dev/null in the place of each standard stream that is closed, so that no other file gets its number.

    It is opened the wrong way round: what cannot be read or written there is an error, as for any other stream.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDONLY if number else os.O_WRONLY)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def main() -> NoReturn:
    """Run the command line, or answer the shell's request for a completion, and exit."""
    open_standard_streams()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where nohup, or a shell's &, ignores it
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the command line runs, no traceback of an import
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
    if "_GITREG_COMPLETE" in os.environ:
        _complete(os.environ["_GITREG_COMPLETE"])
    from gitreg.cli.main import main as run

    run()


def _complete(line: str) -> NoReturn:
    words = completion.fast.answer(line)
    if words is None:
        words = completion.answer.answer(line)
    with suppress(OSError):  # the shell may not wait for it
        sys.stdout.write(words)
        sys.stdout.flush()
    leave(0)

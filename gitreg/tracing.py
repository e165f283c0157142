"""The trace of what gitreg does, which ``-v`` shows: records of the level INFO of the logger ``gitreg``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


def is_traced() -> bool:
    """Return whether somebody reads the trace; nobody does where logging was never imported."""
    logging = sys.modules.get("logging")
    return logging is not None and logging.getLogger("gitreg").isEnabledFor(logging.INFO)


def trace(text: str) -> None:
    """Log one line, if somebody reads it."""
    if is_traced():
        sys.modules["logging"].getLogger("gitreg").info("%s", text)


@contextmanager
def timed(text: str) -> Iterator[None]:
    """Log a line with the time that the body took."""
    begun = perf_counter()
    try:
        yield
    finally:
        trace(f"{text}  ({perf_counter() - begun:.3f} s)")

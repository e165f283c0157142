"""A real terminal around the real program."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path

from tests.system.world import PROGRAMS, Person

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][0B]|[=>78])|\r")


def at_a_terminal(
    person: Person, *arguments: str | Path, columns: int = 80, rows: int = 40, out: bool = True, code: int = 0
) -> str:
    """Run gitreg at a terminal, and return what is shown there, with its escapes.

    Parameters
    ----------
    out:
        False where only standard error is the terminal, and standard output is thrown away.
    """
    return run_at_a_terminal(person, [PROGRAMS / "gitreg", *arguments], columns=columns, rows=rows, out=out, code=code)


def run_at_a_terminal(
    person: Person, command: Sequence[str | Path], *, columns: int, rows: int = 40, out: bool = True, code: int = 0
) -> str:
    """Run any program as `at_a_terminal` runs gitreg."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    env = {"TERM": "xterm-256color", **{k: v for k, v in person.env.items() if k not in ("COLUMNS", "LINES")}}
    process = subprocess.Popen(
        command, cwd=person.here, env=env, start_new_session=True, stdin=theirs,
        stdout=theirs if out else subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:  # how Linux says that nobody has the other end any more
        pass
    finally:
        os.close(ours)
    ended = process.wait()
    assert ended == code, f"{command} ended with {ended}:\n{shown.decode()}"
    return shown.decode()


def plain(shown: str) -> str:
    """Return what a terminal showed without colours and moves of the cursor."""
    return _ESCAPES.sub("", shown)

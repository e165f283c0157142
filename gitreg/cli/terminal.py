"""The terminal behind standard output: its width, its colours, and the pager before it, as git has one.

The variables are those of other programs: NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM, PAGER.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

import click

from gitreg.cli.exit import silence

_PAGERS = ("GIT_PAGER", "PAGER")
_LESS = {"LESS": "FRX", "LV": "-c"}  # one screen is just printed, colours are shown, and the text stays; as git sets it


class _Paging:
    """The process of the pager, and the terminal's own files meanwhile."""

    process: int | None = None
    out = -1
    err: int | None = None


_paging = _Paging()


def is_terminal() -> bool:
    """Return whether standard output is shown on a terminal, directly or by the pager."""
    return _paging.process is not None or sys.stdout.isatty()


def width() -> int | None:
    """Return the columns of the terminal; None where standard output is none, or it does not know."""
    if not is_terminal():
        return None
    columns = os.environ.get("COLUMNS", "")  # not with shutil, which imports four compression libraries
    if columns.isdecimal() and int(columns):
        return int(columns)
    return size().columns or None


def size() -> os.terminal_size:
    """Return the columns and lines of the terminal that standard output is."""
    return os.get_terminal_size(_paging.out if _paging.process is not None else sys.stdout.fileno())


def color() -> bool | None:
    """Return whether to colour the output; None leaves it to whether it is a terminal.

    NO_COLOR comes first (https://no-color.org), then FORCE_COLOR and CLICOLOR_FORCE, then CLICOLOR=0 and a dumb
    terminal (https://bixense.com/clicolors).
    """
    env = os.environ
    if env.get("NO_COLOR"):
        return False
    if any(env.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return False if env.get("CLICOLOR") == "0" or env.get("TERM") == "dumb" else None


def start_pager() -> None:
    """Send what is printed from now on through the user's pager, where it goes to a terminal; until the command ends.

    The pager is that of GIT_PAGER (which ``git --no-pager reg`` sets) or PAGER, else less; an empty one and ``cat``
    are none.
    """
    ctx = click.get_current_context()
    if _paging.process is not None or not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return
    pager = next((os.environ[name] for name in _PAGERS if name in os.environ), "less").strip()
    if pager in ("", "cat"):
        return
    sys.stdout.flush()
    read_end, write_end = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, read_end, 0), (os.POSIX_SPAWN_CLOSE, write_end)]
    env = {**_LESS, **os.environ}
    line = f"{pager}\n[ $? -ne 127 ] || exec cat"  # it is not installed
    _paging.process = os.posix_spawn("/bin/sh", ["sh", "-c", line], env, file_actions=actions)
    os.close(read_end)
    _paging.out = os.dup(1)
    _paging.err = os.dup(2) if sys.stderr.isatty() else None
    os.dup2(write_end, 1)
    if _paging.err is not None:  # notes belong below the text, not across the pager's screen
        os.dup2(write_end, 2)
    os.close(write_end)
    ctx.find_root().color = color() is not False
    ctx.color = color() is not False
    ctx.find_root().call_on_close(_end_pager)


def _end_pager() -> None:
    """Wait until the user leaves the pager, and print to the terminal again."""
    assert _paging.process is not None
    try:
        sys.stdout.flush()
    except OSError:  # the user left it before the end: the rest is for nobody
        silence(sys.stdout)
    else:
        os.dup2(_paging.out, 1)
    if _paging.err is not None:
        with suppress(OSError):
            sys.stderr.flush()
        os.dup2(_paging.err, 2)
        os.close(_paging.err)
    os.close(_paging.out)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the pager's to handle
    os.waitpid(_paging.process, 0)
    signal.signal(signal.SIGINT, before)
    _paging.process = None

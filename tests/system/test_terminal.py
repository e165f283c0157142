"""What somebody sees at a terminal while bytes go by."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.system.world import PROGRAMS, Person, write


def at_a_terminal(person: Person, *arguments: str | Path) -> str:
    """Run gitreg with its standard error at a terminal, and give what is shown there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAMS / "gitreg", *arguments], cwd=person.here, env=person.env | {"TERM": "xterm"},
        stdout=subprocess.DEVNULL, stderr=theirs,
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
    assert process.wait() == 0
    return shown.decode()


@pytest.mark.slow
def test_a_big_save_shows_how_far_it_is_and_a_small_one_nothing(registry: Person, tmp_path: Path) -> None:
    weights = write(tmp_path / "weights", {"a.bin": os.urandom(40_000_000), "b.bin": b"1"})
    shown = at_a_terminal(registry, "save", "iris", weights)
    assert "Saving" in shown
    assert "/40.0 MB" in shown
    assert at_a_terminal(registry, "save", "iris", weights / "b.bin") == ""

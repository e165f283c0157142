"""A verification that is killed or interrupted goes on where it ended: counted by the reads that the kernel saw."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.system.world import PROGRAMS, Person, make_person, need_strace

FILES = 40
SIZE = 4 << 20

pytestmark = pytest.mark.slow


@pytest.fixture
def saved(tmp_path: Path) -> Person:
    person = make_person(tmp_path)
    person.gitreg("init", tmp_path / "registry")
    there = person.at(tmp_path / "registry")
    (tmp_path / "model").mkdir()
    for number in range(FILES):
        (tmp_path / "model" / f"part-{number}").write_bytes(os.urandom(SIZE))
    there.gitreg("save", "iris", tmp_path / "model")
    return there


def progress_lines(person: Person) -> int:
    """Count the files that the unfinished run has verified."""
    found = list((Path(person.env["GITREG_CACHE"]) / "verified").glob("*.txt"))
    return found[0].read_text().count("\n") - 1 if found else 0


def interrupted(person: Person, how: signal.Signals) -> int:
    process = person.start(PROGRAMS / "gitreg", "verify", "--deep")
    while progress_lines(person) < 5 and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(how)
    _, err = process.communicate()
    assert process.returncode == (130 if how == signal.SIGINT else -how), err
    done = progress_lines(person)
    assert 5 <= done < FILES, "it was too fast to be interrupted"
    return done


def bytes_read(logs: Iterable[Path], folder: Path) -> int:
    """Sum what was read of the objects of a store, by the logs of all threads."""
    total = 0
    for line in "".join(log.read_text() for log in logs).splitlines():
        if (found := re.search(rf"pread64\(\d+<{re.escape(str(folder))}/sha256/.*= (\d+)$", line)) is not None:
            total += int(found[1])
    return total


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_verified_before_the_interruption_is_not_read_again(
    saved: Person, tmp_path: Path, how: signal.Signals
) -> None:
    strace = need_strace()
    done = interrupted(saved, how)
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "strace"
    command = [strace, "-ff", "-y", "-e", "trace=pread64", "-o", str(log), "gitreg", "verify", "--deep"]
    ended = subprocess.run(command, cwd=saved.here, env=saved.env, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, f"resuming: {done} files were verified before\n")
    assert f"({FILES} read whole)" in ended.stdout
    assert bytes_read((tmp_path / "logs").iterdir(), saved.here / ".git/gitreg/store") == (FILES - done) * SIZE
    assert progress_lines(saved) == 0
    assert "resuming" not in saved.gitreg("verify", "--deep").err


def test_a_sample_that_was_interrupted_goes_on_with_the_same_choice(saved: Person) -> None:
    process = saved.start(PROGRAMS / "gitreg", "verify", "--sample", "70%")
    while progress_lines(saved) < 3 and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    (file,) = (Path(saved.env["GITREG_CACHE"]) / "verified").glob("*.txt")
    before = set(file.read_text().splitlines()[1:])
    ended = saved.gitreg("verify", "--sample", "70%", "--json")
    assert f"resuming: {len(before)} files were verified before" in ended.err
    assert len(before) < sum(row["read"] for row in ended.data["files"]) < FILES

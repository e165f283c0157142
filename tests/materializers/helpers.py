"""Writing an object and reading it again."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import GitregError, InvalidInput
from gitreg.materializers import read, write


class Library:
    """A library that is imported at its first use: each worker collects every file of tests, but one runs it.

    The tests of the file are skipped where it is not installed.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            pytest.skip(f"{name} is not installed", allow_module_level=True)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_") or attribute == "pytestmark":  # pytest asks each object for those
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)


OPTIONAL = ("dtypes.json", "estimator.json")  # without them the files are another, simpler object


def again(value: object, name: str, *, trusted: bool = False) -> Any:
    """Write and read a value; name is the materializer that has to do it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        assert write(value, folder) == name
        return read(folder, name, unsafe_pickle=trusted)


def refused(value: object, *words: str) -> InvalidInput:
    """Have a value refused with these words and a hint, and nothing left in the folder."""
    with tempfile.TemporaryDirectory() as place:
        with pytest.raises(InvalidInput) as raised:
            write(value, Path(place))
        assert not list(Path(place).iterdir())
    for word in words:
        assert word in raised.value.message
    assert raised.value.hint
    return raised.value


def digests(value: object) -> dict[str, str]:
    """Give the digest of each file that is written for a value."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(value, folder)
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def damaged(value: object, folder: Path, *, inside: bool = True) -> None:
    """Damage each file that is written, cut it short, empty it and take it away: it is one of our errors each time."""
    folder.mkdir()
    name = write(value, folder)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        for part in (whole[: len(whole) // 2], b"", b"\x80\x04K\x01."):
            path.write_bytes(part)
            with pytest.raises(GitregError):
                read(folder, name)
        for start in range(
            0, len(whole) * inside, max(1, len(whole) // 20)
        ):  # may go unnoticed where a format has no checksums
            path.write_bytes(whole[:start] + b"\xff" * 10 + whole[start + 10 :])
            with contextlib.suppress(GitregError):
                read(folder, name)
        path.unlink()
        if path.name not in OPTIONAL:
            with pytest.raises(GitregError):
                read(folder, name)
        path.write_bytes(whole)
    read(folder, name)


def python(code: str, **environment: str) -> str:
    """Run code in a Python of its own and give what it prints."""
    import os

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

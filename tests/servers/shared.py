"""One server for all the processes of a test run, kept by a process of its own.

Whoever uses a server holds a shared lock on its file `users`. The keeper waits for that lock to itself: it gets it when
nobody is left, also when the tests were killed, and then stops the server and removes its data.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from tests.servers.running import NotInstalled, Programs

_KEEPERS: list[subprocess.Popen[bytes]] = []  # they outlive us; one that is forgotten warns

_PATIENCE = 240  # seconds until the slowest of them has started on a busy machine


@contextmanager
def server(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """Use a server, which is started where nobody has it yet.

    Parameters
    ----------
    name:
        That of a module beside this one.
    folder:
        The same for all who share it; short, since sockets lie in it.

    Raises
    ------
    NotInstalled
        Its programs are not on this machine.
    """
    folder.mkdir(exist_ok=True)
    users = os.open(folder / f"{name}.users", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is stopping
        yield _started(name, folder)
    finally:
        os.close(users)


def _started(name: str, folder: Path) -> dict[str, str]:
    said = folder / f"{name}.json"
    with open(folder / f"{name}.start", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            command = [sys.executable, "-m", "tests.servers.shared", name, str(folder)]
            with open(folder / f"{name}.log", "ab") as log:
                root = Path(__file__).parents[2]
                keeper = subprocess.Popen(
                    command, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            _KEEPERS.append(keeper)
            deadline = time.monotonic() + _PATIENCE
            while not said.exists():
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{name} did not start: {(folder / f'{name}.log').read_text()}")
                time.sleep(0.05)
    answer: dict[str, str] = json.loads(said.read_text())
    if "missing" in answer:
        raise NotInstalled(answer["missing"])
    if "failed" in answer:
        raise RuntimeError(answer["failed"])
    return answer


def keep(name: str, folder: Path) -> None:
    """Start a server, say so, and stop it when nobody uses it any more."""
    data, said = folder / name, folder / f"{name}.json"
    data.mkdir()
    programs = Programs(data)
    try:
        try:
            answer = import_module(f"tests.servers.{name}").start(data, programs)
        except NotInstalled as error:
            answer = {"missing": str(error)}
        except Exception:
            answer = {"failed": traceback.format_exc()}
        draft = said.with_suffix(".draft")
        draft.write_text(json.dumps(answer))
        draft.rename(said)
        with open(folder / f"{name}.users", "r+") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            said.unlink()
            programs.stop()
            shutil.rmtree(data, ignore_errors=True)
    finally:
        programs.stop()


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]))

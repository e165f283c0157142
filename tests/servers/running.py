"""Starting the programs of a server, waiting until it answers, and stopping it whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path


class NotInstalled(Exception):
    """A server's programs are not on this machine; the message says which, and how to get them."""


def need(programs: Sequence[str], how: str) -> None:
    missing = [name for name in programs if program(name) is None]
    if missing:
        raise NotInstalled(f"{', '.join(missing)} not installed: {how}")


def program(name: str) -> str | None:
    """Where a program is; servers live in sbin, which is not on everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until(answers: Callable[[], bool], what: str, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not answers():
        if time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise RuntimeError(f"{what} did not start within {seconds:.0f} s; it said: {said}")
        time.sleep(0.1)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Programs:
    """The processes of one server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, log: str | None = None) -> subprocess.Popen[bytes]:
        name = log or Path(command[0]).name
        with open(self.log(name), "ab") as said:
            process = subprocess.Popen(
                [program(command[0]) or command[0], *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                process_group=0,  # some leave it to us to end the processes that they start
            )
        self._running.append(process)
        return process

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def stop(self) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in reversed(self._running):
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._running.clear()

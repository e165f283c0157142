"""The ``gitreg`` program without its start: a process that has imported everything forks one for each call.

A call is a process as ever, with its own folder, variables and files, and ends as it would. Two thirds of the processor
time of most calls is Python's start and imports, and the tests of this folder make some thousands.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

PROGRAM = Path(sys.executable).parent / "gitreg"
_OTHER_STARTS = ("COVERAGE", "FAKETIME", "LD_", "PYTHON")
"""Variables that the start of a process reads: with these a call is a process from the beginning."""
_OF_THE_START = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
_NOT_IMPORTED = ("gitreg.cli.demo", "gitreg.integrations.metaflow", "gitreg.__main__", "gitreg.cli.__main__")


class Forking:
    """Runs the program by forking; used from any thread."""

    def __init__(self) -> None:
        here, there = socket.socketpair()
        self._socket = here
        self._server = subprocess.Popen(
            [sys.executable, "-P", __file__, str(there.fileno())],
            env=os.environ | _OF_THE_START, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL,
        )  # fmt: skip
        there.close()

    @staticmethod
    def can(env: Mapping[str, str]) -> bool:
        """Return whether a process with these variables starts as the one that forks did."""
        return hasattr(os, "pidfd_open") and not (
            any(name.startswith(_OTHER_STARTS) for name in env)
            or any(env.get(name) != value for name, value in _OF_THE_START.items())
        )

    def run(
        self, arguments: Sequence[str], folder: Path, env: Mapping[str, str], stdin: str | None
    ) -> tuple[int, str, str]:
        """Run the program to its end; return its exit code, negative for a signal, and what it printed."""
        with contextlib.ExitStack() as stack:

            def file(content: str = "") -> IO[bytes]:
                opened: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
                opened.write(content.encode("utf-8", "surrogateescape"))
                opened.seek(0)
                return opened

            call = file(json.dumps([list(arguments), str(folder), dict(env)]))
            files = [call, file(stdin or ""), file(), file()]
            waiting, ending = os.pipe()
            answer = stack.enter_context(os.fdopen(waiting, "rb"))
            socket.send_fds(self._socket, [b"\0"], [*(each.fileno() for each in files), ending])
            os.close(ending)
            code = int(answer.read())
            printed = []
            for each in files[2:]:
                each.seek(0)
                printed.append(each.read().decode("utf-8", "surrogateescape").replace("\r\n", "\n"))
        return code, printed[0], printed[1]

    def close(self) -> None:
        self._socket.close()
        self._server.wait()


def _import_all() -> None:
    import gitreg

    for module in pkgutil.walk_packages(gitreg.__path__, "gitreg."):
        if not module.name.startswith(_NOT_IMPORTED):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    for name in (
        "dulwich.porcelain",
        "fastjsonschema",
        "fsspec",
        "importlib.metadata",
        "jinja2",
        "markdown_it",
        "yaml",
    ):
        importlib.import_module(name)


def _calls(calls: socket.socket) -> Iterator[tuple[Any, list[int]]]:
    """Yield each call that is to be answered, in a process of its own; answer how each ended in this one."""
    ending: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(calls, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in ending:
                    selector.unregister(key.fd)
                    pid, answer = ending.pop(key.fd)
                    os.close(key.fd)
                    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    os.write(answer, str(code).encode())
                    os.close(answer)
                    continue
                said, files, *_ = socket.recv_fds(calls, 1, 5)
                if not said:
                    return
                pid = os.fork()
                if pid == 0:
                    for each in [*ending, *(answer for _, answer in ending.values()), files.pop()]:
                        os.close(each)
                    yield json.loads(Path(f"/proc/self/fd/{files[0]}").read_bytes()), files
                for each in files[:4]:
                    os.close(each)
                pidfd = os.pidfd_open(pid)
                ending[pidfd] = pid, files[4]
                selector.register(pidfd, selectors.EVENT_READ)


def main() -> None:
    """Import everything, and be the program in a fork for each call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who interrupts the tests means them
    _import_all()
    from gitreg.cli.start import main as gitreg

    calls = socket.socket(fileno=int(sys.argv[1]))
    for (arguments, folder, env), files in _calls(calls):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        calls.close()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        for number, each in enumerate(files[1:]):
            os.dup2(each, number)
        for each in files:
            os.close(each)
        sys.argv[:] = [str(PROGRAM), *arguments]
        gitreg()


if __name__ == "__main__":
    main()

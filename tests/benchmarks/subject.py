"""gitreg's own side of the comparison: a registry with its store, saved to and loaded from."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.comparison import Took, bytes_in
from tests.benchmarks.processes import PROGRAM, Cost, run

_ACTION = Path(__file__).with_name("action.py")
_READS = "read,pread64,readv,preadv,preadv2,copy_file_range,sendfile,splice,mmap"
_CALL = re.compile(r"(?P<pid>\d+) +(?:<\.\.\. )?(?P<call>\w+)(?:\(| resumed>)(?P<rest>.*)")


class Subject:
    """A registry whose store is a folder, or what a URL says, and a cache of its own.

    Parameters
    ----------
    work:
        A new folder for all of it.
    url:
        The store; None makes one at ``work/store``.
    """

    def __init__(self, work: Path, env: Mapping[str, str], *, url: str | None = None) -> None:
        self._work = work
        self._env = {**env, "HOME": str(work), "GITREG_CACHE": str(work / "cache")}
        self.costs: list[Cost] = []
        work.mkdir()
        self._registry = work / "registry"
        run([PROGRAM, "init", self._registry, "--store", url or (work / "store").as_uri()], self._env)

    def save(self, source: Path) -> Took:
        """Save by the SDK: the seconds are the call's, the memory is the whole process's."""
        return self._act("save", source)

    def load(self, dest: Path | None = None) -> Took:
        """Load by the SDK; ``given`` is the folder with the files."""
        return self._act("load", *([dest] if dest else []))

    def save_by_program(self, source: Path) -> Took:
        """Save by the command, as a whole process."""
        return self._whole("save", "model", source)

    def load_by_program(self, dest: Path | None = None) -> Took:
        """Load by the command, as a whole process."""
        words = [dest] if dest else []
        return self._whole("load", "model@1", *words)

    def forget(self) -> None:
        """Empty the cache."""
        if (self._work / "cache").exists():
            run(["chmod", "-R", "u+w", self._work / "cache"], self._env)
            shutil.rmtree(self._work / "cache")

    def stored(self) -> int:
        """Give the bytes in the store's folder."""
        return bytes_in(self._work / "store")

    def read_by_saving(self, source: Path) -> int:
        """Save, and give the bytes of ``source`` that the kernel was asked for, memory maps included.

        Raises
        ------
        Failed
            ``strace`` is not installed or may not trace.
        """
        trace = self._work / "trace"
        strace: list[str | Path] = ["strace", "-f", "-y", "-s", "0", "-e", f"trace={_READS}", "-o", trace]
        run([*strace, *self._command("save", source)], self._env)
        found = bytes_read(trace, source)
        trace.unlink()
        return found

    def remove(self) -> None:
        """Remove all of it."""
        self.forget()
        shutil.rmtree(self._work)

    def _whole(self, *words: str | Path) -> Took:
        self.costs.append(run([PROGRAM, "--repo", self._registry, *words], self._env))
        return Took.whole(self.costs[-1])

    def _act(self, verb: str, *paths: Path) -> Took:
        cost = run(self._command(verb, *paths), self._env)
        seconds, done = (self._work / "report").read_text().splitlines()
        self.given = Path(done)
        return Took(float(seconds), cost.memory)

    def _command(self, verb: str, *paths: Path) -> list[str | Path]:
        return [sys.executable, "-P", _ACTION, self._work / "report", self._registry, verb, *paths]


def bytes_read(trace: Path, source: Path) -> int:
    """Add up what a trace by strace says was read from, or mapped of, the files at and below a path."""
    total = 0
    begun: dict[str, str] = {}
    with open(trace, errors="surrogateescape") as lines:
        for line in lines:
            if not (call := _CALL.match(line)):
                continue
            rest = call["rest"]
            if rest.endswith("<unfinished ...>"):
                begun[call["pid"]] = rest
                continue
            rest = begun.pop(call["pid"], "") + rest if " resumed>" in line else rest
            total += _bytes_of(call["call"], rest, str(source))
    return total


def _bytes_of(call: str, rest: str, source: str) -> int:
    arguments, _, result = rest.rpartition(" = ")
    fields = arguments.split(", ")
    place = {"mmap": 4, "sendfile": 1}.get(call, 0)
    if len(fields) <= place or not re.match(rf"\d+<{re.escape(source)}[/>]", fields[place]):
        return 0
    if call == "mmap":
        return int(fields[1])
    return max(0, int(result.split()[0]))

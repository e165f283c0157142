"""The blocks of README.md and of the guides, run as they are printed.

Each page has a home folder of its own, in which its blocks run in order. By the first word after the fence:

``console``
    Commands after ``$``, continued after ``>``; the lines below a command are what it prints, on both streams. Folder,
    exported variables and ``$?`` go from one command to the next. A command that fails is followed by ``$ echo $?``.
``python``
    Code, run in the folder where the console is, in one interpreter for all blocks of the page. A block that begins
    with ``>>>`` is a session, whose output is compared, too.
any word, and a file's name (``python train.py``, ``yaml gitreg.yaml``)
    The block is written to that file, in the folder where the console is.
any other
    Shown only.

Digests, commits, times and the like (``MASKS``) are compared as what they are. After a command prints something else,
``python -m tests.guides`` writes what they print now into the pages that differ, ``python -m tests.guides start
project`` into these in any case. A page is written as a whole, so that its commits and times are those of one run. Look
at the difference before you commit it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import gitreg
from gitreg import guides
from tests.conftest import OF_THE_DEVELOPER

PAGES = {
    "README": Path(__file__).parents[1] / "README.md",
    **{topic: Path(guides.__file__).with_name(f"{topic}.md") for topic in guides.TOPICS},
}
"""The path of each page, by its name."""

MASKS = (
    (re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{12}|[0-9a-f]{10}|[0-9a-f]{7})\b"), "HEX"),
    (re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?"), "WHEN"),
    (re.compile(r"\b\d{4}-\d{2}-\d{2}\b"), "DAY"),
    (re.compile(r"(?<=\S) {2,}(?=\S)"), "  "),  # columns are wider where a home has a longer name
    (re.compile("─+"), "─"),
    (re.compile(r"\b(AAAA[A-Za-z0-9+/=]{20,}|SHA256:[A-Za-z0-9+/]{43})"), "KEY"),
    (re.compile(r"\b1\d{15}\b"), "RUN"),  # Metaflow's: microseconds since 1970
)
"""Patterns of what differs from run to run, and their masks."""

_FENCE = re.compile(r"^```([^\n`]+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHELL = """
(exit {status})
eval "$GUIDE_COMMAND"
status=$?
unset GUIDE_COMMAND
{{ echo $status; pwd; env -0; }} >{state}
"""
_INTERPRETER = """
import ast, contextlib, io, json, linecache, os, sys, traceback
names = {"__name__": "__main__"}
for number, line in enumerate(sys.stdin):
    block = json.loads(line)
    os.chdir(block["folder"])
    os.environ.clear()
    os.environ.update(block["env"])
    file = f"<block {number}>"
    linecache.cache[file] = (len(block["code"]), None, block["code"].splitlines(keepends=True), file)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            exec(compile(block["code"], file, block["mode"]), names)
            failed = None
        except Exception:
            failed = traceback.format_exc()
    print(json.dumps({"printed": printed.getvalue(), "failed": failed}), flush=True)
"""


@dataclass
class Step:
    """A command or statement of a page, with the output that the page shows."""

    language: str
    code: str
    expected: str
    start: int
    end: int


class UnexpectedFailure(Exception):
    """A command of a page fails, and the page does not show its exit code."""


def steps(text: str) -> Iterator[Step]:
    """Yield the steps of a page; ``start`` and ``end`` are where the expected output stands."""
    for block in _FENCE.finditer(text):
        language, _, file = block[1].strip().partition(" ")
        start, end = block.span(2)
        if file:
            yield Step("file", file, block[2], end, end)
        elif language == "console":
            yield from _session("console", block[2], start, r"\$ ", "> ")
        elif language == "python" and block[2].startswith(">>> "):
            yield from _session("session", block[2], start, ">>> ", "... ")
        elif language == "python":
            yield Step("python", block[2], "", end, end)


def _session(language: str, text: str, offset: int, prompt: str, more: str) -> Iterator[Step]:
    mark = re.escape(more.rstrip())
    parts = re.compile(rf"^{prompt}(.*\n(?:^{mark}(?: .*)?\n)*)((?:(?!{prompt}).*\n)*)", re.MULTILINE)
    for part in parts.finditer(text):
        code = re.sub(rf"^{mark} ?", "", part[1], flags=re.MULTILINE)
        yield Step(language, code, part[2], offset + part.start(2), offset + part.end(2))


@dataclass
class Runner:
    """A shell and an interpreter in a home folder.

    Parameters
    ----------
    home:
        An empty folder.
    """

    home: Path
    status: str = "0"
    printed: str = ""
    interpreter: subprocess.Popen[str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.folder = self.home
        (self.home / ".gitconfig").write_text(
            "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
            "[core]\n\tfsync = none\n[advice]\n\tdetachedHead = false\n"
        )
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(OF_THE_DEVELOPER)}
        self.env |= {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(Path(gitreg.__file__).parents[1]),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "USERNAME": "ada",  # Metaflow asks for it
        }

    def close(self) -> None:
        """End the interpreter."""
        if self.interpreter is not None:
            assert self.interpreter.stdin is not None
            assert self.interpreter.stdout is not None
            self.interpreter.stdin.close()
            self.interpreter.stdout.close()
            self.interpreter.wait()

    def run(self, step: Step) -> str:
        """Return what a step prints, with /home/ada as its home."""
        if step.language == "file":
            (self.folder / step.code).write_text(step.expected)
            return ""
        printed = self._shell(step.code) if step.language == "console" else self._python(step)
        ended = printed if not printed or printed.endswith("\n") else f"{printed}\n"
        return ended.replace(str(self.home), "/home/ada")

    def _shell(self, command: str) -> str:
        if self.status != "0" and not command.startswith("echo $?"):
            raise UnexpectedFailure(f"exit code {self.status} before `{command.strip()}`\n{self.printed}")
        state = self.home / ".state"
        done = subprocess.run(
            ["bash", "-c", _SHELL.format(status=self.status, state=state)],
            cwd=self.folder, env=self.env | {"GUIDE_COMMAND": command}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.status, folder, env = state.read_text().split("\n", 2)
        self.folder = Path(folder)
        self.env = dict(entry.split("=", 1) for entry in env.split("\0") if entry)
        self.env.pop("_", None)
        self.printed = done.stdout
        return done.stdout

    def _python(self, step: Step) -> str:
        if self.interpreter is None:
            self.interpreter = subprocess.Popen(
                [sys.executable, "-c", _INTERPRETER], env=self.env, cwd=self.home, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        assert self.interpreter.stdin is not None
        assert self.interpreter.stdout is not None
        mode = "single" if step.language == "session" else "exec"
        block = {"folder": str(self.folder), "env": self.env, "code": step.code, "mode": mode}
        self.interpreter.stdin.write(json.dumps(block) + "\n")
        self.interpreter.stdin.flush()
        answer = json.loads(self.interpreter.stdout.readline())
        if answer["failed"]:
            raise UnexpectedFailure(f"{step.code}\n{answer['failed']}")
        return str(answer["printed"]) if mode == "single" else ""


def outputs(text: str, home: Path) -> Iterator[tuple[Step, str]]:
    """Yield each step of a page with what it prints.

    Raises
    ------
    UnexpectedFailure
        A step fails, and no ``$ echo $?`` follows.
    """
    runner = Runner(home)
    try:
        for step in steps(text):
            yield step, runner.run(step)
        if runner.status != "0":
            raise UnexpectedFailure(f"exit code {runner.status} at the end\n{runner.printed}")
    finally:
        runner.close()


def masked(text: str) -> str:
    """Return a text with masks for what differs from run to run."""
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def strays(text: str) -> list[str]:
    """Return the commits in the histories of a page that no result above them names: those of another run."""
    named: set[str] = set()
    found = []
    for step in steps(text):
        if re.search(r"\b(gitreg|git) log\b", step.code):
            lines = [line for line in step.expected.splitlines() if not line.endswith(" Begin the model registry")]
            ids = re.findall(r"^[0-9a-f]{7}(?= )|(?<=  )[0-9a-f]{10}$", "\n".join(lines), re.MULTILINE)
            found += [commit for commit in ids if not any(each.startswith(commit) for each in named)]
        else:
            named |= {*re.findall(r"  ([0-9a-f]{10})$", step.expected, re.MULTILINE)}
    return found


def rewritten(text: str, home: Path, *, always: bool = False) -> str:
    """Return a page with what its commands print now, or as it is where only masked places differ.

    Parameters
    ----------
    always:
        Write what is printed in masked places in any case.
    """
    ran = [(step, printed) for step, printed in outputs(text, home) if step.language in ("console", "session")]
    if always or any(masked(printed) != masked(step.expected) for step, printed in ran):
        for step, printed in reversed(ran):
            text = text[: step.start] + printed + text[step.end :]
    return text


def main() -> None:
    """Rewrite the pages that the arguments name, or those that print something else now."""
    home = Path("/tmp", secrets.token_hex(2))  # as long as /home/ada, so that columns are as wide
    for name in sys.argv[1:] or PAGES:
        home.mkdir()
        try:
            text = PAGES[name].read_text()
            now = rewritten(text, home, always=bool(sys.argv[1:]))
        except UnexpectedFailure as failure:
            print(f"{name}: {failure}")
        else:
            print(f"{name}: {'as before' if now == text else 'rewritten'}")
            PAGES[name].write_text(now)
        finally:
            subprocess.run(["chmod", "-R", "u+w", home], check=True)
            shutil.rmtree(home)


if __name__ == "__main__":
    main()

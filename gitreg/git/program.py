"""The git program, run so that it does the requested operation and nothing that a repository configures beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from gitreg import progress
from gitreg.errors import InvalidInput
from gitreg.git.urls import hide_login
from gitreg.tracing import timed

if TYPE_CHECKING:
    from subprocess import CompletedProcess

# `git rev-parse --local-env-vars` without the two that carry the user's own `git -c` settings. In a hook they are set,
# and would redirect git to another index or object folder than the named one.
_OF_ONE_REPOSITORY = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE",
        "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE",
        "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR", "GIT_QUARANTINE_PATH", "GIT_NAMESPACE",
    }
)  # fmt: skip
QUARANTINE = "GIT_QUARANTINE_PATH"
"""The variable in which a hook finds the folder with the objects of a push (git-receive-pack(1))."""
_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_OURS = {"LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1"}
_MUCH = 64 * 1024
"""The size of the input, in bytes, from which on a long output is expected."""
OURS = "GITREG_PUSHES"
"""The variable that tells the pre-push hook that gitreg itself pushes, and has made its checks already."""
NO_HOOKS = "/dev/null"
_TRANSFERS = frozenset({"clone", "fetch", "push"})
_LINE_END = re.compile(rb"[\r\n]")
_STEP = re.compile(rb"(?:remote: )?([A-Z][a-z]+ (?:objects|deltas)): +[0-9]+% \(([0-9]+)/([0-9]+)\)")
_NOTHING_EXECUTED = {"core.hooksPath": NO_HOOKS, "core.fsmonitor": "false", "submodule.recurse": "false"}


def without_repository(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without variables that point to a repository; for use with another one.

    The quarantine of a push stays: its path shows which repository it belongs to.
    """
    return {name: value for name, value in env.items() if name not in _OF_ONE_REPOSITORY or name == QUARANTINE}


class Git(NamedTuple):
    """A git program.

    Parameters
    ----------
    path:
        The path of the program.
    env:
        The user's environment.
    """

    path: str
    env: Mapping[str, str]

    def run(
        self,
        *arguments: str,
        cwd: Path,
        stdin: bytes = b"",
        settings: Mapping[str, str] = _NO_SETTINGS,
        variables: Mapping[str, str] = _NO_SETTINGS,
    ) -> CompletedProcess[bytes]:
        """Run a git command to its end; no hooks, no prompts, no remotes.

        Parameters
        ----------
        cwd:
            The folder in which git runs.
        stdin:
            The input.
        settings:
            Settings that take precedence over all configuration.
        variables:
            Environment variables to add to the user's own.
        """
        env = self._clean() | {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": ""} | dict(variables)
        given = configured(env, [*_NOTHING_EXECUTED.items(), *settings.items()])
        return self._timed(arguments, cwd, given, stdin)

    def converse(
        self,
        *arguments: str,
        cwd: Path,
        settings: Sequence[tuple[str, str]] = (),
        variables: Mapping[str, str] = _NO_SETTINGS,
    ) -> CompletedProcess[bytes]:
        """Run a git command that talks to another machine, with the user's configuration for that.

        This includes credential helpers, SSH, proxies and the user's own hooks; on a terminal git may ask for a
        password.

        Parameters
        ----------
        settings, variables:
            As for `run`; a key may occur several times.
        """
        env = configured(self._clean() | {OURS: "1"} | dict(variables), settings)
        if not progress.is_shown() or not _TRANSFERS.intersection(arguments):
            return self._timed(arguments, cwd, env, b"")
        place = next(n for n, word in enumerate(arguments) if word in _TRANSFERS) + 1
        loud = [*arguments[:place], "--progress", *(word for word in arguments[place:] if word != "--quiet")]
        return self._timed(loud, cwd, env, b"", watched=True)

    def _clean(self) -> dict[str, str]:
        env = {k: v for k, v in self.env.items() if k not in _OF_ONE_REPOSITORY} | _OURS
        if quarantine := self.env.get(QUARANTINE):  # objects of a push are read there, never written
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = quarantine
        return env

    def _timed(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes, *, watched: bool = False
    ) -> CompletedProcess[bytes]:
        with timed(hide_login(f"git {' '.join(arguments)}")):
            return self._run(arguments, cwd, env, stdin, watched=watched)

    def _run(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes, *, watched: bool = False
    ) -> CompletedProcess[bytes]:
        """Run a command; if `watched`, report the progress that git tells on standard error."""
        import subprocess  # slow to import: slower than reading a ref

        command = [self.path, *arguments]
        if len(stdin) < _MUCH and not watched:
            return subprocess.run(command, cwd=cwd, env=env, input=stdin, capture_output=True, check=False)
        from tempfile import TemporaryFile  # only for long output: a pipe would be read 4 KiB at a time

        with TemporaryFile() as asked, TemporaryFile() as output:
            asked.write(stdin)
            asked.seek(0)
            with subprocess.Popen(
                command, cwd=cwd, env=env, stdin=asked, stdout=output, stderr=subprocess.PIPE
            ) as process:
                assert process.stderr is not None
                try:
                    chunks = iter(partial(os.read, process.stderr.fileno(), 65536), b"")
                    errors = _without_progress(chunks) if watched else b"".join(chunks)
                except BaseException:  # as subprocess.run does
                    process.kill()
                    raise
            output.seek(0)
            return subprocess.CompletedProcess(command, process.returncode, output.read(), errors)


def _without_progress(chunks: Iterable[bytes]) -> bytes:
    """Return what git says on standard error but for its progress, which is reported: nothing hides a prompt of git's.

    Its lines are as ``Receiving objects:  45% (450/1000), 12.30 MiB | 5.00 MiB/s``, each ended by a carriage return.
    """
    kept, rest, title, done = [], b"", b"", 0
    with ExitStack() as stack:
        work = progress.NO_PROGRESS
        for chunk in chunks:
            *ended, rest = _LINE_END.split(rest + chunk)
            for line in ended:
                step = _STEP.match(line)
                if step is None:
                    kept.append(line)
                    continue
                if step[1] != title:
                    stack.close()
                    title, done = step[1], 0
                    work = stack.enter_context(progress.reported(title.decode(), int(step[3]), "objects"))
                work.advance(int(step[2]) - done)
                done = int(step[2])
    return b"\n".join([*kept, rest])


def configured(env: Mapping[str, str], settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return an environment with settings that take precedence over all configuration.

    They are passed as variables (git 2.31), since `git -c` cannot set a key that contains "=".
    """
    given = dict(env)
    for number, (key, value) in enumerate(settings, int(env.get("GIT_CONFIG_COUNT") or 0)):
        given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        given["GIT_CONFIG_COUNT"] = str(number + 1)
    return given


def find_git(env: Mapping[str, str]) -> Git | None:
    """Return the git program on the user's PATH, or None where there is none."""
    import shutil  # imports four compression libraries, not needed to read a ref

    path = shutil.which("git", path=env.get("PATH", ""))
    return Git(path, env) if path else None


def editor(env: Mapping[str, str]) -> str:
    """Return the user's editor, as a line for the shell; a repository does not name one.

    Raises
    ------
    InvalidInput
        None is named, and the terminal is none for vi.
    """
    git = find_git(env)
    if git is None:
        return env.get("GIT_EDITOR") or env.get("VISUAL") or env.get("EDITOR") or "vi"
    named = {name: value for name, value in env.items() if value or name not in ("GIT_EDITOR", "VISUAL", "EDITOR")}
    done = Git(git.path, named).run("var", "GIT_EDITOR", cwd=Path("/"))
    if done.returncode:
        raise InvalidInput("no editor is named", hint="set EDITOR, or `git config --global core.editor`")
    return done.stdout.decode(errors="surrogateescape").strip()

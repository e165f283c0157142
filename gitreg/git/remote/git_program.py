"""A remote repository, reached by the git program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.errors import Conflict
from gitreg.git.remote.protocol import PEELED, Rejection, connection_error, matching, rejected
from gitreg.git.urls import hide_login
from gitreg.git.values import ANY, RefUpdate

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from gitreg.git.program import Git
    from gitreg.git.protected_config import RemoteCommand

# Give up on a server that sends nothing for a minute; the user's own setting takes precedence.
_STALLED = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60")
_MANY = 100
"""The number of new tags above which they are pushed by one refspec."""
_TAGS = "refs/tags/"
_LAID_OUT = "refs/gitreg/pushing/"

_STATUS = re.compile(r"^([ +\-*=!])\t([^\t]*)\t(.*)$")
_REASON = re.compile(r"^\[[^\]]*\](?: \((.*)\))?$")
_TOLD = re.compile(r"^remote: ?(.*?)\s*$", re.MULTILINE)


class GitRemote:
    """See `gitreg.git.remote.protocol.Remote`. Lock the repository while more than a hundred new tags are pushed.

    Parameters
    ----------
    git:
        The git program.
    git_dir:
        The Git folder of the local repository.
    folder:
        The folder in which git runs, from which relative paths in the configuration start.
    address:
        The name of a remote in the local configuration, or a URL.
    way:
        Returns the arguments and settings by which git reaches the remote
        (:func:`gitreg.git.protected_config.remote_command`), for a push (True) or a fetch.
    """

    def __init__(
        self, git: Git, git_dir: Path, folder: Path, address: str, way: Callable[[bool], RemoteCommand]
    ) -> None:
        self._git = git
        self._git_dir = git_dir
        self._folder = folder
        self._way = way
        self.name = hide_login(address)

    def fetch(self, refspecs: Sequence[str], *, depth: int | None = None) -> None:
        """See Remote."""
        short = [f"--depth={depth}"] if depth else []
        self._ask(  # without --quiet, which would hide the name of a refused ref
            "fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
            "--no-auto-maintenance", "--no-filter", *short, after=refspecs,
        )  # fmt: skip

    def fetch_objects(self, oids: Sequence[str]) -> None:
        """Fetch objects by their ids, and what they lead to, whatever else is here; for a partial clone."""
        self._ask(
            "-c", "fetch.negotiationAlgorithm=noop",  # else the remote takes for granted what the commits here lead to
            "fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
            "--no-auto-maintenance", "--no-filter", after=oids,
        )  # fmt: skip

    def refs(self, *patterns: str) -> dict[str, str]:
        """See Remote."""
        kinds = {"--heads": "refs/heads/", "--tags": "refs/tags/"}  # unlike patterns, they limit the server's answer
        narrow = [option for option, prefix in kinds.items() if all(name.startswith(prefix) for name in patterns)]
        asked = [each for pattern in patterns for each in (pattern, f"{pattern}{PEELED}")]
        lines = self._ask("ls-remote", "--quiet", *narrow, after=asked).splitlines()
        found = {name: oid for oid, _, name in (line.partition("\t") for line in lines)}
        return matching(found, patterns)  # git also matches the ends of names

    def head(self) -> str | None:
        """See Remote."""
        output = self._ask("ls-remote", "--quiet", "--symref", after=["HEAD"])
        found = re.search(r"^ref: (\S+)\tHEAD$", output, re.MULTILINE)
        return found[1] if found else None

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool = True, options: Sequence[str] = ()) -> str:
        """See Remote."""
        together = ["--atomic"] if atomic and len(updates) > 1 else []
        asked = [f"--push-option={option}" for option in options]
        new_tags = [update for update in updates if _is_new_tag(update)]
        with ExitStack() as stack:
            pattern = []
            if len(new_tags) > _MANY:
                pattern = [stack.enter_context(self._laid_out(new_tags))]
                updates = [update for update in updates if not _is_new_tag(update)]
            leases = [f"--force-with-lease={u.name}:{u.old or ''}" for u in updates if u.old != ANY]
            refspecs = [f"{'+' if u.old == ANY else ''}{u.new or ''}:{u.name}" for u in updates]
            done = self._run(
                "push", "--porcelain", "--no-recurse-submodules", *together, *leases, *asked,
                after=[*refspecs, *pattern], push=True,
            )  # fmt: skip
        output = done.stderr.decode("utf-8", "replace")
        messages = "\n".join(_TOLD.findall(output))
        if done.returncode == 0:
            return messages
        statuses = [
            found for line in done.stdout.decode("utf-8", "replace").splitlines() if (found := _STATUS.match(line))
        ]
        failed = [_rejection(found[2], found[3]) for found in statuses if found[1] == "!"]
        if not failed:
            raise connection_error(self.name, output)
        raise rejected(self.name, failed, hide_login(messages))

    @contextmanager
    def _laid_out(self, new_tags: Sequence[RefUpdate]) -> Iterator[str]:
        """Yield one refspec for many new tags, stored as refs of this repository meanwhile; git moves no existing tag.

        Of refspecs with names git compares each with every ref, and a system limits the number of arguments (1,000 tags
        onto 10,000 refs: 23 s, and 0.7 s by one refspec).
        """
        self._forget_laid_out()  # those of a push that was killed
        try:
            self._update_refs(f"create {_LAID_OUT}{u.name.removeprefix(_TAGS)} {u.new}" for u in new_tags)
            yield f"{_LAID_OUT}*:{_TAGS}*"
        finally:
            self._forget_laid_out()

    def _forget_laid_out(self) -> None:
        output = self._git.run("--git-dir", str(self._git_dir), "for-each-ref", "--format=%(refname)", _LAID_OUT,
                              cwd=self._git_dir).stdout.decode("utf-8", "surrogateescape")  # fmt: skip
        self._update_refs(f"delete {name}" for name in output.splitlines())

    def _update_refs(self, instructions: Iterable[str]) -> None:
        lines = "".join(f"{line}\n" for line in instructions).encode("utf-8", "surrogateescape")
        done = self._git.run("--git-dir", str(self._git_dir), "update-ref", "--stdin", stdin=lines, cwd=self._git_dir)
        if done.returncode:
            output = done.stderr.decode("utf-8", "replace").strip()
            raise Conflict(f"tags cannot be laid out to be pushed: {output}", hint="try again")

    def _ask(self, *arguments: str, after: Sequence[str]) -> str:
        done = self._run(*arguments, after=after)
        if done.returncode:
            raise connection_error(self.name, done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "surrogateescape")

    def _run(self, *arguments: str, after: Sequence[str], push: bool = False) -> CompletedProcess[bytes]:
        """Run a git command on the remote, whose address is put between the options and ``after``."""
        way = self._way(push)
        return self._git.converse(
            *_STALLED, "--git-dir", str(self._git_dir), *arguments, *way.options, way.address, *after,
            cwd=self._folder, settings=way.settings, variables=way.variables,
        )  # fmt: skip


def _is_new_tag(update: RefUpdate) -> bool:
    return update.name.startswith(_TAGS) and update.new is not None and update.old is None


def _rejection(refs: str, summary: str) -> Rejection:
    found = _REASON.match(summary)
    return Rejection(refs.rpartition(":")[2], (found[1] if found else None) or summary)

"""The environment of the process: variables, the user's folders, the clock. Read here and passed on as values."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitreg import system
from gitreg.errors import NotFound, Refused
from gitreg.registry import weights
from gitreg.registry.state.content_verdicts import ScanCache
from gitreg.units import parse_size

if TYPE_CHECKING:
    from gitreg.blobs.cache.cache import Cache
    from gitreg.blobs.cache.stat_cache import StatCache
    from gitreg.git import Repository
    from gitreg.registry.weights.trusted_code import CodeTrust
    from gitreg.registry.weights.trusted_stores import TrustedStores
    from gitreg.registry.writing.commit import Writer

REGISTRY_VARIABLE = "GITREG_REGISTRY"
RUN_VARIABLE = "GITREG_RUN"
STEP_VARIABLE = "GITREG_STEP"
CACHE_VARIABLE = "GITREG_CACHE"
CACHE_SIZE_VARIABLE = "GITREG_CACHE_SIZE"
OFFLINE_VARIABLE = "GITREG_OFFLINE"


class Variable(NamedTuple):
    """An environment variable that gitreg reads or sets.

    Parameters
    ----------
    meaning:
        A sentence without its full stop.
    default:
        The value that counts where it is not set; empty if gitreg sets it itself.
    """

    name: str
    meaning: str
    default: str = ""


VARIABLES = (
    Variable(
        REGISTRY_VARIABLE,
        "The registry: a folder, PATH#BRANCH, or the URL of its repository",
        "the current folder, upwards",
    ),
    Variable(
        CACHE_VARIABLE, "The folder of the cache", "gitreg in XDG_CACHE_HOME or ~/.cache (macOS: ~/Library/Caches)"
    ),
    Variable(
        CACHE_SIZE_VARIABLE,
        "The size that the cache may have, such as 50GB; least recently used goes first",
        "a fifth of the disk",
    ),
    Variable(OFFLINE_VARIABLE, "1 contacts no remote: a registry named by URL is read as it was last fetched", "0"),
    Variable(
        "GITREG_PUSH_TOKEN", "The token by which the pipeline of `gitreg ci gitlab` pushes", "the job's own rights"
    ),
    Variable(RUN_VARIABLE, "Set by a run for the programs that it starts: the run that they save into"),
    Variable(STEP_VARIABLE, "Set by a run for the programs that it starts: the step that they belong to"),
    Variable("GITREG_VERSION", "Set for the command of a gate: the version in question"),
    Variable("GITREG_STAGE", "Set for the command of a gate: the stage that the version is to enter"),
    Variable("GITREG_ALIAS", "Set for the command of a gate: the alias that is to name the version"),
    Variable("GITREG_PUSHES", "Set for git while gitreg pushes: the hook pre-push lets pass what gitreg has checked"),
)
"""All variables of gitreg's own, those that a user sets first."""


class Environment(NamedTuple):
    """The environment of the process.

    Parameters
    ----------
    folder:
        The current folder.
    env:
        The environment variables.
    clock:
        Returns the time in seconds since the epoch.
    """

    folder: Path
    env: Mapping[str, str]
    clock: Callable[[], float] = time.time

    @classmethod
    def of_this_process(cls) -> Environment:
        """Return the environment of this process.

        Raises
        ------
        NotFound
            The current folder was removed.
        """
        try:
            return cls(Path.cwd(), dict(os.environ))
        except FileNotFoundError:
            raise NotFound("the current folder is not there any more", hint="change to a folder that is") from None

    @staticmethod
    def draw_id() -> str:
        """Return a random id for a new registry: 32 hexadecimal digits."""
        import secrets  # only needed to create a registry

        return secrets.token_hex(16)

    def cache(self) -> Cache:
        """Return the user's cache, shared by all registries: in GITREG_CACHE, else in the system's folder for caches.

        Its path is absolute even if the variable is not, because symbolic links to its files are made.

        Raises
        ------
        InvalidInput
            GITREG_CACHE_SIZE is not a valid size.
        """
        from gitreg.blobs.cache.cache import Cache

        size = self.env.get(CACHE_SIZE_VARIABLE)
        return Cache(self.cache_folder, limit=parse_size(size, CACHE_SIZE_VARIABLE) if size else None)

    def stat_cache(self) -> StatCache:
        """Return the stat cache: size and mtime of the user's files when they were last hashed, with their digests."""
        from gitreg.blobs.cache.stat_cache import StatCache  # `show` and `list` need nothing of the store

        return StatCache(self.cache_folder / "known-1.sqlite", self.clock)

    def spool(self) -> Path:
        """Return the folder for blobs that are being copied from one store to another."""
        return self.cache_folder / "spool"

    def mirrors(self) -> Path:
        """Return the folder for mirrors of registries that are opened by URL."""
        return self.cache_folder / "mirrors"

    @property
    def offline(self) -> bool:
        """True if no remote may be contacted (GITREG_OFFLINE)."""
        return self.env.get(OFFLINE_VARIABLE, "") not in ("", "0")

    def unfinished(self, name: str) -> Path:
        """Return the path of the checkpoint file of an interrupted verification."""
        return self.cache_folder / "verified" / f"{name}.txt"

    def trusted_stores(self) -> TrustedStores:
        """Return the list of stores that the user trusts."""
        return weights.trusted_stores.TrustedStores(self.config_folder / "stores.json")

    def code_trust(self) -> CodeTrust:
        """Return the list of registries that the user trusts for files that can run code."""
        return weights.trusted_code.CodeTrust(self.config_folder / "code.json")

    def verdicts(self) -> ScanCache:
        """Return the cache of the scanner's verdicts on files."""
        return ScanCache(self.cache_folder)

    @property
    def config_folder(self) -> Path:
        """The user's folder of gitreg: which stores and registries are trusted."""
        return self._own_folder("XDG_CONFIG_HOME", ".config", "Library/Application Support")

    @property
    def cache_folder(self) -> Path:
        """The folder of the cache, and of what else gitreg keeps on this machine."""
        named = self.env.get(CACHE_VARIABLE)
        return self.folder / named if named else self._own_folder("XDG_CACHE_HOME", ".cache", "Library/Caches")

    def _own_folder(self, variable: str, on_linux: str, on_mac: str) -> Path:
        """Return gitreg's folder among the user's, by the XDG Base Directory Specification or Apple's conventions.

        The result is that of platformdirs, whose import would take longer than resolving a reference.
        """
        named = self.env.get(variable, "")
        if os.path.isabs(named):
            return Path(named, "gitreg")
        return self._home() / (on_mac if sys.platform == "darwin" else on_linux) / "gitreg"

    def _home(self) -> Path:
        """Return the user's home; the root folder, as in container runtimes, for a user id that has none."""
        try:
            return self.folder / (self.env.get("HOME") or Path.home())
        except RuntimeError:
            return Path("/")

    def now(self) -> tuple[int, int]:
        """Return the time in whole seconds since the epoch, and the local UTC offset in minutes (east is positive)."""
        seconds = int(self.clock())
        offset = datetime.fromtimestamp(seconds).astimezone().utcoffset()
        return seconds, int(offset.total_seconds() // 60) if offset else 0

    def writer(self, repository: Repository) -> Writer:
        """Return the author and committer of a write to a repository now, from Git's configuration.

        Raises
        ------
        InvalidInput
            Git has no name or e-mail for the user.
        Refused
            This is Windows, where files that are open are neither renamed nor removed, as each write does.
        """
        from gitreg.registry.writing.commit import Writer

        if not system.POSIX:
            raise Refused(
                "on Windows, gitreg reads and loads, and does not write to registries",
                hint="write from the Windows Subsystem for Linux (WSL), from Linux or from macOS",
            )

        seconds, offset = self.now()
        author = repository.author_identity(time=seconds, offset=offset)
        return Writer(author, repository.identity(time=seconds, offset=offset))

    def timestamp(self) -> str:
        """Return the time in RFC 3339, UTC, with milliseconds."""
        return datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

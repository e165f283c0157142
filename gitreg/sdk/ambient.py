"""What surrounds the process: environment, folders of the user, clock. Read here, and handed down as values."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitreg.sdk.sizes import parse_size

if TYPE_CHECKING:
    from gitreg.blobs import Cache, Known
    from gitreg.git import Repository
    from gitreg.registry.code_trust import CodeTrust
    from gitreg.registry.commit import Writer
    from gitreg.registry.stores import Approvals
    from gitreg.registry.verdicts import Verdicts

REGISTRY_VARIABLE = "GITREG_REGISTRY"
RUN_VARIABLE = "GITREG_RUN"
STEP_VARIABLE = "GITREG_STEP"
CACHE_VARIABLE = "GITREG_CACHE"
CACHE_SIZE_VARIABLE = "GITREG_CACHE_SIZE"


class Ambient(NamedTuple):
    """What surrounds the process.

    Parameters
    ----------
    folder:
        The current folder.
    env:
        The environment's variables.
    clock:
        Gives the time in seconds since the epoch.
    """

    folder: Path
    env: Mapping[str, str]
    clock: Callable[[], float] = time.time

    @classmethod
    def of_this_process(cls) -> Ambient:
        """Give what surrounds this process."""
        return cls(Path.cwd(), dict(os.environ))

    @staticmethod
    def draw_id() -> str:
        """Return an id for a new registry, as no other has it."""
        import secrets  # few make a registry

        return secrets.token_hex(16)

    def cache(self) -> Cache:
        """Give the user's cache, shared by all registries: GITREG_CACHE, else where the system keeps caches.

        Its path is absolute, though the variable's need not be: symbolic links are made to its files.

        Raises
        ------
        InvalidInput
            GITREG_CACHE_SIZE is no size.
        """
        from gitreg.blobs import Cache

        said = self.env.get(CACHE_SIZE_VARIABLE)
        return Cache(self._cache_folder(), limit=parse_size(said, CACHE_SIZE_VARIABLE) if said else None)

    def known(self) -> Known:
        """Give what the user's files were when they were hashed before."""
        from gitreg.blobs import Known

        return Known(self._cache_folder() / "known-1.sqlite", self.clock)

    def spool(self) -> Path:
        """Give the folder for what is on its way from one store to another."""
        return self._cache_folder() / "spool"

    def mirrors(self) -> Path:
        """Give the folder for copies of registries that are named by their URL."""
        return self._cache_folder() / "mirrors"

    @property
    def offline(self) -> bool:
        """Whether no remote shall be asked (GITREG_OFFLINE)."""
        return self.env.get("GITREG_OFFLINE", "") not in ("", "0")

    def unfinished(self, name: str) -> Path:
        """Give the file that keeps how far a verification got."""
        return self._cache_folder() / "verified" / f"{name}.txt"

    def approvals(self) -> Approvals:
        """Give the stores that the user approved."""
        from gitreg.registry.stores import Approvals

        return Approvals(self._settings_folder() / "stores.json")

    def code_trust(self) -> CodeTrust:
        """Return the registries that the user trusts for files that can run code."""
        from gitreg.registry.code_trust import CodeTrust

        return CodeTrust(self._settings_folder() / "code.json")

    def verdicts(self) -> Verdicts:
        """Return what was found of files when they were looked at before."""
        from gitreg.registry.verdicts import Verdicts

        return Verdicts(self._cache_folder())

    def _settings_folder(self) -> Path:
        return self._own_folder("XDG_CONFIG_HOME", ".config", "Library/Application Support")

    def _cache_folder(self) -> Path:
        told = self.env.get(CACHE_VARIABLE)
        return self.folder / told if told else self._own_folder("XDG_CACHE_HOME", ".cache", "Library/Caches")

    def _own_folder(self, variable: str, on_linux: str, on_mac: str) -> Path:
        """Give our folder among the user's, by the XDG Base Directory Specification or Apple's.

        As platformdirs does, whose import costs more than resolving a reference.
        """
        told = self.env.get(variable, "")
        if os.path.isabs(told):
            return Path(told, "gitreg")
        home = self.folder / (self.env.get("HOME") or Path.home())
        return home / (on_mac if sys.platform == "darwin" else on_linux) / "gitreg"

    def now(self) -> tuple[int, int]:
        """Give the time in whole seconds since the epoch, and this machine's offset in minutes east of UTC."""
        seconds = int(self.clock())
        offset = datetime.fromtimestamp(seconds).astimezone().utcoffset()
        return seconds, int(offset.total_seconds() // 60) if offset else 0

    def writer(self, repository: Repository) -> Writer:
        """Give who writes to a repository now, as Git knows them.

        Raises
        ------
        InvalidInput
            Git does not know who the user is.
        """
        from gitreg.registry.commit import Writer

        seconds, offset = self.now()
        author = repository.author_identity(time=seconds, offset=offset)
        return Writer(author, repository.identity(time=seconds, offset=offset))

    def timestamp(self) -> str:
        """Give the time in RFC 3339, UTC, to the millisecond."""
        return datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

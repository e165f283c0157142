"""Where the cache of a machine keeps what, and who may touch it when.

For each artifact, by the sha256 of its manifest::

    artifacts/<hex>/    its files
    building/<hex>/     the same while it is made
    manifests/<hex>     its manifest
    memos/<hex>.json    how its files looked when they were verified; its mtime is when the artifact was last asked for
    locks/<hex>         locked by who hands it out (shared), makes it or removes it (exclusive)
    removed/            what is being removed

Times are those of the file system, so that machines whose clocks differ can share a cache.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg.blobs.copying import remove_leftovers, replacing, write_all
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.memo import Looks, Memo, looks, read_memo, write_memo
from gitreg.errors import GitregError


class Shelf:
    """The folders of a cache, which are made when they are first needed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def artifact(self, name: str) -> Path:
        """Give the folder with an artifact's files."""
        return self.root / "artifacts" / name

    def building(self, name: str) -> Path:
        """Give the folder where an artifact is made."""
        return self.root / "building" / name

    def names(self, folder: str = "artifacts") -> list[str]:
        """List the artifacts that are there, or those in ``building``."""
        with suppress(FileNotFoundError):
            return sorted(os.listdir(self.root / folder))
        return []

    # -- what is known of an artifact --------------------------------------------------------------------------------

    def memo(self, name: str) -> Memo:
        """Read the memo of an artifact."""
        return read_memo(self._memo(name))

    def is_whole(self, name: str) -> bool:
        """Whether all of an artifact is there, as it was when it was verified, and nothing beside it."""
        memo = self.memo(name)
        return bool(memo.files) and memo.holds and listing(self.artifact(name)) == memo.files

    def note(self, name: str, manifest: Manifest, memo: Memo) -> None:
        """Keep what was found out of an artifact's files."""
        for path in (self._memo(name), self._manifest(name)):
            path.parent.mkdir(parents=True, exist_ok=True)
        if _content(self._manifest(name)) != manifest.text:  # not there, or damaged: a loss of power may empty it
            with replacing(self._manifest(name)) as descriptor:
                write_all(descriptor, manifest.text, 0)
        write_memo(self._memo(name), memo)

    def manifest(self, name: str) -> Manifest | None:
        """Read the manifest of an artifact; None where there is none, or a damaged one."""
        try:
            manifest = Manifest.parse(self._manifest(name).read_bytes())
        except (OSError, GitregError):
            return None
        return manifest if manifest.hex == name else None

    def note_use(self, name: str) -> None:
        """Note that an artifact was asked for; a cache that is only readable here is never pruned from here."""
        with suppress(OSError):
            os.utime(self._memo(name))

    def last_used(self, name: str) -> float:
        """Give when an artifact was last asked for, in seconds since 1970; without a memo, when its folder was made."""
        for path in (self._memo(name), self.artifact(name), self.building(name)):
            with suppress(FileNotFoundError):
                return path.stat().st_mtime
        return 0.0

    def now(self) -> float:
        """Give the time by the clock that `last_used` goes by."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / "now"
        path.touch()
        return path.stat().st_mtime

    def _memo(self, name: str) -> Path:
        return self.root / "memos" / f"{name}.json"

    def _manifest(self, name: str) -> Path:
        return self.root / "manifests" / name

    # -- one at a time -----------------------------------------------------------------------------------------------

    @contextmanager
    def sharing(self, name: str) -> Iterator[bool]:
        """Keep an artifact from being changed, without waiting; False where it is being changed, or never was made."""
        try:
            descriptor = os.open(self._lock(name), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield False
            return
        try:
            yield _locked(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)

    @contextmanager
    def changing(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Be the only one who touches an artifact.

        Parameters
        ----------
        wait:
            Until nobody else does; without, False is given where somebody does.
        """
        path = self._lock(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                locked = _locked(descriptor, flags)
                if wait and not locked:  # removed with its artifact while we waited: there is a new one, or none
                    continue
                yield locked
                return
            finally:
                os.close(descriptor)

    def _lock(self, name: str) -> Path:
        return self.root / "locks" / name

    # -- removing ----------------------------------------------------------------------------------------------------

    def remove(self, name: str) -> None:
        """Remove an artifact, built or half built, and all that is known of it; the caller is `changing` it."""
        removed = self.root / "removed"
        removed.mkdir(exist_ok=True)
        for folder in (self.artifact(name), self.building(name)):
            with suppress(FileNotFoundError):
                os.rename(folder, removed / os.urandom(8).hex())
        for path in (self._memo(name), self._manifest(name), self._lock(name)):
            path.unlink(missing_ok=True)
        self.clear_leftovers()

    def clear_leftovers(self) -> None:
        """Remove what was taken away, and what killed processes left of that or half written."""
        from shutil import rmtree  # slow to import

        removed = self.root / "removed"
        with suppress(FileNotFoundError):
            for name in os.listdir(removed):
                rmtree(removed / name, ignore_errors=True)
        for folder in ("memos", "manifests"):
            remove_leftovers(self.root / folder)


def _content(path: Path) -> bytes | None:
    """Read a file; None where it is not there or the disk cannot read it."""
    with suppress(OSError):
        return path.read_bytes()
    return None


def _locked(descriptor: int, flags: int) -> bool:
    try:
        fcntl.flock(descriptor, flags)
    except BlockingIOError:
        return False
    return os.fstat(descriptor).st_nlink > 0


def listing(folder: Path) -> dict[str, Looks]:
    """Give how everything below a folder looks that is no folder, by its path; links are not followed."""
    found: dict[str, Looks] = {}
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            descriptor = os.open(folder / prefix, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):  # not made, or mended by another process at this moment
            continue
        # By descriptor: the kernel looks up one name for each file, not the whole path.
        with _closing(descriptor), os.scandir(descriptor) as entries, suppress(FileNotFoundError):
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{prefix}{entry.name}/")
                else:
                    found[prefix + entry.name] = looks(entry.stat(follow_symlinks=False))
    return found


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    """Close a descriptor when the body ends."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)

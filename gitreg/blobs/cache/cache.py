"""The cache of a machine: read-only folders of artifacts by digest, shared by registries and processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from io import BufferedReader
from pathlib import Path

from gitreg import system
from gitreg.blobs import file_io
from gitreg.blobs.cache.artifact_stats import SYNCED, ArtifactStats, StatKey, stat_key, this_boot
from gitreg.blobs.cache.export import copy_trusted, filling, link, unseen
from gitreg.blobs.cache.export_target import files_to_write, is_link_to
from gitreg.blobs.cache.layout import CacheLayout, listing
from gitreg.blobs.files import FileEntry, check_paths
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.os_errors import CACHE_DENIED, readable_os_errors
from gitreg.blobs.reader import StoreReader
from gitreg.blobs.store import Target
from gitreg.errors import IntegrityError, OvertakenError
from gitreg.progress import NO_PROGRESS, Progress

_USE = "use the cache"
_ATTEMPTS = 10  # to write into a folder that other processes change
_FEW = 64  # up to so many small files are synced one by one; if there are more, they are hashed again after a reboot


class Cache:
    """Verified artifacts on this machine; processes and threads may use one cache at the same time.

    Parameters
    ----------
    folder:
        The cache's folder; created at the first use, and safe to delete while nobody uses it.
    limit:
        Size limit in bytes, kept by eviction after each addition (`gitreg.blobs.cache.prune.prune`). None: a fifth of
        the disk.
    """

    def __init__(self, folder: Path, *, limit: int | None = None) -> None:
        self.layout = CacheLayout(folder)
        self.limit = limit

    # -- reading -----------------------------------------------------------------------------------------------------

    def find(self, digest: str) -> Path | None:
        """Return the read-only, verified folder of an artifact, without asking a store; None if it is not in the cache.

        Parameters
        ----------
        digest:
            Digest of its manifest, ``sha256:...``.
        """
        name = digest.removeprefix("sha256:")
        with readable_os_errors(_USE, self.layout.root), self.layout.sharing(name) as unchanged:
            if not unchanged:
                return None
            self.layout.note_use(name)
            return self.layout.artifact(name) if self.layout.is_whole(name) else None

    def manifest(self, digest: str) -> Manifest | None:
        """Return the verified manifest of an artifact in the cache; None if it is not there."""
        return self.layout.manifest(digest.removeprefix("sha256:"))

    def checkout(
        self,
        manifest: Manifest,
        store: StoreReader,
        paths: Collection[str] | None = None,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> Path:
        """Return a read-only folder with exactly these files, verified.

        The first call copies them from the store; later calls only compare them with the stat cache. A file that has
        changed is hashed again, and a damaged one is fetched again.

        Parameters
        ----------
        paths:
            Paths of the wanted files; they get a folder of their own. None takes all.

        Raises
        ------
        IntegrityError
            A file is missing or damaged in the store.
        InvalidInput
            The paths cannot exist in one folder (`check_paths`).
        """
        part = _part(manifest, paths)
        if found := self.find(part.hex):
            return found
        if self._verify_in_place(part.hex, part.files, progress) and (found := self.find(part.hex)):
            return found
        return self._make(manifest, part, store, progress)

    def open(
        self, manifest: Manifest, store: StoreReader, path: str, *, progress: Progress = NO_PROGRESS
    ) -> BufferedReader:
        """Open one file of a set; the whole file is verified before its first byte can be read.

        Raises
        ------
        IntegrityError
            The file is missing or damaged in the store.
        """
        file = self.open_cached(manifest, path)
        if file is None and self._verify_in_place(manifest.hex, _part(manifest, {path}).files, progress):
            file = self.open_cached(manifest, path)
        for _ in range(3):  # another process may evict or repair it between checkout and opening
            if file is not None:
                break
            self.checkout(manifest, store, {path}, progress=progress)
            file = self.open_cached(manifest, path)
        if file is None:
            raise IntegrityError(
                f"{path} in the cache {self.layout.root} changes while it is read", hint="run it again"
            )
        return file

    def open_cached(self, manifest: Manifest, path: str) -> BufferedReader | None:
        """Open one file of a set if the set, or that file alone, is in the cache and verified; None if it is not."""
        for part in (manifest, _part(manifest, {path})):
            with readable_os_errors(_USE, self.layout.root), self.layout.sharing(part.hex) as unchanged:
                if not unchanged:
                    continue
                try:
                    descriptor = file_io.open_regular(self.layout.artifact(part.hex) / path)
                except OSError:
                    continue
                if self.layout.stats(part.hex).trusts(path, os.fstat(descriptor)):
                    self.layout.note_use(part.hex)
                    return os.fdopen(descriptor, "rb")
                os.close(descriptor)
        return None

    # -- the user's own folder ---------------------------------------------------------------------------------------

    def export(
        self,
        manifest: Manifest,
        store: StoreReader,
        dest: Path,
        paths: Collection[str] | None = None,
        *,
        admit: Callable[[Path], None] | None = None,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        """Write verified files into a folder of the user, who may change them.

        They come from the cache if it has them verified, else from a local store, else through the cache. A file that
        exists with the same content is left alone; a new folder appears once all of it is written.

        Parameters
        ----------
        paths:
            Paths of the wanted files. None takes all.
        admit:
            Called with a private folder that holds all of the files, before any of them appears in `dest`; if it
            raises, none appears.

        Raises
        ------
        Refused
            A different file, or a symbolic link, is in the way. Nothing was written then, unless the obstacle appeared
            during the export.
        IntegrityError
            A file is missing or damaged in the store; the files written so far are intact.
        """
        part = _part(manifest, paths)
        if not self.layout.stats(part.hex).files:  # a folder of the cache was checked when it was built
            check_paths(entry.path for entry in part.files)

        def to_write() -> list[FileEntry]:
            return files_to_write(dest, part.files, progress)

        files = to_write()
        if not store.local and not self._verify_in_place(manifest.hex, part.files, progress):
            self.checkout(manifest, store, paths, progress=progress)

        def copy(folder: Path, files: list[FileEntry], fresh: bool) -> None:
            _make_folders(folder, files, fresh=fresh)
            for name in dict.fromkeys((part.hex, manifest.hex)):
                files = self._copy(name, files, folder, progress, fresh=fresh)
            if files:
                store.fetch(manifest, [Target(entry, folder / entry.path, fresh) for entry in files], progress=progress)

        def copy_admitted(folder: Path, files: list[FileEntry], fresh: bool) -> None:
            assert admit is not None
            if fresh:
                copy(folder, files, fresh)
                admit(folder)
                return
            with unseen(folder) as aside:
                copy(aside, list(part.files), True)
                admit(aside)
                _make_folders(folder, files, fresh=fresh)
                for entry in files:
                    file_io.take_name(aside / entry.path, folder / entry.path)

        _fill(dest, files, copy_admitted if admit else copy, to_write)

    def link(
        self,
        manifest: Manifest,
        store: StoreReader,
        dest: Path,
        paths: Collection[str] | None = None,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        """Link the cache's own files into a folder: hardlinks, or symbolic links if it is on another file system.

        The files are read-only and belong to the cache. Someone who changes one anyway damages it for everybody, until
        the cache next uses it, detects the change and fetches it again. A hardlinked file survives its eviction, a
        symbolic link does not. Removing a hardlink changes the file's ctime, so that the cache hashes it once more at
        its next use.

        Parameters
        ----------
        paths:
            Paths of the wanted files. None takes all.

        Raises
        ------
        Refused
            A different file, or a foreign link, is in the way. Nothing was written then, unless the obstacle appeared
            meanwhile.
        IntegrityError
            A file is missing or damaged in the store.
        """
        part = _part(manifest, paths)
        folder = self.layout.artifact(part.hex)

        def to_write() -> list[FileEntry]:
            self.checkout(manifest, store, paths, progress=progress)
            files = list(part.files)
            if os.path.lexists(dest):
                files = [entry for entry in files if not is_link_to(folder / entry.path, dest / entry.path)]
            return files_to_write(dest, files, progress)

        def put_links(dest: Path, files: list[FileEntry], fresh: bool) -> None:
            _make_folders(dest, files, fresh=fresh)
            writable = self.layout.is_writable(part.hex)
            with self.layout.changing(part.hex) if writable else self.layout.sharing(part.hex):
                if not folder.is_dir():  # evicted meanwhile
                    raise OvertakenError(folder)
                stats = self.layout.stats(part.hex)
                known = dict(stats.files)
                for entry in files:
                    source = f"{folder}/{entry.path}"
                    before = os.lstat(source)
                    if link(source, f"{dest}/{entry.path}") and stats.trusts(entry.path, before):
                        after = os.lstat(source)
                        if (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns):
                            known[entry.path] = stat_key(after)
                if writable:
                    self.layout.note(part.hex, part, stats._replace(files=known))

        _fill(dest, to_write(), put_links, to_write)

    # -- a cache that may not be written ------------------------------------------------------------------------------

    def _verify_in_place(self, name: str, files: Collection[FileEntry], progress: Progress) -> bool:
        """Hash files of an artifact that may not be written, unless it was done; return whether all are intact.

        A cache in the image of a container has other inodes and times than its stat cache says, and its reader cannot
        correct that.
        """
        folder, layout = self.layout.artifact(name), self.layout
        with readable_os_errors(_USE, layout.root):
            if not folder.is_dir() or layout.is_writable(name):
                return False
            with layout.sharing(name) as unchanged:
                if not unchanged:
                    return False
                stats = layout.stats(name)
                known = {
                    entry.path: key
                    for entry in files
                    if (key := _verified(folder / entry.path, entry, stats, progress)) is not None
                }
                if len(known) < len(files):
                    return False
                layout.note_in_place(name, known)
        return True

    # -- building ----------------------------------------------------------------------------------------------------

    def _make(self, manifest: Manifest, part: Manifest, store: StoreReader, progress: Progress) -> Path:
        """Complete an artifact's folder: repair it in place, or build it aside, also after an interrupted build."""
        check_paths(entry.path for entry in part.files)
        layout, folder = self.layout, self.layout.artifact(part.hex)
        with readable_os_errors(_USE, layout.root, CACHE_DENIED), layout.changing(part.hex):
            if layout.is_whole(part.hex):  # by another process while we waited
                return folder
            stats = layout.stats(part.hex)
            fresh = not folder.is_dir()
            base = layout.building(part.hex) if fresh else folder
            base.mkdir(parents=True, exist_ok=True)
            wanted = {entry.path for entry in part.files}
            for path in listing(base).keys() - wanted:
                (base / path).unlink()
            maker = _Maker(base, stats, part.files, progress)
            absent = [entry for entry in part.files if not maker.keep(entry)]
            _make_folders(base, absent, fresh=True)
            elsewhere = absent
            if part.hex != manifest.hex:
                elsewhere = self._copy(manifest.hex, absent, base, progress, fresh=fresh)
            targets = [Target(entry, base / entry.path, fresh) for entry in elsewhere]
            store.fetch(manifest, targets, progress=progress)
            for entry in absent:
                maker.seal(entry, None)
            layout.note(part.hex, part, maker.stats())
            if fresh:
                folder.parent.mkdir(exist_ok=True)
                os.rename(base, folder)
        self._keep_within_limit()
        return folder

    def _copy(
        self, name: str, files: list[FileEntry], dest: Path, progress: Progress, *, fresh: bool
    ) -> list[FileEntry]:
        """Copy files out of a cached artifact; return the files that it does not have, or not verified."""
        with self.layout.sharing(name) as unchanged:
            if not unchanged:
                return files
            return copy_trusted(files, self.layout.artifact(name), self.layout.stats(name), dest, progress, fresh=fresh)

    def _keep_within_limit(self) -> None:
        from gitreg.blobs.cache.prune import prune

        with readable_os_errors("prune the cache", self.layout.root):
            prune(self.layout, self.limit)


class _Maker:
    """The builder of an artifact's files in the cache: read-only, verified, noted in the stat cache."""

    def __init__(self, base: Path, stats: ArtifactStats, files: Collection[FileEntry], progress: Progress) -> None:
        self._base = base
        self._progress = progress
        self._old = stats
        self._files: dict[str, StatKey] = {}
        many = sum(entry.size < SYNCED for entry in files) > _FEW
        self._boot = this_boot() if many else ""

    def stats(self) -> ArtifactStats:
        """Return the stat cache of the files sealed so far."""
        return ArtifactStats(self._files, self._boot)

    def keep(self, entry: FileEntry) -> bool:
        """Seal an existing file, and return whether it is the right one; anything wrong in its place is removed."""
        path = self._base / entry.path
        if path.is_dir() and not path.is_symlink():  # it contains folders only: all files were removed
            for folder, _, _ in os.walk(path, topdown=False):
                os.rmdir(folder)
        elif os.path.lexists(path):
            try:
                if self.seal(entry, self._progress):
                    return True
            except OSError:  # a link or a pipe, or the disk cannot read it
                pass
            path.unlink()
        return False

    def seal(self, entry: FileEntry, verify: Progress | None) -> bool:
        """Make a file read-only and note it in the stat cache; return False if `verify` finds it damaged."""
        descriptor = file_io.open_regular(f"{self._base}/{entry.path}")
        try:
            before = os.fstat(descriptor)
            if not (verify and self._old.trusts(entry.path, before)):
                system.set_mode(descriptor, 0o555 if entry.executable else 0o444)
                if not self._boot or entry.size >= SYNCED:
                    system.sync(descriptor)
                before = os.fstat(descriptor)
                if verify and file_io.hash_file(descriptor, verify) != (entry.sha256, entry.size):
                    return False
            if stat_key(before) == stat_key(os.fstat(descriptor)):
                self._files[entry.path] = stat_key(before)
            return True
        finally:
            os.close(descriptor)


def _verified(path: Path, entry: FileEntry, stats: ArtifactStats, progress: Progress) -> StatKey | None:
    """Return the stat key of a file of the cache that is known to be intact, or is found so now; None for any other."""
    try:
        descriptor = file_io.open_regular(path)
    except OSError:  # missing, or a link
        return None
    try:
        before = os.fstat(descriptor)
        if not stats.trusts(entry.path, before):
            if file_io.hash_file(descriptor, progress) != (entry.sha256, entry.size):
                return None
            if stat_key(before) != stat_key(os.fstat(descriptor)):
                return None
        return stat_key(before)
    finally:
        os.close(descriptor)


def _part(manifest: Manifest, paths: Collection[str] | None) -> Manifest:
    return manifest if paths is None else Manifest.of(entry for entry in manifest.files if entry.path in paths)


def _fill(
    dest: Path,
    files: list[FileEntry],
    put: Callable[[Path, list[FileEntry], bool], None],
    to_write: Callable[[], list[FileEntry]],
) -> None:
    """Write files into a folder, again if another process changes it meanwhile.

    Parameters
    ----------
    put:
        Called with the folder, the files, and whether the folder is private to this process.
    to_write:
        Returns the files that are still missing after another process wrote into the folder.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            with readable_os_errors("write the files", dest), filling(dest) as (folder, fresh):
                put(folder, files, fresh)
            return
        except OvertakenError:
            if not attempts_left:
                raise
        files = to_write()


def _make_folders(base: Path, files: Collection[FileEntry], *, fresh: bool) -> None:
    """Create the parent folders of files; unless `fresh`, remove leftovers of killed processes in them."""
    for parent in {entry.path.rpartition("/")[0] for entry in files}:
        folder = base / parent
        folder.mkdir(parents=True, exist_ok=True)
        if not fresh:
            file_io.remove_leftovers(folder)

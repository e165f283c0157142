"""The cache of a machine: artifacts as read-only folders by their digest, shared by its registries and processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from io import BufferedReader
from pathlib import Path

from gitreg.blobs import copying
from gitreg.blobs.copying import OvertakenError
from gitreg.blobs.destination import files_to_write, is_link_to
from gitreg.blobs.exporting import copy_trusted, filling, link, unseen
from gitreg.blobs.faults import in_words
from gitreg.blobs.files import FileEntry, check_paths
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.memo import SYNCED, Looks, Memo, looks, this_boot
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.shelf import Shelf, listing
from gitreg.blobs.source import Source
from gitreg.blobs.store import Target
from gitreg.errors import IntegrityError

_USE = "use the cache"
_ATTEMPTS = 10  # to write where others write too
_FEW = 64  # small files that are synced one by one; more are hashed once more after the machine was started again


class Cache:
    """Verified artifacts on this machine; processes and threads may use one at the same time.

    Parameters
    ----------
    folder:
        Where to keep them; made when it is first needed, and safe to delete while nobody uses it.
    limit:
        How many bytes to keep after something was added (`gitreg.blobs.pruning.prune`). None takes a fifth of the disk.
    """

    def __init__(self, folder: Path, *, limit: int | None = None) -> None:
        self.shelf = Shelf(folder)
        self.limit = limit

    # -- handing out -------------------------------------------------------------------------------------------------

    def find(self, digest: str) -> Path | None:
        """Return the read-only folder of an artifact, verified, without asking any store; None where it is not here.

        Parameters
        ----------
        digest:
            Of its manifest, ``sha256:...``.
        """
        name = digest.removeprefix("sha256:")
        with in_words(_USE, self.shelf.root), self.shelf.sharing(name) as unchanged:
            if not unchanged:
                return None
            self.shelf.note_use(name)
            return self.shelf.artifact(name) if self.shelf.is_whole(name) else None

    def manifest(self, digest: str) -> Manifest | None:
        """Return the manifest of an artifact that is here, verified; None where it is not."""
        return self.shelf.manifest(digest.removeprefix("sha256:"))

    def checkout(
        self,
        manifest: Manifest,
        store: Source,
        paths: Collection[str] | None = None,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> Path:
        """Return a read-only folder that holds exactly these files, verified.

        The first call copies them from the store; the next ones only look whether they are as they were when they were
        hashed. What changed since is hashed again, and what is damaged is fetched again.

        Parameters
        ----------
        paths:
            Only these of the files; they get a folder of their own. None takes all.

        Raises
        ------
        IntegrityError
            The store holds one of the files not at all or damaged.
        InvalidInput
            The paths cannot stand in one folder (`check_paths`).
        """
        part = _part(manifest, paths)
        return self.find(part.hex) or self._make(manifest, part, store, progress)

    def open(self, manifest: Manifest, store: Source, path: str, *, progress: Progress = NO_PROGRESS) -> BufferedReader:
        """Open one file of a set, verified to its last byte before the first one can be read.

        Raises
        ------
        IntegrityError
            The store holds it not at all or damaged.
        """
        file = self.open_cached(manifest, path)
        for _ in range(3):  # another process may remove or mend it between making and opening
            if file is not None:
                break
            self.checkout(manifest, store, {path}, progress=progress)
            file = self.open_cached(manifest, path)
        if file is None:
            raise IntegrityError(f"{path} in the cache {self.shelf.root} changes while it is read", hint="run it again")
        return file

    def open_cached(self, manifest: Manifest, path: str) -> BufferedReader | None:
        """Open one file of a set where the set, or that file alone, is here and verified; None where it is not."""
        for part in (manifest, _part(manifest, {path})):
            with in_words(_USE, self.shelf.root), self.shelf.sharing(part.hex) as unchanged:
                if not unchanged:
                    continue
                try:
                    descriptor = copying.open_regular(self.shelf.artifact(part.hex) / path)
                except OSError:
                    continue
                if self.shelf.memo(part.hex).trusts(path, os.fstat(descriptor)):
                    self.shelf.note_use(part.hex)
                    return os.fdopen(descriptor, "rb")
                os.close(descriptor)
        return None

    # -- the user's own folder ---------------------------------------------------------------------------------------

    def export(
        self,
        manifest: Manifest,
        store: Source,
        dest: Path,
        paths: Collection[str] | None = None,
        *,
        admit: Callable[[Path], None] | None = None,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        """Write the files, verified, into the user's own folder; they are the user's to change.

        They come from the cache where it holds them verified, else from a store on this machine, else through the
        cache. Files that are there with the same content stay as they are; a folder that is not there yet appears
        when all of it is written.

        Parameters
        ----------
        paths:
            Only these of the files. None takes all.
        admit:
            Is given a folder that nobody else sees, with all of the files, before one of them stands in `dest`; where
            it raises, none does.

        Raises
        ------
        Refused
            A file of another content, or a symbolic link, is in the way: nothing was written then, unless somebody
            put it there meanwhile.
        IntegrityError
            The store holds one of them not at all or damaged; those that were written are whole.
        """
        part = _part(manifest, paths)
        if not self.shelf.memo(part.hex).files:  # what was made here was checked then
            check_paths(entry.path for entry in part.files)

        def to_write() -> list[FileEntry]:
            return files_to_write(dest, part.files, progress)

        files = to_write()
        if not store.local:
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
                    copying.take_name(aside / entry.path, folder / entry.path)

        _fill(dest, files, copy_admitted if admit else copy, to_write)

    def link(
        self,
        manifest: Manifest,
        store: Source,
        dest: Path,
        paths: Collection[str] | None = None,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        """Put hardlinks to the cache's own files into a folder; symbolic links where it is on another file system.

        The files are read-only and the cache's: who changes one after all damages it for everybody, until the cache is
        next asked for it, sees the change and fetches it again. A hardlinked file outlives its removal from the cache,
        a symbolic link does not. Removing a hardlink changes the file's ctime, so that the cache hashes it once more
        when it is next asked for it.

        Parameters
        ----------
        paths:
            Only these of the files. None takes all.

        Raises
        ------
        Refused
            A file of another content, or a foreign link, is in the way: nothing was written then, unless somebody
            put it there meanwhile.
        IntegrityError
            The store holds one of them not at all or damaged.
        """
        part = _part(manifest, paths)
        folder = self.shelf.artifact(part.hex)

        def to_write() -> list[FileEntry]:
            self.checkout(manifest, store, paths, progress=progress)
            files = list(part.files)
            if os.path.lexists(dest):
                files = [entry for entry in files if not is_link_to(folder / entry.path, dest / entry.path)]
            return files_to_write(dest, files, progress)

        def put_links(dest: Path, files: list[FileEntry], fresh: bool) -> None:
            _make_folders(dest, files, fresh=fresh)
            with self.shelf.changing(part.hex):
                if not folder.is_dir():  # pruned meanwhile
                    raise OvertakenError(folder)
                memo = self.shelf.memo(part.hex)
                known = dict(memo.files)
                for entry in files:
                    source = f"{folder}/{entry.path}"
                    before = os.lstat(source)
                    if link(source, f"{dest}/{entry.path}") and memo.trusts(entry.path, before):
                        after = os.lstat(source)
                        if (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns):
                            known[entry.path] = looks(after)
                self.shelf.note(part.hex, part, memo._replace(files=known))

        _fill(dest, to_write(), put_links, to_write)

    # -- making ------------------------------------------------------------------------------------------------------

    def _make(self, manifest: Manifest, part: Manifest, store: Source, progress: Progress) -> Path:
        """Make the artifact's folder whole: mend it in place, or build it aside, going on where a killed one ended."""
        check_paths(entry.path for entry in part.files)
        shelf, folder = self.shelf, self.shelf.artifact(part.hex)
        with in_words(_USE, shelf.root), shelf.changing(part.hex):
            if shelf.is_whole(part.hex):  # by another process while we waited
                return folder
            memo = shelf.memo(part.hex)
            fresh = not folder.is_dir()
            base = shelf.building(part.hex) if fresh else folder
            base.mkdir(parents=True, exist_ok=True)
            wanted = {entry.path for entry in part.files}
            for path in listing(base).keys() - wanted:
                (base / path).unlink()
            maker = _Maker(base, memo, part.files, progress)
            absent = [entry for entry in part.files if not maker.keep(entry)]
            _make_folders(base, absent, fresh=True)
            elsewhere = absent
            if part.hex != manifest.hex:
                elsewhere = self._copy(manifest.hex, absent, base, progress, fresh=fresh)
            targets = [Target(entry, base / entry.path, fresh) for entry in elsewhere]
            store.fetch(manifest, targets, progress=progress)
            for entry in absent:
                maker.seal(entry, None)
            shelf.note(part.hex, part, maker.memo())
            if fresh:
                folder.parent.mkdir(exist_ok=True)
                os.rename(base, folder)
        self._keep_within_limit()
        return folder

    def _copy(
        self, name: str, files: list[FileEntry], dest: Path, progress: Progress, *, fresh: bool
    ) -> list[FileEntry]:
        """Copy files out of an artifact that is here; return those that are not in it, or not verified."""
        with self.shelf.sharing(name) as unchanged:
            if not unchanged:
                return files
            return copy_trusted(files, self.shelf.artifact(name), self.shelf.memo(name), dest, progress, fresh=fresh)

    def _keep_within_limit(self) -> None:
        from gitreg.blobs.pruning import prune

        with in_words("prune the cache", self.shelf.root):
            prune(self.shelf, self.limit)


class _Maker:
    """Makes an artifact's files the cache's own: read-only, verified, remembered."""

    def __init__(self, base: Path, memo: Memo, files: Collection[FileEntry], progress: Progress) -> None:
        self._base = base
        self._progress = progress
        self._old = memo
        self._files: dict[str, Looks] = {}
        many = sum(entry.size < SYNCED for entry in files) > _FEW
        self._boot = this_boot() if many else ""

    def memo(self) -> Memo:
        """Give what was found out."""
        return Memo(self._files, self._boot)

    def keep(self, entry: FileEntry) -> bool:
        """Whether the file is there and what it should be; what stands in its place is removed."""
        path = self._base / entry.path
        if path.is_dir() and not path.is_symlink():  # nothing but folders in it: all else was removed
            for folder, _, _ in os.walk(path, topdown=False):
                os.rmdir(folder)
        elif os.path.lexists(path):
            try:
                if self.seal(entry, self._progress):
                    return True
            except OSError:  # a link or a pipe, or the disk cannot read it any more
                pass
            path.unlink()
        return False

    def seal(self, entry: FileEntry, verify: Progress | None) -> bool:
        """Take the right to write away and remember the file; False where `verify` finds it damaged."""
        descriptor = copying.open_regular(f"{self._base}/{entry.path}")
        try:
            before = os.fstat(descriptor)
            if not (verify and self._old.trusts(entry.path, before)):
                os.fchmod(descriptor, 0o555 if entry.executable else 0o444)
                if not self._boot or entry.size >= SYNCED:
                    os.fsync(descriptor)
                before = os.fstat(descriptor)
                if verify and copying.hash_file(descriptor, verify) != (entry.sha256, entry.size):
                    return False
            if looks(before) == looks(os.fstat(descriptor)):
                self._files[entry.path] = looks(before)
            return True
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
    """Put files into a folder.

    Parameters
    ----------
    put:
        Takes the folder, the files, and whether nobody else sees the folder yet.
    to_write:
        Says which files are still to be put there, when somebody else wrote there meanwhile.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            with in_words("write the files", dest), filling(dest) as (folder, fresh):
                put(folder, files, fresh)
            return
        except OvertakenError:
            if not attempts_left:
                raise
        files = to_write()


def _make_folders(base: Path, files: Collection[FileEntry], *, fresh: bool) -> None:
    """Make the folders that files go into; in those that others see too, remove what a killed process left."""
    for parent in {entry.path.rpartition("/")[0] for entry in files}:
        folder = base / parent
        folder.mkdir(parents=True, exist_ok=True)
        if not fresh:
            copying.remove_leftovers(folder)

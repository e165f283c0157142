"""The admission of files that can run code: the user must allow them before any of them reaches its destination."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gitreg.contents import CODE, Finding
from gitreg.errors import UnsafeCode
from gitreg.registry.state.content_verdicts import as_recorded, differences, read_summary, summarised

if TYPE_CHECKING:
    from gitreg.blobs.files import FileEntry
    from gitreg.blobs.manifest import Manifest
    from gitreg.documents.types import ArtifactRecord
    from gitreg.sdk.session import Session

_OF_A_SET = "set:"  # prefix of an artifact's digest: the key of its files' verdicts in one entry


class Admission:
    """Admits the files of one artifact, or raises.

    Parameters
    ----------
    record:
        The record of the artifact.
    model:
        The name of the model or artifact that has to match the patterns of a registry trusted for code.
    what:
        The name of the version or artifact in errors.
    unsafe_code:
        True if the caller allows code in all files.
    """

    def __init__(self, session: Session, record: ArtifactRecord, *, model: str, what: str, unsafe_code: bool) -> None:
        self._session = session
        self._record = record
        self._model = model
        self._what = what
        self._unsafe_code = unsafe_code
        self._unseen: list[FileEntry] = []
        self._seen: dict[str, Finding] = {}
        self._is_whole = False

    @cached_property
    def _is_free(self) -> bool:
        return self._unsafe_code or self._session.trusts_code(self._model)

    @property
    def is_pending(self) -> bool:
        """True if some files have no verdict yet and `look` has to scan them."""
        return bool(self._unseen)

    def check(self, manifest: Callable[[], Manifest], paths: Collection[str] | None = None) -> None:
        """Raise if a file is known to run code, before any file is fetched.

        Parameters
        ----------
        manifest:
            Called for the files of the artifact if the cached verdicts do not answer for all of them.
        paths:
            The paths of the requested files; None means all.

        Raises
        ------
        UnsafeCode
            A file can run code, by the record or by a cached verdict, whichever is worse.
        """
        if self._is_free:
            return
        contents = self._record.contents
        self._refuse(as_recorded(contents, contents if paths is None else paths))
        summary = self._session.verdicts.find(_OF_A_SET + self._record.digest)
        found = read_summary(summary) if summary else None
        if found is None:
            found = self._find(manifest(), paths)
        if paths is not None:
            found = {path: finding for path, finding in found.items() if path in paths}
        self._compare(found)
        self._refuse(found)

    def look(self, folder: Path) -> None:
        """Scan the files without a verdict, in a folder with the files of the artifact, and raise if one is code.

        Raises
        ------
        UnsafeCode
            A file can run code.
        """
        if not self._unseen:
            return
        looked = self._session.verdicts.look_in(folder, self._unseen)
        found = {entry.path: looked[entry.sha256] for entry in self._unseen}
        self._unseen = []
        self._keep(self._seen | found)
        self._compare(found)
        self._refuse(found)

    def check_file(self, entry: FileEntry, file: BinaryIO, verified: bool = True) -> None:
        """Raise if an open file can run code; otherwise set its position back to the beginning.

        Parameters
        ----------
        verified:
            True if the whole file was compared to its record, and not only the parts that were read.

        Raises
        ------
        UnsafeCode
            The file can run code.
        """
        if self._is_free:
            return
        self._refuse(as_recorded(self._record.contents, [entry.path]))
        found = {entry.path: self._session.verdicts.look(entry.sha256, file, keep=verified)}
        file.seek(0)
        self._compare(found)
        self._refuse(found)

    def _find(self, manifest: Manifest, paths: Collection[str] | None) -> dict[str, Finding]:
        """Return the cached verdicts on files, and remember the files without one for `look`."""
        entries = [entry for entry in manifest.files if paths is None or entry.path in paths]
        known = self._session.verdicts.find_all(entry.sha256 for entry in entries)
        self._unseen = [entry for entry in entries if entry.sha256 not in known]
        self._seen = {entry.path: known[entry.sha256] for entry in entries if entry.sha256 in known}
        self._is_whole = paths is None
        if not self._unseen:
            self._keep(self._seen)
        return self._seen

    def _keep(self, found: Mapping[str, Finding]) -> None:
        """Cache the verdicts on all files of the artifact as one entry, which one query finds."""
        if self._is_whole:
            self._session.verdicts.keep({_OF_A_SET + self._record.digest: summarised(found)})

    def _compare(self, found: Mapping[str, Finding]) -> None:
        """Warn if the record, made by the same scanner rules, states another verdict."""
        for difference in differences(self._record.scan, self._record.contents, found, whole=False):
            self._session.tell(f"{self._what}: {difference}")

    def _refuse(self, found: Mapping[str, Finding]) -> None:
        for path, finding in found.items():
            if finding.rank == Finding(CODE, "").rank:
                raise UnsafeCode(f"{self._what}: {path} can run code when it is loaded ({finding.why})")

"""Files that can run code are handed out only to who said that they may, before anything stands where they go."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gitreg.contents import CODE, DATA, RULES, Finding
from gitreg.errors import Refused
from gitreg.registry.verdicts import as_recorded, read_summary, summarised

if TYPE_CHECKING:
    from gitreg.blobs import FileEntry, Manifest
    from gitreg.documents.types import ArtifactRecord
    from gitreg.sdk.opened import OpenRegistry

_OF_A_SET = "set:"  # before the digest of an artifact, where its files' verdicts are kept together


class Admission:
    """Admits the files of one artifact, or refuses them.

    Parameters
    ----------
    record:
        What the registry says of the artifact.
    model:
        The model or the artifact by whose name a registry may be trusted.
    what:
        What to call it in an error.
    unsafe_code:
        Whether the caller wants them whatever they are.
    """

    def __init__(
        self, registry: OpenRegistry, record: ArtifactRecord, *, model: str, what: str, unsafe_code: bool
    ) -> None:
        self._registry = registry
        self._record = record
        self._model = model
        self._what = what
        self._unsafe_code = unsafe_code

    @cached_property
    def _is_free(self) -> bool:
        return self._unsafe_code or self._registry.trusts_code(self._model)

    def check(
        self, manifest: Callable[[], Manifest], paths: Collection[str] | None, folder: Callable[[], Path]
    ) -> None:
        """Refuse files of which one can run code.

        Parameters
        ----------
        paths:
            Those that are wanted; None wants all.
        folder:
            Gives a folder with the verified files; called only where one of them was never looked at.

        Raises
        ------
        Refused
            One can, by the record or by what was found here, whichever is worse.
        """
        if self._is_free:
            return
        contents = self._record.contents
        self._refuse(as_recorded(contents, contents if paths is None else paths))
        verdicts = self._registry.verdicts
        known = verdicts.find(_OF_A_SET + self._record.digest)
        found = read_summary(known) if known else self._look(manifest(), paths, folder)
        if paths is not None:
            found = {path: finding for path, finding in found.items() if path in paths}
        self._compare(found)
        self._refuse(found)

    def check_file(self, entry: FileEntry, file: BinaryIO) -> None:
        """Refuse a file that is open if it can run code; else it stands at its beginning again.

        Raises
        ------
        Refused
            It can.
        """
        if self._is_free:
            return
        self._refuse(as_recorded(self._record.contents, [entry.path]))
        found = {entry.path: self._registry.verdicts.look(entry.sha256, file)}
        file.seek(0)
        self._compare(found)
        self._refuse(found)

    def _look(
        self, manifest: Manifest, paths: Collection[str] | None, folder: Callable[[], Path]
    ) -> dict[str, Finding]:
        """Return the verdicts on the files, each looked at once."""
        from gitreg.contents.scanner import scan_path

        verdicts = self._registry.verdicts
        entries = [entry for entry in manifest.files if paths is None or entry.path in paths]
        known = verdicts.find_all(entry.sha256 for entry in entries)
        new = {entry.sha256: entry.path for entry in entries if entry.sha256 not in known}
        if new:
            base = folder()
            looked = {sha256: scan_path(os.path.join(base, path)) for sha256, path in new.items()}
            verdicts.keep(looked)
            known |= looked
        found = {entry.path: known[entry.sha256] for entry in entries}
        if paths is None:
            verdicts.keep({_OF_A_SET + self._record.digest: summarised(found)})
        return found

    def _compare(self, found: Mapping[str, Finding]) -> None:
        """Warn where the record, by the same rules, says something else."""
        contents = self._record.contents
        if self._record.scan != RULES or "*" in contents:
            return
        for path, finding in found.items():
            recorded = as_recorded(contents, [path]).get(path)
            if finding.verdict != (recorded.verdict if recorded else DATA):
                verdict = recorded.verdict if recorded else DATA
                self._registry.tell(
                    f"{self._what}: {path} is {finding.verdict} ({finding.why}), and its record says {verdict}"
                )

    def _refuse(self, found: Mapping[str, Finding]) -> None:
        for path, finding in found.items():
            if finding.rank == Finding(CODE, "").rank:
                raise Refused(
                    f"{self._what}: {path} can run code when it is loaded ({finding.why})",
                    hint="if you trust who made it: --unsafe-code; for this registry: gitreg trust --code",
                )

"""Whether a version's bytes are what its record says, and its record what its tag says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gitreg.blobs import Progress, Store
from gitreg.errors import GitregError
from gitreg.registry.artifacts import files_of
from gitreg.registry.snapshot import ModelVersion


@dataclass(frozen=True)
class Finding:
    """What verification found of one file.

    Parameters
    ----------
    problem:
        What is wrong with it; None where its bytes are what the record says.
    """

    reference: str
    artifact: str
    path: str
    size: int
    problem: str | None

    def row(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "reference": self.reference,
            "artifact": self.artifact,
            "path": self.path,
            "size": self.size,
            "ok": self.problem is None,
            "problem": self.problem,
        }


def verify(versions: Iterable[ModelVersion], store: Store, progress: Progress) -> Iterator[Finding]:
    """Read every file of the versions whole and hold it against its record.

    A blob that several versions share is read once.
    """
    seen: dict[str, str | None] = {}
    for version in versions:
        for name, artifact in version.artifacts.items():
            try:
                files = files_of(artifact, store)
            except GitregError as error:
                yield Finding(version.reference, name, "", artifact.size, error.message)
                continue
            for entry in files:
                if entry.sha256 not in seen:
                    try:
                        store.verify(entry, progress=progress)
                        seen[entry.sha256] = None
                    except GitregError as error:
                        seen[entry.sha256] = error.message
                yield Finding(version.reference, name, entry.path, entry.size, seen[entry.sha256])

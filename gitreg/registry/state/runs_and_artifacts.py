"""The standalone artifacts and the runs in a snapshot."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from gitreg.documents.types import ArtifactDocument, RunDocument
from gitreg.errors import GitregError, IntegrityError, InvalidInput, NotFound
from gitreg.names import LATEST, check_artifact
from gitreg.suggestions import listed, nearest

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import Snapshot

_ID = r"[0-9a-f]{6,32}"
_ID_SAID = re.compile(r"""(?m:^id: '?|"id":")([0-9a-f]{32})""")  # in canonical YAML, and in JSON


def artifact_names(snapshot: Snapshot) -> list[str]:
    """Return the names of all standalone artifacts, sorted."""
    return sorted({entry.model for entry in snapshot.index.scan(snapshot.seq, "artifact")})


def artifact_versions(snapshot: Snapshot, name: str | None = None) -> list[ArtifactDocument]:
    """Return the versions of an artifact, or of all for None, sorted by name and number."""
    found = snapshot.remember(("artifacts", name), lambda: _artifact_versions(snapshot, name))
    return list(found)


def _artifact_versions(snapshot: Snapshot, name: str | None) -> list[ArtifactDocument]:
    found = [
        ArtifactDocument.from_data(entry.data)
        for entry in snapshot.index.scan(snapshot.seq, "artifact", name)
        if entry.data is not None
    ]
    return sorted(found, key=lambda each: (each.artifact, each.number))


def next_number(snapshot: Snapshot, name: str) -> int:
    """Return the number of an artifact's next version: the count of versions it ever had, plus one; none is reused."""
    return snapshot.index.names_ever(snapshot.seq, "artifact", name) + 1


def find_artifact(snapshot: Snapshot, name: str, selector: str | None = None) -> ArtifactDocument | None:
    """Return a version of an artifact by version name, number or id; None or ``latest`` selects the latest.

    Returns
    -------
    ArtifactDocument or None:
        None where there is no such version.
    """
    if selector is None or selector == LATEST:
        return max(artifact_versions(snapshot, name), key=lambda each: each.number, default=None)
    entry = snapshot.index.get(snapshot.seq, "artifact", name, selector)
    if entry is not None and entry.data is not None:
        return ArtifactDocument.from_data(entry.data)
    return next((each for each in artifact_versions(snapshot, name) if selector in (str(each.number), each.id)), None)


def find_artifact_by_id(snapshot: Snapshot, prefix: str) -> list[ArtifactDocument]:
    """Return the artifact versions whose id begins with `prefix`, 6 to 32 hexadecimal digits."""
    if not re.fullmatch(_ID, prefix):
        return []
    return [
        ArtifactDocument.from_data(entry.data)
        for entry in snapshot.index.scan(snapshot.seq, "artifact")
        if (found := _ID_SAID.search(entry.text or "")) and found[1].startswith(prefix) and entry.data is not None
    ]


def artifacts_with_ids(snapshot: Snapshot, name: str, ids: Collection[str]) -> dict[str, ArtifactDocument]:
    """Return the versions of an artifact with these ids, by id; an id without a version is left out."""
    found = {}
    for entry in snapshot.index.scan(snapshot.seq, "artifact", name):
        match = _ID_SAID.search(entry.text or "")  # the other documents are not parsed
        if match and match[1] in ids and entry.data is not None:
            found[match[1]] = ArtifactDocument.from_data(entry.data)
    return found


def resolve_artifact(snapshot: Snapshot, reference: str) -> ArtifactDocument:
    """Return the artifact version of a reference: ``iris_data``, ``iris_data@12``, or the first digits of an id.

    Raises
    ------
    NotFound
        There is no such artifact or version.
    InvalidInput
        The ids of several versions begin with the digits.
    IntegrityError
        The record of the version was edited.
    GitregError
        The record cannot be read.
    """
    name, _, selector = reference.partition("@")
    found = find_artifact(snapshot, check_artifact(name), selector or None)
    if found is not None:
        return check_sealed(snapshot, found)
    by_id = find_artifact_by_id(snapshot, reference)
    if len(by_id) > 1:
        known = ", ".join(each.reference for each in by_id[:5])
        raise InvalidInput(f"{reference!r} begins the ids of {known}", hint="give more digits")
    if by_id:
        return check_sealed(snapshot, by_id[0])
    versions = [str(each.version) for each in artifact_versions(snapshot, name)]
    if versions:
        raise NotFound(
            f"the artifact {name} has no version {selector!r}", hint=f"its versions are {', '.join(versions[-5:])}"
        )
    broken = [entry for entry in snapshot.index.scan(snapshot.seq, "artifact", name) if entry.data is None]
    if broken:
        asked = [entry for entry in broken if entry.name == selector] or broken
        why = f": {asked[0].problem}" if asked[0].problem else ""
        raise GitregError(
            f"the record of {name}@{asked[0].name} cannot be read{why}",
            hint="`gitreg doctor` names the commit to go back to",
        )
    names = artifact_names(snapshot)
    near = nearest(name, names, most=1)
    if near:
        raise NotFound(f"there is no artifact {name!r}", correction=(name, near[0]))
    raise NotFound(
        f"there is no artifact {name!r}", hint=f"there are {listed(names)}" if names else "none was saved yet"
    )


def check_sealed(snapshot: Snapshot, document: ArtifactDocument) -> ArtifactDocument:
    """Return the artifact version, once its record is found to be as first written: its history is its seal.

    Raises
    ------
    IntegrityError
        The record was edited.
    """
    contents = snapshot.index.history(snapshot.seq, "artifact", document.artifact, str(document.version))
    sealed = [past.digest for past in contents if past.text is not None]
    if sealed and sealed[0] != sealed[-1]:
        raise IntegrityError(
            f"the sealed record of {document.reference} was edited",
            hint="`gitreg doctor` names the commit to revert",
        )
    return document


def runs(snapshot: Snapshot, pipeline: str | None = None) -> list[RunDocument]:
    """Return the runs of a pipeline, or of all for None, newest first."""
    found = [entry for entry in snapshot.index.scan(snapshot.seq, "run", pipeline) if entry.data is not None]
    found.sort(key=lambda entry: (entry.since, entry.model, entry.name), reverse=True)
    return [RunDocument.from_data(entry.data) for entry in found if entry.data is not None]


def find_run(snapshot: Snapshot, pipeline: str, run: str) -> RunDocument | None:
    """Return a run of a pipeline; None where there is none or its file cannot be read."""
    entry = snapshot.index.get(snapshot.seq, "run", pipeline, run)
    return RunDocument.from_data(entry.data) if entry and entry.data is not None else None

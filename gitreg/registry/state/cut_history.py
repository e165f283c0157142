"""Records whose history is cut off (registry opened by URL, shallow clone), and notes on their verified seals.

:func:`gitreg.registry.state.seals.seal_problem` verifies a record against its tag, which reads Git objects. A
note of the result saves later readers from reading them again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitreg.registry.state.registry_refs import tag_ref

if TYPE_CHECKING:
    from gitreg.registry.state.branch import RegistryBranch
    from gitreg.registry.state.snapshot import ModelVersion, Snapshot


def is_cut(snapshot: Snapshot, version: ModelVersion) -> bool:
    """Return whether the history in this clone begins with a version's record, so that earlier edits are not known."""
    index = snapshot.index
    contents = index.history(snapshot.seq, "model_version", version.model, version.version)
    return bool(contents) and index.moment(contents[-1].since).boundary


def has_seal_note(branch: RegistryBranch, snapshot: Snapshot, version: ModelVersion) -> bool:
    """Return whether a note says that this record matches this tag, so that no object has to be read."""
    line = _line(branch, snapshot, version)
    with suppress(OSError, UnicodeError):
        return line is not None and line in (branch.repository.common_dir / "gitreg" / _NOTES).read_text().splitlines()
    return False


def write_seal_note(branch: RegistryBranch, snapshot: Snapshot, version: ModelVersion) -> None:
    """Append a note that a record matches its tag; a failure to write it is ignored."""
    if line := _line(branch, snapshot, version):
        with suppress(OSError), (branch.repository.common_dir / "gitreg" / _NOTES).open("a") as notes:
            notes.write(f"{line}\n")


_NOTES = "sealed.txt"


def _line(branch: RegistryBranch, snapshot: Snapshot, version: ModelVersion) -> str | None:
    oid = branch.repository.read_ref(tag_ref(snapshot.settings, version.model, version.version))
    return f"{oid} {version.digest}" if oid else None

"""Records that came without their history (by URL, in a shallow clone), and those that were held against their tags.

What a record's tag seals is told by :func:`gitreg.registry.integrity.seal_problem`, which reads objects; readers that
come again find here that it was, and read none.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitreg.registry.derived import tag_ref

if TYPE_CHECKING:
    from gitreg.registry.ledger import Ledger
    from gitreg.registry.snapshot import ModelVersion, Snapshot


def is_cut(snapshot: Snapshot, version: ModelVersion) -> bool:
    """Return whether the history here begins with a version's record: nothing says what it was before."""
    index = snapshot.index
    said = index.history(snapshot.seq, "model_version", version.model, version.version)
    return bool(said) and index.moment(said[-1].since).boundary


def was_held(ledger: Ledger, snapshot: Snapshot, version: ModelVersion) -> bool:
    """Return whether a record was held against its tag before, both as they are now: then no object has to be read."""
    line = _line(ledger, snapshot, version)
    with suppress(OSError, UnicodeError):
        return line is not None and line in (ledger.repository.common_dir / "gitreg" / _NOTES).read_text().splitlines()
    return False


def note_held(ledger: Ledger, snapshot: Snapshot, version: ModelVersion) -> None:
    """Note that a record is what its tag seals."""
    if line := _line(ledger, snapshot, version):
        with suppress(OSError), (ledger.repository.common_dir / "gitreg" / _NOTES).open("a") as notes:
            notes.write(f"{line}\n")


_NOTES = "sealed.txt"


def _line(ledger: Ledger, snapshot: Snapshot, version: ModelVersion) -> str | None:
    oid = ledger.repository.read_ref(tag_ref(snapshot.settings, version.model, version.version))
    return f"{oid} {version.digest}" if oid else None

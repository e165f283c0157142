"""The comparison of two versions: fields, metadata, files and sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitreg.blobs.files import FileEntry
from gitreg.blobs.reader import StoreReader
from gitreg.registry.state.manifests import manifest_of
from gitreg.registry.state.snapshot import ModelVersion


def compare(old: ModelVersion, new: ModelVersion, store: StoreReader | None) -> dict[str, Any]:
    """Return the differences from one version to another.

    Parameters
    ----------
    store:
        The store of manifests whose files no record lists; None leaves those artifacts out.

    Returns
    -------
    dict:
        ``from`` and ``to``: the references. ``fields``: ``from`` and ``to`` of description, tags, inputs, stage,
        creation time and creator where they differ. ``metadata``: by dotted key, ``from``, ``to`` and, for numbers,
        ``delta``. ``files``: a list of ``artifact``, ``path``, ``change`` (added, removed, changed, mode) and the sizes
        ``from`` and ``to`` in bytes. ``unchanged``: the number of equal files. ``size``: ``from``, ``to`` and ``delta``
        of all files, in bytes.
    """
    files, unchanged = _files(old, new, store)
    return {
        "from": old.reference,
        "to": new.reference,
        "fields": _fields(old, new),
        "metadata": _metadata(flatten(old.metadata), flatten(new.metadata)),
        "files": files,
        "unchanged": unchanged,
        "size": {"from": old.size, "to": new.size, "delta": new.size - old.size},
    }


def flatten(metadata: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested metadata as one dict with dotted keys."""
    out: dict[str, Any] = {}
    for key, value in metadata.items():
        if isinstance(value, Mapping) and value:
            out.update(flatten(value, f"{prefix}{key}."))
        else:
            out[f"{prefix}{key}"] = value
    return out


def _fields(old: ModelVersion, new: ModelVersion) -> dict[str, Any]:
    pairs = {
        "description": (old.description, new.description),
        "tags": (list(old.tags), list(new.tags)),
        "inputs": (list(old.record.inputs), list(new.record.inputs)),
        "stage": (old.stage, new.stage),
        "created_at": (old.record.created_at, new.record.created_at),
        "created_by": (old.record.created_by, new.record.created_by),
    }
    return {name: {"from": a, "to": b} for name, (a, b) in pairs.items() if a != b}


def _metadata(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    out = {}
    for key in dict.fromkeys([*old, *new]):
        a, b = old.get(key), new.get(key)
        if key in old and key in new and a == b and type(a) is type(b):
            continue
        row: dict[str, Any] = {"from": a, "to": b}
        if isinstance(a, int | float) and isinstance(b, int | float) and not {type(a), type(b)} & {bool}:
            row["delta"] = b - a
        out[key] = row
    return out


def _files(old: ModelVersion, new: ModelVersion, store: StoreReader | None) -> tuple[list[dict[str, Any]], int]:
    before, after = _listed(old, store), _listed(new, store)
    rows, unchanged = [], 0
    for artifact, path in sorted({*before, *after}):
        a, b = before.get((artifact, path)), after.get((artifact, path))
        if a == b:
            unchanged += 1
            continue
        if a is None or b is None:
            change = "added" if a is None else "removed"
        else:
            change = "changed" if a.sha256 != b.sha256 else "mode"
        sizes = {"from": a.size if a else None, "to": b.size if b else None}
        rows.append({"artifact": artifact, "path": path, "change": change, **sizes})
    return rows, unchanged


def _listed(version: ModelVersion, store: StoreReader | None) -> dict[tuple[str, str], FileEntry]:
    return {
        (name, entry.path): entry
        for name, artifact in version.artifacts.items()
        if artifact.files is not None or store is not None
        for entry in manifest_of(artifact, store).files  # type: ignore[arg-type]  # without a store only listed files get here
    }

"""The conversion of the names in a document to Unicode form NFC, so that a name is the same on every system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitreg.documents.layout import Key
from gitreg.documents.yaml import pointer
from gitreg.errors import InvalidDocument
from gitreg.names import nfc

_KINDS = ("model", "model_version", "annotation", "stage", "alias", "artifact", "run")
"""The kinds of documents with names, except approvals, whose signature is over their exact content."""
_NAMES = ("name", "model", "version", "previous", "rolled_back_from", "artifact", "pipeline", "run", "step")
_LISTS = ("tags", "removed", "removed_tags", "inputs", "links", "versions")
_BY_NAME = ("inputs", "outputs")


def normalized(key: Key, data: dict[str, Any]) -> dict[str, Any]:
    """Return a document with its names in NFC, like those of its path.

    Returns
    -------
    dict[str, Any]
        A new mapping with all fields in the same order; ``data`` itself for kinds of documents without such names.

    Raises
    ------
    InvalidDocument
        Two artifacts have the same name in NFC.
    """
    if key.kind not in _KINDS:
        return data
    out: dict[str, Any] = _names(data)
    if isinstance(artifacts := data.get("artifacts"), Mapping):
        out["artifacts"] = named = {nfc(name): _names(entry) for name, entry in artifacts.items()}
        if len(named) < len(artifacts):
            twice = next(name for name in artifacts if nfc(name) != name)
            raise InvalidDocument(key.path, pointer(["artifacts", twice]), "stands there twice, in two spellings")
    if isinstance(steps := data.get("steps"), Mapping):
        out["steps"] = {name: _step(step) for name, step in steps.items()}
    return out


def _names(data: Any) -> Any:
    """Return a mapping with the names in its known fields in NFC; any other value is returned as it is."""
    if not isinstance(data, Mapping):
        return data
    out = dict(data)
    for field in _NAMES:
        value = data.get(field)
        if isinstance(value, str):
            out[field] = nfc(value)
        elif isinstance(value, Mapping):  # the run that made it
            out[field] = _names(value)
    for field in _LISTS:
        if isinstance(listed := data.get(field), list):
            out[field] = [nfc(each) if isinstance(each, str) else each for each in listed]
    return out


def _step(step: Any) -> Any:
    out = _names(step)
    for field in _BY_NAME:
        if isinstance(out, dict) and isinstance(values := out.get(field), Mapping):
            out[field] = {name: nfc(each) if isinstance(each, str) else each for name, each in values.items()}
    return out

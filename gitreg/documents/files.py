"""The reading and writing of a file of the registry, with all checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitreg.documents.edit import rewrite
from gitreg.documents.layout import Key
from gitreg.documents.normalization import normalized
from gitreg.documents.schemas import check
from gitreg.documents.types import FORMAT, NEWER_FORMAT, Document
from gitreg.documents.validation import check_meaning
from gitreg.documents.yaml import dumps, loads, pointer
from gitreg.errors import InvalidDocument
from gitreg.names import check_utf8

_VERSIONS = ("version", "previous", "rolled_back_from")


def read_data(key: Key, content: bytes) -> dict[str, Any]:
    """Return the content of a file as plain data, checked against its schema and its path.

    Returns
    -------
    dict[str, Any]
        The fields in the order of the file, with types of JSON only; a version that is written as a whole number is a
        text, and names are in NFC.

    Raises
    ------
    InvalidDocument
        The file is not YAML, has a newer format, breaks its schema or the rules of names, or differs from its path in
        the kind of document, the model or the version.
    """
    where = key.path
    data = loads(content, where)
    if isinstance(data, dict):
        written = data.get("format")
        if isinstance(written, int) and not isinstance(written, bool) and written > FORMAT:
            raise InvalidDocument(where, "/format", f"is {written}; {NEWER_FORMAT}", hint="upgrade gitreg")
        if data.get("kind", key.kind) != key.kind:
            raise InvalidDocument(where, "/kind", f"is {data['kind']!r}, but the file's path says {key.kind!r}")
        for field in _VERSIONS:  # 7 written by hand means "7", but 1.10 has become 1.1
            if isinstance(data.get(field), float):
                raise InvalidDocument(where, f"/{field}", f"is the number {data[field]!r}", hint="put it in quotes")
            if isinstance(data.get(field), int) and not isinstance(data[field], bool):
                data[field] = str(data[field])
        if not content.isascii() or b"\\" in content:  # an escape may stand for a character beyond ASCII
            data = normalized(key, data)
        for field, _ in _path_fields(key):
            if field not in data:
                raise InvalidDocument(where, f"/{field}", "is missing")
    check(key.kind, data, where)
    for field, expected in _path_fields(key):
        if data[field] != expected:
            raise InvalidDocument(where, f"/{field}", f"is {data[field]!r}, but the file's path says {expected!r}")
    assert isinstance(data, dict)
    check_meaning(key, data)
    return data


def write(key: Key, document: Document, old: bytes | None = None) -> bytes:
    """Return the bytes of a document's file.

    Parameters
    ----------
    old:
        The present content of the file, whose comments and order are kept; None: write the canonical form.

    Returns
    -------
    bytes
        UTF-8 with LF.

    Raises
    ------
    InvalidDocument
        The document breaks its schema or the rules of names.
    InvalidInput
        A text has bytes that are not UTF-8.
    """
    data = normalized(key, document.to_data())
    check(key.kind, data, key.path)
    check_meaning(key, data)
    try:
        return dumps(data) if old is None else rewrite(old, data, key.path)
    except UnicodeEncodeError:
        _check_texts(data, key.path, [])
        raise


def _check_texts(data: Any, where: str, place: list[str | int]) -> None:
    """Raise InvalidInput for the first text of a document that UTF-8 cannot express."""
    if isinstance(data, str):
        check_utf8(data, f"{where} at {pointer(place)}")
    elif isinstance(data, Mapping):
        for name, value in data.items():
            check_utf8(name, f"a key of {where} at {pointer(place)}")
            _check_texts(value, where, [*place, name])
    elif isinstance(data, list | tuple):
        for number, value in enumerate(data):
            _check_texts(value, where, [*place, number])


def _path_fields(key: Key) -> list[tuple[str, str]]:
    if key.kind == "model":
        return [("name", key.model)]
    if key.kind == "model_version":
        return [("model", key.model), ("version", key.name)]
    if key.kind == "artifact":
        return [("artifact", key.model), ("version", key.name)]
    if key.kind == "run":
        return [("pipeline", key.model), ("run", key.name)]
    if key.kind == "approval" and not key.model:
        subject, digest, who = key.name.split("/")
        return [("subject", subject), ("digest", f"sha256:{digest}"), ("who", who)]
    if key.kind == "approval":
        return [("model", key.model), *zip(("version", "stage", "who"), key.name.split("/"), strict=True)]
    return []

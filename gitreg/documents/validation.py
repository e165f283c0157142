"""The validation that a schema cannot express: valid names, existing dates, refs that Git accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from gitreg.documents.layout import Key
from gitreg.documents.yaml import pointer
from gitreg.errors import InvalidDocument, InvalidInput
from gitreg.names import (
    check_alias,
    check_artifact,
    check_model,
    check_pipeline,
    check_run,
    check_stage,
    check_written_version,
    is_ref_path,
    linked_name,
)

_NOT_OURS = ("refs/heads", "refs/tags", "refs/remotes", "refs/drafts", "refs/notes")


def check_meaning(key: Key, data: Mapping[str, Any]) -> None:
    """Raise an error if a document breaks the rules of names, dates and refs.

    Raises
    ------
    InvalidDocument
        A value breaks a rule; the error names the place and the rule.
    """
    if key.kind == "run":
        _check(key, "", check_pipeline, key.model)
        _check(key, "", check_run, key.name)
    elif key.kind == "artifact":
        _check(key, "", check_artifact, key.model)
    elif key.model:
        _check(key, "", check_model, key.model)
    if key.kind in ("model_version", "annotation", "artifact"):
        _check(key, "", check_written_version, key.name)
    elif key.kind == "alias":
        _check(key, "", check_alias, key.name)
    for field in ("created_at", "started_at", "ended_at", "when"):
        if field in data:
            _check(key, f"/{field}", datetime.fromisoformat, data[field])
    for name in data.get("artifacts", {}):
        _check(key, pointer(["artifacts", name]), check_artifact, name)
    for name in data.get("metadata", {}):
        if not name.isprintable():
            raise InvalidDocument(key.path, pointer(["metadata", name]), "is a key that cannot be printed")
    if key.kind == "registry":
        _check_settings(key, data)


class SealedName(NamedTuple):
    """The place in an annotation that names an artifact of the version's sealed record.

    Parameters
    ----------
    pointer:
        The place inside the file, as a JSON pointer.
    artifact:
        The name of the artifact.
    version:
        The reference of the version.
    """

    pointer: str
    artifact: str
    version: str

    def __str__(self) -> str:
        return f"at {self.pointer}: names an artifact that was sealed with {self.version}"


def check_annotation(
    key: Key, data: Mapping[str, Any], record: Mapping[str, Any], before: Mapping[str, Any] = MappingProxyType({})
) -> list[SealedName]:
    """Return the places of an annotation that name an artifact of the version's sealed record.

    A link that the record has as well is left out: it changes nothing.

    Parameters
    ----------
    data, record:
        The annotation and the version's record, as plain data.
    before:
        The annotation before the change; entries that it has already are left out.

    Returns
    -------
    list[SealedName]
        The places, those under ``artifacts`` first, then those in ``links``; each in the order of the file.
    """
    sealed, known = record.get("artifacts", {}), before.get("artifacts", {})
    settled = {*record.get("links", ()), *before.get("links", ())}
    places: list[tuple[list[str | int], str]] = [
        (["artifacts", name], name)
        for name, artifact in data.get("artifacts", {}).items()
        if known.get(name) != artifact
    ]
    places += [
        (["links", place], linked_name(link)) for place, link in enumerate(data.get("links", ())) if link not in settled
    ]
    version = f"{key.model}@{key.name}"
    return [SealedName(pointer(place), name, version) for place, name in places if name in sealed]


def _check_settings(key: Key, data: Mapping[str, Any]) -> None:
    for number, stage in enumerate(data["stages"]):
        _check(key, f"/stages/{number}", check_stage, stage)
    for field in ("branch", "prefix"):
        if not is_ref_path(data[field]):
            raise InvalidDocument(key.path, f"/{field}", f"is {data[field]!r}, which cannot be part of a ref's name")
    mirrors = {"stages": "refs/stages", "aliases": "refs/aliases", **data.get("mirrors", {})}
    tags = f"refs/tags/{data['prefix']}"
    for name, namespace in mirrors.items():
        path = f"/mirrors/{name}"
        if not is_ref_path(namespace):
            raise InvalidDocument(key.path, path, f"is {namespace!r}, which cannot be part of a ref's name")
        if namespace in _NOT_OURS or f"{tags}/".startswith(f"{namespace}/") or namespace.startswith(f"{tags}/"):
            raise InvalidDocument(key.path, path, f"is {namespace}, which is for other refs; name a folder below it")
    if mirrors["stages"] == mirrors["aliases"]:
        raise InvalidDocument(key.path, "/mirrors", f"has stages and aliases both in {mirrors['stages']}")


def _check(key: Key, where: str, rule: Callable[[Any], object], value: Any) -> None:
    try:
        rule(value)
    except InvalidInput as error:
        raise InvalidDocument(key.path, where, error.message, hint=error.hint) from None
    except ValueError as error:
        raise InvalidDocument(key.path, where, f"is {value!r}: {error}") from None

"""The derived refs: tags and refs computed from the branch, which seal records and mirror stages and aliases.

Each is a pure function of the branch, so lost refs can be made again with the same object ids (as long as nothing is
signed). A mirror ref is at the commit that last changed the file of its stage or alias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitreg.documents.layout import Key
from gitreg.documents.types import RegistryDocument
from gitreg.names import as_number, slug, unslug
from gitreg.registry.state.trailers import values_of

if TYPE_CHECKING:
    from gitreg.git import Repository
    from gitreg.registry.state.snapshot import Snapshot

DEFAULT_MIRRORS: Mapping[str, str] = {"stages": "refs/stages", "aliases": "refs/aliases"}
_NAMESPACE = {"stage": "stages", "alias": "aliases"}


def tag_prefix(settings: RegistryDocument) -> str:
    """Return the prefix of the full names of all version tags, with a slash at its end."""
    return f"refs/tags/{settings.prefix}/"


def tag_ref(settings: RegistryDocument, model: str, version: str) -> str:
    """Return the full name of a version's tag."""
    return f"{tag_prefix(settings)}{slug(model)}@{slug(version)}"


def parse_tag_ref(settings: RegistryDocument, ref: str) -> tuple[str, str] | None:
    """Return the model and version from the full name of a tag; None for a name that gitreg would not make."""
    text = ref.removeprefix(tag_prefix(settings))
    if text == ref or "@" not in text:
        return None
    model, _, version = text.rpartition("@")
    try:
        names = unslug(model), unslug(version)
    except UnicodeDecodeError:
        return None
    return names if tag_ref(settings, *names) == ref else None


def mirror_ref(settings: RegistryDocument, key: Key) -> str:
    """Return the full name of the ref that mirrors a stage or an alias."""
    return f"{mirror_namespace(settings, key.kind)}/{slug(key.model)}@{slug(key.name)}"


def parse_mirror_ref(settings: RegistryDocument, ref: str) -> Key | None:
    """Return the key of the stage or alias from a mirror's full name; None for a name that gitreg would not make."""
    for kind in _NAMESPACE:
        model, at, name = ref.removeprefix(f"{mirror_namespace(settings, kind)}/").rpartition("@")
        try:
            key = Key(kind, unslug(model), unslug(name))
        except UnicodeDecodeError:
            return None
        if at and mirror_ref(settings, key) == ref:
            return key
    return None


def mirror_namespace(settings: RegistryDocument, kind: str) -> str:
    """Return the namespace of the mirrors of all stages or all aliases, without a slash at its end."""
    name = _NAMESPACE[kind]
    return settings.mirrors.get(name, DEFAULT_MIRRORS[name])


def mirror_namespaces(settings: RegistryDocument) -> list[str]:
    """Return the namespaces of a registry's mirrors."""
    return [mirror_namespace(settings, kind) for kind in _NAMESPACE]


def tag_message(record: Mapping[str, Any], digest: str) -> str:
    """Return the message of the tag that seals a record.

    Parameters
    ----------
    record:
        The parsed document of the record's file.
    digest:
        The sha256 of the file, in hexadecimal.
    """
    summary = " ".join(str(record.get("description") or "").split())
    trailers = [
        f"Gitreg-Model: {record['model']}",
        f"Gitreg-Version: {record['version']}",
        f"Gitreg-Number: {record['number']}",
        f"Gitreg-Record: sha256:{digest}",
        *(f"Gitreg-Artifact: {name} {entry['digest']}" for name, entry in record.get("artifacts", {}).items()),
    ]
    parts = (f"{record['model']}@{record['version']}", summary, "\n".join(trailers))
    return "\n\n".join(part for part in parts if part) + "\n"


def tag_record(message: str) -> str | None:
    """Return the digest of the sealed record (``sha256:...``) from a tag's message; None where it has none.

    Only the trailers count: the description before them is free text.
    """
    return next(iter(values_of(message, "Gitreg-Record")), None)


def build_seal(
    repository: Repository, settings: RegistryDocument, commit: str, record: Mapping[str, Any], digest: str
) -> tuple[str, str]:
    """Write the tag object that seals a record in the commit that brought it.

    Returns
    -------
    tuple:
        The full name of the tag and the id of the tag object. No ref is moved.
    """
    ref = tag_ref(settings, record["model"], record["version"])
    tagger = repository.commit(commit).committer
    name = ref.removeprefix("refs/tags/")
    return ref, repository.build_tag(name, commit, message=tag_message(record, digest), tagger=tagger)


def tagged_numbers(repository: Repository, snapshot: Snapshot, model: str) -> list[int]:
    """Return the version numbers that tags of a model take although the branch has no record of their version."""
    settings = snapshot.settings
    recorded = set(snapshot.names_taken(model))
    numbers = []
    for ref, oid in repository.refs(f"{tag_prefix(settings)}{slug(model)}@").items():
        named = parse_tag_ref(settings, ref)
        if named is None or named[0] != model or named[1] in recorded:
            continue
        tag = repository.tag(oid)
        values = values_of(tag.message, "Gitreg-Number") if tag else []
        number = as_number(values[0] if values else named[1])
        if number is not None:
            numbers.append(number)
    return numbers

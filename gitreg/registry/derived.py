"""The refs that follow from the branch's files: version tags that seal records, and mirrors of stages and aliases.

Each is a pure function of the branch, so that losing all of them and making them again gives the same ids (as long as
nothing is signed).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitreg.documents.layout import Key
from gitreg.documents.types import RegistryDocument
from gitreg.names import as_number, slug, unslug
from gitreg.registry.trailers import values_of

if TYPE_CHECKING:
    from gitreg.git import Repository
    from gitreg.registry.snapshot import Snapshot

DEFAULT_MIRRORS: Mapping[str, str] = {"stages": "refs/stages", "aliases": "refs/aliases"}
_NAMESPACE = {"stage": "stages", "alias": "aliases"}


def tag_prefix(settings: RegistryDocument) -> str:
    """Give what the full names of all version tags begin with."""
    return f"refs/tags/{settings.prefix}/"


def tag_ref(settings: RegistryDocument, model: str, version: str) -> str:
    """Give the full name of a version's tag."""
    return f"{tag_prefix(settings)}{slug(model)}@{slug(version)}"


def parse_tag_ref(settings: RegistryDocument, ref: str) -> tuple[str, str] | None:
    """Give model and version of a version tag's full name; None where it is none that gitreg would make."""
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
    """Give the full name of the ref that mirrors a stage or an alias."""
    return f"{mirror_namespace(settings, key.kind)}/{slug(key.model)}@{slug(key.name)}"


def parse_mirror_ref(settings: RegistryDocument, ref: str) -> Key | None:
    """Give what a mirror's full name mirrors; None where it is none that gitreg would make."""
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
    """Give the namespace that mirrors all stages or all aliases."""
    name = _NAMESPACE[kind]
    return settings.mirrors.get(name, DEFAULT_MIRRORS[name])


def mirror_namespaces(settings: RegistryDocument) -> list[str]:
    """Return the namespaces of a registry's mirrors."""
    return [mirror_namespace(settings, kind) for kind in _NAMESPACE]


def tag_message(record: Mapping[str, Any], digest: str) -> str:
    """Give the message of the tag that seals a record.

    Parameters
    ----------
    record:
        What the record's file says.
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
    """Return the digest of the record that a tag's message says it seals; None where it says none.

    It is asked of the trailers alone: before them is a description, in which anybody may write anything.
    """
    return next(iter(values_of(message, "Gitreg-Record")), None)


def build_seal(
    repository: Repository, settings: RegistryDocument, commit: str, record: Mapping[str, Any], digest: str
) -> tuple[str, str]:
    """Write the tag object that seals a record in the commit that brought it.

    Returns
    -------
    tuple:
        The tag's full name and its object's id. No ref is moved.
    """
    ref = tag_ref(settings, record["model"], record["version"])
    tagger = repository.commit(commit).committer
    name = ref.removeprefix("refs/tags/")
    return ref, repository.build_tag(name, commit, message=tag_message(record, digest), tagger=tagger)


def tagged_numbers(repository: Repository, snapshot: Snapshot, model: str) -> list[int]:
    """Give the numbers that tags of a model say are taken though the branch has no record of them."""
    settings = snapshot.settings
    recorded = set(snapshot.names_taken(model))
    numbers = []
    for ref, oid in repository.refs(f"{tag_prefix(settings)}{slug(model)}@").items():
        named = parse_tag_ref(settings, ref)
        if named is None or named[0] != model or named[1] in recorded:
            continue
        tag = repository.tag(oid)
        told = values_of(tag.message, "Gitreg-Number") if tag else []
        number = as_number(told[0] if told else named[1])
        if number is not None:
            numbers.append(number)
    return numbers

"""Results of writes as sentences: ``Promoted ranker@2 to production, in the place of ranker@1``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from gitreg.cli.output import value_text
from gitreg.documents.types import ArtifactDocument, ArtifactRecord, VersionDocument, amount_text
from gitreg.units import counted, listed

if TYPE_CHECKING:
    from gitreg.git.read_repository import ReadOnlyRepository
    from gitreg.registry.writing.changes import Changes, Difference
    from gitreg.sdk.verbs.remotes import Pulled

_LONGEST = 40  # characters of a value; a longer one is not repeated


def sentence(changes: Changes) -> str:
    """Return what committed changes did, as a sentence in the past tense without its full stop."""
    facts = dict(reversed(changes.trailers))
    write = _SENTENCES.get(facts.get("Operation", ""), _subject)
    overridden = [value for name, value in changes.trailers if name == "Overridden"]
    return write(changes, facts) + (f", overriding {', '.join(overridden)}" if overridden else "")


def amount(artifacts: Iterable[ArtifactRecord | ArtifactDocument]) -> str:
    """Return the number of files and their size in brackets; where a record leaves the files out, the size alone."""
    text = amount_text(list(artifacts))
    return f" ({text})" if text else ""


def moved_sentence(repository: ReadOnlyRepository, moved: Pulled, verb: str) -> str:
    """Return the sentence of a pull or a push: the number of commits, and the subjects of the newest.

    Parameters
    ----------
    verb:
        ``Pulled`` or ``Pushed``.
    """
    commits = repository.line(moved.after, until=moved.before) if moved.after else []
    subjects = (repository.commit(oid).message.partition("\n")[0] for oid in commits)
    number = f"{counted(len(commits), 'commit')} {'to' if verb == 'Pushed' else 'of'} {moved.branch}"
    return f"{verb} {number}: {listed(subjects, len(commits), 'commit')}"


# -- of operations -----------------------------------------------------------------------------------------------------


def _subject(changes: Changes, _: Mapping[str, str]) -> str:
    return changes.subject


def _saved(changes: Changes, facts: Mapping[str, str]) -> str:
    records = [each for each in changes.files.values() if isinstance(each, VersionDocument)]
    names = (f"{record.model}@{record.version}" for record in records)
    stages = [value for name, value in changes.trailers if name == "Stage"]
    stage = f" as {stages[0]}{_instead(facts)}" if len(records) == 1 and stages else ""
    return f"Saved {listed(names, len(records), 'version')}{_files(records)}{stage}"


def _files(records: Iterable[VersionDocument]) -> str:
    return amount([artifact for record in records for artifact in record.artifacts.values()])


def _saved_artifact(changes: Changes, facts: Mapping[str, str]) -> str:
    documents = [each for each in changes.files.values() if isinstance(each, ArtifactDocument)]
    return f"Saved the artifact {facts['Artifact']}{amount(documents)}"


def _linked(changes: Changes, facts: Mapping[str, str]) -> str:
    if any(isinstance(each, VersionDocument) for each in changes.files.values()):
        return f"Saved {_version(facts)}, with {facts['Artifact']} linked to it"
    return f"Linked {facts['Artifact']} to {_version(facts)}"


def _sealed(changes: Changes, facts: Mapping[str, str]) -> str:
    records = [each for each in changes.files.values() if isinstance(each, VersionDocument)]
    names = (f"{record.model}@{record.version}" for record in records)
    made = f": {listed(names, len(records), 'version')}" if records else ""
    return f"Sealed {facts['Run']}{made}{_files(records)}"


def _promoted(changes: Changes, facts: Mapping[str, str]) -> str:
    former = [key.name for key, document in changes.files.items() if key.kind == "stage" and document is None]
    of = f" from {former[0]}" if former else ""
    return (
        f"Promoted {_version(facts)}{of} to {facts['Stage']}{_instead(facts)}{_emptied(changes, facts)}{_more(changes)}"
    )


def _emptied(changes: Changes, facts: Mapping[str, str]) -> str:
    return f"; {facts['Model']} has no {changes.emptied} now" if changes.emptied else ""


def _instead(facts: Mapping[str, str]) -> str:
    return f", in the place of {facts['Model']}@{facts['From']}" if "From" in facts else ""


def _rolled_back(changes: Changes, facts: Mapping[str, str]) -> str:
    returned = f"Rolled {facts['Stage']} of {facts['Model']} back to {facts['Version']}{_was(facts)}"
    return returned + _emptied(changes, facts)


def _set_alias(_: Changes, facts: Mapping[str, str]) -> str:
    return f"Set the alias {facts['Alias']} of {facts['Model']} to {facts['Version']}{_was(facts)}"


def _deleted_alias(_: Changes, facts: Mapping[str, str]) -> str:
    return f"Deleted the alias {facts['Alias']} of {facts['Model']}{_was(facts)}"


def _was(facts: Mapping[str, str]) -> str:
    return f" (was {facts['From']})" if "From" in facts else ""


def _archived(changes: Changes, facts: Mapping[str, str]) -> str:
    return f"Archived {_version(facts)}{_left(changes)}{_more(changes)}"


def _deleted(changes: Changes, facts: Mapping[str, str]) -> str:
    if "Version" in facts:
        return f"Deleted {_version(facts)}{_left(changes)}"
    versions = sum(key.kind == "annotation" for key in changes.files)
    return f"Deleted the model {facts['Model']} with {counted(versions, 'version')}"


def _left(changes: Changes) -> str:
    """Return the stages and aliases that nothing points to any more."""
    pointers = [key for key, document in changes.files.items() if key.kind in ("stage", "alias") and document is None]
    if not pointers:
        return ""
    return f"; {pointers[0].model} has no {' and no '.join(key.name for key in pointers)} now"


def _annotated(changes: Changes, facts: Mapping[str, str]) -> str:
    return f"Annotated {_version(facts)}{_more(changes, ': ')}"


def _updated(changes: Changes, facts: Mapping[str, str]) -> str:
    return f"Updated {facts['Model']}{_more(changes, ': ')}"


def _set(changes: Changes, _: Mapping[str, str]) -> str:
    (change,) = changes.differences
    was = f" (was {value_text(change.before)})" if change.before not in (None, "", ()) else ""
    if change.after in (None, "", ()):
        return f"Removed {change.field}{was}"
    return f"Set {change.field} to {value_text(change.after)}{was}"


def _edited(changes: Changes, _: Mapping[str, str]) -> str:
    (key,) = changes.files
    return f"Edited {key.path}"


def _about_version(verb: str) -> Callable[[Changes, Mapping[str, str]], str]:
    return lambda _, facts: f"{verb} {_version(facts)}"


def _about_store(words: str) -> Callable[[Changes, Mapping[str, str]], str]:
    return lambda _, facts: f"{words} {facts['Store']}"


def _version(facts: Mapping[str, str]) -> str:
    return f"{facts['Model']}@{facts['Version']}"


_SENTENCES: Mapping[str, Callable[[Changes, Mapping[str, str]], str]] = {
    "alias": _set_alias,
    "annotate": _annotated,
    "approve": lambda _, facts: f"Approved {_version(facts)} for {facts['Stage']}",
    "approve-settings": lambda _, __: "Approved a change of gitreg.yaml",
    "archive": _archived,
    "artifact": _saved_artifact,
    "config": _set,
    "delete": _deleted,
    "delete-alias": _deleted_alias,
    "edit": _edited,
    "id": lambda _, __: "Gave the registry an id",
    "link": _linked,
    "promote": _promoted,
    "register": lambda _, facts: f"Registered {facts['Model']}",
    "rollback": _rolled_back,
    "save": _saved,
    "seal": _sealed,
    "store-add": _about_store("Added the store"),
    "store-remove": _about_store("Removed the store"),
    "store-set": _about_store("Moved the weights to"),
    "undelete": _about_version("Undeleted"),
    "unyank": _about_version("Unyanked"),
    "update": _updated,
    "yank": _about_version("Yanked"),
}


# -- of differences ----------------------------------------------------------------------------------------------------


def _more(changes: Changes, separator: str = "; ") -> str:
    parts = [part for difference in changes.differences for part in _differing(difference)]
    return separator + ", ".join(parts) if parts else ""


def _differing(difference: Difference) -> Iterator[str]:
    name, before, after = difference
    if name == "tags":
        yield from (f"+tag {tag}" for tag in after if tag not in before)
        yield from (f"-tag {tag}" for tag in before if tag not in after)
        return
    name = name.removeprefix("metadata.")
    if after is None:
        yield f"-{name}"
        return
    values = [value_text(value) for value in (before, after) if value is not None]
    long = any(len(value) > _LONGEST or "\n" in value for value in values)
    yield name if long else f"{name} {' -> '.join(values)}"

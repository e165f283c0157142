"""Words for completion, for each kind of value that a command takes; independent of click."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gitreg.cli.completion.offers import Given, Offer, continued, models, references, stages, versions_of
from gitreg.documents.layout import REGISTRY_FILE, Key
from gitreg.registry.query.filters import MODEL_FIELDS, OPERATORS, VERSION_FIELDS
from gitreg.registry.query.rows import MODEL_COLUMNS, VERSION_COLUMNS
from gitreg.registry.state.references import resolve
from gitreg.registry.state.runs_and_artifacts import artifact_names, artifact_versions
from gitreg.sdk import verbs

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.session import Session


def versions(session: Session, _: str, given: Given) -> Iterable[str]:
    """Return the versions of the model that is given."""
    return versions_of(session, _model(given) or "")


def aliases(session: Session, _: str, given: Given) -> Iterable[str]:
    """Return the aliases of the model that is given, or of all."""
    snapshot = session.snapshot()
    model = _model(given)
    return [alias for name in ([model] if model else snapshot.model_names()) for alias in snapshot.aliases(name)]


def tags(session: Session, _: str, given: Given) -> Iterable[str]:
    """Yield the tags of the model that is given and its versions, or of all."""
    for found in _versions_of(session, _model(given)):
        yield from found.tags
    for card in session.snapshot().models():
        if _model(given) in (None, card.name):
            yield from card.document.tags


def metadata(session: Session, _: str, given: Given) -> Iterable[str]:
    """Return the keys of the metadata of the model that is given, or of all, each with ``=``."""
    return [f"{key}=" for key in _metadata_keys(session, given)]


def metadata_keys(session: Session, _: str, given: Given) -> Iterable[str]:
    """Return the keys of the metadata of the model that is given, or of all."""
    return _metadata_keys(session, given)


def words_of_list(session: Session, incomplete: str, given: Given) -> Iterable[str]:
    """Yield the models for the first word of ``list``, and filters for each."""
    words = given.get("words") or ()
    if not words:
        yield from session.snapshot().model_names()
    yield from version_filters(session, incomplete, given)


def version_filters(session: Session, incomplete: str, given: Given) -> Iterable[str]:
    """Return filters of versions: fields, behind ``=`` operators and values."""
    return _filters(session, incomplete, given, _version_fields(session, incomplete, given))


def model_filters(session: Session, incomplete: str, given: Given) -> Iterable[str]:
    """Return filters of models."""
    return _filters(session, incomplete, given, [*MODEL_FIELDS, *_model_keys(session)])


def _filters(session: Session, incomplete: str, given: Given, fields: Sequence[str]) -> Iterator[str]:
    field, equals, rest = incomplete.partition("=")
    if not equals:
        yield from (f"{each}=" for each in fields)
        return
    operator, colon, _ = rest.partition(":")
    start = f"{field}={operator}:" if colon else f"{field}="
    if not colon:
        yield from (f"{start}{each}" if "null" in each else f"{start}{each}:" for each in OPERATORS)
    yield from (f"{start}{value}" for value in _values(session, field, given))


def _values(session: Session, field: str, given: Given) -> Iterable[str]:
    """Return the values that a field has."""
    by_field: dict[str, Offer] = {
        "stage": stages,
        "tag": tags,
        "alias": aliases,
        "model": models,
        "name": models,
        "version": versions,
        "archived": _booleans,
        "yanked": _booleans,
    }
    return by_field[field](session, "", given) if field in by_field else ()


def _booleans(_: Session, __: str, ___: Given) -> Iterable[str]:
    return ("true", "false")


def orders(session: Session, incomplete: str, given: Given) -> Iterable[str]:
    """Return the fields that a listing is sorted by, with ``desc:`` and without."""
    if _lists_models(given):
        fields = [*MODEL_FIELDS, *_model_keys(session)]
    else:
        fields = _version_fields(session, incomplete.removeprefix("desc:"), given)
    return [*fields, *(f"desc:{field}" for field in fields)]


def fields(session: Session, incomplete: str, given: Given) -> Iterable[str]:
    """Return the fields of a model or of a version, behind those that are chosen."""
    if _lists_models(given):
        return continued(incomplete, [*MODEL_COLUMNS, "stages", "metadata", *_model_keys(session)])
    keys = (f"metadata.{key}" for key in _metadata_keys(session, given))
    return continued(incomplete, [*VERSION_COLUMNS, "metadata", *keys, "source", "run", "artifacts"])


def artifacts(session: Session, incomplete: str, _: Given) -> Iterable[str]:
    """Return the artifacts, or after an ``@`` the versions of one."""
    name, at, _rest = incomplete.rpartition("@")
    if not at:
        return artifact_names(session.snapshot())
    return [f"{name}@{each.version}" for each in artifact_versions(session.snapshot(), name)]


def lineage_roots(session: Session, incomplete: str, given: Given) -> Iterable[str]:
    """Return what has a lineage: versions of models, artifacts and runs."""
    return [*inputs(session, incomplete, given), *runs(session, incomplete, given)]


def inputs(session: Session, incomplete: str, given: Given) -> Iterable[str]:
    """Return what a version may be made from: versions of models and artifacts."""
    return [*references(session, incomplete, given), *artifacts(session, incomplete, given)]


def artifacts_of_version(session: Session, _: str, given: Given) -> Iterable[str]:
    """Return the names of the artifacts of the version that is given."""
    found = _version(session, given)
    return found.artifacts if found else ()


def files(session: Session, incomplete: str, _: Given) -> Iterable[str]:
    """Return the references, or after a colon the files of the version, as ``cat`` takes them."""
    reference, colon, _path = incomplete.partition(":")
    if not colon:
        return references(session, incomplete, {})
    found = _version(session, {"reference": reference})
    return [f"{reference}:{path}" for path in _paths(found)]


def paths(session: Session, _: str, given: Given) -> Iterable[str]:
    """Return the files of the version that is given."""
    return _paths(_version(session, given))


def runs(session: Session, incomplete: str, _: Given) -> Iterable[str]:
    """Return the runs, as ``PIPELINE/RUN``; by their names alone where the word begins like one."""
    rows = _runs(session)
    return [*(f"{row['pipeline']}/{row['run']}" for row in rows), *(row["run"] for row in rows if incomplete)]


def drafts(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the runs that are not sealed."""
    return [row["run"] for row in verbs.drafts.draft_rows(session)]


def pipelines(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the pipelines."""
    return [row["pipeline"] for row in _runs(session)]


def moments(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the branches and tags whose commits show what the registry said."""
    return ["HEAD", *_short_refs(session, "refs/heads/"), *_short_refs(session, "refs/tags/")]


def branches(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the branches, those of remotes with the remote's name."""
    return [*_short_refs(session, "refs/heads/"), *_short_refs(session, "refs/remotes/")]


def remotes(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the Git remotes."""
    return session.branch.repository.remotes.names()


def stores(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the stores that the registry names."""
    return [named.url for named in session.named_stores()]


def replicas(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the stores that hold copies."""
    return [named.url for named in session.named_stores()[1:]]


def settings(_: Session, __: str, ___: Given) -> Iterable[str]:
    """Return the settings that have names."""
    return verbs.settings.FIELDS


def values_of_setting(session: Session, incomplete: str, given: Given) -> Iterable[str]:
    """Return values for the setting that is given."""
    by_name: dict[str, Offer] = {"remote": remotes, "store": stores, "stages": stages}
    found = by_name.get(given.get("name") or "")
    return found(session, incomplete, given) if found else ()


def registry_files(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the files of the registry that people edit."""
    names = session.snapshot().model_names()
    return [REGISTRY_FILE, *(Key(kind, name, "").path for name in names for kind in ("card", "model"))]


def _model(given: Given) -> str | None:
    """Return the model that the command line names, in whatever argument."""
    first: str = given.get("model") or given.get("reference") or given.get("name") or next(iter(_words(given)), "")
    return first.partition("@")[0] or None


def _lists_models(given: Given) -> bool:
    """Return whether the command line is for models, not for versions: none is named, and nothing is asked of one."""
    if "words" in given:
        return not given["words"]
    return "version" not in given and "reference" not in given and ("model" not in given or "filters" not in given)


def _words(given: Given) -> Iterator[str]:
    return (word for word in given.get("words") or () if "=" not in word)


def _version(session: Session, given: Given) -> ModelVersion | None:
    named = given.get("reference") or given.get("target") or (given.get("file") or "").partition(":")[0]
    return resolve(session.snapshot(), named)


def _versions_of(session: Session, model: str | None) -> Iterator[ModelVersion]:
    snapshot = session.snapshot()
    for name in [model] if model else snapshot.model_names():
        yield from snapshot.versions(name)


def _metadata_keys(session: Session, given: Given) -> Iterable[str]:
    return dict.fromkeys(key for version in _versions_of(session, _model(given)) for key in version.metadata)


def _version_fields(session: Session, incomplete: str, given: Given) -> list[str]:
    """Return the fields of versions; keys of metadata alone, too, where the word begins like one."""
    keys = list(_metadata_keys(session, given))
    alone = [key for key in keys if incomplete and key not in VERSION_FIELDS]
    return [*VERSION_FIELDS, *(f"metadata.{key}" for key in keys), *alone]


def _model_keys(session: Session) -> Iterable[str]:
    return dict.fromkeys(f"metadata.{key}" for card in session.snapshot().models() for key in card.document.metadata)


def _paths(version: ModelVersion | None) -> Iterable[str]:
    return [path for artifact in (version.artifacts if version else {}).values() for path in artifact.files or ()]


def _runs(session: Session) -> list[dict[str, Any]]:
    return verbs.drafts.run_rows(session)


def _short_refs(session: Session, prefix: str) -> Iterator[str]:
    return (name.removeprefix(prefix) for name in session.branch.repository.refs(prefix))

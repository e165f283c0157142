"""The lists of models and versions: filtered, sorted, in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gitreg.names import check_list
from gitreg.registry.query.filters import (
    DEFAULT_PAGE_SIZE,
    MODEL_FIELDS,
    VERSION_FIELDS,
    Filter,
    Page,
    make_filter,
    parse_filter,
    select,
    value_of,
)
from gitreg.registry.query.rows import MODEL_COLUMNS, VERSION_COLUMNS, VersionFacts, model_row, version_row
from gitreg.registry.state.snapshot import Snapshot
from gitreg.suggestions import nearest


def list_models(
    snapshot: Snapshot,
    filters: Sequence[str] | Mapping[str, Any] = (),
    *,
    match_any: bool = False,
    sort: str | None = None,
    page: int = 1,
    size: int = DEFAULT_PAGE_SIZE,
) -> Page[dict[str, Any]]:
    """Return a page of models (:func:`gitreg.registry.query.rows.model_row`).

    Parameters
    ----------
    filters:
        ``["tag=sklearn"]`` or ``{"tag": "sklearn"}``; see :mod:`gitreg.registry.query.filters`.

    Raises
    ------
    InvalidInput
        A filter, the sort order or the page is invalid.
    """
    models = snapshot.models()

    def keys() -> Iterable[str]:
        return dict.fromkeys(key for model in models for key in model.document.metadata)

    chosen = _filters(filters, MODEL_FIELDS, keys)
    items, total = select(
        map(model_row, models),
        chosen,
        fields=MODEL_FIELDS,
        keys=keys,
        match_any=match_any,
        sort=sort,
        page=page,
        size=size,
    )
    return Page(items, total, page, size, MODEL_COLUMNS)


def list_versions(
    snapshot: Snapshot,
    model: str | None = None,
    filters: Sequence[str] | Mapping[str, Any] = (),
    *,
    match_any: bool = False,
    sort: str | None = None,
    page: int = 1,
    size: int = DEFAULT_PAGE_SIZE,
) -> Page[dict[str, Any]]:
    """Return a page of versions (:func:`gitreg.registry.query.rows.version_row`), of one model or of all (None).

    Without a sort order, the newest version of each model comes first.

    Raises
    ------
    NotFound
        There is no such model.
    InvalidInput
        A filter, the sort order or the page is invalid.
    """
    names = snapshot.model_names() if model is None else [snapshot.card_fields(model).name]
    rows = (VersionFacts(version) for name in names for version in reversed(snapshot.versions(name)))

    def keys() -> Iterable[str]:
        return metadata_keys(snapshot, names)

    chosen = _filters(filters, VERSION_FIELDS, keys)
    items, total = select(
        rows, chosen, fields=VERSION_FIELDS, keys=keys, match_any=match_any, sort=sort, page=page, size=size
    )
    return Page([version_row(each.version) for each in items], total, page, size, VERSION_COLUMNS)


def likely_filter(snapshot: Snapshot, model: str | None, filters: Sequence[str]) -> tuple[str, str] | None:
    """Return the first filter whose key or value no version has, and the one that was probably meant; None if unclear.

    Parameters
    ----------
    model:
        The model whose versions were asked for; None for all.
    """
    names = snapshot.model_names() if model is None else [model]
    keys = metadata_keys(snapshot, names)
    for text in filters:
        wanted = parse_filter(text, VERSION_FIELDS, lambda: keys)
        key = wanted.field.removeprefix("metadata.")
        if key != wanted.field and key not in keys and key.partition(".")[0] not in keys:
            written, known = key, keys
        elif wanted.operator == "equals":
            values = [value_of(VersionFacts(each), wanted.field) for name in names for each in snapshot.versions(name)]
            flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
            written, known = wanted.value, [item for item in dict.fromkeys(flat) if isinstance(item, str)]
            known += snapshot.settings.stages if wanted.field == "stage" else ()
        else:
            continue
        near = nearest(written, known, most=1)
        if near and written not in known:
            start, _, end = text.rpartition(written) if written == wanted.value else text.partition(written)
            return text, f"{start}{near[0]}{end}"
    return None


def metadata_keys(snapshot: Snapshot, models: Iterable[str]) -> list[str]:
    """Return the keys of the metadata of all versions of these models, the oldest version's first."""
    return list(
        dict.fromkeys(key for name in models for version in snapshot.versions(name) for key in version.metadata)
    )


def _filters(
    filters: Sequence[str] | Mapping[str, Any], fields: Sequence[str], keys: Callable[[], Iterable[str]]
) -> list[Filter]:
    if isinstance(filters, Mapping):
        return [make_filter(field, condition, fields, keys) for field, condition in filters.items()]
    check_list(filters, "filters")
    return [parse_filter(text, fields, keys) for text in filters]

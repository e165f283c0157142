"""Listings as DataFrames of pandas: a column for each field, ``metadata.accuracy`` for a key of a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitreg.materializers import frames
from gitreg.registry.query.rows import model_row, version_row
from gitreg.registry.state.snapshot import ModelCard, ModelVersion

DATES = ("created_at", "updated_at")
"""The fields that are dates, and become aware datetimes."""


def to_pandas(items: Sequence[Any], columns: Sequence[str]) -> Any:
    """Return a DataFrame of the items of a page: rows, versions or models.

    Parameters
    ----------
    columns:
        The columns that come first, and that an empty frame has, too.

    Returns
    -------
    pandas.DataFrame:
        Dates are aware datetimes, numbers are numbers, missing values are missing; of the artifacts, the names.

    Raises
    ------
    InvalidInput
        pandas is not installed.
    """
    rows = [dict(_cells(row_of(item))) for item in items]
    names = dict.fromkeys((*columns, *(name for row in rows for name in row)))
    return frames.new_frame({name: [row.get(name) for row in rows] for name in names}, dates=DATES)


def row_of(item: Any) -> Mapping[str, Any]:
    """Return a version or a model as plain data; a row is itself."""
    if isinstance(item, ModelVersion):
        return version_row(item)
    return model_row(item) if isinstance(item, ModelCard) else item


def _cells(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if name == "artifacts":
            yield name, list(value)
        else:
            yield from _dotted(name, value)


def _dotted(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a value by its name; of a mapping, each value by the dotted name that filters have for it."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _dotted(f"{name}.{key}", each)
    elif value is not None or "." in name:
        yield name, value

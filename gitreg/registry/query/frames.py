"""Listings as DataFrames of pandas: a column for each field, ``metadata.accuracy`` for a key of a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitreg.materializers import frames
from gitreg.registry.query.rows import cells

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
    rows = [cells(item) for item in items]
    names = dict.fromkeys((*columns, *(name for row in rows for name in row)))
    return frames.new_frame({name: [row.get(name) for row in rows] for name in names}, dates=DATES)

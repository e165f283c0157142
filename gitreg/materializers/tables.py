"""Tables of pandas, polars and pyarrow, in Parquet.

What was written is read back and compared before it counts: Parquet has no word for some of what a table can hold (a
Python list in a cell comes back as an array), and that is an error, never another value. Only the frequency of a pandas
index and which missing value (None, NaN, NaT) stood in a column of objects are not kept.
The same table is the same bytes with the same version of the library: Parquet names its writer.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer, check_exact, shown

_FILE = "table.parquet"
_HINT = "convert it to numbers, strings or dates"


class PandasFrame(Materializer):
    """A DataFrame with its index, names and dtypes."""

    name = "pandas.dataframe"
    types = ("pandas.DataFrame", "pandas.core.frame.DataFrame")  # as pandas 3 and as pandas 2 name it
    needs = "pandas pyarrow"

    def write(self, value: object, folder: Path) -> None:
        """Write ``table.parquet``."""
        import pandas as pd

        check_exact(value, pd.DataFrame)
        _write_frame(value, folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Read it."""
        return _read_frame(folder)


class PandasSeries(Materializer):
    """A Series with its index, name and dtype, as a table of one column."""

    name = "pandas.series"
    types = ("pandas.Series", "pandas.core.series.Series")
    needs = "pandas pyarrow"

    def write(self, value: object, folder: Path) -> None:
        """Write ``table.parquet``."""
        import pandas as pd

        check_exact(value, pd.Series)
        assert isinstance(value, pd.Series)
        _write_frame(_as_frame(value), folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Read it."""
        frame = _read_frame(folder)
        if frame.shape[1] != 1:
            raise InvalidInput(f"{_FILE} has {frame.shape[1]} columns, a Series has one")
        series = frame.iloc[:, 0]
        series.attrs = {name: value for name, value in frame.attrs.items() if name != _NAMELESS}
        return series.rename(None) if frame.attrs.get(_NAMELESS) else series


_NAMELESS = (
    "gitreg.nameless"  # in the attributes of the table: the Series had no name, which Parquet's column must have
)


def _as_frame(series: Any) -> Any:
    frame = series.to_frame("value" if series.name is None else series.name)
    frame.attrs = {**series.attrs, _NAMELESS: True} if series.name is None else dict(series.attrs)
    return frame


def _write_frame(frame: Any, folder: Path) -> None:
    from pandas.testing import assert_frame_equal

    frame.to_parquet(folder / _FILE, engine="pyarrow")
    back = _read_frame(folder)
    if frame.attrs != back.attrs:
        raise InvalidInput("what stands in the table's attrs would come back changed", hint="keep JSON values there")
    for position, column in enumerate(frame.columns):
        _check_objects(frame.iloc[:, position], back.iloc[:, position], column)
    try:
        assert_frame_equal(frame, back, check_exact=True, check_freq=False, check_column_type=True)
    except AssertionError as error:
        raise InvalidInput(f"Parquet would give back another table: {_one_line(error)}", hint=_HINT) from None


def _check_objects(column: Any, back: Any, name: object) -> None:
    """Compare the types of a column's objects, of which pandas would say that a list equals an array."""
    if column.dtype != object:
        return
    for row, (was, is_now) in enumerate(zip(column, back, strict=True)):
        if type(was) is not type(is_now) and not (_missing(was) and _missing(is_now)):
            raise InvalidInput(
                f"column {name!r}, row {row} holds {shown(type(was))}, "
                f"which Parquet would give back as {shown(type(is_now))}",
                hint=_HINT,
            )


def _missing(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _read_frame(folder: Path) -> Any:
    import pandas as pd

    return pd.read_parquet(folder / _FILE, engine="pyarrow")


class PolarsFrame(Materializer):
    """A polars DataFrame with its schema."""

    name = "polars.dataframe"
    types = ("polars.dataframe.frame.DataFrame",)
    needs = "polars"

    def write(self, value: object, folder: Path) -> None:
        """Write ``table.parquet``."""
        import polars as pl

        check_exact(value, pl.DataFrame)
        assert isinstance(value, pl.DataFrame)
        value.write_parquet(folder / _FILE)
        back = self.read(folder, trusted=False, expected=None)
        if back.schema != value.schema:
            changed = [name for name, kind in value.schema.items() if back.schema.get(name) != kind]
            raise InvalidInput(f"Parquet would change the types of the columns {', '.join(changed)}", hint=_HINT)
        if not value.equals(back):
            raise InvalidInput("Parquet would give back another table", hint=_HINT)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Read it."""
        import polars as pl

        return pl.read_parquet(folder / _FILE, glob=False, hive_partitioning=False)


class ArrowTable(Materializer):
    """A pyarrow Table with its schema and metadata."""

    name = "pyarrow.table"
    types = ("pyarrow.lib.Table",)
    needs = "pyarrow"

    def write(self, value: object, folder: Path) -> None:
        """Write ``table.parquet``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        check_exact(value, pa.Table)
        assert isinstance(value, pa.Table)
        pq.write_table(value, folder / _FILE)
        back = self.read(folder, trusted=False, expected=None)
        for field in value.schema:
            if not back.schema.field(field.name).equals(field, check_metadata=True):
                now = back.schema.field(field.name)
                raise InvalidInput(f"Parquet would change the column {field} to {now}", hint=_HINT)
        if not _same(value, back):
            raise InvalidInput("Parquet would give back another table", hint=_HINT)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Read it."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(folder / _FILE) as file:
            return file.read()


def _same(table: Any, back: Any) -> bool:
    """Say whether two tables are equal; to pyarrow no NaN equals another, so where it says no they are spelled out."""
    return bool(table.schema.metadata == back.schema.metadata and (table.equals(back) or _equal_with_nans(table, back)))


def _equal_with_nans(table: Any, back: Any) -> bool:
    return all(
        before.combine_chunks().to_pylist().__repr__() == after.combine_chunks().to_pylist().__repr__()
        for before, after in zip(table.columns, back.columns, strict=True)
        if not before.equals(after)
    )


def _one_line(error: BaseException) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())

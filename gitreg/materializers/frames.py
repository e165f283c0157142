"""pandas tables, in Parquet; each is read back and compared after writing.

Parquet cannot represent some values of a table (a Python list in a cell comes back as an array): they raise an error
and are never changed silently. Changed dtypes that can be restored are noted in ``dtypes.json``. Only an index's
frequency, and the kind of missing value (None, NaN, NaT) in a column of objects, are not kept. The same table gives
the same bytes with the same versions of the libraries, which write their versions into the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer, check_exact, shown

_FILE = "table.parquet"
_DTYPES = "dtypes.json"
_HINT = "convert it to numbers, strings or dates"


class PandasFrame(Materializer):
    """A DataFrame with its index, names and dtypes."""

    name = "pandas.dataframe"
    types = ("pandas.DataFrame", "pandas.core.frame.DataFrame")  # the names in pandas 3 and in pandas 2
    needs = "pandas pyarrow"
    safe_from = (("pyarrow", "14.0.1"),)  # CVE-2023-47248: pickles in the schema

    def write(self, value: object, folder: Path) -> None:
        """Write ``table.parquet``."""
        import pandas as pd

        check_exact(value, pd.DataFrame)
        _write_frame(value, folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the DataFrame."""
        return _read_frame(folder)


class PandasSeries(Materializer):
    """A Series with its index, name and dtype, as a table of one column."""

    name = "pandas.series"
    types = ("pandas.Series", "pandas.core.series.Series")
    needs = "pandas pyarrow"
    safe_from = (("pyarrow", "14.0.1"),)  # CVE-2023-47248: pickles in the schema

    def write(self, value: object, folder: Path) -> None:
        """Write ``table.parquet``."""
        import pandas as pd

        check_exact(value, pd.Series)
        assert isinstance(value, pd.Series)
        _write_frame(_as_frame(value), folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the Series."""
        frame = _read_frame(folder)
        if frame.shape[1] != 1:
            raise InvalidInput(f"{_FILE} has {frame.shape[1]} columns, a Series has one")
        series = frame.iloc[:, 0]
        series.attrs = {name: value for name, value in frame.attrs.items() if name != _NAMELESS}
        return series.rename(None) if frame.attrs.get(_NAMELESS) else series


_NAMELESS = (
    "gitreg.nameless"  # key in the table's attrs: the Series had no name, although Parquet requires a column name
)


def _as_frame(series: Any) -> Any:
    frame = series.to_frame("value" if series.name is None else series.name)
    frame.attrs = {**series.attrs, _NAMELESS: True} if series.name is None else dict(series.attrs)
    return frame


def _write_frame(frame: Any, folder: Path) -> None:
    import pyarrow  # noqa: F401 - where it is missing, this names it alone, and pandas does not
    from pandas.testing import assert_frame_equal

    frame.to_parquet(folder / _FILE, engine="pyarrow")
    back = _read_frame(folder)
    if changed := _changed_dtypes(frame, back):
        (folder / _DTYPES).write_text(json.dumps(changed, sort_keys=True), encoding="utf-8")
        back = _read_frame(folder)
    if frame.attrs != back.attrs:
        raise InvalidInput("what stands in the table's attrs would come back changed", hint="keep JSON values there")
    for position, column in enumerate(frame.columns):
        _check_objects(frame.iloc[:, position], back.iloc[:, position], column)
    try:
        assert_frame_equal(_alike(frame), _alike(back), check_exact=True, check_freq=False)
    except AssertionError as error:
        raise InvalidInput(f"Parquet would give back another table: {_one_line(error)}", hint=_HINT) from None


def _read_frame(folder: Path) -> Any:
    import pandas as pd
    import pyarrow  # noqa: F401 - as for writing

    frame = pd.read_parquet(folder / _FILE, engine="pyarrow")
    if (folder / _DTYPES).exists():
        changed = json.loads((folder / _DTYPES).read_bytes())
        dtypes = {frame.columns[int(position)]: dtype for position, dtype in changed["columns"].items()}
        attrs, frame = frame.attrs, frame.astype(dtypes)
        frame.attrs = attrs
        frame.index = frame.index.astype(changed.get("index", frame.index.dtype))
        frame.columns = frame.columns.astype(changed.get("names", frame.columns.dtype))
    return frame


def _changed_dtypes(frame: Any, back: Any) -> dict[str, Any]:
    """Return the dtypes that Parquet changes (strings as objects, seconds) and that reading has to restore."""
    pairs = enumerate(zip(frame.dtypes, back.dtypes, strict=True))
    changed: dict[str, Any] = {
        "columns": {str(position): _named(was) for position, (was, now) in pairs if _named(was) != _named(now)}
    }
    for name, was, now in (("index", frame.index, back.index), ("names", frame.columns, back.columns)):
        if _named(was.dtype) != _named(now.dtype) and was.nlevels == now.nlevels == 1:
            changed[name] = _named(was.dtype)
    return changed if len(changed) > 1 or changed["columns"] else {}


def _named(dtype: Any) -> str:
    return f"string[{dtype.storage}]" if str(dtype) == "string" else str(dtype)  # str() leaves out the storage


def _alike(frame: Any) -> Any:
    """Return the frame with None for all missing values in its columns of objects."""
    from pandas.api.types import is_object_dtype

    columns = [name for name, dtype in frame.dtypes.items() if is_object_dtype(dtype)]
    return (
        frame.assign(**{name: frame[name].where(frame[name].notna(), None) for name in columns}) if columns else frame
    )


def _check_objects(column: Any, back: Any, name: object) -> None:
    """Raise InvalidInput if an object's type changes; pandas would treat a list and an array as equal."""
    if column.dtype != object:
        return
    for row, (was, now) in enumerate(zip(column, back, strict=True)):
        if type(was) is not type(now) and not (_missing(was) and _missing(now)):
            raise InvalidInput(
                f"column {name!r}, row {row} holds {shown(type(was))}, "
                f"which Parquet would give back as {shown(type(now))}",
                hint=_HINT,
            )


def _missing(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _one_line(error: BaseException) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


# -- tables of values --------------------------------------------------------------------------------------------------


def new_frame(columns: Mapping[str, Sequence[Any]], *, dates: Collection[str] = ()) -> Any:
    """Return a DataFrame of plain values by column; None is a missing value, and leaves whole numbers whole.

    Parameters
    ----------
    dates:
        The columns of dates, as text in ISO 8601; they become aware datetimes in UTC.

    Raises
    ------
    InvalidInput
        pandas is not installed.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"a DataFrame needs {error.name}, which is not installed", hint="pip install pandas"
        ) from None
    series = {
        name: pd.to_datetime(pd.Series(values, dtype=object), utc=True, format="ISO8601", errors="coerce")
        if name in dates
        else pd.Series(values, dtype=_dtype(values))
        for name, values in columns.items()
    }
    return pd.DataFrame(series)


def _dtype(values: Sequence[Any]) -> str | None:
    """Return the dtype that keeps the values of a column; None where pandas chooses it."""
    kinds = {type(value) for value in values if value is not None}
    if None not in values or kinds not in ({int}, {bool}):
        return None if kinds in ({int}, {bool}, {float}, {str}) or kinds == {int, float} else "object"
    if kinds == {bool}:
        return "boolean"
    return "Int64" if all(-(2**63) <= value < 2**63 for value in values if value is not None) else "object"

"""Tables of polars and pyarrow, in Parquet, read back and compared: a table that would change is refused.

The same table gives the same bytes with the same version of the library, which writes its version into the file.
"""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer, check_exact

_FILE = "table.parquet"
_HINT = "convert it to a type that Parquet has"


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
        """Return the DataFrame."""
        import polars as pl

        return pl.read_parquet(folder / _FILE, glob=False, hive_partitioning=False)


class ArrowTable(Materializer):
    """A pyarrow Table with its schema and metadata.

    The file contains the Arrow schema too, which restores for instance seconds, which Parquet stores as milliseconds.
    """

    name = "pyarrow.table"
    types = ("pyarrow.lib.Table",)
    needs = "pyarrow"
    safe_from = (("pyarrow", "14.0.1"),)  # CVE-2023-47248: pickles in the schema

    def write(self, value: object, folder: Path) -> None:
        """Write ``table.parquet``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        check_exact(value, pa.Table)
        assert isinstance(value, pa.Table)
        pq.write_table(value, folder / _FILE, use_compliant_nested_type=False)  # True would rename the items of lists
        back = self.read(folder, trusted=False, expected=None)
        for field in value.schema:
            if not back.schema.field(field.name).equals(field, check_metadata=True):
                now = back.schema.field(field.name)
                raise InvalidInput(f"Parquet would change the column {field} to {now}", hint=_HINT)
        if not _same(value, back):
            raise InvalidInput("Parquet would give back another table", hint=_HINT)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the Table."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetFile(folder / _FILE) as file:
            table, arrow = file.read(), (file.metadata.metadata or {}).get(b"ARROW:schema")
        return table if arrow is None else table.cast(pa.ipc.read_schema(pa.py_buffer(b64decode(arrow))))


def _same(table: Any, back: Any) -> bool:
    """Return whether two tables are equal; NaN counts as equal to NaN, unlike in pyarrow."""
    return bool(table.schema.metadata == back.schema.metadata and (table.equals(back) or _equal_with_nans(table, back)))


def _equal_with_nans(table: Any, back: Any) -> bool:
    return all(
        before.combine_chunks().to_pylist().__repr__() == after.combine_chunks().to_pylist().__repr__()
        for before, after in zip(table.columns, back.columns, strict=True)
        if not before.equals(after)
    )

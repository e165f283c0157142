"""Tables of polars and pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from gitreg.materializers import read
from tests.materializers.helpers import again, damaged, digests, refused

np: Any = pytest.importorskip("numpy")
pl: Any = pytest.importorskip("polars")
pa: Any = pytest.importorskip("pyarrow")
pq: Any = pytest.importorskip("pyarrow.parquet")
assert_polars_equal = pytest.importorskip("polars.testing").assert_frame_equal
dataframes = pytest.importorskip("polars.testing.parametric").dataframes


@given(
    dataframes(max_cols=4, max_size=5, allowed_dtypes=[pl.Int16, pl.Float64, pl.String, pl.Date, pl.Boolean, pl.List])
)
def test_a_polars_frame_comes_back(frame: Any) -> None:
    assert_polars_equal(again(frame, "polars.dataframe"), frame, check_exact=True)


def test_a_polars_frame_of_objects_is_refused() -> None:
    refused(pl.DataFrame({"a": [object()]}), "cannot be saved as polars.dataframe")


def test_an_arrow_table_comes_back_with_its_metadata_and_nans() -> None:
    schema = pa.schema(
        [
            pa.field("a", pa.float64(), metadata={"unit": "cm"}),
            pa.field("b", pa.list_(pa.int8())),
            pa.field("c", pa.dictionary(pa.int8(), pa.string())),
            pa.field("t", pa.timestamp("s")),
        ],
        metadata={"source": "iris"},
    )
    table = pa.table(
        [[1.0, float("nan")], [[1], None], ["x", "x"], [0, 1]],
        schema=schema,
    )
    back = again(table, "pyarrow.table")
    assert back.schema.equals(schema, check_metadata=True)
    assert str(back.to_pylist()) == str(table.to_pylist())


def test_an_arrow_table_that_parquet_cannot_hold_is_refused() -> None:
    table = pa.table({"a": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])})
    refused(table, "cannot be saved as pyarrow.table")


@pytest.mark.parametrize("table", [pl.DataFrame({"a": ["x"]}), pa.table({"a": [1]})])
def test_damage_is_told_in_words_and_the_same_table_is_the_same_bytes(table: object, tmp_path: Path) -> None:
    assert digests(table) == digests(table)
    damaged(table, tmp_path / "files")


def test_a_large_table_is_the_same_bytes_however_many_threads_write_it() -> None:
    frame = pl.DataFrame({f"c{n}": np.arange(300_000) % (n + 2) for n in range(6)})
    assert digests(frame) == digests(frame)
    assert digests(frame.to_pandas()) == digests(frame.to_pandas())


def test_a_pickle_in_the_schema_of_a_parquet_file_is_not_run(tmp_path: Path) -> None:
    storage = pa.field("a", pa.int64(), metadata={
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": b"\x80\x04\x8c\x08builtins\x94\x8c\x05print\x94\x93\x94\x8c\x04EVIL\x85R.",
    })  # fmt: skip
    pq.write_table(pa.table({"a": [1]}, schema=pa.schema([storage])), tmp_path / "table.parquet")
    table = read(tmp_path, "pyarrow.table")
    assert isinstance(table, pa.Table)
    assert table.column("a").to_pylist() == [1]

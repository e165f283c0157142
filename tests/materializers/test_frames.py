"""Tables of pandas."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import InvalidInput
from gitreg.materializers import read
from tests.materializers.helpers import again, damaged, digests, refused

np: Any = pytest.importorskip("numpy")
pd: Any = pytest.importorskip("pandas")
pdst: Any = pytest.importorskip("hypothesis.extra.pandas")
pytest.importorskip("pyarrow")
assert_frame_equal, assert_series_equal = pd.testing.assert_frame_equal, pd.testing.assert_series_equal

FRAMES = pdst.data_frames(
    [
        pdst.column("int", dtype="int64"),
        pdst.column("float", dtype="float32"),
        pdst.column("bool", dtype=bool),
        pdst.column("text", elements=st.text(st.characters(exclude_categories=["Cs"])), dtype="str"),
    ],
    index=pdst.range_indexes() | pdst.indexes(dtype="int64") | pdst.indexes(dtype="float64"),
)


@given(FRAMES)
def test_a_frame_comes_back_with_its_index_and_dtypes(frame: Any) -> None:
    assert_frame_equal(again(frame, "pandas.dataframe"), frame, check_exact=True)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key")),
        pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])),
        pd.DataFrame({0: [1], 1: [2]}),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
        pd.DataFrame({"a": pd.Categorical(["x", None], categories=["z", "x"], ordered=True)}),
        pd.DataFrame({"t": pd.date_range("2026-01-01", periods=3, tz="Europe/Paris")}),
        pd.DataFrame({"t": pd.to_timedelta([1, 2], unit="s")}),
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")}),
        pd.DataFrame({"d": [decimal.Decimal("1.10"), None], "e": [datetime.date(2026, 1, 1), None]}),
        pd.DataFrame({"o": pd.Series([b"x", None], dtype=object)}),
        pd.DataFrame(np.ones((2, 2))),
        pd.DataFrame({"text": ["x", None]}, dtype=object),
        pd.DataFrame({"text": ["x", None]}, dtype="string[python]", index=pd.Index(["a", "b"], dtype=object)),
        pd.DataFrame([[1]], columns=pd.Index(["a"], dtype=object)),
        pd.DataFrame({"t": np.array(["2026-01-01", "NaT"], "M8[s]"), "d": np.array([1, 2], "m8[s]")}),
        pd.DataFrame({"p": pd.period_range("2026", periods=2), "i": pd.interval_range(0, 2)}),
        pd.DataFrame({"a": [1.0, np.nan, -0.0, np.inf]}, index=pd.date_range("2026-01-01", periods=4)),
    ],
    ids=lambda frame: str(list(frame.columns)),
)
def test_a_frame_of_every_sort_comes_back(frame: Any) -> None:
    assert_frame_equal(again(frame, "pandas.dataframe"), frame, check_exact=True, check_freq=False)


def test_what_stands_in_attrs_is_kept() -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs = {"source": "iris"}
    assert again(frame, "pandas.dataframe").attrs == {"source": "iris"}


@pytest.mark.parametrize("name", ["x", None, "value", 7])
def test_a_series_comes_back_with_its_name_and_index(name: object) -> None:
    series = pd.Series([1.5, 2.5], index=["a", "b"], name=name)
    series.attrs = {"unit": "cm"}
    back = again(series, "pandas.series")
    assert_series_equal(back, series, check_exact=True)
    assert back.name == name
    assert back.attrs == {"unit": "cm"}


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"a": [[1], [2]]}), "column 'a', row 0 holds list"),
        (pd.DataFrame({"a": [{"x": 1}, {"y": 2}]}), "Parquet would give back another table"),
        (pd.DataFrame({"a": [1, "x"]}), "cannot be saved as pandas.dataframe"),
        (pd.DataFrame({"a": [object()]}), "cannot be saved as pandas.dataframe"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "cannot be saved as pandas.dataframe"),
        (pd.DataFrame({1: [1], "b": [2]}), "cannot be saved as pandas.dataframe"),
        (pd.DataFrame({"a": [1 + 2j]}), "cannot be saved as pandas.dataframe"),
    ],
)
def test_a_frame_that_parquet_would_change_is_refused(frame: Any, words: str) -> None:
    refused(frame, words)


def test_a_tuple_in_attrs_is_refused() -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs = {"size": (1, 2)}
    refused(frame, "attrs would come back changed")


def test_a_subclass_of_frame_is_refused() -> None:
    class Geo(pd.DataFrame):
        pass

    refused(Geo({"a": [1]}), "Geo would come back as pandas")


def test_a_table_of_two_columns_is_no_series(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1], "b": [2]}).to_parquet(tmp_path / "table.parquet")
    with pytest.raises(InvalidInput, match="has 2 columns, a Series has one"):
        read(tmp_path, "pandas.series")


@pytest.mark.parametrize("table", [pd.DataFrame({"a": [1, 2]}), pd.Series(["x"], dtype=object)])
def test_damage_is_told_in_words_and_the_same_table_is_the_same_bytes(table: Any, tmp_path: Path) -> None:
    assert digests(table) == digests(table)
    damaged(table, tmp_path / "files")


def test_columns_of_one_name_are_refused() -> None:
    refused(pd.DataFrame([[1, "x"]], columns=["a", "a"]), "cannot be saved as pandas.dataframe")

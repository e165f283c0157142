"""Listings as DataFrames."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from gitreg import Client, Registry
from gitreg.registry.query.filters import Page
from gitreg.registry.query.rows import MODEL_COLUMNS, VERSION_COLUMNS

pytestmark = pytest.mark.slow


@pytest.fixture
def listed(registry: Registry, weights: Path) -> Registry:
    registry.save("iris", weights, metadata={"accuracy": 0.9, "epochs": 2**60 + 1, "data": {"rows": 150}}, tags=["a"])
    registry.save("iris", weights, metadata={"accuracy": 1, "final": True, "notes": "x"}, stage="production")
    return registry


def test_each_field_is_a_column_and_keys_of_mappings_have_dots(listed: Registry) -> None:
    frame = listed.list_versions("iris").to_pandas()
    assert list(frame.columns[: len(VERSION_COLUMNS)]) == list(VERSION_COLUMNS)
    assert list(frame["version"]) == ["2", "1"]
    assert frame["stage"].isna().tolist() == [False, True]
    assert frame["tags"].tolist() == [[], ["a"]]
    assert frame["artifacts"].tolist() == [["model"], ["model"]]
    assert {name for name in frame.columns if name.startswith("metadata.")} == {
        "metadata.accuracy", "metadata.epochs", "metadata.data.rows", "metadata.final", "metadata.notes",
    }  # fmt: skip


def test_dates_are_aware_datetimes_and_numbers_are_numbers(listed: Registry) -> None:
    frame = listed.list_versions("iris").to_pandas()
    assert str(frame["created_at"].dt.tz) == "UTC"
    assert frame["created_at"].max() <= pd.Timestamp.now("UTC")
    assert frame["number"].dtype == "int64"
    assert frame["metadata.accuracy"].dtype == "float64"
    assert frame["metadata.epochs"].dtype == "Int64"
    assert frame["metadata.epochs"].iloc[1] == 2**60 + 1
    assert frame["metadata.final"].dtype == "boolean"
    assert frame.loc[frame["metadata.accuracy"].idxmax(), "version"] == "2"


def test_models_and_the_pages_of_a_client_are_frames_too(listed: Registry) -> None:
    frame = listed.list_models().to_pandas()
    assert list(frame.columns[: len(MODEL_COLUMNS)]) == list(MODEL_COLUMNS)
    assert (frame["name"].item(), frame["versions"].item(), frame["stages.production"].item()) == ("iris", 2, "2")
    client = Client(listed.folder)
    assert client.list_models().to_pandas().equals(frame)
    assert client.list_model_versions("iris").to_pandas()["version"].tolist() == ["2", "1"]


def test_an_empty_page_has_its_columns(registry: Registry) -> None:
    frame = registry.list_versions().to_pandas()
    assert (len(frame), list(frame.columns)) == (0, list(VERSION_COLUMNS))
    assert str(frame["created_at"].dt.tz) == "UTC"


def test_values_of_several_kinds_stay_as_they_are() -> None:
    rows = [{"a": 2**70, "b": 1, "c": None}, {"a": None, "b": "x", "c": None}, {"a": 1, "b": None, "c": None}]
    frame = Page(rows, 3, 1, 100).to_pandas()
    assert frame["a"].iloc[0] == 2**70
    assert frame["b"].tolist() == [1, "x", None]
    assert "c" not in frame.columns


def test_a_date_that_is_none_is_missing_and_the_others_are_dates() -> None:
    frame = Page([{"created_at": "2026-01-02T03:04:05+02:00"}, {"created_at": "no date"}], 2, 1, 100).to_pandas()
    assert frame["created_at"].iloc[0] == pd.Timestamp("2026-01-02T01:04:05Z")
    assert frame["created_at"].isna().tolist() == [False, True]


def test_a_page_is_iterated_counted_and_indexed_by_its_items(listed: Registry) -> None:
    page = listed.list_versions("iris", size=1)
    assert [row["version"] for row in page] == ["2"]
    assert (len(page), page.total, page[0]["number"]) == (1, 2, 2)


def test_without_pandas_the_hint_tells_what_to_install(listed: Registry) -> None:
    code = f"""
import sys
sys.modules["pandas"] = None
from gitreg import InvalidInput, Registry
with Registry.open({str(listed.folder)!r}) as registry:
    try:
        registry.list_versions().to_pandas()
    except InvalidInput as error:
        print(error.message, error.hint, sep="|")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "a DataFrame needs pandas, which is not installed|pip install pandas"

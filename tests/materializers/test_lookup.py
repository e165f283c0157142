"""Which materializer takes what, and those that other distributions bring."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.errors import InvalidInput
from gitreg.materializers import lookup, names, read, write
from tests.materializers.helpers import python

_PLUGIN = """
import json
from gitreg.materializers import Materializer

class Celsius:
    def __init__(self, degrees): self.degrees = degrees

class Kelvin(Celsius): pass

class Celsiuses(Materializer):
    name = "celsius"
    types = ("gitreg_celsius.Celsius",)
    def write(self, value, folder): (folder / "degrees.json").write_text(json.dumps(value.degrees))
    def read(self, folder, *, trusted, expected): return Celsius(json.loads((folder / "degrees.json").read_text()))

class Words(Materializer):
    name = "words"
    types = ("builtins.str",)
    def takes(self, value): return value.startswith("words")
    def write(self, value, folder): (folder / "words").write_text(value)
    def read(self, folder, *, trusted, expected): return (folder / "words").read_text()

class Misnamed(Celsiuses):
    name = "fahrenheit"
"""
_ENTRY_POINTS = """
[gitreg.materializers]
celsius = gitreg_celsius:Celsiuses
words = gitreg_celsius:Words
"""


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a distribution that is installed for the time of a test."""
    site = tmp_path / "site"
    info = site / "gitreg_celsius-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "gitreg_celsius.py").write_text(_PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gitreg-celsius\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(_ENTRY_POINTS)
    monkeypatch.syspath_prepend(site)
    _forget()
    yield info / "entry_points.txt"
    monkeypatch.delitem(__import__("sys").modules, "gitreg_celsius", raising=False)
    _forget()


def _forget() -> None:
    lookup._others.cache_clear()
    lookup._loaded_others.cache_clear()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def test_another_distribution_brings_a_materializer(other: Path, files: Path) -> None:
    import gitreg_celsius  # type: ignore[import-not-found]

    assert write(gitreg_celsius.Celsius(20), files) == "celsius"
    assert read(files, "celsius").degrees == 20  # type: ignore[attr-defined]
    assert {"celsius", "words", "json"} <= set(names())


def test_a_subclass_goes_to_the_materializer_of_its_nearest_type(other: Path, files: Path) -> None:
    import gitreg_celsius

    assert write(gitreg_celsius.Kelvin(20), files) == "celsius"


def test_anothers_goes_before_ours_for_what_it_takes_of_the_same_type(other: Path, files: Path, tmp_path: Path) -> None:
    assert write("words and more", files) == "words"
    second = tmp_path / "second"
    second.mkdir()
    assert write("a text", second) == "text"


def test_an_entry_point_with_one_of_our_names_is_left_out_with_a_warning(other: Path, files: Path) -> None:
    other.write_text("[gitreg.materializers]\njson = gitreg_celsius:Celsiuses\n")
    with pytest.warns(RuntimeWarning, match="json .* is left out: that name is gitreg's own"):
        assert write([1], files) == "json"
    assert read(files, "json") == [1]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("broken = gitreg_celsius:Nothing", "the materializer broken .* fails"),
        ("broken = gitreg_nowhere:Nothing", "No module named 'gitreg_nowhere'"),
        ("broken = gitreg_celsius:Celsius", "is no subclass of gitreg.materializers.Materializer"),
        ("broken = gitreg_celsius:Misnamed", "is named 'fahrenheit', its entry point 'broken'"),
    ],
)
def test_a_broken_one_is_left_out_when_writing_and_an_error_when_it_is_asked_for(
    entry: str, words: str, other: Path, files: Path
) -> None:
    other.write_text(f"[gitreg.materializers]\n{entry}\n")
    with pytest.warns(RuntimeWarning, match=words):
        write([1], files)
    with pytest.raises(InvalidInput, match=words) as raised:
        read(files, "broken")
    assert raised.value.hint == "update or uninstall gitreg-celsius"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(files, "json") == [1]


def test_an_unknown_name_is_an_error_that_says_the_known_ones(files: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no materializer is called 'tensorflow'; there are .*text") as raised:
        read(files, "tensorflow")
    assert raised.value.hint


def test_the_names_are_those_that_artifacts_keep() -> None:
    assert names() == [
        "bytes", "json", "keras", "lightgbm", "numpy.array", "numpy.scalar", "onnx", "pandas.dataframe",
        "pandas.series", "path", "pickle", "polars.dataframe", "pyarrow.table", "sentence-transformers", "sklearn",
        "text", "torch.state_dict", "torch.tensor", "transformers", "xgboost",
    ]  # fmt: skip


def test_no_framework_is_imported_before_its_type_turns_up() -> None:
    heavy = {
        "numpy",
        "pandas",
        "polars",
        "pyarrow",
        "sklearn",
        "skops",
        "xgboost",
        "lightgbm",
        "torch",
        "onnx",
        "keras",
    }
    code = f"""
import sys, tempfile
from pathlib import Path
from gitreg.materializers import names, read, write
for value in ("text", b"bytes", [1], {{"a": 1}}, 1, Path(__file__ if "__file__" in globals() else sys.executable)):
    with tempfile.TemporaryDirectory() as folder:
        read(Path(folder), write(value, Path(folder)))
try:
    write(object(), Path(tempfile.mkdtemp()))
except Exception as error:
    print(error)
print(sorted({heavy} & set(sys.modules)), len(names()) > 10)
import numpy
with tempfile.TemporaryDirectory() as folder:
    write(numpy.ones(3), Path(folder))
print(sorted({heavy} & set(sys.modules)))
"""
    assert python(code).splitlines() == ["no materializer takes object", "[] True", "['numpy']"]

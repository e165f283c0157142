"""A notebook, executed: an estimator is saved, listed as a frame, compared, promoted, loaded and traced."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parent / "models.ipynb"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The outputs of each cell of code, by its last line."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "home").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder / "home"))
        patch.setenv("GITREG_CACHE", str(folder / "cache"))
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Ada Lovelace")
            patch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
        notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
        assert not any(cell.get("outputs") for cell in notebook.cells), "it is stored without outputs"
        nbclient.NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        ).execute()
    return {cell.source.splitlines()[-1]: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def shown(outputs: dict[str, list[Any]], last_line: str, kind: str = "text/html") -> str:
    """Return the only result of a cell in one of its forms."""
    (result,) = outputs[last_line]
    text: str = result["data"][kind]
    return text


def test_no_cell_fails_but_the_one_that_has_to_and_none_warns(outputs: dict[str, list[Any]]) -> None:
    failed = [line for line, found in outputs.items() if any(each["output_type"] == "error" for each in found)]
    assert failed == ['registry.load_object("iris@9")']
    assert not [each for found in outputs.values() for each in found if each["output_type"] == "stream"]


def test_a_saved_version_is_a_table_and_a_line(outputs: dict[str, list[Any]]) -> None:
    assert re.fullmatch(r"ModelVersion\('iris@3', 1 file, .+ kB\)", shown(outputs, "version", "text/plain"))
    html = shown(outputs, "version")
    assert {"accuracy", "strength", "sklearn", "iris-data@1"} <= set(re.findall(r">([^<>]+)</t[dh]>", html))


def test_a_listing_is_a_table_and_a_frame_with_dotted_columns(outputs: dict[str, list[Any]]) -> None:
    html = shown(outputs, 'registry.list_versions("iris", sort="desc:metadata.accuracy")')
    assert html.count("<tr>") == 4
    frame = shown(outputs, 'frame[["version", "stage", "metadata.accuracy", "metadata.strength", "created_at"]]')
    assert "metadata.accuracy" in frame
    assert "+00:00" in frame


def test_versions_are_compared_judged_and_promoted(outputs: dict[str, list[Any]]) -> None:
    difference = shown(outputs, 'registry.diff("iris@1", f"iris@{best}")["metadata"]', "text/plain")
    assert "'strength': {'from': 0.01, 'to':" in difference
    assert "allowed" in shown(outputs, 'registry.why(f"iris@{best}", "production")')
    assert ">production</td>" in shown(outputs, 'registry.model("iris")')


def test_what_was_saved_is_loaded_and_predicts(outputs: dict[str, list[Any]]) -> None:
    counts = shown(outputs, "pd.Series(loaded.predict(flowers.data)).value_counts().sort_index()", "text/plain")
    assert sum(int(line.split()[1]) for line in counts.splitlines()[:3]) == 150
    assert shown(outputs, 'registry.load_object("iris-data").equals(table)', "text/plain") == "True"


def test_the_lineage_is_a_picture(outputs: dict[str, list[Any]]) -> None:
    html = shown(outputs, 'registry.lineage("iris@production")')
    assert "<svg" in html
    assert "iris-data@1" in html


def test_a_run_and_the_registry_are_tables(outputs: dict[str, list[Any]]) -> None:
    assert "completed" in shown(outputs, "run")
    assert {"iris", "iris-data"} <= set(re.findall(r">([^<>]+)</td>", shown(outputs, "registry")))


def test_an_error_is_the_line_of_the_cell_the_message_and_the_hint(outputs: dict[str, list[Any]]) -> None:
    (error,) = outputs['registry.load_object("iris@9")']
    assert (error["ename"], error["evalue"]) == ("NotFound", "iris has no version, stage or alias '9'")
    lines = error["traceback"]
    assert lines[:3] == ["Cell, line 1", '    registry.load_object("iris@9")', ""]
    assert lines[3] == "NotFound: iris has no version, stage or alias '9'"
    assert lines[4].startswith("hint: ")
    assert len(lines) == 5

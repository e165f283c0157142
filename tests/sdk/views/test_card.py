"""A card's lines that load a version work as they stand, whichever artifacts the version has."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from re import DOTALL, findall

import pytest

from tests.system.world import Person, make_person, write

MAKE = """
from typing import Annotated
from gitreg import ArtifactConfig, Client, Model, link_artifact_to_model, pipeline, save_artifact, step

@step
def clf() -> Annotated[dict, "clf"]:
    return {}

@step
def marked() -> Annotated[dict, ArtifactConfig("clf", is_model_artifact=True)]:
    return {}

@step
def predict(clf: dict) -> Annotated[list, "it's preds"]:
    return [1]

@pipeline(model=Model("unmarked"))
def unmarked():
    predict(clf())

@pipeline(model=Model("later"))
def later():
    clf()

@pipeline(model=Model("marked"))
def with_a_model():
    predict(marked())

unmarked(), later(), with_a_model()
save_artifact([2], "later_preds")
Client().create_model("linked")
Client().create_model_version("linked")
for model in ("later", "linked"):
    link_artifact_to_model("later_preds@1", Model(model, "1"))
Client().create_model("bare")
Client().create_model_version("bare")
"""


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Ada in a registry with a version for each way in which artifacts come to a version."""
    where = tmp_path_factory.mktemp("cards")
    there = make_person(where)
    there.gitreg("init", where / "registry")
    there = there.at(where / "registry")
    made = there.run("python", "-c", MAKE)
    assert made.code == 0, made.err
    there.gitreg("promote", "later@1", "production")
    there.gitreg("save", "file", write(where / "weights", {"model.bin": "1"}))
    return there


@pytest.mark.slow
@pytest.mark.parametrize(("model", "folders"), [
    ("file", [""]),
    ("later", [""]),
    ("marked", [""]),
    ("unmarked", ["clf", "it's preds"]),
    ("linked", ["later_preds"]),
])  # fmt: skip
def test_the_lines_that_a_card_gives_load_the_version(
    ada: Person, model: str, folders: list[str], tmp_path: Path
) -> None:
    page = ada.gitreg("card", model, "--out", "-").out
    snippets = findall(r"</figcaption><pre[^>]*><code>(.*?)</code>", page, DOTALL)
    shell, *programs = map(unescape, snippets)
    loaded = ada.run("sh", "-ec", shell.replace("DEST", str(tmp_path / "loaded")))
    assert (loaded.code, loaded.err) == (0, "")
    assert all(any((tmp_path / "loaded" / folder).iterdir()) for folder in folders)
    assert len(shell.splitlines()) == len(folders)
    assert len(programs) == (1 if model == "file" else 2), "what was saved as an object is loaded as one, too"
    for program in programs:
        ended = ada.run("python", "-c", program)
        assert (ended.code, ended.err) == (0, "")


@pytest.mark.slow
def test_a_card_of_a_version_without_artifacts_promises_no_loading(ada: Person) -> None:
    assert "Load it" not in ada.gitreg("card", "bare", "--out", "-").out


@pytest.mark.slow
def test_the_card_of_a_yanked_version_that_holds_a_stage_loads_it_by_its_number_and_warns(
    ada: Person, tmp_path: Path
) -> None:
    ada.gitreg("save", "spoiled", write(tmp_path / "weights", {"model.bin": "1"}))
    ada.gitreg("promote", "spoiled@1", "production")
    ada.gitreg("yank", "spoiled@1", "--reason", "a leak")
    page = ada.gitreg("card", "spoiled@1", "--out", "-").out
    assert "spoiled@production" not in page
    assert "</span> spoiled@1 was yanked: a leak</p>" in page
    shell, program = map(unescape, findall(r"</figcaption><pre[^>]*><code>(.*?)</code>", page, DOTALL))
    loaded = ada.run("sh", "-ec", shell.replace("DEST", str(tmp_path / "loaded")))
    assert (loaded.code, loaded.err) == (0, "warning: spoiled@1 was yanked: a leak\n")
    assert ada.run("python", "-c", program).code == 0

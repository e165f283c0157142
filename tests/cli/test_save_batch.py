"""``gitreg save --batch``: a list of versions from a file or from standard input."""

from __future__ import annotations

import json

import pytest

from tests.system.world import PROGRAMS, Person, assert_in_words, write

pytestmark = pytest.mark.slow

LIST = """\
- model: iris
  paths: [../b/model.bin]
  metadata: {accuracy: 0.97}
  stage: staging
- model: iris@2.0
  paths: [../b/model.bin]
  artifacts: {tokenizer: ../b/vocab.json}
  tags: [x]
  inputs: [iris@1]
- {model: tulip, type: data, paths: [../b], description: "both"}
"""


@pytest.fixture
def lister(writer: Person) -> Person:
    write(writer.here.parent / "b", {"model.bin": "new", "vocab.json": "{}"})
    write(writer.here.parent, {"list.yaml": LIST})
    return writer


@pytest.mark.slow
def test_a_list_is_saved_in_one_commit(lister: Person) -> None:
    would = lister.gitreg("save", "--batch", "../list.yaml", "--dry-run", "--json").data
    assert [path for path in would["files"] if "/versions/" in path] == [
        "models/iris/versions/3.yaml", "models/iris/versions/2.0.yaml", "models/tulip/versions/1.yaml",
    ]  # fmt: skip
    before = lister.git("rev-parse", "HEAD")
    said = lister.gitreg("save", "--batch", "../list.yaml", "-m", "nightly", "--json").data
    assert [(row["model"], row["version"]) for row in said["versions"]] == [
        ("iris", "3"), ("iris", "2.0"), ("tulip", "1"),
    ]  # fmt: skip
    assert [row["number"] for row in said["versions"]] == [3, 4, 1]
    assert [row["stage"] for row in said["versions"]] == ["staging", None, None]
    assert sorted(said["versions"][1]["artifacts"]) == ["model", "tokenizer"]
    assert lister.git("rev-list", f"{before}..HEAD") == said["commit"]
    assert "nightly" in lister.git("log", "-1", "--format=%B")


def test_json_on_standard_input_is_a_list_too(lister: Person) -> None:
    given = json.dumps([{"model": "rose", "paths": ["../b"]}, {"model": "rose", "paths": ["../b/model.bin"]}])
    ended = lister.run(PROGRAMS / "gitreg", "save", "--batch", "-", stdin=given)
    assert (ended.code, ended.out.startswith("Saved rose@1 and rose@2 (")) == (0, True), ended


WRONG = {
    "[]": (1, "list.yaml: is empty"),
    "- {model: iris, paths: [../b], stag: x}": (1, "list.yaml at /0/stag: "),
    "- {model: iris}": (1, "list.yaml at /0: "),
    "- {model: iris, paths: [../gone]}": (3, "gone"),
    "- {model: rose, paths: [../b]}\n- {model: iris, paths: [../b], stage: production}": (4, "production"),
    "model: [": (1, "list.yaml"),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_list_saves_nothing_and_says_where(lister: Person, text: str) -> None:
    code, says = WRONG[text]
    write(lister.here.parent, {"list.yaml": text})
    before = lister.git("for-each-ref")
    assert says in lister.gitreg("save", "--batch", "../list.yaml", code=code).err
    assert lister.git("for-each-ref") == before


@pytest.mark.slow
def test_a_batch_says_all_that_is_saved(lister: Person) -> None:
    for more in (["iris"], ["--stage", "staging"], ["--tag", "x"]):
        ended = lister.gitreg("save", "--batch", "../list.yaml", *more, code=2)
        assert "--batch names everything to save" in ended.err
    assert_in_words(lister.gitreg("save", code=2))
    assert "cannot read ../gone.yaml" in lister.gitreg("save", "--batch", "../gone.yaml", code=3).err

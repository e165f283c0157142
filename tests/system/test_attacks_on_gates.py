"""Somebody who may push tries to get a version past its gates, with gitreg and with plain git against server hooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.world import Person, assert_in_words, make_person, write

pytestmark = pytest.mark.slow

POINTER = "format: 1\nkind: stage\nversion: '{}'\n"
ANNOTATION = "format: 1\nkind: annotation\n"
PRODUCTION = "models/iris/stages/production.yaml"


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    """Ada in her clone of a registry with iris@1 (accuracy 0.5), on a server with hooks."""
    ada = make_person(tmp_path)
    ada.git("init", "-q", "--bare", "-b", "main", tmp_path / "hub.git")
    ada.at(tmp_path / "hub.git").gitreg("hooks", "install", "--server")
    ada.git("init", "-q", "-b", "main", tmp_path / "ada")
    ada = ada.at(tmp_path / "ada")
    ada.git("remote", "add", "origin", tmp_path / "hub.git")
    ada.gitreg("init", "--remote", "origin", "--store", tmp_path / "store")
    ada.gitreg("save", "iris", write(tmp_path / "w", {"m.bin": "1"}), "--metadata", "accuracy=0.5")
    return ada


def with_gates(ada: Person, *gates: str, settings: str = "") -> None:
    """Publish a policy for production, as whoever keeps the registry does."""
    listed = "".join(f"    - {gate}\n" for gate in gates)
    said = (ada.here / "gitreg.yaml").read_text()
    write(ada.here, {"gitreg.yaml": f"{said}{settings}policies:\n  production:\n    gates:\n{listed}"})
    ada.git("commit", "-qam", "Policy")
    ada.at(server(ada)).git("config", "gitreg.settings", "allow")
    ada.gitreg("push")


def server(ada: Person) -> Path:
    return ada.here.parent / "hub.git"


def commit(person: Person, files: dict[str, str]) -> None:
    write(person.here, files)
    person.git("add", "-A")
    person.git("commit", "-q", "--allow-empty", "-m", "by hand")


def refused(person: Person) -> str:
    """Push with plain git, which the server must refuse, and give what it says on one line."""
    pushed = person.run("git", "push", "-q", "origin", "main")
    assert pushed.code == 1, pushed
    assert "Traceback" not in pushed.err
    return " ".join(pushed.err.replace("remote: ", " ").replace("\x1b[K", "").split())


def test_a_metric_annotated_later_passes_no_gate(ada: Person) -> None:
    with_gates(ada, "{metric: accuracy, at_least: 0.9}", "{metadata: [dataset]}", "{artifacts: [docs]}")
    ada.gitreg("annotate", "iris@1", "--metadata", "accuracy=0.99", "--metadata", "dataset=v3")
    ada.gitreg("artifact", "save", "docs", write(ada.here.parent / "d", {"a.md": "x"}))
    ada.gitreg("artifact", "link", "docs@1", "iris@1")
    for command in (["promote", "iris@1", "production"], ["promote", "iris@1", "production", "--force"]):
        assert_in_words(ada.gitreg(*command, code=4))
    told = ada.gitreg("why", "iris@1", "production", code=4).out
    assert "accuracy is 0.5, at least 0.9 is needed; an annotation says 0.99 (see later: true)" in told
    assert "metadata lacks dataset in the sealed record; an annotation has dataset (see later: true)" in told
    assert "the artifact docs is missing; docs was linked later (see later: true)" in told
    commit(ada, {PRODUCTION: POINTER.format("1")})
    assert "an annotation says 0.99" in refused(ada)


def test_what_was_annotated_later_counts_where_the_gate_says_so(ada: Person) -> None:
    with_gates(ada, "{metric: accuracy, at_least: 0.9, later: true}")
    assert "0.5" in ada.gitreg("promote", "iris@1", "production", code=4).err
    ada.gitreg("annotate", "iris@1", "--metadata", "accuracy=0.99")
    ada.gitreg("promote", "iris@1", "production")

"""Files that can run code are handed out only to who said that they may: in a clone, by URL, and from the cache."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from pathlib import Path

import pytest

from gitreg.registry.weights.trusted_code import place_of
from gitreg.sdk.session import Session
from tests.contents import corpus
from tests.system.world import Person, assert_in_words, contents, make_person, write

pytestmark = pytest.mark.slow

WHY = "pickle that names posix.system"
REFUSED = (
    f"error: iris@1: model.pkl can run code when it is loaded ({WHY})\n"
    " hint: if you trust who made it: --unsafe-code; for this registry: gitreg trust --code\n"
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Ada, whose registry has a version that can run code, one that cannot, and a hub with both."""
    where = tmp_path_factory.mktemp("code")
    ada = make_person(where)
    ada.git("init", "-q", "--bare", "-b", "main", where / "hub.git")
    ada.gitreg("init", where / "registry", "--store", where / "store")
    there = ada.at(where / "registry")
    there.gitreg("save", "iris", write(where / "evil", {"model.pkl": corpus.SYSTEM, "notes.txt": "harmless"}))
    there.gitreg("save", "iris", write(where / "good", {"model.pkl": pickle.dumps({"a": 1})}))
    there.gitreg("artifact", "save", "clf", where / "evil", "--type", "model")
    there.git("remote", "add", "origin", where / "hub.git")
    there.git("push", "-q", "origin", "main", "--tags")
    return there


@pytest.fixture
def bob(prepared: Person, tmp_path: Path) -> Person:
    """Bob, who trusts the store and nobody's code, with a cache of his own, in his clone."""
    bob = make_person(tmp_path)
    bob.gitreg("trust", prepared.here.parent / "store")
    bob.gitreg("clone", prepared.here.parent / "hub.git", "clone")
    return bob.at(tmp_path / "clone")


def by_url(bob: Person, prepared: Person) -> Person:
    return bob.at(bob.home).with_env(GITREG_REGISTRY=f"file://{prepared.here.parent}/hub.git")


def refused(person: Person, *arguments: str | Path) -> None:
    assert person.gitreg(*arguments, code=4).err == REFUSED


@pytest.mark.parametrize("url", [False, True], ids=["clone", "URL"])
def test_code_is_refused_before_anything_stands_in_the_folder(bob: Person, prepared: Person, url: bool) -> None:
    bob = by_url(bob, prepared) if url else bob
    for _ in range(2):  # the second time from the cache
        for options in ((), ("--file", "*.pkl"), ("--link",)):
            refused(bob, "load", "iris@1", "out", *options)
            assert not (bob.here / "out").exists()
        refused(bob, "load", "iris@1")
        refused(bob, "cat", "iris@1:model.pkl")
        assert bob.gitreg("load", "iris@1", "--file", "notes.txt").out
        bob.gitreg("artifact", "load", "clf", code=4)
        bob.gitreg("load", "iris@1", "--unsafe-code")
    assert bob.gitreg("cat", "iris@1:notes.txt").out == "harmless"
    bob.gitreg("load", "iris@1", "out", "--unsafe-code")
    assert (bob.here / "out" / "model.pkl").read_bytes() == corpus.SYSTEM
    bob.gitreg("artifact", "load", "clf", "--unsafe-code")
    bob.gitreg("load", "iris@2", "other")


def test_who_made_a_registry_trusts_it(prepared: Person, tmp_path: Path) -> None:
    prepared.gitreg("load", "iris@1", tmp_path / "out")
    assert (tmp_path / "out" / "model.pkl").read_bytes() == corpus.SYSTEM


def test_python_refuses_it_too_in_every_place_that_loads_and_names_what_allows_it_there(bob: Person) -> None:
    program = """
import fsspec, gitreg
registry = gitreg.Registry.open()

def decorated(**how):
    @gitreg.model(load="iris@1", **how)
    def function():
        assert gitreg.current.model.loaded["iris@1"]
    function()

def called(**how):
    with gitreg.run():
        gitreg.current.model.load("iris@1", **how)

code, pickle = "unsafe_code", "unsafe_pickle"
for argument, load in (
    (code, lambda **how: registry.load("iris@1", **how)),
    (code, lambda **how: registry.open_file("iris@1", "model.pkl", **how).close()),
    (code, lambda **how: registry.read_file("iris@1", "model.pkl", **how)),
    (code, lambda **how: gitreg.Model("iris", "1").load(**how)),
    (code, lambda **how: fsspec.open("gitreg://iris@1/model.pkl", **how).open().close()),
    (code, lambda **how: gitreg.get_artifact_version("clf").path(**how)),
    (pickle, lambda **how: gitreg.get_artifact_version("clf").load(**how)),
    (pickle, lambda **how: gitreg.load_artifact("clf", **how)),
    (pickle, lambda **how: gitreg.Model("iris", "1").load_artifact("model", **how)),
    (code, called),
    (code, decorated),
):
    try:
        load()
    except gitreg.Refused as error:
        assert "can run code" in str(error)
        assert f"{argument}=True" in error.hint, error.hint
        load(**{argument: True})
    else:
        raise SystemExit("it was not refused")
"""
    ended = bob.run("python", "-c", program)
    assert ended.code == 0, ended.err


def test_a_step_gets_what_can_run_code_only_where_its_output_says_so(bob: Person) -> None:
    program = """
import pathlib, sys, gitreg
from typing import Annotated

allowed = len(sys.argv) > 1

@gitreg.step
def make() -> Annotated[pathlib.Path, gitreg.ArtifactConfig("files", unsafe_pickle=allowed)]:
    path = pathlib.Path("made.sh")
    path.write_text("#!/bin/sh\\n")
    return path

@gitreg.step
def use(files: pathlib.Path) -> None:
    print("IT RAN", files)

@gitreg.pipeline
def whole():
    use(make())

try:
    whole()
except gitreg.Refused as error:
    assert "ArtifactConfig(unsafe_pickle=True) on what make gives" in error.hint, error.hint
    print("REFUSED")
"""
    ended = bob.run("python", "-c", program)
    assert "REFUSED" in ended.out, ended
    assert "IT RAN" not in ended.out
    assert "IT RAN" in bob.run("python", "-c", program, "allowed").out


def test_a_clone_is_trusted_after_it_was_said_and_no_more_after_it_was_taken_back(bob: Person) -> None:
    bob.gitreg("trust", "--code")
    bob.gitreg("load", "iris@1")
    bob.gitreg("trust", "--no-code")
    refused(bob, "load", "iris@1")
    bob.gitreg("trust", "--code", "--model", "legacy/*")
    refused(bob, "load", "iris@1")
    bob.gitreg("trust", "--code", "--model", "legacy/*", "--model", "i*")
    bob.gitreg("load", "iris@1")


def test_a_clone_of_a_trusted_url_is_trusted(bob: Person, prepared: Person) -> None:
    url = f"file://{prepared.here.parent}/hub.git"
    bob.gitreg("trust", "--code", url)
    by_url(bob, prepared).gitreg("load", "iris@1")
    bob.at(bob.home).gitreg("clone", url, "new")
    bob.at(bob.home / "new").gitreg("load", "iris@1")
    bob.gitreg("trust", "--no-code", url)
    refused(by_url(bob, prepared), "load", "iris@1")


def test_the_password_in_a_url_is_kept_nowhere(prepared: Person) -> None:
    with Session.open(prepared.here) as registry:
        registry.mirror_of = "https://ada:s3cret@host/team.git#main"
        assert registry.code_place == place_of("https://host/team.git") == "https://host/team.git"


def test_a_copied_id_is_not_trusted(prepared: Person, tmp_path: Path) -> None:
    """Neither the id in another place, nor another registry in the place that is trusted."""
    copy = tmp_path / "copy"
    shutil.copytree(prepared.here, copy)
    refused(prepared.at(copy), "load", "iris@1")
    moved = tmp_path / "moved"
    bob = make_person(tmp_path)
    bob.gitreg("trust", prepared.here.parent / "store")
    bob.gitreg("init", moved)
    shutil.rmtree(moved)
    shutil.copytree(prepared.here, moved)
    refused(bob.at(moved), "load", "iris@1")


def test_a_record_that_calls_code_data_is_refused(bob: Person, prepared: Person, tmp_path: Path) -> None:
    """Who writes a record by hand may say of the contents what he likes: the reader looks himself."""
    file = prepared.here / "models/iris/versions/1.yaml"
    said = "    contents:\n      model.pkl:\n        verdict: code\n        why: pickle that names posix.system\n"
    assert said in file.read_text()
    record = file.read_text().replace(said, "").replace("version: '1'\nnumber: 1", "version: forged\nnumber: 3")
    write(bob.here, {"models/iris/versions/forged.yaml": record})
    bob.git("add", "-A")
    bob.git("commit", "-qm", "By hand")
    ended = bob.gitreg("load", "iris@forged", tmp_path / "out", code=4)
    assert f"iris@forged: model.pkl is code ({WHY}), and its record says data" in ended.err
    assert "error: iris@forged: model.pkl can run code" in ended.err
    assert not (tmp_path / "out").exists()


def forge(person: Person, number: str, name: str, said: str, instead: str) -> None:
    """Commit a version's record under another name, with something else in it."""
    record = (person.here / f"models/iris/versions/{number}.yaml").read_text()
    assert said in record
    record = record.replace(said, instead).replace(
        f"version: '{number}'\nnumber: {number}", f"version: {name}\nnumber: {number}0"
    )
    write(person.here, {f"models/iris/versions/{name}.yaml": record})
    person.git("add", "-A")
    person.git("commit", "-qm", "By hand")


def test_a_deep_verification_names_a_record_that_calls_code_data(bob: Person) -> None:
    forge(bob, "1", "forged", f"    contents:\n      model.pkl:\n        verdict: code\n        why: {WHY}\n", "")
    bob.gitreg("verify")
    for _ in range(2):  # the second time its verdict is known
        ended = bob.gitreg("verify", "iris@forged", "--deep", "--json", code=6)
        wrong = [row for row in ended.data["files"] if not row["ok"]]
        assert [(row["reference"], row["artifact"], row["path"]) for row in wrong] == [
            ("iris@forged", "model", "model.pkl")
        ]
        assert wrong[0]["contents"] == {"recorded": "data", "found": "code", "why": WHY}
        assert {row["path"] for row in ended.data["files"] if row["ok"]} == {"model.pkl", "notes.txt"}
        error = json.loads(ended.err)["error"]
        assert error["message"] == f"iris@forged: model.pkl is code ({WHY}), and its record says data"
    bob.gitreg("verify", "iris@1", "--deep")
    bob.gitreg("verify", "iris@2", "--deep")
    assert "1 not" in bob.gitreg("verify", "--sample", "100%", code=6).out


def test_a_check_names_a_proposed_record_that_calls_code_data_and_looks_once(bob: Person) -> None:
    bob.git("checkout", "-qb", "proposal")
    forge(bob, "1", "forged", f"    contents:\n      model.pkl:\n        verdict: code\n        why: {WHY}\n", "")
    bob.git("checkout", "-q", "main")
    for _ in range(2):  # the second time its verdict is known
        ended = bob.gitreg("check", "--base", "main", "--head", "proposal", "--json", code=4)
        (problem,) = (each for each in ended.data["problems"] if "record says" in each["what"])
        assert problem["where"] == "models/iris/versions/forged.yaml"
        assert problem["what"] == f"model: model.pkl is code ({WHY}), and its record says data"
        assert ended.data["weights"] == {"files": 2, "read": 2}


def test_a_deep_verification_names_a_record_that_calls_something_worse_than_it_is(bob: Person) -> None:
    forge(bob, "2", "told", "verdict: limited", "verdict: code")
    assert "model.pkl is limited" in bob.gitreg("verify", "iris@told", "--deep", code=6).err


def test_a_record_by_other_rules_is_not_held_against_these(bob: Person) -> None:
    said = "scan: 1\n    contents:\n      model.pkl:\n        verdict: limited"
    forge(bob, "2", "older", said, said.replace("scan: 1", "scan: 9").replace("limited", "opaque"))
    bob.gitreg("verify", "iris@older", "--deep")


def test_the_worse_of_record_and_reader_decides(bob: Person) -> None:
    record = (bob.here / "models/iris/versions/2.yaml").read_text()
    assert "verdict: limited" in record
    record = record.replace("limited", "code").replace("version: '2'\nnumber: 2", "version: told\nnumber: 3")
    write(bob.here, {"models/iris/versions/told.yaml": record})
    bob.git("add", "-A")
    bob.git("commit", "-qm", "By hand")
    assert "can run code" in bob.gitreg("load", "iris@told", code=4).err


@pytest.fixture
def unscanned(bob: Person) -> Person:
    """Bob, in whose clone iris@1 and iris@2 stand once more as records of a time before anybody looked at files."""
    for number, name in (("1", "old-evil"), ("2", "old-good")):
        record = (bob.here / f"models/iris/versions/{number}.yaml").read_text()
        record = re.sub(r"    scan: 1\n    contents:\n(?:      .*\n)+?(?=    files:)", "", record)
        record = record.replace(f"version: '{number}'\nnumber: {number}", f"version: {name}\nnumber: {number}0")
        assert "scan" not in record
        assert name in record
        write(bob.here, {f"models/iris/versions/{name}.yaml": record})
    bob.git("add", "-A")
    bob.git("commit", "-qm", "By hand")
    return bob


@pytest.mark.parametrize("options", [(), ("--file", "*.pkl"), ("--link",)], ids=" ".join)
@pytest.mark.parametrize("is_there", [False, True], ids=["new folder", "old folder"])
def test_code_that_nobody_looked_at_is_refused_before_it_gets_its_name(
    unscanned: Person, tmp_path: Path, options: tuple[str, ...], is_there: bool
) -> None:
    out = tmp_path / "loads" / "out"
    write(out if is_there else out.parent, {"notes": "my own"})
    before = contents(tmp_path / "loads")
    for _ in range(2):  # the second time its verdict is known
        ended = unscanned.gitreg("load", "iris@old-evil", out, *options, code=4)
        assert f"iris@old-evil: model.pkl can run code when it is loaded ({WHY})" in ended.err
        assert contents(tmp_path / "loads") == before
        assert [path.name for path in out.parent.iterdir()] == (["out"] if is_there else ["notes"])
    if "--link" not in options:
        assert list((tmp_path / "cache").rglob("*.pkl")) == []
    assert unscanned.gitreg("load", "iris@old-good", out, *options).out == f"{out}\n"
    assert pickle.loads((out / "model.pkl").read_bytes()) == {"a": 1}
    unscanned.gitreg("load", "iris@old-evil", tmp_path / "wanted", *options, "--unsafe-code")
    assert (tmp_path / "wanted" / "model.pkl").read_bytes() == corpus.SYSTEM


def test_each_harmless_file_loads(ada: Person, bob_home: Path, tmp_path: Path) -> None:
    harmless = corpus.harmless()
    ada.gitreg("init", tmp_path / "registry", "--store", tmp_path / "store")
    files = {name: content for name, (_, content) in harmless.items()}
    ada.at(tmp_path / "registry").gitreg("save", "all", write(tmp_path / "files", files))
    bob = make_person(bob_home)
    bob.gitreg("trust", tmp_path / "store")
    bob.gitreg("clone", tmp_path / "registry", "clone")
    bob = bob.at(bob_home / "clone")
    shown = bob.gitreg("show", "all@1", "--json").data["artifacts"]["model"]["contents"]["files"]
    told = {name: shown.get(name, {"verdict": "data"})["verdict"] for name in harmless}
    assert told == {name: expected for name, (expected, _) in harmless.items()}
    folder = Path(bob.gitreg("load", "all@1").out.strip())
    assert {name: (folder / name).read_bytes() for name in harmless} == files


@pytest.fixture
def bob_home(tmp_path: Path) -> Path:
    (tmp_path / "bob").mkdir()
    return tmp_path / "bob"


def test_each_hostile_file_is_refused(ada: Person, tmp_path: Path) -> None:
    hostile = {f"{number}/{name}": content for number, (name, content) in enumerate(corpus.hostile().items())}
    ada.gitreg("init", tmp_path / "registry")
    there = ada.at(tmp_path / "registry")
    there.gitreg("save", "all", write(tmp_path / "files", hostile))
    there.gitreg("trust", "--no-code")
    shown = there.gitreg("show", "all@1", "--json").data["artifacts"]["model"]["contents"]
    assert {path for path, each in shown["files"].items() if each["verdict"] == "code"} == set(hostile)
    for path in list(hostile)[::7]:
        assert "can run code" in there.gitreg("cat", f"all@1:{path}", code=4).err


def test_what_was_saved_is_shown_where_it_is_looked_at(prepared: Person, bob: Person, tmp_path: Path) -> None:
    saved = prepared.gitreg("save", "new", prepared.here.parent / "evil", "--dry-run")
    assert f"⚠ model.pkl: {WHY}" in saved.err
    assert f"⚠ model.pkl: {WHY}" in bob.gitreg("show", "iris@1").out
    assert bob.gitreg("show", "iris@1", "--json").data["artifacts"]["model"]["contents"] == {
        "verdict": "code",
        "files": {"model.pkl": {"verdict": "code", "why": WHY}},
    }
    bob.gitreg("card", "iris@1", "--out", tmp_path / "card.html")
    assert f"⚠ model.pkl: code, {WHY}" in (tmp_path / "card.html").read_text()


def test_a_check_tells_of_code_under_a_new_version(ada: Person, tmp_path: Path) -> None:
    ada.gitreg("init", tmp_path / "registry")
    there = ada.at(tmp_path / "registry")
    there.git("switch", "-qc", "aside")
    there.git("switch", "-q", "main")
    there.gitreg("save", "iris", write(tmp_path / "evil", {"model.pkl": corpus.SYSTEM}))
    ended = there.gitreg("check", "--base", "aside", "--head", "main")
    assert "⚠ `model.pkl`: pickle that names posix.system" in ended.out


def test_scan_says_what_files_are(prepared: Person) -> None:
    ended = prepared.gitreg("scan", prepared.here.parent / "evil", "--json", code=4)
    assert_in_words(ended)
    assert json.loads(ended.out) == [
        {"path": "model.pkl", "verdict": "code", "why": WHY, "names": ["posix.system"]},
        {"path": "notes.txt", "verdict": "data", "why": "text", "names": []},
    ]
    assert "model.pkl" in prepared.gitreg("scan", "iris@1", code=4).out
    prepared.gitreg("scan", "iris@2")

"""What was sealed is what is loaded, whatever is linked to a version later, and by whom."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.system.world import Person, assert_in_words, make_person, write

pytestmark = pytest.mark.slow

IGNORED = "warning: iris@1: its annotation names the artifact 'model', which was sealed; that is ignored\n"
NAMED = "names an artifact that was sealed with iris@1"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return prepare(tmp_path_factory.mktemp("sealed"))


def prepare(where: Path) -> Person:
    """Make a registry: iris@1 holds production, and two artifacts with other bytes lie beside it."""
    ada = make_person(where)
    ada.gitreg("init", where / "registry", "--store", where / "store")
    there = ada.at(where / "registry")
    there.gitreg("save", "iris", write(where / "good", {"m.bin": "good"}))
    there.gitreg("promote", "iris@1", "production")
    evil = write(where / "evil", {"m.bin": "evil"})
    there.gitreg("artifact", "save", "model", evil, "--type", "model")
    there.gitreg("artifact", "save", "clf", evil, "--type", "model")
    return there


@pytest.fixture
def ada(prepared: Person, tmp_path: Path) -> Person:
    """Ada in a copy of a registry: iris@1 holds production, and two artifacts with other bytes lie beside it."""
    shutil.copytree(prepared.here, tmp_path / "registry", symlinks=True)
    return replace(prepared, here=tmp_path / "registry", env=prepared.env | {"GITREG_CACHE": str(tmp_path / "cache")})


def annotation(ada: Person, name: str, artifact: str) -> str:
    """An annotation that gives a version the files of an artifact under a name, as a person would write it."""
    (file,) = (ada.here / "artifacts" / artifact).glob("*.yaml")
    shown = dict(line.split(": ", 1) for line in file.read_text().splitlines() if line.startswith(("size", "digest")))
    said = f"artifacts:\n  {name}:\n    type: model\n    size: {shown['size']}\n    digest: {shown['digest']}\n"
    files = file.read_text().partition("files:\n")[2]
    return f"format: 1\nkind: annotation\n{said}    files:\n" + "".join(f"    {line}\n" for line in files.splitlines())


def commit_by_hand(person: Person, files: dict[str, bytes | str]) -> None:
    write(person.here, files)
    person.git("add", "-A")
    person.git("commit", "-qm", "By hand")


def loaded(person: Person, reference: str, *options: str) -> str:
    return (Path(person.gitreg("load", reference, *options).out.strip()) / "m.bin").read_text()


# -- gitreg's own writers ----------------------------------------------------------------------------------------------


def test_a_link_never_replaces_a_sealed_artifact(ada: Person) -> None:
    head = ada.git("rev-parse", "HEAD")
    ended = ada.gitreg("artifact", "link", "model@1", "iris@1", code=4)
    assert "iris@1 was sealed with an artifact 'model'" in ended.err
    assert "save it under another name and link that" in ended.err
    code = (
        "import gitreg\nfrom gitreg import Model\n"
        "try: gitreg.link_artifact_to_model('model@1', Model('iris', '1'))\n"
        "except gitreg.Refused as error: print(error)\n"
    )
    assert ada.run("python", "-c", code).out == "iris@1 was sealed with an artifact 'model'\n"
    assert ada.git("rev-parse", "HEAD") == head
    assert loaded(ada, "iris@production") == "good"


def test_a_run_is_told_at_the_link_and_keeps_what_it_made(ada: Person, tmp_path: Path) -> None:
    script = write(tmp_path / "flow", {"go.py": (
        "import gitreg\n"
        "try: gitreg.link_artifact_to_model('model@1', gitreg.Model('iris', '1'))\n"
        "except gitreg.Refused as error: print(error)\n"
        "gitreg.save_artifact({'a': 1}, 'mine')\n"
    )})  # fmt: skip
    ended = ada.run("gitreg", "run", "--", "python", script / "go.py")
    assert ended.code == 0, ended
    assert "iris@1 was sealed with an artifact 'model'" in ended.out
    assert ada.gitreg("artifact", "show", "mine@1", "--json").data["version"] == "1"
    assert loaded(ada, "iris@production") == "good"


def test_what_the_record_links_itself_is_nothing_to_do(ada: Person) -> None:
    code = "import gitreg\ngitreg.link_artifact_to_model('model@1', gitreg.Model('wine', 'v1'))\n"
    assert ada.run("python", "-c", code).code == 0
    assert loaded(ada, "wine@v1") == "evil"
    assert "wine@v1 already has model@1" in ada.gitreg("artifact", "link", "model@1", "wine@v1").out
    head = ada.git("rev-parse", "HEAD")
    assert ada.run("python", "-c", code).code == 0
    step = write(ada.here.parent / "flow", {"go.py": (
        "import gitreg\n"
        "@gitreg.step(model=gitreg.Model('wine', version='v1'))\n"
        "def again() -> None:\n"
        "    gitreg.link_artifact_to_model('model@1')\n"
        "@gitreg.pipeline\n"
        "def flow():\n"
        "    again()\n"
        "flow()\n"
    )})  # fmt: skip
    assert ada.run("python", step / "go.py").code == 0
    assert ada.git("diff", "--name-only", head, "--", "models", "artifacts") == ""
    # The same bytes are another artifact's all the same: the record does not link it.
    ada.gitreg("artifact", "save", "model", write(ada.here.parent / "good", {"m.bin": "good"}), "--type", "model")
    ended = ada.gitreg("artifact", "link", "model@2", "iris@1", code=4)
    assert "iris@1 was sealed with an artifact 'model'" in ended.err
    ada.gitreg("artifact", "save", "model", write(ada.here.parent / "more", {"m.bin": "more"}), "--type", "model")
    ada.gitreg("artifact", "link", "model@3", "wine@v1", code=4)


# -- plain git ---------------------------------------------------------------------------------------------------------


def by_artifacts(ada: Person) -> str:
    return annotation(ada, "model", "model")


def by_links(_: Person) -> str:
    return "format: 1\nkind: annotation\nlinks:\n- model@1\n"


@pytest.mark.parametrize(("say", "place"), [(by_artifacts, "/artifacts/model"), (by_links, "/links/0")])
def test_nor_does_an_annotation_by_plain_git(ada: Person, say: Callable[[Person], str], place: str) -> None:
    base, file = ada.git("rev-parse", "HEAD"), "models/iris/annotations/1.yaml"
    commit_by_hand(ada, {file: say(ada)})
    ended = ada.gitreg("check", "--base", base, code=4)
    assert f"{file}: at {place}: {NAMED}" in ended.err
    assert loaded(ada, "iris@production") == "good"
    assert loaded(ada, "iris@1", "--artifact", "model") == "good"
    for command in (("load", "iris@production"), ("cat", "iris@1:m.bin"), ("show", "iris@1")):
        assert ada.gitreg(*command).err == IGNORED
    code = "import fsspec; print(fsspec.open('gitreg://iris@1/m.bin').open().read())"
    assert ada.run("python", "-W", "ignore", "-c", code).out == "b'good'\n"
    code = "import gitreg; print(gitreg.Model('iris', '1').get_artifact('model', '1'))"
    assert "evil" not in ada.run("python", "-W", "ignore", "-c", code).out
    by_url = ada.with_env(GITREG_REGISTRY=f"file://{ada.here}")
    assert (by_url.gitreg("cat", "iris@production:m.bin").out, ada.doctor_says()[0]["what"]) == (
        "good", f"at {place}: {NAMED}",
    )  # fmt: skip
    # What else is written of the version is not in its way, and is judged for what it changes.
    again = ada.git("rev-parse", "HEAD")
    ada.gitreg("annotate", "iris@1", "--tag", "seen")
    ada.gitreg("check", "--base", again)


def test_hooks_of_a_clone_and_of_a_server_refuse_such_an_annotation(ada: Person, tmp_path: Path) -> None:
    hub = tmp_path / "hub.git"
    ada.git("clone", "-q", "--bare", ada.here, hub)
    ada.at(hub).gitreg("hooks", "install", "--server")
    ada.git("clone", "-q", hub, tmp_path / "eve")
    eve = ada.at(tmp_path / "eve")
    commit_by_hand(eve, {"models/iris/annotations/1.yaml": annotation(ada, "model", "model")})
    pushed = eve.run("git", "push", "origin", "main")
    assert pushed.code != 0
    assert f"at /artifacts/model: {NAMED}" in pushed.err
    eve.git("reset", "-q", "--soft", "HEAD~1")
    eve.gitreg("hooks", "install")
    committed = eve.run("git", "commit", "-qm", "By hand")
    assert committed.code != 0
    assert f"at /artifacts/model: {NAMED}" in committed.err


def test_gc_and_store_copy_keep_what_is_ignored(tmp_path: Path) -> None:
    ada = prepare(tmp_path)  # with a store of its own: what is collected is all that is not kept
    said = annotation(ada, "model", "model")
    ada.git("rm", "-qr", "artifacts")
    commit_by_hand(ada, {"models/iris/annotations/1.yaml": said})
    assert ada.gitreg("gc", "--grace", "0s", "--json").data == []
    ada.gitreg("store", "create", tmp_path / "copy")
    ada.gitreg("store", "copy", "--to", tmp_path / "copy")
    assert any(b"evil" in path.read_bytes() for path in (tmp_path / "copy").rglob("*") if path.is_file())


# -- links that are welcome --------------------------------------------------------------------------------------------


def test_load_does_not_fail_after_a_link(ada: Person) -> None:
    assert loaded(ada, "iris") == "good"
    ada.gitreg("artifact", "link", "clf@1", "iris@1")
    ended = ada.gitreg("load", "iris@production")
    assert ended.err == ""
    assert (Path(ended.out.strip()) / "m.bin").read_text() == "good"
    assert loaded(ada, "iris@1", "--artifact", "clf") == "evil"
    artifacts = ada.gitreg("show", "iris@1", "--json").data["artifacts"]
    assert ["linked" in artifacts["model"], artifacts["clf"]["linked"]] == [False, True]
    # The same files saved again are the same version still, and a digest still means who was sealed with it.
    digest = artifacts["model"]["digest"]
    assert ada.gitreg("show", f"iris@{digest}", "--json").data["version"] == "1"


def test_a_linked_model_is_not_chosen_before_the_sealed_data(ada: Person, tmp_path: Path) -> None:
    ada.gitreg("artifact", "save", "data", write(tmp_path / "data", {"m.bin": "data"}))
    code = "import gitreg\ngitreg.link_artifact_to_model('data@1', gitreg.Model('two', 'v1'))\n"
    assert ada.run("python", "-c", code).code == 0
    assert loaded(ada, "two") == "data"
    ada.gitreg("artifact", "link", "clf@1", "two@v1")
    assert loaded(ada, "two") == "data"


def test_what_has_only_links_says_which_to_name(ada: Person) -> None:
    commit_by_hand(ada, {
        "models/bare/model.yaml": "format: 1\nkind: model\nname: bare\n",
        "models/bare/versions/1.yaml": "format: 1\nkind: model_version\nmodel: bare\nversion: '1'\nnumber: 1\n"
        "created_at: 2026-11-22T10:00:00Z\n",
    })  # fmt: skip
    ada.gitreg("artifact", "link", "clf@1", "bare@1")
    ended = ada.gitreg("load", "bare@1", code=3)
    assert_in_words(ended)
    assert "bare@1 has no sealed artifact" in ended.err
    assert "linked to it: clf; name one with --artifact" in ended.err
    assert loaded(ada, "bare@1", "--artifact", "clf") == "evil"


def test_check_shows_what_is_linked_to_a_version_that_holds_a_stage(ada: Person) -> None:
    base = ada.git("rev-parse", "HEAD")
    ada.gitreg("artifact", "link", "clf@1", "iris@1")
    ended = ada.gitreg("check", "--base", base)
    assert "### Linked to versions that hold a stage" in ended.out
    (link,) = ada.gitreg("check", "--base", base, "--json").data["links"]
    assert {**link, "digest": ""} == {
        "version": "iris@1", "stage": "production", "artifact": "clf@1", "name": "clf", "type": "model", "size": 4,
        "digest": "",
    }  # fmt: skip
    ada.gitreg("archive", "iris@1")
    base = ada.git("rev-parse", "HEAD")
    assert ada.gitreg("check", "--base", base, "--json").data["links"] == []

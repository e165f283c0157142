"""Machines without git, and networks that fail: the whole program over a real server, in whatever state it is left."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.remotes import pull
from tests.servers.buckets import Servers
from tests.servers.githttp import PASSWORD
from tests.servers.gitremotes import Far, make_far, on_a_bad_line
from tests.system.world import PROGRAMS, Person, assert_sound, without_git, write

pytestmark = pytest.mark.slow

REFS = ("refs/heads/", "refs/tags/", "refs/stages/", "refs/aliases/")


@pytest.fixture
def far(ada: Person, tmp_path: Path, servers: Servers) -> Far:
    """A registry on a server, with iris@1."""
    far = make_far(("git", "http"), tmp_path, ada.env, servers)
    ada.git("init", "-q", "-b", "main", tmp_path / "ada")
    there = ada.at(tmp_path / "ada")
    there.git("remote", "add", "origin", far.url)
    there.gitreg("init", "--remote", "origin", "--store", tmp_path / "store")
    there.gitreg("save", "iris", write(tmp_path / "weights", {"m.bin": "1"}), "--metadata", "accuracy=0.9")
    return far


def shared(person: Person) -> dict[str, str]:
    lines = person.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {name: oid for name, oid in map(str.split, lines) if name.startswith(REFS)}


def test_without_git_a_registry_is_cloned_read_written_and_published(ada: Person, far: Far, tmp_path: Path) -> None:
    bob = without_git(tmp_path, ada)
    bob.gitreg("clone", far.url, tmp_path / "bob")
    there = bob.at(tmp_path / "bob")
    assert there.gitreg("show", "iris@1", "--json").data["metadata"] == {"accuracy": 0.9}
    assert (Path(there.gitreg("load", "iris@1").out.strip()) / "m.bin").read_text() == "1"
    write(tmp_path / "weights", {"m.bin": "2"})
    there.gitreg("save", "iris", tmp_path / "weights")
    there.gitreg("promote", "iris@2", "production")
    write(tmp_path, {"list.yaml": f"- {{model: iris, paths: [{tmp_path}/weights]}}\n" * 2})
    there.gitreg("save", "--batch", tmp_path / "list.yaml")
    there.gitreg("alias", "set", "iris@1", "first", "--local")
    assert "refs/aliases/iris@first" not in far.refs()
    there.gitreg("push")
    assert "refs/aliases/iris@first" in far.refs()
    first = ada.at(tmp_path / "ada")
    first.gitreg("rollback", "iris", "production", code=4)  # nobody held it before
    first.gitreg("pull")
    first.gitreg("promote", "iris@3", "production", "--force")
    there.gitreg("pull")
    assert there.gitreg("show", "iris@production", "--json").data["version"] == "3"
    assert there.doctor_says() == []
    for person in (first, ada.at(tmp_path / "bob")):
        assert shared(person) == far.refs()
        assert_sound(person)
    assert far.is_whole()


WRITES = {
    "save": ("save", "iris", "weights", "--stage", "staging"),
    "sync": ("sync",),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("what", "git"), [("save", True), ("save", False), ("sync", True)])
def test_a_network_that_is_cut_after_any_request_costs_no_version_and_no_number(
    ada: Person, far: Far, tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch, what: str, git: bool
) -> None:
    """Each request in turn does not arrive; or it arrives, and its answer does not."""
    user = ada if git else without_git(tmp_path, ada)
    for name, value in ada.env.items():
        monkeypatch.setenv(name, value)
    write(tmp_path / "weights", {"m.bin": "2"})
    if what == "sync":
        far.git("tag", "-d", "models/iris@1")
    kept = tmp_path / "kept.git"
    shutil.copytree(far.path, kept)
    with on_a_bad_line(far, tmp_path, servers) as (url, _, line):
        for cut in ("cut_request", "cut_answer") if (what, git) == ("save", True) else ("cut_answer",):
            for number in range(1, 40):
                shutil.rmtree(far.path)
                shutil.copytree(kept, far.path)
                folder = tmp_path / f"{cut}-{number}"
                shutil.copytree(tmp_path / "ada", folder, symlinks=True)
                shutil.copytree(tmp_path / "weights", folder / "weights")
                ada.at(folder).git("remote", "set-url", "origin", url)
                line.requests = 0
                setattr(line, cut, number)
                ended = user.at(folder).run(PROGRAMS / "gitreg", *WRITES[what])
                whole = line.requests < number
                line.cut_request = line.cut_answer = None
                assert "Traceback" not in ended.err
                assert PASSWORD not in ended.err + ended.out
                assert ended.code == 0 or not whole, ended
                assert_published_whole(far, but_tags=what == "sync")
                if ended.code:
                    arrived = far.git("rev-parse", "main") != ada.at(folder).git("rev-parse", "main")
                    again = ("pull",) if arrived else WRITES[what]  # a save that has arrived is not made twice
                    user.at(folder).gitreg(*again)
                assert_as_if_nothing_had_been(ada.at(folder), far, numbers=[1, 2] if what == "save" else [1])
                shutil.rmtree(folder)
                if whole:
                    break
            else:
                raise AssertionError("it never ended by itself")


def assert_published_whole(far: Far, *, but_tags: bool) -> None:
    """What the server has, it has with all that belongs to it."""
    assert far.is_whole()
    tags = [name for name in far.refs() if name.startswith("refs/tags/models/iris@")]
    records = far.git("ls-tree", "-r", "--name-only", "main", "models/iris/versions").splitlines()
    assert but_tags or len(tags) == len(records)


def assert_as_if_nothing_had_been(person: Person, far: Far, *, numbers: list[int]) -> None:
    with Registry.open(person.here) as registry:
        pull(registry.session)
        versions = registry.session.snapshot().versions("iris")
        assert [version.number for version in versions] == numbers
        for version in versions:
            registry.load(version.reference)
        assert registry.doctor() == []
    assert shared(person) == far.refs()

"""A server of one's own, and somebody with plain git and no gitreg who tries to get past its hooks."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

import pytest

from tests.servers.buckets import Servers
from tests.servers.gitremotes import Far, make_far
from tests.system.world import PROGRAMS, Person, assert_sound, make_person, write

pytestmark = pytest.mark.slow

POLICY = """\
policies:
  production:
    from: [staging]
    gates:
    - metric: accuracy
      at_least: 0.9
"""
POINTER = "format: 1\nkind: stage\nversion: '{}'\n"
RECORD = (
    "format: 1\nkind: model_version\nmodel: iris\nversion: '{}'\nnumber: {}\ncreated_at: 2026-11-22T10:00:00.000Z\n"
)


WAYS = ("http", "gitolite", "http, update")


def each_way(deeds: Mapping[str, object]) -> pytest.MarkDecorator:
    """All of them over HTTP; every fourth by the other ways too, which lead to the same rules."""
    few = list(deeds)[::4]
    cases = [(way, what) for way in WAYS for what in (deeds if way == WAYS[0] else few)]
    return pytest.mark.parametrize(("hub", "what"), cases, indirect=["hub"])


class Hub(NamedTuple):
    """A registry on a server with hooks: iris@1 (accuracy 0.5) and iris@2 (0.95), which is in staging."""

    far: Far
    ada: Person
    by: str


@pytest.fixture(scope="session")
def hubs(tmp_path_factory: pytest.TempPathFactory, servers: Servers) -> Callable[[str], Hub]:
    """Each of them is made once: a fixture with parameters is made anew whenever the next test has another one."""
    return cache(lambda way: prepare(way, tmp_path_factory.mktemp("hooks"), servers))


def prepare(way: str, where: Path, servers: Servers) -> Hub:
    by, _, only = way.partition(", ")
    ada = make_person(where)
    far = make_far(("git", by), where, ada.env, servers)
    ada = ada.with_env(**far.env)
    ada.git("init", "-q", "-b", "main", where / "ada")
    ada = ada.at(where / "ada")
    ada.git("remote", "add", "origin", far.url)
    server = ada.at(far.path)
    far.git("config", "receive.denyDeleteCurrent", "ignore")  # git's own guard stands before ours
    if only:
        ada.run("cp", Path(__file__).parents[2] / "hooks" / "update", far.path / "hooks")
        shim = far.path / "hooks" / "update"
        shim.write_text(shim.read_text().replace("program=gitreg ", f"program={PROGRAMS / 'gitreg'} "))
    else:
        server.gitreg("hooks", "install", "--server")
    ada.gitreg("init", "--remote", "origin", "--store", where / "store")
    for number, accuracy in ((1, 0.5), (2, 0.95)):
        weights = write(where / "weights", {"m.bin": f"{number}"})
        ada.gitreg("save", "iris", weights, "--metadata", f"accuracy={accuracy}")
    ada.gitreg("promote", "iris@2", "staging")
    settings = (ada.here / "gitreg.yaml").read_text()
    write(ada.here, {"gitreg.yaml": settings + POLICY})
    ada.git("commit", "-qam", "Policy")
    ada.gitreg("push")
    return Hub(far, ada, only or by)


@pytest.fixture
def hub(request: pytest.FixtureRequest, hubs: Callable[[str], Hub]) -> Iterator[Hub]:
    """The same for each test: what one leaves is taken back."""
    prepared = hubs(request.param)
    before, here = prepared.far.refs(), prepared.ada.git("rev-parse", "HEAD")
    yield prepared
    for ref in prepared.far.refs():
        if ref not in before:
            prepared.far.git("update-ref", "-d", ref)
    for ref, oid in before.items():
        prepared.far.git("update-ref", ref, oid)
    shutil.rmtree(prepared.far.path / "gitreg", ignore_errors=True)
    shutil.rmtree(prepared.ada.here / ".git/gitreg", ignore_errors=True)
    prepared.ada.git("reset", "-q", "--hard", here)
    for ref in prepared.ada.git("for-each-ref", "--format=%(refname)").splitlines():
        if ref not in before:
            prepared.ada.git("update-ref", "-d", ref)
    for ref, oid in before.items():
        prepared.ada.git("update-ref", ref, oid)


@pytest.fixture
def eve(hub: Hub, tmp_path: Path) -> Person:
    """Somebody who has git, and no gitreg."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "ssh", "sh", "cat", "env"):
        (tools / name).symlink_to(shutil.which(name) or "")
    eve = hub.ada.with_env(PATH=str(tools), GIT_AUTHOR_NAME="Eve", GIT_COMMITTER_NAME="Eve")
    eve.git("clone", "-q", hub.far.url, tmp_path / "eve")
    return eve.at(tmp_path / "eve")


def commit(eve: Person, files: dict[str, str | None], message: str = "by hand") -> str:
    for name, content in files.items():
        if content is None:
            (eve.here / name).unlink()
        else:
            write(eve.here, {name: content})
    eve.git("add", "-A")
    eve.git("commit", "-q", "--allow-empty", "-m", message)
    return eve.git("rev-parse", "HEAD")


def text(eve: Person, name: str) -> str:
    return (eve.here / name).read_text()


VERSION = "models/iris/versions/2.yaml"
Attack = Callable[[Person], object]


def foxtrot(eve: Person) -> None:
    eve.git("checkout", "-q", "-b", "side", "HEAD~1")
    commit(eve, {"a.txt": "a"})
    eve.git("merge", "-q", "--no-ff", "-m", "Merge main", "main")


def rewritten(eve: Person) -> None:
    eve.git("commit", "-q", "--amend", "-m", "Nothing happened")


def twice(eve: Person) -> None:
    for number in ("one", "two"):
        commit(eve, {"models/iris/versions/3.yaml": RECORD.format("3", 3) + f"description: {number}\n"})


def linked(eve: Person) -> None:
    stage = eve.here / "models/iris/stages/staging.yaml"
    stage.unlink()
    stage.symlink_to("../aliases/champion.yaml")
    commit(eve, {})


ATTACKS: dict[str, tuple[Attack, str, str]] = {
    "an edited record": (
        lambda eve: commit(eve, {VERSION: text(eve, VERSION).replace("0.95", "0.99")}),
        "main", f"{VERSION} is a sealed record and is edited",
    ),
    "a removed record": (
        lambda eve: commit(eve, {VERSION: None, "models/iris/stages/staging.yaml": None}),
        "main", f"{VERSION} is a sealed record and is removed",
    ),
    "a stage that is a link": (linked, "main", "models/iris/stages/staging.yaml is a symbolic link"),
    "a record that changes within the push": (
        twice, "main", "models/iris/versions/3.yaml is a sealed record and is edited",
    ),
    "a moved tag": (
        lambda eve: eve.git("tag", "-f", "-a", "-m", "x", "models/iris@2", "main"),
        "+refs/tags/models/iris@2", "refs/tags/models/iris@2 seals iris@2: it is made once",
    ),
    "a tag made lightweight": (
        lambda eve: eve.git("tag", "-f", "models/iris@2", "models/iris@2^{commit}"),
        "+refs/tags/models/iris@2", "refs/tags/models/iris@2 seals iris@2: it is made once",
    ),
    "a deleted tag": (lambda _: None, ":refs/tags/models/iris@1", "refs/tags/models/iris@1 seals iris@1: it"),
    "a tag of nothing": (
        lambda eve: eve.git("tag", "-a", "-m", "x", "models/iris@9"),
        "refs/tags/models/iris@9", "of which main has no record",
    ),
    "a foreign tag": (
        lambda eve: eve.git("tag", "-a", "-m", "x", "models/v1"),
        "refs/tags/models/v1", "is no tag of a version",
    ),
    "a forced push": (rewritten, "+main", "main only moves forward"),
    "a branch that goes back": (lambda eve: eve.git("reset", "-q", "--hard", "HEAD~2"), "+main", "only moves forward"),
    "another first parent": (foxtrot, "side:main", "came in as the second parent of a merge"),
    "the branch deleted": (lambda _: None, ":main", "cannot be deleted"),
    "no YAML": (lambda eve: commit(eve, {"models/iris/model.yaml": "name: ["}), "main", "models/iris/model.yaml"),
    "no schema": (
        lambda eve: commit(eve, {"models/iris/versions/3.yaml": RECORD.format("3", "x")}),
        "main", "models/iris/versions/3.yaml at /number",
    ),
    "a number twice": (
        lambda eve: commit(eve, {"models/iris/versions/twin.yaml": RECORD.format("twin", 2)}),
        "main", "has the number 2, which iris@2 has already",
    ),
    "a pointer to nothing": (
        lambda eve: commit(eve, {"models/iris/aliases/best.yaml": POINTER.format("9").replace("stage", "alias")}),
        "main", "models/iris/aliases/best.yaml points to version '9', which is not there",
    ),
    "a promotion against the policy": (
        lambda eve: commit(eve, {"models/iris/stages/production.yaml": POINTER.format("1")}),
        "main", "iris@1 may not enter production",
    ),
    "a promotion that brings its own policy": (
        lambda eve: commit(eve, {
            "models/iris/stages/production.yaml": POINTER.format("1"),
            "gitreg.yaml": text(eve, "gitreg.yaml").replace(POLICY, ""),
        }),
        "main", "iris@1 may not enter production",
    ),
    "a registry that says it is elsewhere": (
        lambda eve: commit(eve, {
            VERSION: text(eve, VERSION).replace("0.95", "0.99"),
            "gitreg.yaml": text(eve, "gitreg.yaml").replace("branch: main", "branch: other"),
        }),
        "main", "is a sealed record and is edited",
    ),
    "no registry any more": (lambda eve: commit(eve, {"gitreg.yaml": None}), "main", "gitreg.yaml"),
    "a mirror elsewhere": (lambda _: None, "main:refs/stages/iris@staging", "staging.yaml did not change"),
    "a mirror deleted": (lambda _: None, ":refs/stages/iris@staging", "cannot be deleted"),
}  # fmt: skip


@each_way(ATTACKS)
def test_what_would_break_the_registry_is_declined_in_words_and_nothing_moves(hub: Hub, eve: Person, what: str) -> None:
    attack, refspec, says = ATTACKS[what]
    attack(eve)
    before = hub.far.refs()
    pushed = eve.run("git", "push", "origin", refspec)
    assert pushed.code == 1, pushed
    assert says in re.sub(r"\s*\nremote: +", " ", pushed.err.replace("\x1b[K", "")), pushed.err
    assert "Traceback" not in pushed.err
    assert hub.far.refs() == before


def aside(eve: Person) -> None:
    eve.git("checkout", "-q", "-b", "feature")
    commit(eve, {VERSION: text(eve, VERSION).replace("0.95", "0.99"), "models/iris/model.yaml": "name: ["})


def merged(eve: Person) -> None:
    eve.git("checkout", "-q", "-b", "gitreg/promote/iris-production-2")
    commit(eve, {"models/iris/stages/production.yaml": POINTER.format("2"), "models/iris/stages/staging.yaml": None})
    eve.git("checkout", "-q", "main")
    eve.git("merge", "-q", "--no-ff", "-m", "Merge the proposal", "gitreg/promote/iris-production-2")


def release(eve: Person) -> None:
    eve.git("tag", "-a", "-m", "x", "v1.0")
    eve.git("tag", "models-of-2026")


LEGITIMATE: dict[str, tuple[Attack, list[str], list[str]]] = {
    "a card": (lambda eve: commit(eve, {"models/iris/README.md": "# Iris\n"}), ["main"], []),
    "files that are none of the registry's": (lambda eve: commit(eve, {"notes.txt": "x"}), ["main"], []),
    "a promotion by the policy": (
        lambda eve: commit(eve, {
            "models/iris/stages/production.yaml": POINTER.format("2"), "models/iris/stages/staging.yaml": None,
        }),
        ["main"], ["refs/stages/iris@production"],
    ),
    "a version by hand": (
        lambda eve: commit(eve, {"models/iris/versions/3.yaml": RECORD.format("3", 3)}),
        ["main"], ["refs/tags/models/iris@3"],
    ),
    "a merged proposal": (merged, ["main"], ["refs/stages/iris@production"]),
    "a branch of somebody's own, whatever it holds": (aside, ["feature"], ["refs/heads/feature"]),
    "tags of another kind": (release, ["v1.0", "models-of-2026"], ["refs/tags/v1.0", "refs/tags/models-of-2026"]),
}  # fmt: skip


@each_way(LEGITIMATE)
def test_what_keeps_to_the_rules_passes_and_tags_and_mirrors_follow(hub: Hub, eve: Person, what: str) -> None:
    work, refspecs, made = LEGITIMATE[what]
    if what == "a branch of somebody's own, whatever it holds" and hub.by == "update":
        pytest.skip("the same")
    work(eve)
    before = hub.far.refs()
    eve.git("push", "-q", "origin", *refspecs)
    after = hub.far.refs()
    assert after != before
    if hub.by != "update":  # which has no post-receive beside it here
        assert set(made) <= set(after)
        hub.ada.gitreg("pull")
        assert_sound(hub.ada)
        assert hub.ada.gitreg("sync").out == "All tags and refs are already in place\n"


@pytest.mark.parametrize("hub", WAYS, indirect=True)
def test_gitreg_itself_writes_as_ever(hub: Hub, tmp_path: Path) -> None:
    ada, weights = hub.ada, write(tmp_path / "w", {"m.bin": "3"})
    ada.gitreg("save", "iris", weights, "--metadata", "accuracy=0.97", "--stage", "production", code=4)
    ada.gitreg("promote", "iris@2", "production")
    write(tmp_path, {"list.yaml": "".join(f"- {{model: rose, paths: [{weights}], tags: [t{n}]}}\n" for n in range(5))})
    ada.gitreg("save", "--batch", tmp_path / "list.yaml")
    ada.gitreg("save", "iris", weights, "--local")
    ada.gitreg("alias", "set", "iris@3", "best", "--local")
    ada.gitreg("push")
    ada.gitreg("promote", "rose@1", "staging", "--pr")
    ada.gitreg("rollback", "iris", "production", code=4)
    assert_sound(ada)
    there = hub.far.refs()
    assert {"refs/tags/models/rose@5", "refs/tags/models/iris@3", "refs/aliases/iris@best"} <= set(there)
    assert "refs/heads/gitreg/promote/rose-staging-1" in there
    assert hub.far.is_whole()


@pytest.mark.parametrize("hub", WAYS, indirect=True)
def test_a_clone_that_lost_a_race_tries_again(hub: Hub, tmp_path: Path) -> None:
    ada, weights = hub.ada, write(tmp_path / "w", {"m.bin": "3"})
    ada.gitreg("clone", hub.far.url, tmp_path / "other")
    other = ada.at(tmp_path / "other")
    running = [who.start(PROGRAMS / "gitreg", "save", model, weights) for who, model in (
        (ada, "iris"), (other, "iris"), (other, "rose"), (ada, "tulip"),
    )]  # fmt: skip
    for process in running:
        _, err = process.communicate()
        assert process.returncode == 0, err
        assert "Traceback" not in err
    ada.gitreg("pull")
    assert [row["number"] for row in ada.gitreg("list", "iris", "--json").data["items"]] == [4, 3, 2, 1]
    assert_sound(ada)


@pytest.mark.parametrize("hub", WAYS[:1], indirect=True)
def test_without_gitreg_on_the_server_the_hook_says_so(hub: Hub, eve: Person) -> None:
    shim = hub.far.path / "hooks" / "pre-receive"
    kept = shim.read_text()
    try:
        shim.write_text(
            re.sub("^program=.*", "program=gitreg-is-gone", kept, flags=re.MULTILINE).replace("|| program=gitreg", "")
        )
        commit(eve, {"notes.txt": "x"})
        pushed = eve.run("git", "push", "origin", "main")
        assert pushed.code == 1
        assert "gitreg is not installed on this server" in pushed.err
    finally:
        shim.write_text(kept)
    assert os.access(shim, os.X_OK)


@pytest.mark.parametrize("packed", [True, False])
def test_what_lies_in_quarantine_is_read_however_it_lies_there(ada: Person, tmp_path: Path, packed: bool) -> None:
    """A whole registry in its first push: a hundred commits and more, which git is asked for, as a pack or loose."""
    ada.git("init", "-q", "--bare", "-b", "main", tmp_path / "hub.git")
    ada.at(tmp_path / "hub.git").gitreg("hooks", "install", "--server")
    ada.at(tmp_path / "hub.git").git("config", "receive.unpackLimit", "1" if packed else "100000")
    ada.gitreg("init", tmp_path / "one")
    one = ada.at(tmp_path / "one")
    one.gitreg("save", "iris", write(tmp_path / "w", {"m.bin": "1"}))
    commits = "".join(
        "commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 1\nx\n"
        + ("" if number else "from refs/heads/main^0\n")
        + f"M 100644 inline models/iris/README.md\ndata {len(str(number))}\n{number}\n\n"
        for number in range(120)
    )
    one.git("fast-import", "--quiet", stdin=commits)
    one.git("reset", "-q", "--hard")
    hub = str(tmp_path / "hub.git")
    sound = one.git("rev-parse", "main")
    commit(one, {"models/iris/versions/1.yaml": text(one, "models/iris/versions/1.yaml") + "description: x\n"})
    assert "models/iris/versions/1.yaml" in one.run("git", "push", hub, "main").err
    one.git("reset", "-q", "--hard", sound)
    one.git("push", "-q", hub, "main", "models/iris@1")
    assert "models/iris@1" in ada.at(tmp_path / "hub.git").git("tag")
    for name in ("incoming", "tmp_objdir"):
        assert not list((tmp_path / "hub.git" / "objects").glob(f"{name}*"))


@pytest.mark.parametrize("hub", ["http", "http, update"], indirect=True)  # gitolite takes no % in a tag's name
def test_a_name_in_decomposed_letters_is_declined_as_a_files_and_is_one_name_inside(
    hub: Hub, eve: Person, tmp_path: Path
) -> None:
    hub.ada.gitreg("save", "modèle@été", write(tmp_path / "w", {"m.bin": "summer"}))
    eve.git("pull", "-q", "origin", "main")
    decomposed = partial(normalize, "NFD")
    model = "format: 1\nkind: model\nname: {}\n".format(decomposed("forêt"))
    for folder in (decomposed("models/forêt"), "models/fore%CC%82t"):
        commit(eve, {f"{folder}/model.yaml": model})
        pushed = eve.run("git", "push", "origin", "main")
        assert pushed.code == 1, pushed
        assert "its name is not spelled as gitreg spells it" in re.sub(r"\s*\nremote: +", " ", pushed.err)
        eve.git("reset", "-q", "--hard", "origin/main")
    folder = "models/mod%C3%A8le"
    commit(eve, {
        "models/for%C3%AAt/model.yaml": model,
        f"{folder}/stages/staging.yaml": POINTER.format(decomposed("été")),
        f"{folder}/annotations/%C3%A9t%C3%A9.yaml": f"format: 1\nkind: annotation\ntags: [{decomposed('tâche')}]\n",
    })  # fmt: skip
    eve.git("push", "-q", "origin", "main")
    reader = hub.ada.at(tmp_path).with_env(GITREG_REGISTRY=hub.far.url, GITREG_CACHE=str(tmp_path / "cache"))
    for spell in (str, decomposed):
        for reference in ("modèle@été", "modèle@staging", "modèle"):
            assert reader.gitreg("cat", spell(f"{reference}:m.bin")).out == "summer"
        assert reader.gitreg("list", spell("modèle"), spell("tag=tâche"), "--json").data["total"] == 1
        assert reader.gitreg("model", "show", spell("forêt"), "--json").data["name"] == "forêt"
    hub.ada.gitreg("pull")
    if hub.by != "update":
        assert_sound(hub.ada)

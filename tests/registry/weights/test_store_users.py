"""Clones and registries that share a store: what anybody needs stays, and who is gone for good is let go in words."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import gitreg
from gitreg.errors import NotFound, Refused
from gitreg.registry.weights.claims import Claims
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.drafts import discard
from gitreg.sdk.verbs.remotes import clone, pull, push
from tests.registry.support import git

pytestmark = pytest.mark.slow

Clones = tuple[Registry, Registry]
AT_ONCE = -60.0
DAY = 86400.0


@pytest.fixture
def clones(one: Registry, hub: Path, tmp_path: Path) -> Iterator[Clones]:
    with Registry(clone(str(hub), tmp_path / "two")) as two:
        two.session.trust()
        yield one, two


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], Path]:
    """Return a file by what it says."""

    def make(content: str) -> Path:
        path = tmp_path / f"{content}.bin"
        path.write_bytes(content.encode())
        return path

    return make


def claims(where: Path) -> dict[str, dict[str, str]]:
    return {path.name: json.loads(path.read_text()) for path in (where / "store" / "claims").iterdir()}


def of_clones(where: Path) -> list[str]:
    return [said["repository"] for said in claims(where).values() if "repository" in said]


def weights_in(where: Path) -> set[str]:
    return {path.read_text() for path in (where / "store" / "sha256").rglob("*") if path.is_file()}


def collect(registry: Registry) -> set[str]:
    """Collect twice, and purge, so that nothing comes back; return the keys of what went."""
    gone = {item.key for item in registry.collect_garbage(grace=AT_ONCE, apply=True)}
    assert not registry.collect_garbage(grace=AT_ONCE, apply=True)
    registry.purge_garbage(grace=AT_ONCE)
    return gone


def local(registry: Registry) -> Registry:
    return Registry.open(registry.folder, local=True)


def age(where: Path, name: str, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(where / "store" / "claims" / name, (then, then))


@pytest.mark.slow
def test_all_clones_of_a_registry_share_one_claim_and_each_sees_what_the_others_published(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    one.save("iris", files("first"))
    two.save("rose", files("second"))
    (said,) = claims(tmp_path).values()
    assert said["registry"] == one.session.snapshot().settings.id
    assert one.session.snapshot().models() != two.session.snapshot().models(), "the one is behind"
    assert collect(one) == set()
    assert weights_in(tmp_path) == {"first", "second"}


@pytest.mark.slow
def test_a_throw_away_clone_leaves_nothing_that_blocks(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    two.save("iris", files("first"))
    with gitreg.run("train", registry=two, model=gitreg.Model("iris")) as run:
        run.artifacts.save(files("a run's"), "checkpoint")
        assert of_clones(tmp_path) == [str(two.folder / ".git")], "while it runs, only this clone knows"
    assert of_clones(tmp_path) == []
    two.close()
    shutil.rmtree(two.folder)
    assert collect(one) == set()
    assert {"first", "a run's"} <= weights_in(tmp_path)


@pytest.mark.slow
def test_what_a_clone_has_not_pushed_stays_until_it_is_pushed_and_then_for_all(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    with local(two) as alone:
        alone.save("rose", files("not pushed"))
    assert of_clones(tmp_path) == [str(two.folder / ".git")]
    assert collect(one) == set()
    assert weights_in(tmp_path) == {"not pushed"}
    push(two.session)
    assert of_clones(tmp_path) == []
    assert collect(one) == set()
    pull(one.session)
    assert one.load("rose@1", tmp_path / "out", unsafe_code=True).exists()


@pytest.mark.slow
def test_what_was_saved_alone_and_then_published_by_another_save_leaves_no_claim(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    _, two = clones
    with local(two) as alone:
        alone.save("rose", files("first"))
    assert of_clones(tmp_path)
    two.save("rose", files("second"))
    assert of_clones(tmp_path) == []


@pytest.mark.slow
def test_a_record_that_is_on_a_branch_of_one_clone_only_keeps_its_claim(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    with local(two) as alone:
        alone.save("rose", files("kept aside"))
    git(two.folder, "branch", "aside")
    git(two.folder, "tag", "-d", "models/rose@1")
    git(two.folder, "reset", "-q", "--hard", "HEAD~1")
    two.save("iris", files("first"))
    assert of_clones(tmp_path) == [str(two.folder / ".git")]
    assert collect(one) == set()
    git(two.folder, "branch", "-D", "aside")
    two.save("iris", files("second"))
    assert of_clones(tmp_path) == []
    assert collect(one) != set()
    assert weights_in(tmp_path) == {"first", "second"}


@pytest.mark.slow
def test_a_draft_of_another_clone_stays_and_goes_when_it_is_discarded(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones

    def half() -> None:
        with gitreg.run("half", registry=two, model=gitreg.Model("iris")) as run:
            run.artifacts.save(files("a draft's"), "checkpoint")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert of_clones(tmp_path) == [str(two.folder / ".git")]
    assert collect(one) == set()
    discard(two.session, "half")
    assert of_clones(tmp_path) == []
    assert collect(one) != set()
    assert weights_in(tmp_path) == set()


@pytest.mark.slow
def test_a_proposal_of_another_clone_stays(clones: Clones, files: Callable[[str], Path], tmp_path: Path) -> None:
    one, two = clones
    one.save("iris", files("first"))
    two.proposing = True
    two.save("iris", files("proposed"))
    assert of_clones(tmp_path) == []
    assert collect(one) == set()
    assert weights_in(tmp_path) == {"first", "proposed"}


@pytest.mark.slow
def test_a_deletion_frees_nothing_before_it_is_published(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    one.save("iris", files("first"))
    one.save("iris", files("second"))
    pull(two.session)
    with local(one) as alone:
        alone.delete_version("iris@1")
    assert collect(one) == set()
    assert two.load("iris@1", tmp_path / "out", unsafe_code=True).exists()
    push(one.session)
    assert collect(two) != set(), "and is seen by who is behind"
    assert weights_in(tmp_path) == {"second"}


@pytest.mark.slow
def test_nothing_is_collected_while_the_remote_cannot_be_asked(
    clones: Clones, files: Callable[[str], Path], hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = clones
    one.save("iris", files("first"))
    one.save("iris", files("second"))
    one.delete_version("iris@1")
    monkeypatch.setenv("GITREG_OFFLINE", "1")
    with Registry.open(one.folder) as offline, pytest.raises(Refused, match="offline"):
        offline.collect_garbage(grace=AT_ONCE, apply=True)
    hub.rename(tmp_path / "away")
    for work in (partial(one.collect_garbage, apply=True), one.purge_garbage, one.collect_garbage):
        with pytest.raises(Refused, match="does not tell what other clones keep") as refused:
            work(grace=AT_ONCE)
        assert refused.value.hint
    assert weights_in(tmp_path) == {"first", "second"}
    (tmp_path / "away").rename(hub)
    assert collect(one) != set()


@pytest.mark.slow
def test_a_remote_whose_history_was_rewritten_stops_gc(
    clones: Clones, files: Callable[[str], Path], hub: Path, tmp_path: Path
) -> None:
    one, two = clones
    one.save("iris", files("first"))
    pull(two.session)
    git(hub, "update-ref", "refs/heads/main", "main~1")
    with pytest.raises(Refused, match="does not tell"):
        two.collect_garbage(grace=AT_ONCE, apply=True)
    git(hub, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(Refused, match="is gone"):
        two.collect_garbage(grace=AT_ONCE, apply=True)
    assert weights_in(tmp_path) == {"first"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["the folder is not there", "another clone is there"])
def test_a_clone_on_another_machine_with_something_unpublished_stops_gc_until_it_may_be_let_go(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path, how: str
) -> None:
    one, two = clones
    with local(two) as alone:
        alone.save("rose", files("not pushed"))
    two.close()
    (tmp_path / "two").rename(tmp_path / "elsewhere")
    if how == "another clone is there":
        clone(str(tmp_path / "hub.git"), tmp_path / "two").close()
    (name,) = (name for name, said in claims(tmp_path).items() if "repository" in said)
    words = (
        rf"{tmp_path}/two/\.git, a clone with drafts or with commits that it has not pushed, keeps weights in .*cannot"
    )
    with pytest.raises(Refused, match=words) as refused:
        one.collect_garbage(grace=AT_ONCE, apply=True)
    assert "for 90 days, not 0" in (refused.value.hint or "")
    with pytest.raises(Refused, match="can be let go after 90"):
        one.release_claims([name])
    age(tmp_path, name, 89.5)
    with pytest.raises(Refused, match="was renewed 89 days ago"):
        one.release_claims([name])
    age(tmp_path, name, 91)
    with pytest.raises(Refused, match="keeps weights") as refused:
        one.collect_garbage(grace=AT_ONCE, apply=True)
    assert f"for 91 days: if it is gone for good, `gitreg gc --release {name}`" in (refused.value.hint or "")
    assert weights_in(tmp_path) == {"not pushed"}
    one.release_claims([name])
    assert collect(one) != set()
    assert weights_in(tmp_path) == set()
    with pytest.raises(NotFound, match="has no claim"):
        one.release_claims([name])


@pytest.mark.slow
def test_a_claim_that_can_be_read_is_never_let_go(clones: Clones, files: Callable[[str], Path], tmp_path: Path) -> None:
    one, two = clones
    with local(two) as alone:
        alone.save("rose", files("not pushed"))
    for name in claims(tmp_path):
        age(tmp_path, name, 1000)
        with pytest.raises(Refused, match="can be read, and stays"):
            one.release_claims([name])
    assert collect(one) == set()
    assert weights_in(tmp_path) == {"not pushed"}


@pytest.mark.slow
def test_a_claim_of_a_registry_that_vanished_stops_gc_in_each_of_its_clones_until_one_saves(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    one.save("iris", files("first"))
    assert collect(two) == set()
    for name in claims(tmp_path):
        (tmp_path / "store" / "claims" / name).unlink()
    for registry in clones:
        with pytest.raises(Refused, match=rf"the claim of {tmp_path}/hub\.git on .* is gone"):
            registry.collect_garbage(grace=AT_ONCE, apply=True)
    two.save("rose", files("second"))
    assert collect(one) == set()


@pytest.mark.slow
def test_a_clones_own_claim_that_vanished_stops_its_gc_until_it_publishes(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    _, two = clones
    with local(two) as alone:
        alone.save("rose", files("first"))
    (name,) = (name for name, said in claims(tmp_path).items() if "repository" in said)
    (tmp_path / "store" / "claims" / name).unlink()
    with pytest.raises(Refused, match="is gone"):
        two.collect_garbage(grace=AT_ONCE, apply=True)
    git(two.folder, "push", "-q", "origin", "main")
    pull(two.session)
    with pytest.raises(Refused, match="is gone"):
        two.collect_garbage(grace=AT_ONCE, apply=True)
    two.save("rose", files("second"))
    assert collect(two) == set()
    assert weights_in(tmp_path) == {"first", "second"}


@pytest.mark.slow
def test_what_was_pushed_by_plain_git_leaves_the_claim_to_the_clones_own_gc(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    _, two = clones
    with local(two) as alone:
        alone.save("rose", files("first"))
    git(two.folder, "push", "-q", "origin", "main")
    pull(two.session)
    (two.folder / ".git" / "gitreg" / "claims.json").unlink()
    assert collect(two) == set()
    assert of_clones(tmp_path) == []


def other_registry(tmp_path: Path, name: str, store: Path) -> Registry:
    """Return a clone of a registry with a hub of its own."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", f"{name}.git")
    git(tmp_path, "init", "-q", "-b", "main", name)
    git(tmp_path / name, "remote", "add", "origin", f"../{name}.git")
    return Registry.init(tmp_path / name, store=str(store), remote="origin")[0]


@pytest.mark.slow
def test_another_registry_is_read_at_its_remote_wherever_its_clones_are(
    one: Registry, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one.save("iris", files("first"))
    with other_registry(tmp_path, "other", tmp_path / "store") as other:
        for content in ("second", "third"):
            other.save("rose", files(content))
        other.proposing = True
        other.save("rose", files("proposed"))
        other.proposing = False
        shutil.move(tmp_path / "other", tmp_path / "elsewhere")
    assert collect(one) == set()
    with Registry.open(tmp_path / "elsewhere") as other:
        other.delete_version("rose@1")
    gone = one.collect_garbage(grace=AT_ONCE, apply=True)
    assert [(item.model, item.version, item.registry) for item in gone] == [("rose", "1", str(tmp_path / "other.git"))]
    assert weights_in(tmp_path) == {"first", "third", "proposed"}
    (tmp_path / "other.git").rename(tmp_path / "away")
    with pytest.raises(Refused, match=rf"{tmp_path}/other\.git keeps weights in .* too \(it last saved"):
        one.collect_garbage(grace=AT_ONCE)


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["the copy's", "the first's"])
def test_a_registry_that_copied_anothers_id_frees_none_of_its_weights(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path, hub: Path, whose: str
) -> None:
    one, two = clones
    shutil.copytree(hub, tmp_path / "copy.git")
    shutil.rmtree(tmp_path / "copy.git" / "gitreg", ignore_errors=True)
    git(two.folder, "remote", "set-url", "origin", str(tmp_path / "copy.git"))
    with Registry.open(two.folder) as copy:
        copy.session.trust()
        copy.save("rose", files("copy's"))
        one.save("iris", files("first"))
        assert copy.session.snapshot().settings.id == one.session.snapshot().settings.id
        assert len(claims(tmp_path)) == 2
        registry, other = (copy, hub) if whose == "the copy's" else (one, tmp_path / "copy.git")
        assert collect(registry) == set()
        other.rename(tmp_path / "away")
        with pytest.raises(Refused, match="cannot be read"):
            registry.collect_garbage(grace=AT_ONCE, apply=True)
    assert weights_in(tmp_path) == {"copy's", "first"}


@pytest.mark.slow
def test_the_same_path_of_a_remote_on_another_machine_is_another_remote(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path, hub: Path
) -> None:
    one, _ = clones
    one.save("iris", files("there"))
    hub.rename(tmp_path / "that machine's")
    git(tmp_path, "clone", "-q", "--bare", "that machine's", "hub.git")
    git(hub, "update-ref", "refs/heads/main", "main~1")
    git(hub, "tag", "-d", "models/iris@1")
    with Registry(clone(str(hub), tmp_path / "three")) as three:
        three.session.trust()
        three.save("rose", files("here"))
        with pytest.raises(Refused, match="another one"):
            three.collect_garbage(grace=AT_ONCE, apply=True)
    assert weights_in(tmp_path) == {"there", "here"}


@pytest.mark.slow
def test_claims_by_folder_of_older_clones_count_until_their_clone_has_published_all(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    for registry in clones:
        by_folder(registry, tmp_path)
    with local(two) as alone:
        alone.save("iris", files("first"))
    assert collect(one) == set()
    two.save("iris", files("second"))
    replaced = [said for said in claims(tmp_path).values() if "replaced_by" in said]
    assert {said["repository"] for said in replaced} == {f"{registry.folder}/.git" for registry in clones}
    two.close()
    shutil.rmtree(two.folder)
    assert collect(one) == set(), "nothing has vanished, and nobody is missed"
    assert weights_in(tmp_path) == {"first", "second"}


@pytest.mark.slow
def test_a_claim_by_folder_of_an_older_clone_that_cannot_be_read_stops_gc(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    one.save("iris", files("first"))
    by_folder(two, tmp_path)
    two.close()
    shutil.rmtree(two.folder)
    with pytest.raises(Refused, match=r"two/\.git keeps weights"):
        one.collect_garbage(grace=AT_ONCE, apply=True)


def by_folder(registry: Registry, where: Path) -> None:
    """Leave a claim as they were before registries had one: both clones have seen it."""
    before = Claims(registry.session.branch, None)
    before.leave(registry.session.store, unpublished=False)
    name, said = before.of_clone() or pytest.fail("it left none")
    note = where / "one" / ".git" / "gitreg" / "claims.json"
    known = json.loads(note.read_text()) if note.exists() else {}
    known.setdefault(registry.session.store.url, {})[name] = said["repository"]
    note.parent.mkdir(exist_ok=True)
    note.write_text(json.dumps(known))


@pytest.mark.slow
def test_a_damaged_note_or_claim_stops_gc_in_words_and_nothing_that_is_published(
    clones: Clones, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one, two = clones
    with local(two) as alone:
        alone.save("rose", files("first"))
    for name, said in claims(tmp_path).items():
        if "repository" in said:
            (tmp_path / "store" / "claims" / name).write_text("{")
    with pytest.raises(Refused, match=r"claims/\w+\.json keeps weights .* cannot be read"):
        one.collect_garbage(grace=AT_ONCE)
    two.promote("rose@1", "production")
    assert collect(two) == set()
    note = two.folder / ".git" / "gitreg" / "claims.json"
    note.write_text("{")
    two.promote("rose@1", "staging")
    for text in ("{", "[1]", '{"store": 5}'):
        note.write_text(text)
        with pytest.raises(Refused, match=r"claims\.json cannot be read"):
            two.collect_garbage(grace=AT_ONCE)


@pytest.mark.slow
def test_a_store_names_no_program_that_gc_would_run(
    one: Registry, files: Callable[[str], Path], tmp_path: Path
) -> None:
    one.save("iris", files("first"))
    git(one.folder, "config", "--global", "protocol.ext.allow", "always")
    said = {"registry": "a" * 32, "remote": f"ext::touch {tmp_path}/ran", "branch": "main", "root": ""}
    (tmp_path / "store" / "claims" / "x.json").write_text(json.dumps(said))
    with pytest.raises(Refused, match="neither of a folder nor of a machine"):
        one.collect_garbage(grace=AT_ONCE)
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("https://token@Example.com/team/reg.git", "git@example.com:team/reg", True),
        ("ssh://git@example.com/team/reg.git/", "https://example.com/team/reg", True),
        ("ada@example.com:reg", "bob@example.com:reg", False),
        ("https://example.com/team/reg", "https://example.com/other/reg", False),
        ("https://example.com:8443/team/reg", "https://example.com/team/reg", False),
        ("https://example.com/team/reg", "https://example.org/team/reg", False),
    ],
)
def test_ways_to_one_remote_are_one_claim_and_no_password_is_in_it(
    one: Registry, first: str, second: str, same: bool
) -> None:
    found = []
    for url in (first, second):
        git(one.folder, "remote", "set-url", "origin", url)
        with Registry.open(one.folder) as registry:
            claim = registry.session.claims.of_registry()
            assert claim is not None
            assert "token" not in json.dumps(claim.fields)
            found.append(claim.name)
    assert (found[0] == found[1]) is same

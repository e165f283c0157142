"""What is live in a store that registries share, and whose the rest was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.errors import InvalidDocument, Refused
from gitreg.sdk.registry import Registry
from tests.registry.support import commit_files, git

pytestmark = pytest.mark.slow

AT_ONCE = -60.0


@pytest.fixture
def shared(user: Path, tmp_path: Path) -> Callable[[str], Registry]:
    """Give a registry by name; all keep their weights in one store."""

    def make(name: str) -> Registry:
        made, _ = Registry.init(tmp_path / name, store=str(tmp_path / "store"))
        return made

    return make


def files(where: Path, content: str) -> Path:
    where.mkdir(exist_ok=True)
    for name in ("a", "b"):
        (where / name).write_text(f"{content} {name}")
    (where / "middle").write_bytes(content.encode() * (1 << 18))
    return where


@pytest.mark.slow
def test_what_another_registry_means_stays_and_what_it_deleted_goes_under_its_name(
    shared: Callable[[str], Registry], tmp_path: Path
) -> None:
    with shared("one") as one, shared("two") as two:
        one.save("iris", files(tmp_path / "w", "first"))
        two.save("rose", files(tmp_path / "w", "second"))
        two.save("rose", files(tmp_path / "w", "third"))
        assert one.collect_garbage(grace=AT_ONCE, apply=True) == []
        two.delete_version("rose@1")
        gone = one.collect_garbage(grace=AT_ONCE, apply=True)
        assert {(item.model, item.version, item.registry) for item in gone} == {("rose", "1", str(two.folder / ".git"))}
        assert {(item.model, item.version, item.registry) for item in two.collect_garbage(grace=AT_ONCE)} == {
            ("rose", "1", None)
        }
        assert two.load("rose@2", tmp_path / "out").is_dir()


@pytest.mark.slow
def test_a_registry_that_cannot_be_read_stops_everything_but_undo(
    shared: Callable[[str], Registry], tmp_path: Path
) -> None:
    with shared("one") as one:
        with shared("two") as two:
            two.save("rose", files(tmp_path / "w", "second"))
        one.save("iris", files(tmp_path / "w", "first"))
        one.delete_version("iris@1")
        gone = one.collect_garbage(grace=AT_ONCE, apply=True)
        (tmp_path / "two").rename(tmp_path / "away")
        stopped: list[Callable[[], object]] = [
            lambda: one.collect_garbage(grace=AT_ONCE),
            lambda: one.collect_garbage(grace=AT_ONCE, apply=True),
            lambda: one.purge_garbage(grace=AT_ONCE),
        ]
        for work in stopped:
            with pytest.raises(Refused, match=r"\(it last saved there in the week \d{4}-W\d\d\), and cannot be read"):
                work()
        assert {item.key for item in one.return_garbage()} == {item.key for item in gone}


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["own", "another's"])
def test_a_claim_that_vanished_stops_gc_until_it_is_left_again(
    shared: Callable[[str], Registry], tmp_path: Path, whose: str
) -> None:
    with shared("one") as one, shared("two") as two:
        one.save("iris", files(tmp_path / "w", "first"))
        two.save("rose", files(tmp_path / "w", "second"))
        assert one.collect_garbage(grace=AT_ONCE) == []
        victim = one if whose == "own" else two
        [claim] = [
            path
            for path in (tmp_path / "store" / "claims").iterdir()
            if json.loads(path.read_text())["repository"] == str(victim.folder / ".git")
        ]
        claim.unlink()
        for apply in (False, True):
            with pytest.raises(Refused, match=f"the claim of {victim.folder}/.git on .* is gone") as refused:
                one.collect_garbage(grace=AT_ONCE, apply=apply)
            assert claim.name in (refused.value.hint or "")
        with pytest.raises(Refused, match="is gone"):
            one.purge_garbage(grace=AT_ONCE)
        assert two.load("rose@1", tmp_path / "out").is_dir()
        victim.save("more", files(tmp_path / "w", "third"))
        assert one.collect_garbage(grace=AT_ONCE, apply=True) == []


@pytest.mark.slow
def test_a_registry_in_the_same_folder_of_another_machine_is_not_taken_for_this_one(
    shared: Callable[[str], Registry], tmp_path: Path
) -> None:
    with shared("one") as there:
        there.save("iris", files(tmp_path / "w", "saved there"))
    shutil.rmtree(tmp_path / "one")
    with shared("one") as here:
        here.save("iris", files(tmp_path / "w", "saved here"))
        with pytest.raises(Refused, match="another one"):
            here.collect_garbage(grace=AT_ONCE, apply=True)
        claims = sorted((tmp_path / "store" / "claims").iterdir())
        assert len(claims) == 2
        mine = (tmp_path / "one" / ".git" / "gitreg" / "clone-id").read_text().strip()
        for claim in claims:
            if json.loads(claim.read_text())["clone"] != mine:
                claim.unlink()
        assert len(here.collect_garbage(grace=AT_ONCE, apply=True)) == 2


@pytest.mark.slow
def test_weights_of_a_draft_or_a_stage_that_no_branch_holds_stay(registry: Registry, tmp_path: Path) -> None:
    registry.save("iris", files(tmp_path / "w", "first"))
    registry.save("iris", files(tmp_path / "w", "second"))
    for ref in ("refs/drafts/iris/run-1", "refs/stages/iris@production"):
        git(registry.folder, "update-ref", ref, "main")
    git(registry.folder, "tag", "-d", "models/iris@2")
    git(registry.folder, "reset", "-q", "--hard", "HEAD~1")
    for ref in ("refs/drafts/iris/run-1", "refs/stages/iris@production"):
        assert registry.collect_garbage(grace=AT_ONCE) == []
        git(registry.folder, "update-ref", "-d", ref)
    gone = registry.collect_garbage(grace=AT_ONCE)
    assert {item.key.partition("/")[0] for item in gone} == {"packs", "sha256"}
    assert {item.version for item in gone} == {None}, "no record names it any more"


@pytest.mark.slow
def test_a_manifest_that_lies_in_the_store_tells_whose_its_files_were_and_stays_in_the_trash(
    registry: Registry, tmp_path: Path
) -> None:
    where = tmp_path / "many"
    where.mkdir()
    for number in range(1001):
        (where / f"{number}").write_text(f"{number}")
    (where / "middle").write_bytes(b"m" * (1 << 20))
    registry.save("big", where)
    registry.delete_version("big@1")
    taken = registry.collect_garbage(grace=AT_ONCE, apply=True)
    assert {(item.key.partition("/")[0], item.version) for item in taken} == {("packs", "1"), ("sha256", "1")}
    assert len(taken) == 3, "the pack, the manifest, the file"
    shown = registry.collect_garbage(grace=AT_ONCE)
    assert {(item.key, item.reason, item.version) for item in shown} == {(item.key, "trash", "1") for item in taken}


@pytest.mark.slow
def test_what_a_draft_holds_and_what_stands_on_its_own_is_not_collected(registry: Registry, tmp_path: Path) -> None:
    import gitreg

    def half() -> None:
        with gitreg.run("half", registry=registry, model=gitreg.Model("iris")) as run:
            run.artifacts.save("a draft's", "checkpoint")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    gitreg.save_artifact("its own", "note", registry=registry)
    assert not registry.collect_garbage(grace=0, apply=True)
    assert gitreg.load_artifact("note", registry=registry) == "its own"
    with gitreg.run("half", registry=registry) as run:
        checkpoint = run.artifacts.find("checkpoint")
        assert checkpoint is not None
        assert checkpoint.load() == "a draft's"
    assert registry.version("iris").links == ("checkpoint@1",)
    assert all(finding.problem is None for finding in registry.verify(share=1.0))
    assert registry.doctor() == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["removed", "without its version", "without its number"])
def test_weights_of_an_artifact_whose_record_was_changed_by_hand_stay(registry: Registry, how: str) -> None:
    import gitreg

    saved = gitreg.save_artifact("its own", "note", registry=registry)
    said = (registry.folder / "artifacts/note/1.yaml").read_text()
    broken = None if how == "removed" else said.replace(f"\n{how.rpartition(' ')[2]}:", "\nelse:")
    commit_files(registry.folder, {"artifacts/note/1.yaml": broken})
    assert registry.collect_garbage(grace=AT_ONCE, apply=True) == []
    git(registry.folder, "revert", "--no-edit", "HEAD")
    assert gitreg.load_artifact(str(saved.reference), registry=registry) == "its own"


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["artifacts/note/1.yaml", "models/iris/versions/1.yaml", "models/iris/annotations/1.yaml"]
)
def test_a_record_that_cannot_be_read_stops_the_collection(registry: Registry, tmp_path: Path, path: str) -> None:
    import gitreg

    gitreg.save_artifact("its own", "note", registry=registry)
    registry.save("iris", files(tmp_path / "w", "first"))
    registry.annotate("iris@1", description="good")
    said = (registry.folder / path).read_text()
    commit_files(registry.folder, {path: f"{said}[\n"})
    for apply in (False, True):
        with pytest.raises(InvalidDocument, match="what it means cannot be told, so nothing is collected") as refused:
            registry.collect_garbage(grace=AT_ONCE, apply=apply)
        assert refused.value.where == path
    commit_files(registry.folder, {path: said})
    assert registry.collect_garbage(grace=AT_ONCE, apply=True) == []

"""Another primary store: all weights are in it before one commit says so, and nobody saves past it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gitreg import Model, run, save_artifact
from gitreg.errors import IntegrityError, InvalidInput, Refused
from gitreg.progress import NO_PROGRESS
from gitreg.registry.weights.replica_status import CopiedVersion, Replication
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs import stores
from gitreg.sdk.verbs.drafts import seal_by_hand
from gitreg.sdk.verbs.remotes import clone, push, set_remote
from gitreg.sdk.verbs.stores import set_store
from tests.registry.support import git

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:weights go to")]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    for name in ("a", "b"):
        (tmp_path / "model" / name).write_text(name)
    return tmp_path / "model"


@pytest.fixture
def shared(registry: Registry, hub: Path, model: Path) -> Registry:
    """A registry that began alone, with a version, and was published since."""
    registry.save("iris", model)
    git(registry.folder, "remote", "add", "origin", str(hub))
    with pytest.warns(UserWarning, match="a folder of this clone alone"):
        set_remote(registry.session, "origin")
    return registry


@pytest.fixture
def second(shared: Registry, hub: Path, tmp_path: Path) -> Iterator[Registry]:
    """Another clone, of the same user: what they trust, it trusts."""
    set_store(shared.session, tmp_path / "store", fill)
    with Registry(clone(str(hub), tmp_path / "second")) as opened:
        yield opened


def fill(work: Replication) -> list[CopiedVersion]:
    return list(work.run(NO_PROGRESS))


def test_weights_are_copied_then_one_commit_names_the_store(shared: Registry, hub: Path, tmp_path: Path) -> None:
    before = git(hub, "rev-list", "--count", "main")
    outcome = set_store(shared.session, tmp_path / "store", fill)
    assert outcome.changes.subject == f"Move the weights to {tmp_path}/store"
    assert int(git(hub, "rev-list", "--count", "main")) == int(before) + 1
    shutil.rmtree(shared.folder / ".git/gitreg/store")
    shutil.rmtree(tmp_path / "home" / "cache", ignore_errors=True)
    assert not shared.doctor()
    assert (shared.load("iris") / "a").read_text() == "a"
    assert set_store(shared.session, tmp_path / "store").commit is None


def test_a_store_that_lacks_weights_is_refused_and_not_made(shared: Registry, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"lacks weights of this registry: 2 B") as caught:
        set_store(shared.session, tmp_path / "store")
    assert "--copy" in (caught.value.hint or "")
    assert not (tmp_path / "store").exists()
    assert shared.store_url == str(shared.folder / ".git/gitreg/store")
    shutil.copytree(shared.folder / ".git/gitreg/store", tmp_path / "store")
    set_store(shared.session, tmp_path / "store")
    assert shared.store_url == str(tmp_path / "store")


def test_weights_that_are_lost_keep_the_registry_where_it_is(shared: Registry, model: Path, tmp_path: Path) -> None:
    (model / "c").write_bytes(b"c" * 100_000)
    shared.save("iris", model / "c")
    (lost,) = [
        path
        for path in (shared.folder / ".git/gitreg/store").rglob("*")
        if path.is_file() and path.stat().st_size == 100_000
    ]
    lost.unlink()
    with pytest.raises(IntegrityError, match="iris@2") as caught:
        set_store(shared.session, tmp_path / "store", fill)
    assert "gitreg delete" in (caught.value.hint or "")
    assert shared.store_url == str(shared.folder / ".git/gitreg/store")
    shared.delete_version("iris@2")
    set_store(shared.session, tmp_path / "store", fill)
    assert not shared.doctor()


def test_drafts_proposals_and_artifacts_move_too(shared: Registry, model: Path, tmp_path: Path) -> None:
    save_artifact({"x": 1}, "data", registry=shared)
    with suppress(ZeroDivisionError), run("first", model=Model("iris"), registry=shared):
        save_artifact({"y": 2}, "checkpoint")
        raise ZeroDivisionError
    (model / "d").write_text("proposed")
    shared.proposing = True
    shared.save("iris", model / "d")
    shared.proposing = False
    set_store(shared.session, tmp_path / "store", fill)
    shutil.rmtree(shared.folder / ".git/gitreg/store")
    git(shared.folder, "fetch", "-q", "origin", "+refs/heads/gitreg/*:refs/heads/proposed/*")
    git(
        shared.folder,
        "merge",
        "-q",
        "-m",
        "Accept it",
        *git(shared.folder, "branch", "--list", "proposed/*", "--format=%(refname)").split(),
    )
    push(shared.session)
    seal_by_hand(shared.session, "first")
    states = {row[0].reference: row[0].state for row in stores.held(shared.session)}
    assert states == dict.fromkeys(("iris@1", "iris@2", "iris@3", "data@1", "checkpoint@1"), "whole")


def test_a_replica_that_becomes_the_primary_is_no_replica_any_more(shared: Registry, tmp_path: Path) -> None:
    stores.add_store(shared.session, tmp_path / "store")
    set_store(shared.session, tmp_path / "store", fill)
    assert (shared.session.snapshot().settings.store, shared.session.snapshot().settings.replicas) == (
        str(tmp_path / "store"),
        (),
    )


@pytest.mark.parametrize("place", ["inside", ".git/weights"])
def test_a_folder_of_the_clone_is_no_store_for_a_registry_with_a_remote(shared: Registry, place: str) -> None:
    with pytest.raises(InvalidInput, match="a folder of this clone alone"):
        set_store(shared.session, shared.folder / place, fill)


def test_what_is_saved_while_the_weights_are_copied_is_copied_too(
    second: Registry, shared: Registry, model: Path, tmp_path: Path
) -> None:
    def save_meanwhile(work: Replication) -> list[CopiedVersion]:
        done = fill(work)
        if len(shared.session.snapshot().versions("iris")) == 1:
            (model / "late").write_text("late")
            second.save("iris", model / "late")
        return done

    set_store(shared.session, tmp_path / "third", save_meanwhile)
    shutil.rmtree(tmp_path / "store")
    assert [row[0].state for row in stores.held(shared.session)] == ["whole", "whole"]


def test_a_save_that_began_before_the_move_is_refused_and_then_goes_to_the_new_store(
    second: Registry, shared: Registry, model: Path, tmp_path: Path
) -> None:
    (model / "late").write_text("late")
    second.session.store  # noqa: B018 - a service has had it open for days
    set_store(shared.session, tmp_path / "third", fill)
    with pytest.raises(Refused, match=r"has moved its weights to .*/third") as caught:
        second.save("iris", model / "late")
    assert "save it again" in (caught.value.hint or "")
    assert second.save("iris", model / "late").version == "2"
    shutil.rmtree(tmp_path / "store")
    assert [row[0].state for row in stores.held(second.session)] == ["whole", "whole"]


def test_a_registry_of_one_clone_may_keep_its_weights_where_it_likes(registry: Registry, model: Path) -> None:
    registry.save("iris", model)
    set_store(registry.session, registry.folder / "weights", fill)
    assert registry.session.snapshot().settings.store == "weights"
    assert not registry.doctor()


def test_a_store_whose_address_is_spelled_with_blanks_is_saved_to(registry: Registry, model: Path) -> None:
    set_store(registry.session, "memory://tests/some folder", fill)
    assert registry.save("iris", model).version == "1"
    assert save_artifact({"x": 1}, "data", registry=registry).version == "1"
    with registry.batch() as batch:
        batch.save("wine", model)
    assert {row[0].state for row in stores.held(registry.session)} == {"whole"}
    assert set_store(registry.session, "memory://tests/some%20folder/", fill).commit is None

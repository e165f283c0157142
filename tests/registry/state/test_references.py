"""From what a person wrote to the version that is meant."""

from __future__ import annotations

import pytest

from gitreg.documents.layout import Key
from gitreg.errors import IntegrityError, NotFound, Refused
from gitreg.names import Reference
from gitreg.registry.operations.models import register_model
from gitreg.registry.operations.stages import promote, set_alias
from gitreg.registry.operations.versions import delete_version, yank
from gitreg.registry.state.references import resolve
from tests.registry.support import NOW, World, pointer


@pytest.fixture
def iris(world: World) -> World:
    world.save(content="a")
    world.save(name="1.0.5", content="b")
    world.save(content="c")
    world.do(promote, "iris@1", "production")
    world.do(set_alias, "iris@2", "champion")
    return world


@pytest.mark.parametrize(
    ("reference", "number"),
    [("iris", 3), ("iris@latest", 3), ("iris@2", 2), ("iris@1.0.5", 2), ("iris@production", 1), ("iris@champion", 2),
     ("models:/iris/3", 3), ("models:/iris@champion", 2), ("models:/iris/latest", 3), ("models:/iris/production", 1),
     ("iris@02", 2)],
)  # fmt: skip
def test_a_reference_means_a_version(iris: World, reference: str, number: int) -> None:
    assert resolve(iris.snapshot, reference).number == number
    version = resolve(iris.snapshot, reference)
    assert resolve(iris.snapshot, version.reference) == version


def test_a_digest_means_the_record_or_the_artifact(iris: World) -> None:
    version = resolve(iris.snapshot, "iris@2")
    artifact = version.artifacts["model"].digest.removeprefix("sha256:")
    for reference in (f"iris@{version.digest}", f"iris@{version.digest[:17]}", f"iris@sha256:{artifact[:12]}"):
        assert resolve(iris.snapshot, reference) == version
    iris.save(content="b")
    with pytest.raises(Refused, match="means 2 versions"):
        resolve(iris.snapshot, f"iris@sha256:{artifact}")
    with pytest.raises(NotFound):
        resolve(iris.snapshot, "iris@sha256:" + "0" * 64)


@pytest.mark.parametrize(
    "reference", ["tulip", "tulip@1", "iris@4", "iris@nothing", "iris@" + "9" * 30, "iris@²", "iris@draft"]
)
def test_what_is_not_there_is_not_found(iris: World, reference: str) -> None:
    with pytest.raises(NotFound) as caught:
        resolve(iris.snapshot, reference)
    assert caught.value.hint


def test_an_empty_stage_and_a_deleted_version_are_told_apart(iris: World) -> None:
    with pytest.raises(NotFound, match="no version of iris is in staging"):
        resolve(iris.snapshot, "iris@staging")
    iris.do(delete_version, "iris@3")
    with pytest.raises(NotFound, match="iris@3 was deleted"):
        resolve(iris.snapshot, "iris@3")
    assert resolve(iris.snapshot, "iris").number == 2


def test_a_model_without_a_version_that_counts_says_so(iris: World) -> None:
    for number in (1, 2, 3):
        iris.do(yank, f"iris@{number}")
    with pytest.raises(NotFound, match="no latest version: iris@3 was yanked") as caught:
        resolve(iris.snapshot, "iris")
    assert "gitreg unyank iris@3" in (caught.value.hint or "")
    iris.do(register_model, "empty", created_at=NOW, fields={})
    with pytest.raises(NotFound, match="no version yet"):
        resolve(iris.snapshot, "empty")


def test_a_pointer_whose_digest_is_wrong_leads_nowhere(iris: World) -> None:
    iris.put(Key("stage", "iris", "production"), pointer("stage", "1", digest="sha256:" + "0" * 64))
    with pytest.raises(IntegrityError, match="0000"):
        resolve(iris.snapshot, "iris@production")


def test_a_dangling_pointer_is_named(iris: World) -> None:
    iris.put(Key("alias", "iris", "best"), pointer("alias", "99"))
    with pytest.raises(NotFound, match="'99', which is not there"):
        resolve(iris.snapshot, Reference("iris", "best"))

"""Registering, describing and deleting models."""

from __future__ import annotations

import pytest

from gitreg.documents.layout import Key
from gitreg.errors import AlreadyExists, InvalidInput, NotFound, Refused
from gitreg.registry.operations.models import delete_model, register_model, update_model
from gitreg.registry.operations.stages import set_alias
from tests.registry.support import NOW, World


def register(world: World, name: str, **fields: str | None) -> None:
    world.do(register_model, name, created_at=NOW, fields=fields)


def test_a_model_is_registered_once(world: World) -> None:
    register(world, "iris", license="MIT", description=None)
    assert world.snapshot.model("iris").document.license == "MIT"
    with pytest.raises(AlreadyExists):
        register(world, "iris")


@pytest.mark.parametrize(("first", "second"), [("Iris", "iris"), ("team/a", "Team/b"), ("Team", "team/a"), ("É", "é")])
def test_models_that_differ_only_in_case_are_refused_in_every_folder(world: World, first: str, second: str) -> None:
    register(world, first)
    with pytest.raises(AlreadyExists, match="only in case"):
        register(world, second)


def test_the_files_of_a_deleted_model_still_forbid_its_name_in_another_case(world: World) -> None:
    world.save("Iris")
    world.do(delete_model, "Iris")
    with pytest.raises(AlreadyExists, match="only in case"):
        register(world, "iris")
    register(world, "Iris")


def test_a_nested_model_and_its_parent_are_two(world: World) -> None:
    world.save("team")
    world.save("team/iris")
    world.do(delete_model, "team")
    assert world.snapshot.model_names() == ["team/iris"]
    assert world.names("team/iris") == [(1, "1")]


def test_an_update_replaces_fields_and_adds_tags_and_metadata(world: World) -> None:
    world.do(register_model, "iris", created_at=NOW, fields={"license": "MIT"}, tags=["a", "b"], metadata={"x": 1})
    world.do(update_model, "iris", fields={"ethics": "none"}, tags=["c"], remove_tags=["a"], metadata={"y": 2})
    document = world.snapshot.model("iris").document
    assert (document.license, document.ethics, document.tags) == ("MIT", "none", ("b", "c"))
    assert document.metadata == {"x": 1, "y": 2}
    before = world.commits
    world.do(update_model, "iris", tags=["c"])
    assert world.commits == before


def test_a_field_that_no_card_has_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="colour"):
        register(world, "iris", colour="blue")


def test_a_card_is_text_and_goes_with_its_model(world: World) -> None:
    register(world, "iris")
    world.put(Key("card", "iris"), b"# Iris\n")
    assert world.snapshot.card("iris") == "# Iris\n"
    world.do(delete_model, "iris")
    assert world.snapshot.card("iris") is None
    assert [key for key in world.files if key.kind != "registry"] == []


def test_deleting_a_model_in_use_needs_force_and_leaves_only_sealed_records(world: World) -> None:
    world.save(stage="production")
    world.do(set_alias, "iris@1", "champion")
    with pytest.raises(Refused, match="production"):
        world.do(delete_model, "iris")
    world.do(delete_model, "iris", force=True)
    assert {key.kind for key in world.files} == {"registry", "model_version", "annotation"}
    with pytest.raises(NotFound):
        world.do(delete_model, "iris")


def test_a_missing_model_is_named_with_what_is_near(world: World) -> None:
    register(world, "iris_classifier")
    with pytest.raises(NotFound) as caught:
        world.snapshot.model("iris_clasifier")
    assert "iris_classifier" in str(caught.value.hint)


def test_a_record_that_cannot_be_read_keeps_its_number_and_is_never_written_over(world: World) -> None:
    world.save()
    broken = b"number: ["
    world.put(Key("model_version", "iris", "2"), broken)
    assert world.save() == "3"
    assert world.files[Key("model_version", "iris", "2")] == broken

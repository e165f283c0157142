"""Saving versions, and what is said of them afterwards: the rules, as pure functions on snapshots."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.documents.layout import Key
from gitreg.documents.yaml import loads
from gitreg.errors import AlreadyExists, GitregError, InvalidInput, NotFound, Refused
from gitreg.registry.operations.models import delete_model, register_model
from gitreg.registry.operations.stages import promote, set_alias
from gitreg.registry.operations.versions import (
    annotate,
    check_saveable,
    delete_version,
    save_version,
    unyank,
    yank,
)
from gitreg.registry.state.references import resolve
from tests.registry.support import NOW, World, artifact, new_version, record


def test_a_named_version_takes_the_next_number(world: World) -> None:
    assert [world.save(), world.save(name="alpha"), world.save()] == ["1", "alpha", "3"]
    assert world.names() == [(1, "1"), (2, "alpha"), (3, "3")]


@given(st.lists(st.sampled_from(["save", "named", "delete", "delete model"]), max_size=12))
def test_a_number_is_never_given_twice(steps: list[str]) -> None:
    world = World()
    given_numbers = []
    for n, step in enumerate(steps):
        if step in ("save", "named"):
            name = world.save(name=f"v-{n}" if step == "named" else None)
            given_numbers.append(resolve(world.snapshot, f"iris@{name}").number)
        elif world.snapshot.find_model("iris") and step == "delete model":
            world.do(delete_model, "iris")
        elif world.snapshot.find_model("iris") and world.names():
            world.do(delete_version, "iris")
    assert given_numbers == list(range(1, len(given_numbers) + 1))
    world.index.close()


@pytest.mark.parametrize("name", ["7", "²", "latest", "LATEST", "production", "staging", "champion", "a/b", "", "a\n"])
def test_a_new_version_is_not_named_what_means_something_else(world: World, name: str) -> None:
    world.save()
    world.do(set_alias, "iris@1", "champion")
    with pytest.raises(InvalidInput):
        world.do(save_version, new_version(name=name))


def test_a_number_that_was_never_given_is_refused_whatever_its_size(world: World) -> None:
    world.save()
    for name in ("2", "9" * 20, "9" * 200):
        with pytest.raises(InvalidInput):
            world.do(save_version, new_version(name=name))


def test_a_version_named_like_one_of_our_files_is_like_any_other(world: World) -> None:
    world.save(name="model")
    world.save(name="README.md")
    assert world.names() == [(1, "model"), (2, "README.md")]


def test_the_same_content_under_the_same_name_changes_nothing(world: World) -> None:
    world.save(name="alpha", metadata={"a": 1}, tags=("x",))
    before = world.commits
    assert world.save(name="alpha", metadata={"a": 1}) == "alpha"
    assert world.save(name="1") == "alpha"
    assert world.commits == before


@pytest.mark.parametrize(
    "change",
    [{"content": "b"}, {"metadata": {"a": 2}}, {"tags": ("new",)}, {"description": "new"}, {"stage": "staging"}],
)
def test_something_else_under_the_same_name_is_refused(world: World, change: dict[str, object]) -> None:
    world.save(name="alpha", metadata={"a": 1})
    with pytest.raises(AlreadyExists):
        world.do(save_version, new_version(name="alpha", **({"metadata": {"a": 1}} | change)))  # type: ignore[arg-type]


def test_the_same_content_as_a_new_version_writes_only_the_record(world: World) -> None:
    world.save()
    changes = world.do(save_version, new_version())
    assert set(changes.files) == {Key("model_version", "iris", "2")}


def test_names_that_differ_only_in_case_are_refused(world: World) -> None:
    world.save(name="Alpha")
    with pytest.raises(AlreadyExists, match="only in case"):
        world.do(save_version, new_version(name="alpha"))
    with pytest.raises(AlreadyExists, match="only in case"):
        world.do(save_version, new_version("IRIS"))


def test_a_number_that_only_a_tag_names_is_not_given_again(world: World) -> None:
    world.save()
    assert world.do(save_version, new_version(), given=[7, 3]).version == ("iris", "8")


def test_saving_registers_the_model_in_the_same_commit(world: World) -> None:
    before = world.commits
    world.save("new/one")
    assert world.commits == before + 1
    assert world.snapshot.model("new/one").versions == 1


def test_inputs_are_kept_as_references_that_never_move(world: World) -> None:
    world.save("data", name="march")
    world.save("base")
    world.do(promote, "base@1", "production")
    world.save("iris", inputs=("data", "base@production", "models:/base/1"))
    assert resolve(world.snapshot, "iris").record.inputs == ("data@march", "base@1"), "each once"
    with pytest.raises(NotFound):
        world.do(save_version, new_version(inputs=("nothing@1",)))


def test_a_save_that_takes_an_occupied_stage_is_refused(world: World) -> None:
    world.save(stage="production")
    assert world.stage("iris", "production") == "1"
    with pytest.raises(Refused, match="iris@1") as caught:
        world.do(save_version, new_version(stage="production"))
    assert "gitreg promote iris@N production --force" in (caught.value.hint or ""), "save has no --force"
    with pytest.raises(InvalidInput, match="no stage"):
        world.do(save_version, new_version(stage="prod"))


def test_the_pointer_of_a_save_with_a_stage_says_the_records_digest(world: World) -> None:
    world.save(stage="production")
    assert resolve(world.snapshot, "iris@production").number == 1  # raises where digests differ


def test_what_would_refuse_a_save_is_known_before_its_files_are_moved(world: World) -> None:
    world.save(name="alpha", stage="production")
    for new in (new_version(stage="production"), new_version(name="latest"), new_version(inputs=("gone@1",))):
        with pytest.raises(GitregError):
            check_saveable(world.snapshot, new)
    check_saveable(world.snapshot, new_version(name="alpha"))
    assert world.snapshot.versions("iris")[0].version == "alpha"


def test_the_longest_names_that_pass_make_a_file_and_a_tag(world: World) -> None:
    with pytest.raises(InvalidInput, match="too long"):
        world.do(save_version, new_version("m" * 130, "v" * 130))
    world.save("m" * 120, "v" * 120)


def test_an_artifacts_name_cannot_climb(world: World) -> None:
    new = new_version()
    with pytest.raises(InvalidInput):
        world.do(save_version, type(new)(**{**vars(new), "artifacts": {"../x": artifact("a")}}))


def test_metadata_said_again_overwrites_key_by_key_and_the_record_stays(world: World) -> None:
    world.save(metadata={"a": 1, "b": 1}, description="old", tags=("t",))
    sealed = world.files[Key("model_version", "iris", "1")]
    world.do(annotate, "iris@1", metadata={"b": 2, "c": None}, description="new", tags=["u", "t"])
    version = resolve(world.snapshot, "iris@1")
    assert version.metadata == {"a": 1, "b": 2, "c": None}
    assert (version.description, version.tags) == ("new", ("t", "u"))
    assert world.files[Key("model_version", "iris", "1")] == sealed
    before = world.commits
    world.do(annotate, "iris@1", metadata={"b": 2}, tags=["u"], description="new")
    assert world.commits == before


def test_tags_and_metadata_go_and_what_is_sealed_is_named_by_the_annotation(world: World) -> None:
    world.save(tags=("sealed",), metadata={"a": 1, "b": 2}, description="old")
    sealed = world.files[Key("model_version", "iris", "1")]
    world.do(annotate, "iris@1", tags=["later"], metadata={"c": 3})
    world.do(annotate, "iris@1", remove_tags=["later", "sealed"], remove_metadata=["a", "c", "none"], description="")
    version = resolve(world.snapshot, "iris@1")
    assert (version.tags, version.metadata, version.description) == ((), {"b": 2}, None)
    assert [*version.annotation.removed, *version.annotation.removed_tags] == ["a", "sealed"]
    assert world.files[Key("model_version", "iris", "1")] == sealed
    before = world.commits
    world.do(annotate, "iris@1", remove_tags=["sealed"], remove_metadata=["a"])
    assert world.commits == before
    world.do(annotate, "iris@1", tags=["sealed"], metadata={"a": 4})
    version = resolve(world.snapshot, "iris@1")
    assert (version.tags, version.metadata) == (("sealed",), {"a": 4, "b": 2})
    assert [*version.annotation.removed, *version.annotation.removed_tags] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metadata": {"a": 1}, "remove_metadata": ["a"]}, "metadata.a is both set and removed"),
        ({"tags": ["x"], "remove_tags": ["x"]}, "the tag 'x' is both set and removed"),
    ],
)
def test_what_is_both_set_and_removed_is_refused(world: World, given: dict[str, Any], message: str) -> None:
    world.save()
    with pytest.raises(InvalidInput, match=message):
        world.do(annotate, "iris@1", **given)


@pytest.mark.parametrize("tags", ["one text", ["a", ""], [3]])
def test_what_is_no_list_of_tags_is_refused(world: World, tags: object) -> None:
    world.save()
    with pytest.raises(InvalidInput):
        world.do(annotate, "iris@1", tags=tags)


def test_unknown_fields_and_comments_of_an_annotation_survive(world: World) -> None:
    world.save()
    key = Key("annotation", "iris", "1")
    world.put(key, b"# by hand\nformat: 1\nkind: annotation\nx-links: [a]  # keep\n")
    world.do(yank, "iris@1")
    assert b"# by hand" in world.files[key]
    assert b"x-links: [a]  # keep" in world.files[key]
    assert loads(world.files[key], "x")["yanked"] is True


def test_a_yanked_version_loads_by_name_and_never_by_latest_or_stage(world: World) -> None:
    world.save()
    world.save(stage="production")
    world.do(set_alias, "iris@2", "champion")
    world.do(yank, "iris@2", reason="leaks")
    assert resolve(world.snapshot, "iris@2").yanked
    assert resolve(world.snapshot, "iris").number == 1
    for reference in ("iris@production", "iris@champion"):
        with pytest.raises(Refused, match="leaks"):
            resolve(world.snapshot, reference)
    world.do(unyank, "iris@2")
    assert resolve(world.snapshot, "iris@production").annotation.yank_reason is None
    assert resolve(world.snapshot, "iris").number == 2


def test_yanking_twice_keeps_the_reason_and_commits_once(world: World) -> None:
    world.save()
    world.do(yank, "iris@1", reason="leaks")
    before = world.commits
    world.do(yank, "iris@1")
    assert world.commits == before
    assert resolve(world.snapshot, "iris@1").annotation.yank_reason == "leaks"


def test_deleting_what_is_pointed_to_needs_force_and_takes_the_pointers_along(world: World) -> None:
    world.save(stage="production")
    world.do(set_alias, "iris@1", "champion")
    with pytest.raises(Refused, match=r"production, champion"):
        world.do(delete_version, "iris@1")
    world.do(delete_version, "iris@1", force=True)
    assert world.snapshot.stages("iris") == world.snapshot.aliases("iris") == {}
    with pytest.raises(NotFound, match="was deleted"):
        resolve(world.snapshot, "iris@1")
    assert world.snapshot.find_version("iris", "1", deleted=True) is not None


def test_a_deleted_name_stays_taken(world: World) -> None:
    world.save(name="alpha")
    world.do(delete_version, "iris@alpha")
    with pytest.raises(AlreadyExists, match="stays taken"):
        world.do(save_version, new_version(name="alpha"))
    assert world.save() == "2"


def test_a_model_registered_again_continues_its_numbers(world: World) -> None:
    world.save()
    world.save(name="alpha")
    world.do(delete_model, "iris")
    with pytest.raises(NotFound):
        world.snapshot.model("iris")
    world.do(register_model, "iris", created_at=NOW, fields={})
    assert world.snapshot.model("iris").versions == 0
    assert world.save() == "3"


def test_one_bad_record_hides_nothing_else(world: World) -> None:
    world.save()
    world.put(Key("model_version", "iris", "2"), b"number: [")
    world.put(Key("model_version", "iris", "x"), record("iris", "x", 10**30))
    assert world.names() == [(1, "1")]
    assert resolve(world.snapshot, "iris").number == 1
    assert len(world.snapshot.index.problems(world.snapshot.seq)) == 2

"""Many versions in one commit: each as if it were saved alone, after those before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import AlreadyExists, GitregError, InvalidInput, NotFound, Refused
from gitreg.registry.operations.batches import check_all_saveable, save_versions
from gitreg.registry.operations.versions import NewVersion
from gitreg.registry.writing.changes import Changes
from tests.registry.support import World, new_version


def test_numbers_of_each_model_follow_one_another_and_the_commit_names_them(world: World) -> None:
    world.save("iris")
    news = [new_version("iris"), new_version("tulip"), new_version("iris", "alpha"), new_version("iris", content="b")]
    changes = world.do(save_versions, news, message="nightly")
    assert world.names("iris") == [(1, "1"), (2, "2"), (3, "alpha"), (4, "4")]
    assert world.names("tulip") == [(1, "1")]
    assert changes.versions == (("iris", "2"), ("tulip", "1"), ("iris", "alpha"), ("iris", "4"))
    assert changes.message == (
        "Save 4 versions\n\nnightly\n\nGitreg-Operation: save\n"
        "Gitreg-Model: iris\nGitreg-Version: 2\nGitreg-Model: tulip\nGitreg-Version: 1\n"
        "Gitreg-Model: iris\nGitreg-Version: alpha\nGitreg-Model: iris\nGitreg-Version: 4\n"
    )


def test_numbers_that_only_tags_have_are_not_given(world: World) -> None:
    world.do(save_versions, [new_version(), new_version()], given=lambda model: [7] if model == "iris" else [])
    assert world.names() == [(8, "8"), (9, "9")]


def test_what_is_there_already_and_is_the_same_is_left_as_it_is(world: World) -> None:
    news = [new_version("iris", "a"), new_version("iris", "b", content="b")]
    world.do(save_versions, news)
    commits = world.commits
    changes = world.do(save_versions, news)
    assert (world.commits, changes.subject, changes.versions) == (commits, "", (("iris", "a"), ("iris", "b")))
    assert world.do(save_versions, [*news, new_version("iris", "c")]).subject == "Save iris@c"


STRIFE: dict[str, tuple[list[NewVersion], type[GitregError], str]] = {
    "a name twice": ([new_version("iris", "a"), new_version("iris", "a")], AlreadyExists, "twice"),
    "names in two cases": ([new_version("iris", "a"), new_version("iris", "A")], AlreadyExists, "only in case"),
    "models in two cases": ([new_version("iris"), new_version("Iris")], AlreadyExists, "only in case"),
    "folders in two cases": ([new_version("a/x"), new_version("A/y")], AlreadyExists, "only in case"),
    "a stage twice": (
        [new_version(stage="production"), new_version(stage="production")], Refused, "into production",
    ),
    "a stage that is taken": ([new_version(), new_version("rose", stage="staging")], Refused, "rose@1"),
    "a stage that is none": ([new_version(stage="prod")], InvalidInput, "prod"),
    "an input of the batch itself": ([new_version(), new_version("tulip", inputs=("iris@1",))], NotFound, "iris"),
    "a name of a version with other content": ([new_version(), new_version("rose", "1")], AlreadyExists, "other"),
}  # fmt: skip


@pytest.mark.parametrize("what", STRIFE)
def test_what_cannot_be_together_is_refused_as_a_whole(world: World, what: str) -> None:
    news, error, says = STRIFE[what]
    world.save("rose", content="r", stage="staging")
    with pytest.raises(error, match=says):
        world.do(save_versions, news)
    if what != "a name of a version with other content":  # its files are asked for first
        with pytest.raises(error, match=says):
            check_all_saveable(world.snapshot, news)


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(["iris", "tulip", "team/iris"]), st.booleans()), max_size=12))
def test_a_batch_says_what_saving_one_by_one_would(asked: list[tuple[str, bool]]) -> None:
    together, apart = World(), World()
    news = [new_version(model, f"n{place}" if named else None) for place, (model, named) in enumerate(asked)]
    try:
        changes: Changes = together.do(save_versions, news)
        for new in news:
            apart.save(new.model, new.name)
        assert together.files == apart.files
        assert len(changes.versions) == len(news)
        assert together.commits == (2 if news else 1)
    finally:
        together.index.close()
        apart.index.close()

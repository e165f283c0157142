"""Stages, rollbacks, archiving and aliases: the rules, as pure functions on snapshots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.documents.layout import Key
from gitreg.documents.types import StageDocument
from gitreg.errors import GitregError, InvalidInput, NotFound, Refused
from gitreg.registry.operations.models import delete_model, register_model
from gitreg.registry.operations.stages import archive, delete_alias, promote, rollback, set_alias
from gitreg.registry.operations.versions import annotate, delete_version, unyank, yank
from gitreg.registry.state.audit_log import log, stage_log
from gitreg.registry.state.references import resolve
from tests.registry.support import NOW, World


@pytest.fixture
def three(world: World) -> World:
    """Three versions that held production one after another; the third holds it."""
    for name in ("1", "2", "3"):
        assert world.save(content=name) == name
        world.do(promote, f"iris@{name}", "production", force=True)
    return world


def holder(world: World) -> str | None:
    return world.stage("iris", "production")


def test_taking_an_occupied_stage_names_the_occupant_and_force_archives_it_in_one_commit(three: World) -> None:
    with pytest.raises(Refused, match="iris@3"):
        three.do(promote, "iris@1", "production")
    before = three.commits
    three.do(promote, "iris@1", "production", force=True)
    assert three.commits == before + 1
    assert holder(three) == "1"
    assert [version.stage for version in three.snapshot.versions("iris")] == ["production", "archived", "archived"]


def test_the_stage_that_a_version_already_has_is_no_change(three: World) -> None:
    before = three.commits
    changes = three.do(promote, "iris@3", "production")
    assert three.commits == before
    assert changes.version == ("iris", "3")


def test_a_version_leaves_the_stage_it_had(three: World) -> None:
    assert three.do(promote, "iris@3", "staging").emptied == "production"
    assert three.snapshot.stages("iris") == {"staging": "3"}
    assert three.do(promote, "iris@3", "production").emptied is None, "an earlier stage is left as a matter of course"


def test_many_versions_are_archived_and_archived_is_no_reference(three: World) -> None:
    three.do(archive, "iris@3")
    assert holder(three) is None
    assert all(version.stage == "archived" for version in three.snapshot.versions("iris"))
    with pytest.raises(Refused, match="no single version"):
        resolve(three.snapshot, "iris@archived")
    three.do(annotate, "iris@2", stage="production")
    assert resolve(three.snapshot, "iris@2").stage == "production"
    three.do(annotate, "iris@2", stage="archived")
    assert holder(three) is None


@pytest.mark.parametrize("stage", ["latest", "archived", "prod", "Production"])
def test_only_declared_stages_can_be_taken(three: World, stage: str) -> None:
    with pytest.raises(InvalidInput):
        three.do(promote, "iris@1", stage)


def test_rolling_back_twice_goes_back_two_holders_and_then_no_further(three: World) -> None:
    three.do(rollback, "iris", "production")
    assert holder(three) == "2"
    three.do(rollback, "iris", "production")
    assert holder(three) == "1"
    with pytest.raises(Refused, match="no former version"):
        three.do(rollback, "iris", "production")


def test_forward_again_needs_no_force(three: World) -> None:
    three.do(rollback, "iris", "production")
    with pytest.raises(Refused):
        three.do(promote, "iris@1", "production")
    three.do(promote, "iris@3", "production")
    assert holder(three) == "3"
    three.do(rollback, "iris", "production")
    assert holder(three) == "2"


def test_a_rollback_passes_over_yanked_and_deleted_versions(three: World) -> None:
    three.do(yank, "iris@2")
    three.do(rollback, "iris", "production")
    assert holder(three) == "1"
    three.do(unyank, "iris@2")
    three.do(promote, "iris@3", "production")
    three.do(delete_version, "iris@1", force=True)
    three.do(yank, "iris@2")
    with pytest.raises(Refused):
        three.do(rollback, "iris", "production")


def test_a_yanked_holder_is_rolled_back_from(three: World) -> None:
    three.do(yank, "iris@3")
    three.do(rollback, "iris", "production")
    assert resolve(three.snapshot, "iris@production").number == 2


def test_a_vacated_stage_is_given_back_to_who_left_it(three: World) -> None:
    three.do(archive, "iris@3")
    three.do(rollback, "iris", "production")
    assert holder(three) == "3"
    assert not resolve(three.snapshot, "iris@3").archived
    three.do(delete_version, "iris@3", force=True)
    three.do(rollback, "iris", "production")
    assert holder(three) == "2"


def test_a_rollback_takes_the_version_out_of_the_stage_it_went_to(three: World) -> None:
    three.do(promote, "iris@2", "staging")
    three.do(rollback, "iris", "production")
    assert three.snapshot.stages("iris") == {"production": "2"}


def test_a_stage_that_was_never_held_cannot_be_rolled_back(three: World) -> None:
    with pytest.raises(NotFound):
        three.do(rollback, "iris", "staging")
    with pytest.raises(NotFound):
        three.do(rollback, "tulip", "production")
    with pytest.raises(InvalidInput):
        three.do(rollback, "iris", "nowhere")


def test_a_model_registered_again_has_nobody_to_roll_back_to(three: World) -> None:
    three.do(delete_model, "iris", force=True)
    three.do(register_model, "iris", created_at=NOW, fields={})
    with pytest.raises(Refused):
        three.do(rollback, "iris", "production")
    assert three.save() == "4"
    three.do(promote, "iris", "production")
    assert holder(three) == "4"


def test_a_yanked_version_takes_no_stage_not_even_by_force(three: World) -> None:
    three.do(yank, "iris@1")
    with pytest.raises(Refused, match="yanked"):
        three.do(promote, "iris@1", "production", force=True)


def test_the_log_of_a_stage_tells_every_move(three: World) -> None:
    three.do(rollback, "iris", "production", reason="it was slow")
    three.do(archive, "iris@2")
    rows = stage_log(three.snapshot, "iris", "production")
    assert [(row["from"], row["version"]) for row in rows] == [
        ("2", None), ("3", "2"), ("2", "3"), ("1", "2"), (None, "1")
    ]  # fmt: skip
    assert rows[1]["reason"] == "it was slow"
    assert rows[1]["who"] == "Ada Lovelace"
    events = [event["event"] for row in log(three.snapshot, "iris") for event in row["events"]]
    assert events[:4] == ["archived", "stage left", "unarchived", "rolled back"]


def test_an_alias_moves_freely_and_what_is_not_there_is_deleted_in_peace(three: World) -> None:
    three.do(set_alias, "iris@1", "champion")
    three.do(set_alias, "iris@3", "champion")
    three.do(set_alias, "iris@3", "best")
    version = resolve(three.snapshot, "models:/iris@champion")
    assert (version.number, version.aliases) == (3, ("best", "champion"))
    before = three.commits
    three.do(set_alias, "iris@3", "best")
    three.do(delete_alias, "iris", "nothing")
    assert three.commits == before
    three.do(delete_alias, "iris", "best")
    with pytest.raises(NotFound):
        resolve(three.snapshot, "iris@best")


@pytest.mark.parametrize("alias", ["latest", "v3", "7", "production", "a b", "alpha", "Champion"])
def test_an_alias_that_could_be_mistaken_is_refused(three: World, alias: str) -> None:
    three.save(name="alpha")
    three.do(set_alias, "iris@1", "champion")
    with pytest.raises(InvalidInput):
        three.do(set_alias, "iris@2", alias)


def test_an_alias_needs_a_version_that_is_there(three: World) -> None:
    with pytest.raises(NotFound):
        three.do(set_alias, "iris@9", "champion")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["promote", "force", "rollback", "archive", "yank", "unyank", "delete", "alias", "save"]),
        st.integers(1, 4),
        st.sampled_from(["staging", "production"]),
    ),
    max_size=15,
)


@pytest.mark.slow
@given(STEPS)
def test_whatever_happens_a_stage_has_one_holder_and_a_version_one_stage(steps: list[tuple[str, int, str]]) -> None:
    world = World()
    for _ in range(3):
        world.save()
    for what, number, stage in steps:
        reference = f"iris@{number}"
        try:
            if what == "save":
                world.save()
            elif what in ("promote", "force"):
                world.do(promote, reference, stage, force=what == "force")
                assert world.stage("iris", stage) == str(number)
            elif what == "rollback":
                before = world.stage("iris", stage)
                world.do(rollback, "iris", stage)
                assert world.stage("iris", stage) not in (None, before)
                if before is not None and not resolve(world.snapshot, f"iris@{before}").yanked:
                    check = world.snapshot.find_stage("iris", stage)
                    assert check is not None
                    assert check.rolled_back_from == before
            elif what == "alias":
                world.do(set_alias, reference, "champion")
            elif what == "delete":
                world.do(delete_version, reference, force=True)
            else:
                world.do({"archive": archive, "yank": yank, "unyank": unyank}[what], reference)
        except GitregError:
            continue
        held = list(world.snapshot.stages("iris").values())
        assert len(held) == len(set(held))
        for version in world.snapshot.versions("iris"):
            assert not (version.archived and version.version in held)
        alive = {version.version for version in world.snapshot.versions("iris")}
        assert {*held, *world.snapshot.aliases("iris").values()} <= alive
        assert not [key for key in world.files if key.kind == "stage" and key.name not in ("staging", "production")]
    world.index.close()


def test_a_pointer_by_hand_without_a_digest_is_followed(world: World) -> None:
    world.save()
    world.put(Key("stage", "iris", "production"), b"format: 1\nkind: stage\nversion: '1'\n")
    assert resolve(world.snapshot, "iris@production").number == 1


def test_forward_again_works_after_several_rollbacks(three: World) -> None:
    three.do(rollback, "iris", "production")
    three.do(rollback, "iris", "production")
    three.do(promote, "iris@2", "production")
    three.do(promote, "iris@3", "production")
    assert holder(three) == "3"


def test_what_was_rolled_back_has_no_right_once_another_took_the_place(three: World) -> None:
    three.do(rollback, "iris", "production")
    three.do(promote, "iris@1", "production", force=True)
    with pytest.raises(Refused):
        three.do(promote, "iris@3", "production")


def test_rollbacks_walk_down_and_never_back_and_forth(world: World) -> None:
    for name in ("1", "2"):
        world.save(content=name)
    for name in ("1", "2", "1"):
        world.do(promote, f"iris@{name}", "production", force=True)
    world.do(rollback, "iris", "production")
    assert holder(world) == "2"
    world.do(rollback, "iris", "production")
    assert holder(world) == "1"
    with pytest.raises(Refused):
        world.do(rollback, "iris", "production")


def test_a_reverted_promotion_is_a_rollback(three: World) -> None:
    key = Key("stage", "iris", "production")
    history = three.snapshot.index.history(three.snapshot.seq, "stage", "iris", "production")
    before = StageDocument.from_data(history[1].data or {})
    three.put(key, before)
    assert holder(three) == "2"
    three.do(rollback, "iris", "production")
    assert holder(three) == "1"


def test_a_yanked_holder_is_reached_by_its_stage_to_say_something_of_it(three: World) -> None:
    three.do(yank, "iris@production")
    three.do(yank, "iris@production", reason="again")
    three.do(annotate, "iris@production", metadata={"seen": True})
    three.do(unyank, "iris@production")
    assert resolve(three.snapshot, "iris@production").number == 3


def test_only_a_named_version_is_yanked(three: World) -> None:
    with pytest.raises(InvalidInput, match="latest"):
        three.do(yank, "iris")

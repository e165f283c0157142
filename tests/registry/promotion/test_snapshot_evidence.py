"""Evidence from a branch's history and files; the policy of the base, never of the proposal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitreg.documents.layout import Key
from gitreg.documents.types import RegistryDocument, StageDocument
from gitreg.errors import InvalidDocument, Protected, Refused
from gitreg.git import Commit, Identity
from gitreg.policy.evaluate import Decision
from gitreg.registry.operations.stages import delete_alias, promote, rollback, set_alias
from gitreg.registry.operations.versions import annotate, save_version, yank
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.enforce import decide, explain
from gitreg.registry.promotion.snapshot_evidence import SnapshotEvidence
from gitreg.registry.promotion.stage_entries import entry_decision
from gitreg.registry.state.audit_log import log
from gitreg.registry.state.index_builder import derive
from gitreg.registry.state.references import resolve
from gitreg.registry.state.snapshot import Snapshot
from tests.registry.support import ADA, World, new_version, pointer

HOUR = 3600
PRODUCTION = Key("stage", "iris", "production")
BEGIN = 1_700_000_000
ADA_HERE = PromotionContext(promoter=lambda: "ada@example.com")


def allow(world: World, **production: Any) -> None:
    said: dict[str, Any] = {"policies": {"production": production}} if production else {}
    world.put(Key("registry"), RegistryDocument(branch="main", stages=("staging", "production"), **said))


def hold(world: World, moves: list[tuple[int, str | None]]) -> Snapshot:
    """Let versions hold staging from the hours that are given on; None leaves it."""
    seq = world.commits
    for hour, version in moves:
        seq += 1
        who = Identity("Ada", "ada@example.com", BEGIN + hour * HOUR, 0)
        content = None if version is None else derive(Key("stage"), pointer("stage", version, reason=f"{seq}"))
        commit = Commit(f"{seq:040x}", "0" * 40, (), ADA, who, "m")
        world.index.extend([(commit, [(Key("stage", "iris", "staging"), content)], False)])
    return Snapshot(world.index, seq, f"{seq:040x}")


@pytest.mark.parametrize(
    ("moves", "now", "hours"),
    [
        ([], 10, 0),
        ([(1, "1")], 50, 49),
        ([(1, "2")], 50, 0),
        ([(1, "1"), (9, "2")], 50, 8),
        ([(1, "1"), (9, None)], 50, 8),
        ([(1, "1"), (9, "2"), (10, "1")], 12, 8),
        ([(1, "1"), (9, "2"), (10, "1")], 50, 40),
        ([(1, "1"), (9, "1"), (20, "1")], 50, 49),  # said anew, not left
        ([(1, "1"), (2, None), (9, "1")], 10, 1),  # two stints are not added up
        ([(30, "2"), (1, "1")], 50, 20),  # a date set back gains nothing
        ([(60, "1")], 50, 0),  # nor one that is yet to come
        ([(90, "2"), (10, "1")], 50, 40),  # and a neighbour's wrong clock takes nothing
    ],
)
def test_a_soak_is_the_longest_time_without_a_break(
    world: World, moves: list[tuple[int, str | None]], now: int, hours: int
) -> None:
    world.save()
    world.save(content="b")
    snapshot = hold(world, moves)
    version = snapshot.find_version("iris", "1")
    assert version
    here = PromotionContext(now=lambda: BEGIN + now * HOUR)
    held = SnapshotEvidence(snapshot, snapshot, version, PRODUCTION, here).time_in_stage("staging")
    assert held is not None
    assert held.seconds == hours * HOUR
    assert (
        SnapshotEvidence(snapshot, snapshot, version, PRODUCTION, PromotionContext()).time_in_stage("staging") is None
    )


def test_every_way_into_a_stage_meets_the_same_decision(world: World) -> None:
    world.save()
    allow(world, gates=[{"metric": "accuracy", "at_least": 0.9, "later": True}])
    ways: list[Callable[[], object]] = [
        lambda: world.do(promote, "iris@1", "production", force=True),
        lambda: world.do(annotate, "iris@1", stage="production", force=True),
        lambda: world.do(save_version, new_version(content="b", stage="production")),
    ]
    for way in ways:
        with pytest.raises(Refused, match=r"iris@\d has no accuracy") as caught:
            way()
        assert "gitreg why" in str(caught.value.hint)
    assert world.stage("iris", "production") is None
    world.do(annotate, "iris@1", metadata={"accuracy": 0.95}, stage="production")
    world.do(promote, "iris@1", "staging")  # which has no policy
    with pytest.raises(Refused, match=r"accuracy is 0\.1"):
        world.do(annotate, "iris@1", metadata={"accuracy": 0.1}, stage="production")
    world.do(promote, "iris@1", "production")
    world.do(promote, "iris@1", "staging")
    assert world.save(content="c", metadata={"accuracy": 1.0}, stage="production") == "2"


def test_an_alias_asks_the_policy_of_aliases_and_no_stage_does(world: World) -> None:
    world.save(metadata={"accuracy": 0.9})
    world.save(content="b", metadata={"accuracy": 0.5})
    world.do(set_alias, "iris@1", "champion")
    gate = {"metric": "accuracy", "incumbent": "not_below"}
    policies = {"aliases": {"promoters": ["ada@example.com"], "overridable": ["metric"], "gates": [gate]}}
    world.put(Key("registry"), RegistryDocument(branch="main", stages=("production",), policies=policies))
    world.do(promote, "iris@2", "production")  # which has no policy
    eve = PromotionContext(promoter=lambda: "eve@example.com")
    with pytest.raises(
        Refused, match=r"iris@2 may not be called shadow: promoters: eve@example\.com may not set"
    ) as caught:
        world.do(set_alias, "iris@2", "shadow", context=eve)
    assert caught.value.hint == "`gitreg why iris@2 --alias shadow` explains each rule and gate"
    with pytest.raises(Refused, match=r"0\.4 below the 0\.9 of iris@1"):
        world.do(set_alias, "iris@2", "champion", context=ADA_HERE)
    with pytest.raises(Refused, match="may not set aliases"):
        world.do(set_alias, "iris@2", "champion", context=eve, force=True)
    world.do(set_alias, "iris@2", "shadow", context=ADA_HERE)  # which compares with nobody
    world.do(set_alias, "iris@1", "champion", context=eve)  # as it is
    changes = world.do(set_alias, "iris@2", "champion", context=ADA_HERE, force=True)
    assert changes.trailers[-1] == ("Overridden", "metric")
    world.do(delete_alias, "iris", "champion")  # nobody is asked


def test_a_model_meets_the_first_policy_that_is_for_it(world: World) -> None:
    world.save(metadata={"auc": 0.9})
    world.save("search/ranker", metadata={"ndcg": 0.5})
    world.save("search/ranker", metadata={"ndcg": 0.1}, content="b")
    ndcg = {"models": ["search/*"], "gates": [{"metric": "ndcg", "at_least": 0.4}]}
    policies: list[dict[str, Any]] = [ndcg, {"gates": [{"metric": "auc", "at_least": 0.8}]}]
    said: dict[str, Any] = {"policies": {"production": policies, "aliases": policies}}
    world.put(Key("registry"), RegistryDocument(branch="main", stages=("staging", "production"), **said))
    for move in (promote, set_alias):
        pointed = "production" if move is promote else "champion"
        world.do(move, "iris@1", pointed)
        with pytest.raises(Refused, match=r"ndcg is 0\.1"):
            world.do(move, "search/ranker@2", pointed, force=True)
        world.do(move, "search/ranker@1", pointed)
    world.do(promote, "search/ranker@2", "staging")  # which has no policy
    policies[1]["models"] = ["iris"]
    world.put(Key("registry"), RegistryDocument(branch="main", stages=("staging", "production"), **said))
    world.save("other")
    world.do(promote, "other@1", "production")  # for which there is none


def test_an_old_registrys_stage_called_aliases_has_no_policy(world: World) -> None:
    world.save()
    policies = {"aliases": {"promoters": ["bob@example.com"]}}
    world.put(Key("registry"), RegistryDocument(branch="main", stages=("aliases",), policies=policies))
    world.do(promote, "iris@1", "aliases", context=ADA_HERE)
    with pytest.raises(Refused, match="may not set aliases"):
        world.do(set_alias, "iris@1", "champion", context=ADA_HERE)


def test_what_force_overrode_is_told_in_the_log(world: World) -> None:
    world.save()
    allow(
        world,
        overridable=["from", "metadata"],
        **{"from": ["staging"]},
        gates=[{"metadata": ["accuracy"], "later": True}],
    )
    with pytest.raises(Refused):
        world.do(promote, "iris@1", "production")
    changes = world.do(promote, "iris@1", "production", force=True, reason="Gitreg-Overridden: nothing")
    assert changes.trailers[-2:] == (("Overridden", "from"), ("Overridden", "metadata"))
    assert next(log(world.snapshot, "iris"))["overridden"] == ["from", "metadata"]


def test_a_rollback_needs_no_gate_but_a_promoter(world: World) -> None:
    for content in "ab":
        world.save(content=content)
    for version in "12":
        world.do(promote, f"iris@{version}", "production", force=True)
    allow(world, promoters=["ada@example.com"], gates=[{"metadata": ["accuracy"], "later": True}])
    for nobody in (PromotionContext(), PromotionContext(promoter=lambda: "eve@example.com")):
        with pytest.raises(Refused, match="promote"):
            world.do(rollback, "iris", "production", context=nobody)
    world.do(rollback, "iris", "production", context=ADA_HERE)
    assert world.stage("iris", "production") == "1"
    with pytest.raises(Refused, match="metadata lacks accuracy"):
        world.do(promote, "iris@2", "production", context=ADA_HERE)


def test_a_rollback_to_an_unjudged_holder_is_judged(world: World) -> None:
    for content in "ab":
        world.save(content=content)
    allow(world, gates=[{"metadata": ["accuracy"], "later": True}])
    world.put(Key("stage", "iris", "production"), pointer("stage", "1"))  # by hand, past the policy
    world.put(Key("stage", "iris", "production"), pointer("stage", "2"))
    with pytest.raises(Refused, match="iris@1 may not enter production: metadata"):
        world.do(rollback, "iris", "production")
    world.do(annotate, "iris@1", metadata={"accuracy": 1})
    world.do(rollback, "iris", "production")
    assert world.stage("iris", "production") == "1"


def entered(world: World, version: str) -> Decision | None:
    snapshot = world.snapshot
    found = snapshot.find_version("iris", version)
    assert found is not None
    return entry_decision(snapshot, found, "production", ADA_HERE)


def test_an_entry_is_judged_by_the_policy_before_it_over_what_stood_with_it(world: World) -> None:
    for content in "abc":
        world.save(content=content)
    assert entered(world, "1") is None
    world.do(promote, "iris@1", "production")  # no policy, nothing asked
    allow(world, gates=[{"metadata": ["accuracy"], "later": True}], overridable=["metadata"])
    decision = entered(world, "1")
    assert decision is not None
    assert (decision.allowed, decision.results) == (True, ())
    world.put(Key("stage", "iris", "production"), pointer("stage", "2"))
    world.do(annotate, "iris@2", metadata={"accuracy": 1})  # what came later does not count
    world.put(Key("stage", "iris", "production"), pointer("stage", "2", reason="said anew"))
    decision = entered(world, "2")
    assert decision is not None
    assert [result.name for result in decision.unmet] == ["metadata"]
    world.do(promote, "iris@3", "production", force=True)
    decision = entered(world, "3")
    assert decision is not None
    assert (decision.allowed, decision.overridden) == (True, ["metadata"])


def test_a_rollback_counts_as_the_entry_that_it_goes_back_to(world: World) -> None:
    for content in "abc":
        world.save(content=content)
    allow(world, gates=[{"metadata": ["accuracy"], "later": True}])
    world.do(annotate, "iris@1", metadata={"accuracy": 1})
    world.do(promote, "iris@1", "production")
    for _ in range(3):  # a rollback of a rollback, and so on
        world.put(Key("stage", "iris", "production"), pointer("stage", "2"))
        world.do(rollback, "iris", "production")
    world.do(annotate, "iris@1", metadata={"accuracy": None})
    decision = entered(world, "1")
    assert decision is not None
    assert decision.allowed
    forged = pointer("stage", "2", rolled_back_from="1")
    world.put(Key("stage", "iris", "production"), forged)
    decision = entered(world, "2")
    assert decision is not None
    assert not decision.allowed


def test_a_protected_stage_is_proposed_and_a_proposal_is_judged_later(world: World) -> None:
    world.save()
    allow(world, protected=True, gates=[{"metadata": ["accuracy"], "later": True}])
    with pytest.raises(Refused, match="accuracy"):
        world.do(promote, "iris@1", "production")
    world.do(annotate, "iris@1", metadata={"accuracy": 1})
    with pytest.raises(Protected):
        world.do(promote, "iris@1", "production")
    version = world.snapshot.find_version("iris", "1")
    assert version
    decision = explain(world.snapshot, version, "production", PromotionContext())
    assert (decision.allowed, decision.protected) == (True, True)
    world.do(promote, "iris@1", "production", context=PromotionContext(proposing=True))
    assert world.stage("iris", "production") == "1"


def test_the_policy_and_the_stages_of_the_base_count_not_the_proposals(world: World) -> None:
    world.save(metadata={"accuracy": 0.5})
    allow(world, **{"from": ["staging"]}, promoters=["ada@example.com"],
          gates=[{"metric": "accuracy", "at_least": 0.9}])  # fmt: skip
    base = world.snapshot
    allow(world)  # loosened in the very same branch
    world.put(Key("stage", "iris", "staging"), StageDocument(version="1"))
    world.do(promote, "iris@1", "production")
    head = world.snapshot
    version = head.find_version("iris", "1")
    assert version
    here = PromotionContext(promoter=lambda: "eve@example.com")
    decision = decide(base, head, version, PRODUCTION, here)
    assert [result.name for result in decision.unmet] == ["from", "promoters", "metric"]
    assert decide(head, head, version, PRODUCTION, here).allowed


def test_a_policy_that_is_not_understood_lets_nobody_into_any_stage(world: World) -> None:
    world.save()
    said: dict[str, Any] = {"policies": {"prodution": {"from": ["staging"]}}}
    world.put(Key("registry"), RegistryDocument(branch="main", **said))
    for stage in ("staging", "production"):
        for here in (PromotionContext(), PromotionContext(proposing=True)):
            with pytest.raises(InvalidDocument, match="prodution"):
                world.do(promote, "iris@1", stage, force=True, context=here)


def test_an_explanation_agrees_with_what_a_promotion_does(world: World) -> None:
    for content in "ab":
        world.save(content=content)
    world.do(promote, "iris@1", "production")
    world.do(yank, "iris@2")
    allow(world, gates=[{"metric": "a", "incumbent": "not_below", "later": True}], overridable=["metric"])
    for annotated in ({}, {"a": 1}):
        for reference in ("1", "2"):
            for force in (False, True):
                version = world.snapshot.find_version("iris", reference)
                assert version
                decision = explain(world.snapshot, version, "production", PromotionContext(), force=force)
                try:
                    promote(world.snapshot, f"iris@{reference}", "production", force=force)
                except Refused:
                    assert not decision.allowed
                else:
                    assert decision.allowed
        for reference in ("1", "2"):
            world.do(annotate, f"iris@{reference}", metadata=annotated)


def test_a_metric_that_was_taken_off_is_not_seen_by_a_gate(world: World) -> None:
    allow(world, gates=[{"metric": "ndcg", "at_least": 0.4}])
    world.save(metadata={"ndcg": 0.5})

    def is_allowed() -> bool:
        snapshot = world.snapshot
        return explain(snapshot, resolve(snapshot, "iris@1"), "production", PromotionContext()).allowed

    assert is_allowed()
    world.do(annotate, "iris@1", remove_metadata=["ndcg"])
    assert not is_allowed()

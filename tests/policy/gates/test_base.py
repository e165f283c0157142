"""Each gate, with the numbers it tells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.contents import Finding
from gitreg.policy.evaluate import decide
from gitreg.policy.evidence import Approval, Contents, Incumbent, Proof, SealEvidence, StageStay, VersionMetadata
from gitreg.policy.results import Verdict
from tests.policy.support import Facts, gate, policy

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN


def approval(who: str, digest: str | None = "sha256:7", **said: Any) -> Approval:
    return Approval(who, digest, None if digest else "no YAML", **said)


def incumbent(sealed: dict[str, Any], **annotated: Any) -> Incumbent:
    return Incumbent("iris@6", VersionMetadata(sealed, sealed | annotated))


ONE = {"approvals": {"by": ["bob@example.com", "cy"]}}
SIGNED = {"approvals": {"by": ["bob@example.com", "cy"], "author": "signed"}}
TWO = {"approvals": {"count": 2, "by": ["bob@example.com", "cy", "ada@example.com"]}}
BOTH = (approval("bob@example.com"), approval("cy"))
LIMITED = {"content": {"at_most": "limited"}}
MODEL = {"model": ["m.pkl"]}
ARRAY, SHELL = Finding("limited", "m.pkl: pickle"), Finding("code", "m.pkl: names posix.system")
UNSEEN = Contents(None, None)


@pytest.mark.parametrize(
    ("said", "facts", "outcome", "sentence"),
    [
        ({"metric": "acc", "at_least": 0.9}, {"sealed": {"acc": 0.9}}, PASSED, "acc is 0.9, at least 0.9"),
        ({"metric": "acc", "at_least": 0.9}, {"sealed": {"acc": 0.89}}, FAILED, "0.89, at least 0.9 is needed"),
        ({"metric": "acc", "at_most": 3}, {"sealed": {"acc": 4}}, FAILED, "4, at most 3 is needed"),
        ({"metric": "acc", "at_least": 1, "at_most": 3}, {"sealed": {"acc": 2}}, PASSED, "at least 1 and at most 3"),
        ({"metric": "e.a.b", "at_least": 1}, {"sealed": {"e": {"a.b": 2}}}, PASSED, "is 2"),
        ({"metric": "acc", "at_least": 0}, {}, FAILED, "iris@7 has no acc"),
        ({"metric": "acc", "at_least": 0.9}, {"sealed": {"acc": "0.90"}}, PASSED, "acc is 0.90, at least 0.9"),
        ({"metric": "acc", "at_least": 0}, {"sealed": {"acc": "0.9 or so"}}, FAILED, "no number"),
        ({"metric": "acc", "at_least": 0}, {"sealed": {"acc": "1234e56"}}, FAILED, "no number"),
        ({"metric": "acc", "at_least": 0}, {"sealed": {"acc": True}}, FAILED, "no number"),
        ({"metric": "a", "incumbent": "not_below"}, {"sealed": {"a": 1}}, PASSED,
         "nothing to compare a with: no other version is in production"),
        ({"metric": "a", "incumbent": "not_below"}, {}, PASSED, "nothing to compare a with"),
        ({"metric": "a", "incumbent": "not_below"}, {"sealed": {"a": 1}, "incumbent": incumbent({"a": 2})},
         FAILED, "a is 1, 1 below the 2 of iris@6"),
        ({"metric": "a", "incumbent": "not_below", "tolerance": 0.1},
         {"sealed": {"a": 0.7}, "incumbent": incumbent({"a": 0.8})}, PASSED, "0.1 below the 0.8 of iris@6"),
        ({"metric": "a", "incumbent": "not_above", "tolerance": 1},
         {"sealed": {"a": 10}, "incumbent": incumbent({"a": 8})}, FAILED, "2 above the 8"),
        ({"metric": "a", "incumbent": "not_above"}, {"sealed": {"a": 8}, "incumbent": incumbent({"a": 8})},
         PASSED, "not above the 8"),
        ({"metric": "a", "incumbent": "not_below"}, {"sealed": {"a": 1}, "incumbent": incumbent({})},
         FAILED, "iris@6 has no a"),
        ({"metric": "acc", "at_least": 0.9}, {"annotated": {"acc": 0.99}}, FAILED,
         "acc: the sealed record has none; an annotation says 0.99 (see later: true)"),
        ({"metric": "acc", "at_least": 0.9}, {"sealed": {"acc": 0.5}, "annotated": {"acc": 0.99}}, FAILED,
         "acc is 0.5, at least 0.9 is needed; an annotation says 0.99 (see later: true)"),
        ({"metric": "acc", "at_least": 0.9}, {"sealed": {"acc": 0.95}, "annotated": {"acc": 0.1}}, PASSED,
         "acc is 0.95, at least 0.9; an annotation says 0.1 (see later: true)"),
        ({"metric": "e.acc", "at_least": 0.9}, {"sealed": {"e": {"acc": 0.95}}, "annotated": {"e": {}}}, PASSED,
         "e.acc is 0.95, at least 0.9; an annotation removed it"),
        ({"metric": "a", "incumbent": "not_below"},
         {"sealed": {"a": 5}, "annotated": {"a": 2}, "incumbent": incumbent({"a": 4}, a=1)}, PASSED,
         "4 of iris@6; an annotation says 2 (see later: true); an annotation of iris@6 says 1 (see later: true)"),
        ({"metric": "acc", "at_least": 0.9, "later": True}, {"annotated": {"acc": 0.99}}, PASSED, "acc is 0.99"),
        ({"metric": "a", "incumbent": "not_below"},
         {"sealed": {"a": 3}, "annotated": {"a": 9}, "incumbent": incumbent({"a": 4}, a=1)}, FAILED,
         "1 below the sealed 4"),
        ({"metric": "a", "incumbent": "not_below"}, {"sealed": {"a": 3}, "incumbent": incumbent({}, a=1)}, FAILED,
         "the sealed record of iris@6 has none; an annotation says 1"),
        ({"metric": "a", "incumbent": "not_below", "later": True},
         {"annotated": {"a": 3}, "incumbent": incumbent({}, a=1)}, PASSED, "not below the 1"),
        ({"metadata": ["a"]}, {"annotated": {"a": 1}}, FAILED,
         "lacks a in the sealed record; an annotation has a (see later: true)"),
        ({"metadata": ["a"], "later": True}, {"annotated": {"a": 1}}, PASSED, "metadata has a"),
        ({"metadata": ["a", "b.c"]}, {"sealed": {"a": 0, "b": {"c": False}}}, PASSED, "metadata has a, b.c"),
        ({"metadata": ["a", "b"]}, {"sealed": {"a": " ", "b": None}}, FAILED, "lacks a, b"),
        ({"card": ["license", "readme"]}, {"card": {"license": "MIT", "readme": "\n"}}, FAILED, "card lacks readme"),
        ({"artifacts": ["model", "tokenizer"]}, {"paths": {"model": ()}}, FAILED, "artifact tokenizer is missing"),
        ({"artifacts": ["model"]}, {"paths": {"model": None}}, PASSED, "the artifact model is there"),
        ({"artifacts": ["model", "eval"]}, {"paths": {"model": (), "eval": ()}}, PASSED,
         "the artifacts model and eval are there"),
        ({"artifacts": ["model", "eval", "card"]}, {"paths": {"eval": ()}}, FAILED,
         "the artifacts model and card are missing"),
        ({"files": ["*.safetensors"]}, {"paths": {"model": ["a/M.SafeTensors"]}}, PASSED, "it has"),
        ({"files": ["*.safetensors"]}, {"paths": {"model": ["m.bin"]}}, FAILED, "no file is a *.safetensors"),
        ({"files": ["*.safetensors"]}, {"paths": {}}, FAILED, "no file"),
        ({"forbidden_files": ["*.pkl"]}, {"paths": {"model": ["x/m.PKL"]}}, FAILED, "x/m.PKL is forbidden"),
        ({"files": ["m[1].bin"]}, {"paths": {"model": ["a/m[1].bin"]}}, PASSED, "it has m[1].bin"),
        ({"forbidden_files": ["m[1].pkl"]}, {"paths": {"model": ["m[1].pkl"]}}, FAILED, "m[1].pkl is forbidden"),
        ({"forbidden_files": ["*.pkl"]}, {"paths": {"model": None}}, UNKNOWN, "cannot be listed"),
        ({"artifacts": ["extra"]}, {"linked": {"extra": []}}, FAILED, "extra is missing; extra was linked later"),
        ({"artifacts": ["extra"], "later": True}, {"linked": {"extra": []}}, PASSED, "extra is there"),
        ({"files": ["*.md"]}, {"paths": {"model": ["m"]}, "linked": {"docs": ["a.md"]}}, FAILED, "no file is a *.md"),
        ({"files": ["*.md"], "later": True}, {"linked": {"docs": ["a.md"]}}, PASSED, "it has *.md"),
        ({"files": ["m"]}, {"paths": {"model": ["m"]}, "linked": {"docs": None}}, PASSED, "it has m"),
        ({"forbidden_files": ["*.pkl"]}, {"linked": {"docs": ["a.pkl"]}}, FAILED, "a.pkl is forbidden"),
        ({"files": ["*.bin"]}, {"paths": {}, "files_follow": True}, PASSED, "are stored"),
        ({"soak": {"stage": "staging", "hours": 48}}, {"held": {"staging": StageStay(48 * 3600)}}, PASSED,
         "for 48 hours"),
        ({"soak": {"stage": "staging", "hours": 48}}, {"held": {"staging": StageStay(48 * 3600 - 1)}}, FAILED,
         "47.9 hours; 48"),
        ({"soak": {"stage": "staging", "hours": 1}}, {"held": {"staging": StageStay(3600, 86400, True)}}, PASSED,
         "1 hours, as seen here since 1970-01-02T00:00:00Z"),
        ({"soak": {"stage": "staging", "hours": 1}}, {"held": {"staging": StageStay(3600, 86400, False)}}, PASSED,
         "1 hours, by the committers' clocks"),
        ({"soak": {"stage": "staging", "hours": 48}}, {"held": {"staging": None}}, UNKNOWN, "not known"),
        ({"signature": {"by": ["cy"]}}, {"seal": SealEvidence("cy")}, PASSED, "signed by cy"),
        ({"signature": {"by": ["cy"]}}, {"seal": SealEvidence("ada@example.com")}, FAILED, "by ada@example.com; a"),
        ({"signature": {"by": ["cy"]}}, {}, FAILED, "unsigned; a signature"),
        ({"signature": {"by": ["cy"]}}, {"seal": SealEvidence(problem="no key", checked=False)}, UNKNOWN, "no key"),
        (TWO, {"approvals": BOTH}, PASSED, "2 of 2 approvals (bob@example.com, cy)"),
        (TWO, {"approvals": BOTH[:1]}, FAILED, "1 of 2"),
        (TWO, {"approvals": (*BOTH[:1], approval("ada@example.com"))}, FAILED, "ada@example.com, who made iris@7"),
        (TWO, {"approvals": BOTH, "authors": ["cy"]}, FAILED, "that of cy, who made"),
        (TWO, {"approvals": (*BOTH[:1], approval("eve"))}, FAILED, "that of eve does not count"),
        (TWO, {"approvals": (*BOTH[:1], approval("cy", "sha256:6"))}, FAILED, "another record (sha256:6"),
        (TWO, {"approvals": (*BOTH[:1], approval("cy", None))}, FAILED, "cannot be read (no YAML)"),
        (TWO, {"approvals": BOTH, "signed": {"cy": False}}, FAILED, "cy is not signed by a key of theirs"),
        (TWO, {"approvals": BOTH, "signed": {"cy": None}}, UNKNOWN, "cy cannot be checked here"),
        (TWO, {"approvals": BOTH, "registry": "a" * 32}, FAILED, "that of bob@example.com names no registry"),
        (TWO, {"approvals": (*BOTH[:1], approval("cy", registry="b" * 32))}, FAILED, "cy is for another registry"),
        (ONE, {"approvals": [approval("cy", registry="a" * 32)], "registry": "a" * 32}, PASSED, "1 of 1"),
        (ONE, {"approvals": [approval("cy", until=1000)]}, PASSED, "1 of 1"),
        (ONE, {"approvals": [approval("cy", until=999)]}, FAILED, "that of cy expired at 1970-01-01T00:16:39Z"),
        (ONE, {"approvals": [approval("cy", until=1000)], "now": None}, UNKNOWN, "of cy cannot be checked here"),
        (ONE, {"approvals": BOTH, "authors": ["bob@example.com"], "emails": {"cy": "bob@example.com"}}, FAILED,
         "that of cy, who made iris@7"),
        (ONE, {"approvals": BOTH, "proof": Proof(False, "the record is unsigned")}, PASSED,
         "(bob@example.com, cy); author not proven: the record is unsigned"),
        (SIGNED, {"approvals": BOTH, "proof": Proof(False, "the record is unsigned")}, FAILED, "is unsigned"),
        (SIGNED, {"approvals": BOTH, "proof": Proof(None, "no ssh-keygen")}, UNKNOWN, "no ssh-keygen"),
        (SIGNED, {"approvals": [], "proof": Proof(None, "no ssh-keygen")}, FAILED, "0 of 1"),
        (SIGNED, {"approvals": BOTH}, PASSED, "2 of 1 approvals (bob@example.com, cy)"),
        (LIMITED, {}, PASSED, "it has no sealed files"),
        (LIMITED, {"paths": MODEL, "verdicts": {"model": Contents(ARRAY, None)}}, PASSED,
         "limited (model: m.pkl: pickle), as recorded"),
        (LIMITED, {"paths": MODEL, "verdicts": {"model": Contents(None, ARRAY)}}, PASSED, "as read here"),
        (LIMITED, {"paths": MODEL, "verdicts": {"model": Contents(ARRAY, SHELL)}}, FAILED,
         "code (model: m.pkl: names posix.system), as read here; at most limited is allowed"),
        (LIMITED, {"paths": MODEL, "verdicts": {"model": Contents(SHELL, ARRAY)}}, FAILED, "as recorded; at most"),
        (LIMITED, {"paths": MODEL, "verdicts": {"model": Contents(Finding("fine", "x"), ARRAY)}}, FAILED, "fine (mo"),
        (LIMITED, {"paths": MODEL, "verdicts": {"model": UNSEEN}}, UNKNOWN, "files of the artifact model"),
        (LIMITED, {"paths": {**MODEL, "data": []}, "verdicts": {"model": UNSEEN, "data": Contents(SHELL, None)}},
         FAILED, "code (data: m.pkl"),
        (LIMITED, {"paths": MODEL, "verdicts": {"model": UNSEEN}, "files_follow": True}, PASSED, "are stored"),
        ({"command": ["python", "e.py"]}, {}, UNKNOWN, "`python e.py` is run by `gitreg check` only"),
        ({"command": ["true"]}, {"ran": True}, PASSED, "succeeded"),
        ({"command": ["false"]}, {"ran": False}, FAILED, "failed"),
    ],
)  # fmt: skip
def test_a_gate_says_what_it_found(
    said: dict[str, Any], facts: dict[str, Any], outcome: Verdict, sentence: str
) -> None:
    result = gate(said).judge(Facts(**facts))
    assert (result.outcome, result.name) == (outcome, result.kind)
    assert sentence in result.sentence


@given(st.decimals(0, 1, places=3), st.decimals(0, 1, places=3), st.decimals(0, 1, places=3))
def test_tolerance_is_reckoned_in_decimals_as_they_are_written(mine: Any, theirs: Any, tolerance: Any) -> None:
    said = {"metric": "m", "incumbent": "not_below", "tolerance": float(tolerance)}
    facts = Facts(sealed={"m": float(mine)}, incumbent=incumbent({"m": float(theirs)}))
    assert (gate(said).judge(facts).outcome is PASSED) == (mine >= theirs - tolerance)


@pytest.mark.parametrize(
    ("said", "facts", "allowed", "sentence"),
    [
        ({"from": ["dev", "staging"]}, {"stage_now": "staging"}, True, "it is in staging"),
        ({"from": ["dev", "staging"]}, {"stage_now": "production"}, True, "it is in production"),
        ({"from": ["dev", "staging"]}, {}, False, "no stage; it has to come from dev or staging"),
        ({"promoters": ["ADA@example.com"]}, {}, True, "may promote"),
        ({"promoters": ["Cy"]}, {"emails": {"ada@example.com": "cy"}}, True, "ada@example.com may promote"),
        ({"promoters": ["cy"]}, {}, False, "ada@example.com may not promote; cy may"),
        ({"promoters": ["cy"]}, {"promoter": None}, False, "not known here"),
    ],
)
def test_a_rule_says_what_it_found(said: dict[str, Any], facts: dict[str, Any], allowed: bool, sentence: str) -> None:
    decision = decide(policy(**said), Facts(**facts))
    assert decision.allowed == allowed
    assert sentence in decision.results[0].sentence


def test_force_overrides_what_the_policy_names_and_nothing_else() -> None:
    demands = policy(
        **{"from": ["staging"]}, promoters=["cy"], overridable=["from", "speed"],
        gates=[{"metric": "ms", "at_most": 3, "name": "speed"}, {"metric": "ms", "at_most": 9}],
    )  # fmt: skip
    good = Facts(promoter="cy", sealed={"ms": 4})
    assert [result.name for result in decide(demands, good).unmet] == ["from", "speed"]
    forced = decide(demands, good, force=True)
    assert (forced.allowed, forced.overridden) == (True, ["from", "speed"])
    assert [result.name for result in decide(demands, Facts(sealed={"ms": 10}), force=True).unmet] == [
        "promoters", "metric"
    ]  # fmt: skip


def test_a_rollback_asks_who_and_by_which_way_alone() -> None:
    demands = policy(**{"from": ["staging"]}, promoters=["cy"], protected=True, gates=[{"metadata": ["a"]}])
    decision = decide(demands.for_rollback(), Facts())
    assert [result.name for result in decision.results] == ["promoters"]
    assert decision.protected

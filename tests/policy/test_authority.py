"""A change of who may do what, told rule by rule; what lets in more than before is weaker."""

from __future__ import annotations

from typing import Any

import pytest

from gitreg.policy.authority import authority_changes, fingerprint

ADA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ada"
BOB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB bob"
NOTHING: dict[str, Any] = {
    "policies": {}, "people": {}, "stages": [], "mirrors": {}, "store": None, "replicas": [], "remote": None,
}  # fmt: skip


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    found = authority_changes(NOTHING | old, NOTHING | new)
    assert all(change.row()["rules"] == list(change.rules) for change in found)
    return [(change.change, change.sentence) for change in found]


def production(**policy: Any) -> dict[str, Any]:
    return {"policies": {"production": policy}}


def several(*policies: dict[str, Any]) -> dict[str, Any]:
    return {"policies": {"production": list(policies)}}


def gates(*found: dict[str, Any]) -> dict[str, Any]:
    return production(gates=list(found))


ACCURACY = {"metric": "accuracy", "at_least": 0.9}
SIGNED = {"signature": {"by": ["ada"]}}
APPROVED = {"approvals": {"count": 2, "by": ["ada", "bob"]}}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = {
    "gates that go": (
        gates(ACCURACY, SIGNED, APPROVED), gates(ACCURACY), [("loses", "production loses: signature, approvals")],
    ),
    "a policy that goes": (
        production(promoters=["ada"], protected=True, gates=[ACCURACY]), {},
        [("loses", "production loses: promoters, protected, accuracy")],
    ),
    "more who may set aliases": (
        {"policies": {"aliases": {"promoters": ["ada"]}}},
        {"policies": {"aliases": {"promoters": ["ada", "eve"], "overridable": ["promoters"]}}},
        [("weakens", "aliases weakens: promoters [ada] → [ada, eve], overridable [] → [promoters]")],
    ),
    "a policy that comes": ({}, gates(ACCURACY), [("gains", "production gains: accuracy")]),
    "a lower bound": (
        gates(ACCURACY), gates({**ACCURACY, "at_least": 0.5}),
        [("weakens", "production weakens: accuracy at_least 0.9 → 0.5")],
    ),
    "a higher bound": (
        gates(ACCURACY), gates({**ACCURACY, "at_least": 0.95}),
        [("changes", "production changes: accuracy at_least 0.9 → 0.95")],
    ),
    "a loss that may be larger": (
        gates({"metric": "loss", "at_most": 1}), gates({"metric": "loss", "at_most": 2}),
        [("weakens", "production weakens: loss at_most 1 → 2")],
    ),
    "another metric": (
        gates(ACCURACY), gates({"metric": "f1", "at_least": 0.9}),
        [("loses", "production loses: accuracy"), ("gains", "production gains: f1")],
    ),
    "fewer approvals, of more people": (
        gates(APPROVED), gates({"approvals": {"count": 1, "by": ["ada", "bob", "eve"]}}),
        [("weakens", "production weakens: approvals count 2 → 1, approvals by [ada, bob] → [ada, bob, eve]")],
    ),
    "an author who need not be known": (
        gates({"approvals": {"author": "signed"}}), gates({"approvals": {}}),
        [("weakens", "production weakens: approvals author signed → not set")],
    ),
    "a shorter soak": (
        gates({"soak": {"stage": "staging", "hours": 48}}), gates({"soak": {"stage": "staging", "hours": 1}}),
        [("weakens", "production weakens: soak hours 48 → 1")],
    ),
    "annotations that count": (
        gates(ACCURACY), gates({**ACCURACY, "later": True}),
        [("weakens", "production weakens: accuracy later not set → true")],
    ),
    "worse content": (
        gates({"content": {"at_most": "data"}}), gates({"content": {"at_most": "opaque"}}),
        [("weakens", "production weakens: content at_most data → opaque")],
    ),
    "one more that is enough": (
        gates({"any": [ACCURACY]}), gates({"any": [ACCURACY, SIGNED]}),
        [("weakens", "production weakens: signature is enough")],
    ),
    "one of all that goes": (
        gates({"all": [ACCURACY, SIGNED], "name": "both"}), gates({"all": [ACCURACY], "name": "both"}),
        [("loses", "production loses: signature")],
    ),
    "more promoters and origins, more to override": (
        production(promoters=["ada"], **{"from": ["a"]}),
        production(promoters=["ada", "eve"], overridable=["from"], **{"from": ["a", "b"]}),
        [(
            "weakens",
            "production weakens: from [a] → [a, b], promoters [ada] → [ada, eve], overridable [] → [from]",
        )],
    ),
    "a policy for some models that comes before": (
        production(gates=[ACCURACY]), several({"models": ["rank*"], "gates": [SIGNED]}, {"gates": [ACCURACY]}),
        [("loses", "production of rank* loses: accuracy"), ("gains", "production of rank* gains: signature")],
    ),
    "a policy for some models that goes": (
        several({"models": ["rank*"], "gates": [SIGNED]}, {"gates": [ACCURACY]}), production(gates=[ACCURACY]),
        [("loses", "production of rank* loses: signature"), ("gains", "production of rank* gains: accuracy")],
    ),
    "a bound of some models": (
        several({"models": ["a", "b*"], "gates": [ACCURACY]}, {"gates": [SIGNED]}),
        several({"models": ["a", "b*"], "gates": [{**ACCURACY, "at_least": 0.5}]}, {"gates": [SIGNED]}),
        [("weakens", "production of a, b* weakens: accuracy at_least 0.9 → 0.5")],
    ),
    "a model that is taken out": (
        several({"models": ["a", "b"], "gates": [ACCURACY]}), several({"models": ["a"], "gates": [ACCURACY]}),
        [("loses", "production of b loses: accuracy")],
    ),
    "a policy that is for some models only": (
        production(gates=[ACCURACY]), production(models=["a?"], gates=[ACCURACY]),
        [("loses", "production of other models loses: accuracy")],
    ),
    "an exemption that a wider glob covered": (
        several({"models": ["rank*"], "gates": [ACCURACY]}),
        several({"models": ["rank[er]*-b"]}, {"models": ["rank*"], "gates": [ACCURACY]}),
        [("loses", "production of rank[er]*-b loses: accuracy")],
    ),
    "a glob that was covered already": (
        several({"models": ["rank*"], "gates": [ACCURACY]}),
        several({"models": ["rank*", "ranker"], "gates": [ACCURACY]}),
        [("changes", "production changes: the models of its policies")],
    ),
    "an order of policies": (
        several({"models": ["*-v2"], "gates": [ACCURACY]}, {"models": ["rank*"], "gates": [SIGNED]}),
        several({"models": ["rank*"], "gates": [SIGNED]}, {"models": ["*-v2"], "gates": [ACCURACY]}),
        [("changes", "production changes: the models of its policies")],
    ),
    "one policy that is written as a list": (production(gates=[ACCURACY]), several({"gates": [ACCURACY]}), []),
    "people": (
        {"people": {"ada": [ADA], "bob": [BOB]}},
        {"people": {"ada": {"keys": [ADA, BOB], "emails": ["ada@home"]}, "eve": [BOB]}},
        [
            ("gains", f"people: ada has a new key {fingerprint(BOB)}"),
            ("gains", "people: ada has a new e-mail ada@home"),
            ("loses", "people: bob is gone"),
            ("gains", f"people: eve is new, with the key {fingerprint(BOB)}"),
        ],
    ),
    "stages": (
        {"stages": ["a", "canary"]}, {"stages": ["a", "b"]},
        [("loses", "stages: canary is gone"), ("gains", "stages: b is new")],
    ),
    "an order": ({"stages": ["a", "b"]}, {"stages": ["b", "a"]}, [("changes", "stages: a, b → b, a")]),
    "places": (
        {"store": "A", "mirrors": {}}, {"store": "B", "mirrors": {"stages": "refs/x"}, "remote": "origin"},
        [
            ("changes", "mirrors: stages not named → refs/x"), ("changes", "store: A → B"),
            ("changes", "remote: not named → origin"),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_each_change_of_who_may_do_what_is_told(what: str) -> None:
    old, new, says = CASES[what]
    assert told(old, new) == says
    assert told(old, old) == []
    assert told(new, new) == []


def test_policies_whose_globs_overlap_are_compared_for_the_models_that_are_there() -> None:
    versions, ranks = {"models": ["*-v2"], "gates": [ACCURACY]}, {"models": ["rank*"], "gates": [SIGNED]}
    models = ["iris", "rank-v2", "ranker"]
    found = authority_changes(NOTHING | several(versions, ranks), NOTHING | several(ranks, versions), models=models)
    assert [change.sentence for change in found] == [
        "production of rank-v2 loses: accuracy", "production of rank-v2 gains: signature",
    ]  # fmt: skip
    assert {change.where for change in found} == {"production"}


def test_a_fingerprint_is_as_ssh_keygen_prints_it() -> None:
    assert fingerprint(ADA).startswith("SHA256:")
    assert len(fingerprint(ADA)) == len("SHA256:") + 43
    assert fingerprint(ADA) != fingerprint(BOB)

"""Policies that are misspelled are errors which name the place and what is known, never policies that let pass."""

from __future__ import annotations

import copy
import re
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from gitreg.contents import CODE, VERDICTS
from gitreg.documents.schemas import schema
from gitreg.documents.types import CARD_FIELDS
from gitreg.errors import InvalidDocument
from gitreg.policy.authority import authority_changes
from gitreg.policy.evaluate import decide, policy_for
from gitreg.policy.gates.content import CommandGate
from gitreg.policy.parse import parse_policies
from gitreg.policy.people import People
from tests.documents.test_schemas import places
from tests.policy.support import PEOPLE, STAGES, Facts, policy

SOUND: list[dict[str, Any]] = [
    {"metric": "acc", "at_least": 0.9, "at_most": 1},
    {"metric": "acc", "incumbent": "not_below", "tolerance": 0.01},
    {"metric": "acc", "at_least": 0.9, "later": True},
    {"metric": "acc", "incumbent": "not_above", "later": False},
    {"metadata": ["a"], "later": True},
    {"files": ["*.bin"], "later": True},
    {"metadata": ["a"]},
    {"card": ["license"]},
    {"artifacts": ["model"], "files": ["*.bin"], "forbidden_files": ["*.pkl"]},
    {"content": {"at_most": "limited"}},
    {"soak": {"stage": "staging", "hours": 0.5}},
    {"signature": {"by": ["cy"]}},
    {"approvals": {"count": 1, "by": ["cy"]}},
    {"approvals": {"count": 3}},
    {"approvals": {"author": "signed"}},
    {"command": ["true"]},
    {"all": [{"metadata": ["a"]}]},
    {"any": [{"metadata": ["a"]}, {"all": [{"metadata": ["b"]}]}], "name": "either"},
]


@pytest.mark.parametrize("said", SOUND)
def test_every_kind_is_read(said: dict[str, Any]) -> None:
    (made,) = policy(gates=[said]).gates
    assert made.name == said.get("name", made.kind)


@pytest.mark.parametrize(
    ("said", "pointer", "tells"),
    [
        ({}, "", "leave it out"),
        ({"gate": []}, "/gate", "gates"),
        ({"gates": []}, "/gates", "at least one"),
        ({"gates": {"metadata": ["a"]}}, "/gates", "list of gates|at least one"),
        ({"gates": [{}]}, "/gates/0", "exactly one kind"),
        ({"gates": [None]}, "/gates/0", "a mapping of name, metric"),
        ({"gates": [{"name": "x"}]}, "/gates/0", "demands"),
        ({"gates": [{"metrics": "a"}]}, "/gates/0/metrics", "did you mean 'metric'"),
        ({"gates": [{"at_least": 3}]}, "/gates/0", "exactly one kind"),
        ({"gates": [{"metric": "a", "card": ["license"]}]}, "/gates/0/card", "join gates of several kinds"),
        ({"gates": [{"metric": "a"}]}, "/gates/0", "at_least"),
        ({"gates": [{"metric": "a", "at_lest": 1}]}, "/gates/0/at_lest", "did you mean 'at_least'"),
        ({"gates": [{"metric": "a", "at_least": "0.9"}]}, "/gates/0/at_least", "number"),
        ({"gates": [{"metric": "a", "at_least": True}]}, "/gates/0/at_least", "number"),
        ({"gates": [{"metric": "a", "at_least": 2, "at_most": 1}]}, "/gates/0", "exchange"),
        ({"gates": [{"metric": "a", "at_least": 2, "tolerance": 1}]}, "/gates/0/tolerance", "bound"),
        ({"gates": [{"metric": "a", "at_least": 2, "incumbent": "not_below"}]}, "/gates/0/at_least", "gate of each"),
        ({"gates": [{"metric": "a", "incumbent": "better"}]}, "/gates/0/incumbent", "not_below, not_above"),
        ({"gates": [{"metric": "a", "incumbent": "not_below", "tolerance": -1}]}, "/gates/0/tolerance", "worse"),
        ({"gates": [{"metadata": []}]}, "/gates/0/metadata", "at least one"),
        ({"gates": [{"metadata": "a"}]}, "/gates/0/metadata", "list"),
        ({"gates": [{"metadata": ["a"], "later": "yes"}]}, "/gates/0/later", "true or false"),
        ({"gates": [{"card": ["license"], "later": True}]}, "/gates/0/later", "card"),
        ({"gates": [{"later": True}]}, "/gates/0", "exactly one kind"),
        ({"gates": [{"card": ["licence"]}]}, "/gates/0/card/0", "did you mean 'license'"),
        ({"gates": [{"files": []}]}, "/gates/0/files", "at least one"),
        ({"gates": [{"content": {"at_most": "code"}}]}, "/gates/0/content/at_most", "data, limited, opaque"),
        ({"gates": [{"content": {"at_most": ["data"]}}]}, "/gates/0/content/at_most", "data, limited, opaque"),
        ({"gates": [{"content": {}}]}, "/gates/0/content", "at_most"),
        ({"gates": [{"content": {"at_most": "data"}, "later": True}]}, "/gates/0/later", "content"),
        ({"gates": [{"soak": {"stage": "staging"}}]}, "/gates/0/soak", "hours: NUMBER"),
        ({"gates": [{"soak": {"stage": "stagin", "hours": 1}}]}, "/gates/0/soak/stage", "did you mean 'staging'"),
        ({"gates": [{"soak": {"stage": "production", "hours": 1}}]}, "/gates/0/soak/stage", "before"),
        ({"gates": [{"soak": {"stage": "staging", "hours": 0}}]}, "/gates/0/soak/hours", "hours"),
        ({"gates": [{"signature": {"by": ["eve"]}}]}, "/gates/0/signature/by/0", "bob@example.com, cy"),
        ({"gates": [{"approvals": {"count": 2, "by": ["cy", "cy"]}}]}, "/gates/0/approvals", "more of them"),
        ({"gates": [{"approvals": {"author": "proven"}}]}, "/gates/0/approvals/author", "signed"),
        ({"gates": [{"approvals": {"count": 0}}]}, "/gates/0/approvals/count", "1 or more"),
        ({"gates": [{"approvals": {"count": True}}]}, "/gates/0/approvals/count", "1 or more"),
        ({"gates": [{"approvals": {"count": 1.0}}]}, "/gates/0/approvals/count", "whole number"),
        ({"gates": [{"command": ["make", " "]}]}, "/gates/0/command/1", "not empty"),
        ({"gates": [{"command": "rm -rf /"}]}, "/gates/0/command", "list"),
        ({"gates": [{"all": []}]}, "/gates/0/all", "at least one"),
        ({"gates": [{"any": []}]}, "/gates/0/any", "at least one"),
        ({"gates": [{"any": [{"metadata": ["a"]}, {}]}]}, "/gates/0/any/1", "exactly one kind"),
        ({"gates": [{"metadata": ["a"], "name": "from"}]}, "/gates/0/name", "not from or promoters"),
        ({"from": ["stagin"]}, "/from/0", "did you mean 'staging'"),
        ({"from": ["production"]}, "/from/0", "before"),
        ({"from": []}, "/from", "at least one"),
        ({"promoters": []}, "/promoters", "at least one"),
        ({"protected": "yes"}, "/protected", "true or false"),
        ({"overridable": ["soak"]}, "/overridable/0", "from, promoters"),
        ({"overridable": ["sok"], "gates": [{"any": [{"soak": {"stage": "dev", "hours": 1}}]}]}, "/overridable/0",
         "did you mean 'soak'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place_and_what_is_known(
    said: dict[str, Any], pointer: str, tells: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_policies({"production": said}, PEOPLE, STAGES)
    assert (caught.value.where, caught.value.pointer) == ("gitreg.yaml", f"/policies/production{pointer}")
    assert any(word in str(caught.value.hint) for word in tells.split("|"))


LISTS: list[tuple[Any, str, str]] = [
    ([], "", "at least one"),
    ([{}], "/0", "leave it out"),
    ([{"models": []}], "/0/models", "at least one"),
    ([{"models": [" "]}], "/0/models/0", "not empty"),
    ([{"models": "iris"}], "/0/models", "list"),
    ([{"models": ["a"]}, {"models": ["b"], "from": ["stagin"]}], "/1/from/0", "did you mean 'staging'"),
    ([{"models": ["a"], "from": ["production"]}], "/0/from/0", "before"),
    ([{"models": ["a"], "gates": [{"metric": "auc"}]}], "/0/gates/0", "needs a bound"),
    ([{"protected": True}, {"models": ["a"], "protected": False}], "/1", "move it up"),
    ([{"models": ["*"], "protected": True}, {"protected": False}], "/1", "move it up"),
    ([{"models": ["a", "b"]}, {"models": ["b"], "protected": True}], "/1", "move it up"),
]


@pytest.mark.parametrize(("policies", "pointer", "tells"), LISTS)
def test_each_policy_of_a_list_is_checked_in_its_place(policies: Any, pointer: str, tells: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_policies({"production": policies}, PEOPLE, STAGES)
    assert caught.value.pointer == f"/policies/production{pointer}"
    assert tells in str(caught.value.hint)


def test_the_first_policy_whose_globs_fit_a_model_is_its_policy() -> None:
    policies = parse_policies(
        {
            "production": [
                {"models": ["rank*", "search/*"], "promoters": ["ada"]},
                {"models": ["ranker"], "promoters": ["never asked"]},
                {"models": ["free"]},
                {"models": ["tea[m]"], "promoters": ["ada"]},
                {"promoters": ["bob"]},
            ],
            "staging": {"models": ["Iris"], "promoters": ["cy"]},
            "aliases": [{"models": ["iris"], "promoters": ["eve"]}],
        },
        PEOPLE,
        STAGES,
    )

    def promoters(stage: str, model: str) -> tuple[str, ...]:
        return policy_for(policies, stage, model).promoters

    assert [promoters("production", model) for model in ("ranker", "search/a/b", "free", "iris", "a/ranker")] == [
        ("ada",), ("ada",), (), ("bob",), ("bob",),
    ]  # fmt: skip
    assert [promoters("production", model) for model in ("tea[m]", "team", "teal")] == [("ada",), ("ada",), ("bob",)]
    assert [promoters("staging", model) for model in ("Iris", "iris")] == [("cy",), ()]
    assert [promoters("aliases", model) for model in ("iris", "other")] == [("eve",), ()]
    assert promoters("dev", "iris") == ()


def test_the_settings_have_one_policy_and_it_is_for_no_models() -> None:
    for wrong in ([{"promoters": ["ada"]}], {"promoters": ["ada"], "models": ["iris"]}):
        with pytest.raises(InvalidDocument, match="settings"):
            parse_policies({"settings": wrong}, PEOPLE, STAGES)


def test_a_document_with_thousands_of_values_is_refused_without_looking_for_the_best_explanation() -> None:
    gates: list[dict[str, Any]] = [{"metadata": ["a"]} for _ in range(3000)]
    with pytest.raises(InvalidDocument) as caught:
        parse_policies({"production": {"gates": [*gates, {}]}}, PEOPLE, STAGES)
    assert (caught.value.where, caught.value.pointer) == ("gitreg.yaml", "")


def test_a_policy_for_a_stage_that_is_misspelled_is_an_error_for_every_stage() -> None:
    with pytest.raises(InvalidDocument, match="prod") as caught:
        parse_policies({"prod": {"from": ["staging"]}}, PEOPLE, STAGES)
    known = "the known ones are dev, staging, production; settings and aliases may stand there, too"
    assert caught.value.hint == f"did you mean 'production'? {known}"


def test_one_key_of_two_people_is_refused_for_one_person_could_approve_twice() -> None:
    people = {"ada": ["ssh-ed25519 A laptop"], "eve": ["ssh-ed25519 E", "ssh-ed25519 A other"]}
    with pytest.raises(InvalidDocument, match="key of ada too") as caught:
        parse_policies({}, people, STAGES)
    assert caught.value.pointer == "/people/eve/1"


@pytest.mark.parametrize(("people", "where"), [
    ({"ada": ["ssh-ed25519 A"], "eve": {"emails": ["ADA"], "keys": ["ssh-ed25519 E"]}}, "/people/eve/emails/0"),
    ({"eve": {"emails": ["ada"], "keys": ["ssh-ed25519 E"]}, "ada": ["ssh-ed25519 A"]}, "/people/eve/emails/0"),
    ({"ada": ["ssh-ed25519 A"], "Ada": ["ssh-ed25519 E"]}, "/people/ada"),
    (
        {"a": {"emails": ["x"], "keys": ["ssh-ed25519 A"]}, "b": {"emails": ["X"], "keys": ["ssh-ed25519 B"]}},
        "/people/b/emails/0",
    ),
    ({"ada": ["ssh-ed25519 A"], "eve": {"keys": ["ssh-ed25519 A"]}}, "/people/eve/keys/0"),
])  # fmt: skip
def test_no_key_or_email_is_of_two_people(people: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_policies({}, people, STAGES)
    assert caught.value.pointer == where


@pytest.mark.parametrize(("policy", "where"), [
    ({"from": ["staging"]}, "/policies/settings/from"),
    ({"promoters": ["ada"], "overridable": ["promoters"]}, "/policies/settings/overridable"),
    ({"gates": [{"metric": "accuracy", "at_least": 1}]}, "/policies/settings/gates/0/metric"),
    ({"gates": [{"any": [{"command": ["true"]}]}]}, "/policies/settings/gates/0/any/0/command"),
    ({}, "/policies/settings"),
])  # fmt: skip
def test_a_policy_of_settings_asks_people_only(policy: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_policies({"settings": policy}, PEOPLE, STAGES)
    assert caught.value.pointer == where
    people = {"any": [{"approvals": {"count": 1}}, {"signature": {"by": [next(iter(PEOPLE))]}}]}
    parse_policies({"settings": {"promoters": ["ada"], "protected": True, "gates": [people]}}, PEOPLE, STAGES)


@pytest.mark.parametrize(("policy", "where"), [
    ({"from": ["staging"]}, "/policies/aliases/from"),
    ({"protected": True}, "/policies/aliases/protected"),
    ({"promoters": ["ada"], "overridable": ["from"]}, "/policies/aliases/overridable/0"),
    ({"overridable": ["promoters"], "gates": [{"metric": "a"}]}, "/policies/aliases/gates/0"),
    ({}, "/policies/aliases"),
])  # fmt: skip
def test_a_policy_of_aliases_has_promoters_overridable_and_gates(policy: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_policies({"aliases": policy}, PEOPLE, STAGES)
    assert caught.value.pointer == where
    gates = [{"metric": "a", "incumbent": "not_below"}, {"soak": {"stage": "production", "hours": 1}}]
    said = {"promoters": ["ada"], "overridable": ["promoters", "soak"], "gates": gates}
    assert len(parse_policies({"aliases": said}, PEOPLE, STAGES)["aliases"][0].gates) == 2


def test_a_person_is_known_by_every_email_and_anybody_else_is_a_person_of_their_own() -> None:
    people = People({"ada@x": {"emails": ["Ada@home"], "keys": ["ssh-ed25519 A"]}, "bob": ["ssh-ed25519 B"]})
    assert people.keys == {"ada@x": ("ssh-ed25519 A",), "bob": ("ssh-ed25519 B",)}
    assert people.find("ADA@HOME") == "ada@x"
    assert people.find("eve@x") is None
    assert people.person("ada@home") == people.person("ADA@X") != people.person("eve@x")
    assert people.person("Eve@x") == people.person("eve@X")
    assert people.any_is("ada@HOME", ["ada@x"])
    assert not people.any_is("eve@x", ["ada@x", "bob"])
    assert people.persons(["ada@home", "ada@x", "Bob"]) == {"ada@x", "bob"}


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=3)
    | st.sampled_from([*STAGES, *PEOPLE, "data", "opaque"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["stage", "hours", "by", "count", "all", "at_most"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = ["metric", "at_least", "at_most", "incumbent", "tolerance", "metadata", "card", "files", "artifacts",
          "content", "soak", "signature", "approvals", "command", "all", "any", "name", "other"]  # fmt: skip
GATES = st.lists(st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3), max_size=3)
OTHERS = st.lists(st.sampled_from(SOUND) | st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3), max_size=3)


@pytest.mark.slow
@given(OTHERS, OTHERS)
def test_what_differs_between_policies_that_are_understood_can_be_told(old: list[Any], new: list[Any]) -> None:
    rest: dict[str, Any] = {"people": {}, "stages": [], "replicas": [], "mirrors": {}, "store": None, "remote": None}
    before, after = ({**rest, "policies": {"production": {"gates": gates}}} for gates in (old, new))
    try:
        policy(gates=old), policy(gates=new)
    except InvalidDocument:
        return
    assert authority_changes(before, before) == []
    gone = len(new) < len(old)
    assert not gone or authority_changes(before, after)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Policies whose shape is sound, with up to three of their values dropped or exchanged."""
    gates = draw(st.lists(st.sampled_from(SOUND), min_size=1, max_size=3))
    policies: dict[str, Any] = {
        "production": {"from": ["staging"], "overridable": ["from"], "protected": True, "gates": gates},
        "settings": {"promoters": ["ada"], "gates": [{"any": [{"signature": {"by": ["cy"]}}]}]},
        "aliases": {"promoters": ["ada"], "gates": gates[:1]},
        "dev": [{"models": ["iris", "rank*"], "gates": gates}, {"models": ["a"], "protected": True}],
    }
    policies = copy.deepcopy(policies)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(places(policies)[1:] or [()]))
        if not place:
            continue
        parent: Any = policies
        for step in place[:-1]:
            parent = parent[step]
        if draw(st.booleans()):
            parent[place[-1]] = draw(ODD)
        elif draw(st.booleans()) or isinstance(parent, list):
            del parent[place[-1]]
        else:
            parent[draw(st.sampled_from(FIELDS))] = draw(ODD)
    return policies


ACROSS_FIELDS = re.compile(
    "there is no (stage|person|rule or gate) |is .* itself$|needs .* approvals of |has at_least above at_most"
    "|is never asked"
)


@pytest.mark.slow
@given(mutated())
def test_what_the_schema_accepts_is_understood_but_for_rules_across_fields(policies: dict[str, Any]) -> None:
    valid = Draft7Validator(schema("policies")).is_valid({"policies": policies})
    try:
        parse_policies(policies, PEOPLE, STAGES)
    except InvalidDocument as error:
        assert bool(ACROSS_FIELDS.match(error.reason)) or not valid  # noqa: PT017
        assert error.pointer.startswith("/policies")  # noqa: PT017
        return
    assert valid


def test_the_schema_knows_the_fields_of_cards_and_the_verdicts() -> None:
    gate = schema("policies")["definitions"]["gate"]["properties"]
    assert gate["card"]["items"]["enum"] == [*CARD_FIELDS, "tags", "metadata", "readme"]
    assert gate["content"]["properties"]["at_most"]["enum"] == [each for each in VERDICTS if each != CODE]


def test_every_field_of_a_policy_has_a_title_and_a_description_for_editors() -> None:
    definitions = schema("policies")["definitions"]
    found = [
        (place, field)
        for place in places(definitions)
        if place and place[-1] == "properties"
        for field in reduce(getitem, place, definitions).values()
    ]
    assert found
    for place, field in found:
        described = definitions[field["$ref"].rpartition("/")[2]] if "$ref" in field else field
        assert {"title", "description"} <= described.keys(), (place, field)


def test_a_command_keeps_an_argument_that_it_has_twice() -> None:
    (gate,) = policy(gates=[{"command": ["check", "--not", "a", "--not", "b"]}]).gates
    assert gate == CommandGate(name="command", command=("check", "--not", "a", "--not", "b"))


@given(GATES)
def test_whatever_is_written_is_refused_in_words_or_decides(gates: list[dict[str, Any]]) -> None:
    try:
        made = policy(gates=gates)
    except InvalidDocument as error:
        assert error.pointer.startswith("/policies/production")  # noqa: PT017
        assert error.hint  # noqa: PT017
        return
    decision = decide(made, Facts())
    assert len(decision.results) == len(gates) >= 1

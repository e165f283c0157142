"""The parser of policies: from plain data of ``gitreg.yaml`` to frozen values; anything unknown is an error.

A misspelled policy must never admit every version. The shape of policies and gates is in ``registry.schema.json``; here
are the rules across fields: names of stages, people, rules and gates have to exist, and bounds have to admit a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gitreg import documents
from gitreg.documents.schemas import POLICIES, check
from gitreg.errors import InvalidDocument
from gitreg.policy.evaluate import ALIASES, RULES, SETTINGS, Policy
from gitreg.policy.gates.base import AllGate, AnyGate, Gate
from gitreg.policy.gates.content import CommandGate, ContentGate, FilesGate
from gitreg.policy.gates.metric import BoundGate, CardGate, IncumbentGate, MetadataGate
from gitreg.policy.gates.people import ApprovalsGate, SignatureGate, SoakGate

_WHERE = "gitreg.yaml"
_NO_STAGES = (SETTINGS, ALIASES)
_EVERY_MODEL = "*"
_KINDS: Mapping[str, str] = {
    **{kind: kind for kind in ("metric", "metadata", "card", "content", "soak", "signature", "approvals", "command")},
    **dict.fromkeys(("artifacts", "files", "forbidden_files"), "files"),
    "all": "all",
    "any": "any",
}
"""The kind of a gate by the field that identifies it."""


def parse_policies(
    policies: Mapping[str, Any], people: Mapping[str, Any], stages: Sequence[str]
) -> dict[str, tuple[Policy, ...]]:
    """Return the policies of a registry by name: a stage, ``settings`` or ``aliases``.

    For a model, the first of a name counts that is for that model (:func:`gitreg.policy.evaluate.policy_for`).

    Parameters
    ----------
    policies, people, stages:
        The fields of ``gitreg.yaml``.

    Returns
    -------
    dict[str, tuple[Policy, ...]]
        The policies in the order of the file; a stage without a policy is left out.

    Raises
    ------
    InvalidDocument
        A policy is not valid, or no version could ever meet it; the error names the place, its hint the known values.
    """
    if policies:
        check(POLICIES, {POLICIES: dict(policies)}, _WHERE)
    _check_people(people)
    reader = _Reader(tuple(people), tuple(stages))
    return {stage: tuple(reader.policies(stage, data)) for stage, data in policies.items()}


def each_policy(stage: str, data: Any) -> list[tuple[list[str | int], Mapping[str, Any]]]:
    """Return the policies of a stage as plain data, each with its place in the file: one policy, or a list of them."""
    if isinstance(data, Mapping):
        return [(["policies", stage], data)]
    return [(["policies", stage, number], policy) for number, policy in enumerate(data)]


def _check_people(people: Mapping[str, Any]) -> None:
    """Raise InvalidDocument if two people share a key or an e-mail: one person could approve twice."""
    owners = {name.casefold(): name for name in people}  # the name is an e-mail too, the person's first
    for name, entry in people.items():
        plain = not isinstance(entry, Mapping)
        if (owner := owners[name.casefold()]) != name:
            raise _wrong(["people", name], f"is {owner} too, but for upper and lower case", "name each person once")
        for number, email in enumerate([] if plain else entry.get("emails", ())):
            if (owner := owners.setdefault(email.casefold(), name)) != name:
                at: _Path = ["people", name, "emails", number]
                raise _wrong(at, f"is an e-mail of {owner} too", "each person has e-mails of their own")
        for number, key in enumerate(entry if plain else entry["keys"]):
            if (owner := owners.setdefault(" ".join(key.split()[:2]), name)) != name:
                at = ["people", name, *([] if plain else ["keys"]), number]
                raise _wrong(at, f"is the key of {owner} too", "each person has keys of their own")


@dataclass(frozen=True)
class _Reader:
    """The reader of policies that meet their schema."""

    people: tuple[str, ...]
    stages: tuple[str, ...]

    def policies(self, stage: str, data: Any) -> Iterator[Policy]:
        if stage not in (*self.stages, *_NO_STAGES):
            raise _unknown(["policies", stage], "stage", stage, self.stages, also=_NO_STAGES)
        earlier: set[str] = set()
        for at, policy in each_policy(stage, data):
            patterns = policy.get("models", [_EVERY_MODEL])
            if _EVERY_MODEL in earlier or earlier.issuperset(patterns):
                raise _wrong(at, "is never asked: policies before it are for all its models", "move it up, or drop it")
            earlier.update(patterns)
            yield self._policy(stage, at, policy)

    def _policy(self, stage: str, at: _Path, data: Mapping[str, Any]) -> Policy:
        gates = self._gates([*at, "gates"], data.get("gates", ()))
        names = [*(("promoters",) if stage in _NO_STAGES else RULES), *_names(gates)]
        for number, name in enumerate(data.get("overridable", ())):
            if name not in names:
                raise _unknown([*at, "overridable", number], "rule or gate", name, names)
        for number, origin in enumerate(data.get("from", ())):
            self._check_stage([*at, "from", number], origin)
        return Policy(
            stage=stage,
            models=_unique(data.get("models", ())),
            origins=_unique(data.get("from", ())),
            promoters=_unique(data.get("promoters", ())),
            protected=data.get("protected", False),
            overridable=frozenset(data.get("overridable", ())),
            gates=gates,
        )

    def _gates(self, at: _Path, data: Sequence[Any]) -> tuple[Gate, ...]:
        return tuple(self._gate([*at, number], each) for number, each in enumerate(data))

    def _gate(self, at: _Path, data: Mapping[str, Any]) -> Gate:
        kind = kind_of(data)
        name = data.get("name", kind)
        later = data.get("later", False)
        match kind:
            case "metric":
                return _metric_gate(at, name, data, later=later)
            case "metadata":
                return MetadataGate(name=name, keys=_unique(data["metadata"]), later=later)
            case "card":
                return CardGate(name=name, fields=_unique(data["card"]))
            case "files":
                demands = {field: _unique(data[field]) for field in data if _KINDS.get(field) == "files"}
                return FilesGate(name=name, later=later, **demands)
            case "content":
                return ContentGate(name=name, at_most=data["content"]["at_most"])
            case "soak":
                stage, hours = data["soak"]["stage"], data["soak"]["hours"]
                self._check_stage([*at, "soak", "stage"], stage)
                return SoakGate(name=name, stage=stage, hours=_decimal(hours))
            case "signature":
                return SignatureGate(name=name, by=self._by([*at, "signature", "by"], data["signature"]["by"]))
            case "approvals":
                return self._approvals_gate([*at, "approvals"], name, data["approvals"])
            case "command":
                return CommandGate(name=name, command=tuple(data["command"]))
            case "all":
                return AllGate(name=name, gates=self._gates([*at, "all"], data["all"]))
            case _:
                return AnyGate(name=name, gates=self._gates([*at, "any"], data["any"]))

    def _approvals_gate(self, at: _Path, name: str, data: Mapping[str, Any]) -> Gate:
        count = data.get("count", 1)
        if not isinstance(count, int):  # JSON Schema takes 2.0 for an integer
            raise _wrong([*at, "count"], f"is {count!r}", "write a whole number")
        by = self._by([*at, "by"], data["by"]) if "by" in data else self.people
        if count > len(by):
            raise _wrong(at, f"needs {count} approvals of {len(by)} people", "name more of them, in `people` too")
        return ApprovalsGate(name=name, count=count, by=by, signed_author="author" in data)

    def _check_stage(self, at: _Path, stage: str) -> None:
        if stage not in self.stages:
            raise _unknown(at, "stage", stage, self.stages)
        if stage == at[1]:
            raise _wrong(at, f"is {stage} itself", "name a stage that comes before it")

    def _by(self, at: _Path, data: Sequence[str]) -> tuple[str, ...]:
        for number, name in enumerate(data):
            if name not in self.people:
                raise _unknown([*at, number], "person in `people`", name, self.people)
        return _unique(data)


_Path = list[str | int]


def kind_of(gate: Mapping[str, Any]) -> str:
    """Return the kind of a gate; if the kind is unknown, the name of its first field."""
    fields = [field for field in gate if field != "name"]
    return next((_KINDS[field] for field in fields if field in _KINDS), fields[0] if fields else "")


def _metric_gate(at: _Path, name: str, data: Mapping[str, Any], *, later: bool) -> Gate:
    metric = data["metric"]
    numbers = {field: _decimal(data[field]) for field in ("at_least", "at_most", "tolerance") if field in data}
    if "incumbent" in data:
        return IncumbentGate(name=name, metric=metric, incumbent=data["incumbent"], later=later, **numbers)
    if "at_least" in numbers and "at_most" in numbers and numbers["at_least"] > numbers["at_most"]:
        raise _wrong(at, "has at_least above at_most: no number passes", "exchange them")
    return BoundGate(name=name, metric=metric, later=later, **numbers)


def _names(gates: Sequence[Gate]) -> list[str]:
    inner = [name for gate in gates if isinstance(gate, AllGate | AnyGate) for name in _names(gate.gates)]
    return list(dict.fromkeys([*(gate.name for gate in gates), *inner]))


def _unique(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _decimal(number: float) -> Decimal:
    """Return a number as the decimal that is written."""
    return Decimal(str(number))


def _wrong(at: _Path, reason: str, hint: str) -> InvalidDocument:
    return InvalidDocument(_WHERE, documents.yaml.pointer(at), reason, hint=hint)


def _unknown(at: _Path, kind: str, name: str, known: Sequence[str], *, also: Sequence[str] = ()) -> InvalidDocument:
    """Return the error for a name that is neither in ``known`` nor in ``also``, with the nearest of both."""
    return _wrong(at, f"there is no {kind} {name!r}", documents.schema_errors.known_names(name, known, also=also))

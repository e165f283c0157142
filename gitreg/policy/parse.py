"""The parser of policies: from plain data of ``gitreg.yaml`` to frozen values; anything unknown is an error.

A misspelled policy must never admit every version.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from gitreg.contents import CODE, VERDICTS
from gitreg.documents.types import CARD_FIELDS
from gitreg.errors import InvalidDocument
from gitreg.policy.evaluate import ALIASES, RULES, SETTINGS, Policy
from gitreg.policy.gates.base import AllGate, AnyGate, Gate
from gitreg.policy.gates.content import CommandGate, ContentGate, FilesGate
from gitreg.policy.gates.metric import BoundGate, CardGate, IncumbentGate, MetadataGate
from gitreg.policy.gates.people import ApprovalsGate, SignatureGate, SoakGate

_WHERE = "gitreg.yaml"
_FIELDS = ("from", "promoters", "protected", "overridable", "gates")
_FIELDS_OF = {SETTINGS: ("promoters", "protected", "gates"), ALIASES: ("promoters", "overridable", "gates")}
"""The fields of the policies that are not of a stage."""
_ABOUT_PEOPLE = ("approvals", "signature", "all", "any")
_OF_FILES = ("artifacts", "files", "forbidden_files")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "metric": ("metric", "at_least", "at_most", "incumbent", "tolerance", "later"),
    "metadata": ("metadata", "later"),
    "card": ("card",),
    "files": (*_OF_FILES, "later"),
    "content": ("content",),
    "soak": ("soak",),
    "signature": ("signature",),
    "approvals": ("approvals",),
    "command": ("command",),
    "all": ("all",),
    "any": ("any",),
}
"""The fields of each kind of gate, besides ``name``."""
_BEGIN = {field: kind for kind, fields in _KINDS.items() for field in (_OF_FILES if kind == "files" else fields[:1])}
"""The fields that identify a kind of gate."""
_CARD = (*CARD_FIELDS, "tags", "metadata", "readme")
_DIRECTIONS = ("not_below", "not_above")


def parse_policies(policies: Mapping[str, Any], people: Mapping[str, Any], stages: Sequence[str]) -> dict[str, Policy]:
    """Return the policies of a registry by name: a stage, ``settings`` or ``aliases``.

    Parameters
    ----------
    policies, people, stages:
        The fields of ``gitreg.yaml``.

    Raises
    ------
    InvalidDocument
        A policy is not valid, or no version could ever meet it; the error names the place, its hint the known values.
    """
    _check_people(people)
    reader = _Reader(tuple(people), tuple(stages))
    return {stage: reader.policy(stage, data) for stage, data in policies.items()}


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
    people: tuple[str, ...]
    stages: tuple[str, ...]

    def policy(self, stage: str, data: Any) -> Policy:
        at: _Path = ["policies", stage]
        if stage not in self.stages and stage not in _FIELDS_OF:
            raise _unknown(at, "stage", stage, self.stages, _FIELDS_OF)
        known = _FIELDS_OF.get(stage, _FIELDS)
        fields = _mapping(at, data, known)
        if not fields:
            raise _wrong(at, "is an empty policy", f"leave it out, or give it {', '.join(known)}")
        gates = self._gates([*at, "gates"], fields["gates"]) if "gates" in fields else ()
        names = [*(rule for rule in RULES if rule in known), *_names(gates)]
        overridable = _texts([*at, "overridable"], fields["overridable"]) if "overridable" in fields else ()
        for number, name in enumerate(overridable):
            if name not in names:
                raise _unknown([*at, "overridable", number], "rule or gate", name, names)
        origins = _texts([*at, "from"], fields["from"]) if "from" in fields else ()
        for number, origin in enumerate(origins):
            self._stage([*at, "from", number], origin, stage)
        protected = fields.get("protected", False)
        if not isinstance(protected, bool):
            raise _wrong([*at, "protected"], f"is {protected!r}", "write true or false")
        return Policy(
            stage=stage,
            origins=origins,
            promoters=_texts([*at, "promoters"], fields["promoters"]) if "promoters" in fields else (),
            protected=protected,
            overridable=frozenset(overridable),
            gates=gates,
        )

    def _gates(self, at: _Path, data: Any) -> tuple[Gate, ...]:
        if not isinstance(data, list) or not data:
            raise _wrong(at, "is no list of gates" if data else "is empty", "name at least one gate, or leave it out")
        return tuple(self._gate([*at, number], each) for number, each in enumerate(data))

    def _gate(self, at: _Path, data: Any) -> Gate:
        if not isinstance(data, Mapping) or not data:
            raise _wrong(at, "is no gate" if data else "is an empty gate", f"a gate is one of {', '.join(_KINDS)}")
        kinds = dict.fromkeys(_BEGIN[field] for field in data if field in _BEGIN)
        if len(kinds) != 1:
            if kinds:
                raise _wrong(at, f"is {' and '.join(kinds)} at once", "make a gate of each; `all` and `any` join them")
            odd = next((field for field in data if field != "name"), None)
            raise (
                _wrong(at, "has only a name", "say what it demands")
                if odd is None
                else _unknown([*at, odd], "kind of gate", odd, tuple(_KINDS))
            )
        kind = next(iter(kinds))
        if at[1] == SETTINGS and kind not in _ABOUT_PEOPLE:
            raise _unknown([*at, kind], "kind of gate for settings", kind, _ABOUT_PEOPLE)
        fields = _mapping(at, data, ("name", *_KINDS[kind]))
        name = fields.get("name", kind)
        if not isinstance(name, str) or not name.strip() or name in RULES:
            raise _wrong([*at, "name"], f"is {name!r}", f"a name is a text, and none of {', '.join(RULES)}")
        gate: Gate = getattr(self, f"_{kind}")(at, name, fields)
        return gate

    # -- kinds of gates ------------------------------------------------------------------------------------------------

    def _metric(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        metric = _text([*at, "metric"], fields["metric"])
        numbers = {
            key: _number([*at, key], fields[key]) for key in ("at_least", "at_most", "tolerance") if key in fields
        }
        if "incumbent" in fields:
            odd = next((key for key in ("at_least", "at_most") if key in fields), None)
            if odd:
                raise _wrong([*at, odd], "is a bound beside a comparison", "make a gate of each")
            direction = fields["incumbent"]
            if direction not in _DIRECTIONS:
                raise _unknown([*at, "incumbent"], "comparison", direction, _DIRECTIONS)
            if numbers.get("tolerance", 0) < 0:
                raise _wrong([*at, "tolerance"], "is negative", "say how much worse the metric may be, or leave it out")
            return IncumbentGate(name=name, metric=metric, incumbent=direction, later=_later(at, fields), **numbers)
        if "tolerance" in numbers:
            raise _wrong([*at, "tolerance"], "goes with `incumbent` only", "put it into the bound")
        if not numbers:
            raise _wrong(at, f"sets {metric} no bound", "add at_least, at_most, or incumbent: not_below or not_above")
        if "at_least" in numbers and "at_most" in numbers and numbers["at_least"] > numbers["at_most"]:
            raise _wrong(at, "has at_least above at_most: no number passes", "exchange them")
        return BoundGate(name=name, metric=metric, later=_later(at, fields), **numbers)

    def _metadata(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        return MetadataGate(name=name, keys=_texts([*at, "metadata"], fields["metadata"]), later=_later(at, fields))

    def _card(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        wanted = _texts([*at, "card"], fields["card"])
        for number, field in enumerate(wanted):
            if field not in _CARD:
                raise _unknown([*at, "card", number], "field of a card", field, _CARD)
        return CardGate(name=name, fields=wanted)

    def _files(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        demands = {key: _texts([*at, key], fields[key]) for key in _OF_FILES if key in fields}
        return FilesGate(name=name, later=_later(at, fields), **demands)

    def _content(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        at = [*at, "content"]
        said = _mapping(at, fields["content"], ("at_most",), all_of=True)
        known = [verdict for verdict in VERDICTS if verdict != CODE]
        if said["at_most"] not in known:
            raise _unknown([*at, "at_most"], "verdict to allow", said["at_most"], known)
        return ContentGate(name=name, at_most=said["at_most"])

    def _soak(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        at = [*at, "soak"]
        said = _mapping(at, fields["soak"], ("stage", "hours"), all_of=True)
        self._stage([*at, "stage"], said["stage"], str(at[1]))
        hours = _number([*at, "hours"], said["hours"])
        if hours <= 0:
            raise _wrong([*at, "hours"], f"is {hours}", "say for how many hours it has to be there")
        return SoakGate(name=name, stage=said["stage"], hours=hours)

    def _signature(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        at = [*at, "signature"]
        said = _mapping(at, fields["signature"], ("by",), all_of=True)
        return SignatureGate(name=name, by=self._by([*at, "by"], said["by"]))

    def _approvals(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        at = [*at, "approvals"]
        said = _mapping(at, fields["approvals"], ("count", "by", "author"))
        count = said.get("count", 1)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise _wrong([*at, "count"], f"is {count!r}", "say how many people have to approve")
        by = self._by([*at, "by"], said["by"]) if "by" in said else self.people
        if count > len(by):
            raise _wrong(at, f"needs {count} approvals of {len(by)} people", "name more of them, in `people` too")
        if said.get("author", "signed") != "signed":
            raise _wrong([*at, "author"], f"is {said['author']!r}", "write signed, or leave it out")
        return ApprovalsGate(name=name, count=count, by=by, signed_author="author" in said)

    def _command(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        return CommandGate(name=name, command=_texts([*at, "command"], fields["command"]))

    def _all(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        return AllGate(name=name, gates=self._gates([*at, "all"], fields["all"]))

    def _any(self, at: _Path, name: str, fields: Mapping[str, Any]) -> Gate:
        return AnyGate(name=name, gates=self._gates([*at, "any"], fields["any"]))

    # -- stages and people ---------------------------------------------------------------------------------------------

    def _stage(self, at: _Path, stage: Any, target: str) -> None:
        if stage not in self.stages:
            raise _unknown(at, "stage", stage, self.stages)
        if stage == target:
            raise _wrong(at, f"is {target} itself", "name a stage that comes before it")

    def _by(self, at: _Path, data: Any) -> tuple[str, ...]:
        names = _texts(at, data)
        for number, name in enumerate(names):
            if name not in self.people:
                raise _unknown([*at, number], "person in `people`", name, self.people)
        return names


_Path = list[str | int]


def kind_of(gate: Mapping[str, Any]) -> str:
    """Return the kind of a gate; if the kind is unknown, the name of its first field."""
    fields = [field for field in gate if field != "name"]
    return next((_BEGIN[field] for field in fields if field in _BEGIN), fields[0] if fields else "")


def _names(gates: Sequence[Gate]) -> list[str]:
    inner = [name for gate in gates if isinstance(gate, AllGate | AnyGate) for name in _names(gate.gates)]
    return list(dict.fromkeys([*(gate.name for gate in gates), *inner]))


def _later(at: _Path, fields: Mapping[str, Any]) -> bool:
    later = fields.get("later", False)
    if not isinstance(later, bool):
        raise _wrong([*at, "later"], f"is {later!r}", "write true or false")
    return later


def _mapping(at: _Path, data: Any, known: Sequence[str], *, all_of: bool = False) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise _wrong(at, f"is {data!r}", f"write a mapping of {', '.join(known)}")
    for field in data:
        if field not in known:
            raise _unknown([*at, field], "field", field, known)
    for field in known if all_of else ():
        if field not in data:
            raise _wrong(at, f"has no {field}", f"its fields are {', '.join(known)}")
    return data


def _text(at: _Path, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(at, f"is {value!r}", "write a text")
    return value


def _texts(at: _Path, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong(at, "is an empty list" if value == [] else f"is {value!r}", "write a list of at least one text")
    return tuple(dict.fromkeys(_text([*at, number], each) for number, each in enumerate(value)))


def _number(at: _Path, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(at, f"is {value!r}", "write a number")
    return Decimal(str(value))


def _wrong(at: _Path, reason: str, hint: str) -> InvalidDocument:
    from gitreg.documents.yaml import pointer  # imports a YAML library, needed for errors only

    return InvalidDocument(_WHERE, pointer(at), reason, hint=hint)


def _unknown(at: _Path, what: str, name: Any, known: Collection[str], beside: Collection[str] = ()) -> InvalidDocument:
    """Return the error for a name that is neither in ``known`` nor in ``beside``, with the nearest valid name."""
    near = get_close_matches(str(name), [*known, *beside], n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    listed = f"the known ones are {', '.join(known)}" if known else "there is none"
    others = f"; {' and '.join(beside)} may stand there, too" if beside else ""
    return _wrong(at, f"there is no {what} {name!r}", f"{meant}{listed}{others}")

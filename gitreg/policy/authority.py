"""The changes of permissions that a change of ``gitreg.yaml`` makes, rule by rule, in sentences."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

from gitreg.contents import VERDICTS
from gitreg.policy.evaluate import is_for
from gitreg.policy.parse import each_policy, kind_of
from gitreg.policy.people import People

JUDGED = ("policies", "people", "stages", "mirrors", "store", "replicas", "remote")
"""The fields of ``gitreg.yaml`` whose change has to meet the policies of the file before the change."""

_RULES = ("from", "promoters", "protected", "overridable")
_NOTHING: Mapping[str, Any] = {}
_WILDCARD = re.compile(r"\*|\?|\[[^]]+\]")
_ANY_NAME = "\0" * 300
"""A text of no model's name, in place of each ``*`` of a glob: other globs match it by a wildcard as wide, only."""
_OTHER_MODELS = "other models"


class AuthorityChange(NamedTuple):
    """One change of permissions.

    Parameters
    ----------
    where:
        The stage whose policy changes, ``settings``, ``aliases``, or a field of ``gitreg.yaml``.
    change:
        ``loses``, ``weakens``, ``gains`` or ``changes``.
    rules:
        The rules, gates, persons or stages that change.
    sentence:
        The change in words.
    """

    where: str
    change: str
    rules: tuple[str, ...]
    sentence: str

    def row(self) -> dict[str, Any]:
        """Return the change as plain data."""
        return {**self._asdict(), "rules": list(self.rules)}


def authority_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], *, models: Sequence[str] = (), understood: bool = True
) -> list[AuthorityChange]:
    """Return the changes between the fields `JUDGED` of two ``gitreg.yaml`` files.

    Parameters
    ----------
    old, new:
        The files as plain data; the policies of ``new`` are valid.
    models:
        The names of the registry's models. Policies are compared for each, and for what their globs stand for.
    understood:
        True if the policies of ``old`` are valid, too; otherwise they are compared as a whole, not rule by rule.

    Returns
    -------
    list[AuthorityChange]
        One for each policy and kind of change, in the order of the policies; then people, stages, replicas, mirrors,
        store and remote. Empty where nothing changes.
    """
    found: list[AuthorityChange] = []
    before, after = old["policies"], new["policies"]
    for where in dict.fromkeys([*before, *after]):
        was, now = before.get(where, _NOTHING), after.get(where, _NOTHING)
        if understood:
            found += _policies(where, was, now, models)
        elif was != now:
            label = "changes: the policies before are not understood"
            found.append(AuthorityChange(where, "changes", (), f"{where} {label}"))
    found += _people(People(old["people"]), People(new["people"]))
    for field in ("stages", "replicas"):
        found += _list(field, old[field], new[field])
    names = dict.fromkeys([*old["mirrors"], *new["mirrors"]])
    pairs = [("mirrors", f"{name} ", old["mirrors"].get(name), new["mirrors"].get(name)) for name in names]
    pairs += [(field, "", old[field], new[field]) for field in ("store", "remote")]
    for where, label, was, now in pairs:
        if was != now:
            rules = (label.strip(),) if label else ()
            found.append(
                AuthorityChange(where, "changes", rules, f"{where}: {label}{was or 'not named'} → {now or 'not named'}")
            )
    return found


# -- policies --------------------------------------------------------------------------------------------------------


class _Difference(NamedTuple):
    change: str
    rule: str
    words: str


def _policies(where: str, old: Any, new: Any, models: Sequence[str]) -> Iterator[AuthorityChange]:
    """Yield the changes of one stage's policies: for each glob, for all other models, and for each model by name."""
    before, after = ([policy for _, policy in each_policy(where, data)] for data in (old, new))
    globs = dict.fromkeys(glob for policy in [*before, *after] for glob in policy.get("models", ()))
    if not globs:
        yield from _policy(where, before[0], after[0])
        return
    labels: dict[tuple[int, int], list[str]] = {}
    for label, glob in [*zip(globs, globs, strict=True), (_OTHER_MODELS, "*")]:
        labels.setdefault((_first_for(glob, before), _first_for(glob, after)), []).append(label)
    by_glob = set(labels)
    for name in models:
        if (pair := (_first_for(name, before), _first_for(name, after))) not in by_glob:
            labels.setdefault(pair, []).append(name)
    silent = [policy.get("models") for policy in before] != [policy.get("models") for policy in after]
    for (first, second), concerned in labels.items():
        for change in _policy(
            f"{where} of {', '.join(concerned)}", [*before, _NOTHING][first], [*after, _NOTHING][second]
        ):
            silent = False
            yield change._replace(where=where)
    if silent:
        yield AuthorityChange(where, "changes", ("models",), f"{where} changes: the models of its policies")


def _first_for(name: str, policies: Sequence[Mapping[str, Any]]) -> int:
    """Return the position of the first policy that is for a model, or for all that a glob stands for; -1 if none is."""
    example = _WILDCARD.sub(lambda found: _ANY_NAME if found[0] == "*" else _ANY_NAME[0], name)
    for at, policy in enumerate(policies):
        globs = policy.get("models", ())
        if name in globs or is_for(globs, example):
            return at
    return -1


def _policy(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[AuthorityChange]:
    differences = [*_rules(old, new), *_gates(old.get("gates", ()), new.get("gates", ()))]
    for change in ("loses", "weakens", "gains", "changes"):
        those = [each for each in differences if each.change == change]
        if those:
            differences_text = ", ".join(dict.fromkeys(each.words for each in those))
            yield AuthorityChange(
                where,
                change,
                tuple(dict.fromkeys(each.rule for each in those)),
                f"{where} {change}: {differences_text}",
            )


def _rules(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[_Difference]:
    for rule in _RULES:
        was, now = old.get(rule) or None, new.get(rule) or None
        if was == now:
            continue
        if rule == "overridable":  # no entry is the strictest value: nothing may be overridden
            yield _compared(rule, "", rule, was or [], now or [])
        elif now is None or was is None:
            yield _Difference("loses" if now is None else "gains", rule, rule)
        else:
            yield _compared(rule, "", rule, was, now)


def _gates(old: Sequence[Any], new: Sequence[Any], *, within: str = "", enough: bool = False) -> Iterator[_Difference]:
    """Yield the differences between two lists of gates; with ``enough``, one gate that passes is enough."""
    left = [(_key(gate), gate) for gate in new]
    for gate in old:
        place = next((place for place, (key, _) in enumerate(left) if key == _key(gate)), None)
        if place is None:
            change = "changes" if enough else "loses"
            yield _Difference(change, within or _label(gate), _label(gate))
        else:
            yield from _gate(gate, left.pop(place)[1], within)
    for _, gate in left:
        change = "weakens" if enough else "gains"
        yield _Difference(change, within or _label(gate), f"{_label(gate)} is enough" if enough else _label(gate))


def _gate(old: Mapping[str, Any], new: Mapping[str, Any], within: str) -> Iterator[_Difference]:
    kind = kind_of(old)
    label = within or _label(old)
    if kind in ("all", "any"):
        yield from _gates(old[kind], new[kind], within=label, enough=kind == "any")
        return
    before, after = _flat(old), _flat(new)
    for field in dict.fromkeys([*before, *after]):
        was, now = before.get(field), after.get(field)
        if was != now:
            yield _compared(label, f"{_label(old)} ", field, was, now)


def _compared(rule: str, label: str, field: str, was: Any, now: Any) -> _Difference:
    weaker = _WEAKER.get(field, lambda *_: False)(was, now)
    return _Difference("weakens" if weaker else "changes", rule, f"{label}{field} {_told(was)} → {_told(now)}")


def _key(gate: Any) -> tuple[Any, ...]:
    kind = kind_of(gate)
    return gate.get("name", kind), kind, gate.get("metric")


def _label(gate: Mapping[str, Any]) -> str:
    kind = kind_of(gate)
    return str(gate.get("name") or (gate["metric"] if kind == "metric" else kind))


def _flat(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a gate as one flat mapping, with the inner fields of ``soak``, ``signature`` and others."""
    out: dict[str, Any] = {}
    for field, value in gate.items():
        if isinstance(value, Mapping):
            out |= value
        elif field != "name":
            out[field] = value
    if kind_of(gate) == "approvals":
        out.setdefault("count", 1)
    return out


def _told(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lower(was: Any, now: Any) -> bool:
    return was is not None and (now is None or _size(now) < _size(was))


def _higher(was: Any, now: Any) -> bool:
    return was is not None and (now is None or _size(now) > _size(was))


def _size(bound: Any) -> Decimal:
    """Return a bound as a number; for a content verdict, its position in the order of verdicts."""
    return Decimal(VERDICTS.index(bound) if bound in VERDICTS else str(bound))


def _more(was: Any, now: Any) -> bool:
    return was is not None and (now is None or bool(set(now) - set(was)))


_WEAKER: Mapping[str, Callable[[Any, Any], bool]] = {
    "at_least": _lower,
    "at_most": _higher,
    "hours": _lower,
    "count": _lower,
    "by": _more,
    "promoters": _more,
    "from": _more,
    "overridable": _more,
    "tolerance": lambda was, now: Decimal(str(now or 0)) > Decimal(str(was or 0)),
    "later": lambda _, now: bool(now),
    "author": lambda _, now: now is None,
}
"""By field, a function that returns whether its change admits versions that were refused before."""


# -- people and lists ------------------------------------------------------------------------------------------------


def _people(old: People, new: People) -> Iterator[AuthorityChange]:
    def change_of(name: str, change: str, words: str) -> AuthorityChange:
        return AuthorityChange("people", change, (name,), f"people: {name} {words}")

    for name in dict.fromkeys([*old.names, *new.names]):
        if name not in new.keys:
            yield change_of(name, "loses", "is gone")
            continue
        if name not in old.keys:
            prints = ", ".join(map(fingerprint, new.keys[name]))
            yield change_of(name, "gains", f"is new, with the key {prints}")
            continue
        was, now = (dict.fromkeys(map(fingerprint, each.keys[name])) for each in (old, new))
        yield from (change_of(name, "gains", f"has a new key {key}") for key in now if key not in was)
        yield from (change_of(name, "loses", f"has lost the key {key}") for key in was if key not in now)
        before, after = old.emails[name], new.emails[name]
        yield from (change_of(name, "gains", f"has a new e-mail {each}") for each in after if each not in before)
        yield from (change_of(name, "loses", f"has lost the e-mail {each}") for each in before if each not in after)


def fingerprint(key: str) -> str:
    """Return the fingerprint of a public SSH key, as ``ssh-keygen -l`` prints it; an invalid key as it is."""
    try:
        blob = b64decode(key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        return key
    return f"SHA256:{b64encode(sha256(blob).digest()).decode().rstrip('=')}"


def _list(field: str, old: Sequence[str], new: Sequence[str]) -> Iterator[AuthorityChange]:
    for name in old:
        if name not in new:
            yield AuthorityChange(field, "loses", (name,), f"{field}: {name} is gone")
    for name in new:
        if name not in old:
            yield AuthorityChange(field, "gains", (name,), f"{field}: {name} is new")
    if list(old) != list(new) and sorted(old) == sorted(new):
        yield AuthorityChange(field, "changes", (), f"{field}: {', '.join(old)} → {', '.join(new)}")

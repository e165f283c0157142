"""The gates on metrics, metadata and the fields of the card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from gitreg.policy.evidence import Evidence, VersionMetadata
from gitreg.policy.gates.base import Condition, Finding, finding
from gitreg.units import is_decimal


def look_up(metadata: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or None if there is none; a key may contain dots itself."""
    value: Any = metadata
    parts = path.split(".")
    while parts:
        if not isinstance(value, Mapping):
            return None
        fits = (length for length in range(len(parts), 0, -1) if ".".join(parts[:length]) in value)
        length = next(fits, 0)
        if not length:
            return None
        value, parts = value[".".join(parts[:length])], parts[length:]
    return value


def _number(metadata: Mapping[str, Any], metric: str) -> Decimal | None:
    """Return a metric as the decimal number that is written, so that 0.8 - 0.1 is 0.7; None if it is not a number.

    A text in plain digits counts: ``0.90`` was kept as it was written.
    """
    value = look_up(metadata, metric)
    if isinstance(value, str):
        return Decimal(value) if is_decimal(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Decimal(str(value))


def _metric(
    reference: str, metadata_of_version: VersionMetadata, metric: str, *, later: bool, of_holder: bool = False
) -> tuple[Decimal | None, str]:
    """Return the metric and "", or None and a sentence that explains why there is none.

    Without ``later``, only the sealed record counts.
    """
    metadata = metadata_of_version.now if later else metadata_of_version.sealed
    number = _number(metadata, metric)
    if number is not None:
        return number, ""
    if look_up(metadata, metric) is not None:
        return None, f"{metric} of {reference} is no number"
    if not later and look_up(metadata_of_version.now, metric) is not None:
        record = f"the sealed record of {reference}" if of_holder else "the sealed record"
        return None, f"{metric}: {record} has none{_annotation_note(metadata_of_version, metric, later=later)}"
    return None, f"{reference} has no {metric}"


def _annotation_note(metadata: VersionMetadata, metric: str, *, later: bool, of: str = "") -> str:
    """Return the end of a sentence about an annotation's value that differs and does not count; "" if there is none."""
    value = look_up(metadata.now, metric)
    if later or value == look_up(metadata.sealed, metric):
        return ""
    return f"; an annotation{of} " + ("removed it" if value is None else f"says {value} (see later: true)")


def plain(number: Decimal) -> int | float:
    """Return a number as JSON writes it: an int if it is whole, otherwise a float."""
    return int(number) if number == number.to_integral_value() and abs(number) < 2**53 else float(number)


@dataclass(frozen=True, kw_only=True)
class BoundGate(Condition):
    """The gate on a metric that has to be within bounds."""

    kind: ClassVar[str] = "metric"
    metric: str
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    later: bool = False

    def _find(self, evidence: Evidence) -> Finding:
        bounds = {
            word: bound for word, bound in (("at_least", self.at_least), ("at_most", self.at_most)) if bound is not None
        }
        needed = " and ".join(f"{word.replace('_', ' ')} {bound}" for word, bound in bounds.items())
        facts: dict[str, Any] = {"metric": self.metric} | {word: plain(bound) for word, bound in bounds.items()}
        value, missing = _metric(evidence.reference, evidence.metadata, self.metric, later=self.later)
        if value is None:
            return finding(False, f"{missing}; {needed} is needed", **facts, value=None)
        low = self.at_least is not None and value < self.at_least
        high = self.at_most is not None and value > self.at_most
        sentence = f"{self.metric} is {value}, {needed}" + (" is needed" if low or high else "")
        sentence += _annotation_note(evidence.metadata, self.metric, later=self.later)
        return finding(not (low or high), sentence, **facts, value=plain(value))


@dataclass(frozen=True, kw_only=True)
class IncumbentGate(Condition):
    """The gate on a metric that must not be worse than the incumbent's; without an incumbent it passes."""

    kind: ClassVar[str] = "metric"
    metric: str
    incumbent: str  # not_below or not_above
    tolerance: Decimal = Decimal(0)
    later: bool = False

    def _find(self, evidence: Evidence) -> Finding:
        facts: dict[str, Any] = {
            "metric": self.metric, "incumbent": self.incumbent, "tolerance": plain(self.tolerance)
        }  # fmt: skip
        holder = evidence.incumbent
        if holder is None:
            sentence = f"nothing to compare {self.metric} with: no other version is {evidence.place}"
            return finding(True, sentence, **facts)
        facts["holder"] = holder.reference
        value, missing = _metric(evidence.reference, evidence.metadata, self.metric, later=self.later)
        theirs, lacking = _metric(holder.reference, holder.metadata, self.metric, later=self.later, of_holder=True)
        if value is None or theirs is None:
            return finding(False, f"{missing or lacking}: the two cannot be compared", **facts)
        short = theirs - value if self.incumbent == "not_below" else value - theirs
        word = "below" if self.incumbent == "not_below" else "above"
        allowed = f" ({self.tolerance} is tolerated)" if self.tolerance else ""
        note = _annotation_note(evidence.metadata, self.metric, later=self.later)
        of_holder = _annotation_note(holder.metadata, self.metric, later=self.later, of=f" of {holder.reference}")
        bar = f"the {'sealed ' if of_holder else ''}{theirs} of {holder.reference}"
        if short > 0:
            sentence = f"{self.metric} is {value}, {short} {word} {bar}{allowed}{note}{of_holder}"
        else:
            sentence = f"{self.metric} is {value}, not {word} {bar}{note}{of_holder}"
        return finding(short <= self.tolerance, sentence, **facts, value=plain(value), theirs=plain(theirs))


@dataclass(frozen=True, kw_only=True)
class MetadataGate(Condition):
    """The gate on keys of the metadata that must not be empty."""

    kind: ClassVar[str] = "metadata"
    keys: tuple[str, ...]
    later: bool = False

    def _find(self, evidence: Evidence) -> Finding:
        metadata = evidence.metadata
        found = {key: look_up(metadata.now if self.later else metadata.sealed, key) for key in self.keys}
        outcome, sentence, facts = _all_there("metadata", self.keys, found)
        annotated = [key for key in facts["missing"] if not self.later and not _is_empty(look_up(metadata.now, key))]
        if annotated:
            sentence += f" in the sealed record; an annotation has {', '.join(annotated)} (see later: true)"
        return outcome, sentence, facts


@dataclass(frozen=True, kw_only=True)
class CardGate(Condition):
    """The gate on fields of the model's card that must not be empty."""

    kind: ClassVar[str] = "card"
    fields: tuple[str, ...]

    def _find(self, evidence: Evidence) -> Finding:
        return _all_there("the card", self.fields, {field: evidence.card.get(field) for field in self.fields})


def _all_there(owner: str, wanted: tuple[str, ...], values: Mapping[str, Any]) -> Finding:
    empty = [key for key in wanted if _is_empty(values[key])]
    sentence = f"{owner} lacks {', '.join(empty)}" if empty else f"{owner} has {', '.join(wanted)}"
    return finding(not empty, sentence, missing=empty)


def _is_empty(value: Any) -> bool:
    return value in (None, "", [], {}, ()) or not str(value).strip()

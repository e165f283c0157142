"""The standing of a version: stage and since when, the verdicts of policies, and the version it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitreg.cards.values import Badge, GateLine, StageGates, StageMove
from gitreg.documents.layout import Key
from gitreg.errors import GitregError
from gitreg.names import ARCHIVED
from gitreg.policy.evaluate import Decision, Policy
from gitreg.policy.gates.base import AllGate, AnyGate, Gate
from gitreg.policy.gates.metric import BoundGate, IncumbentGate
from gitreg.policy.results import Result, Verdict
from gitreg.registry.promotion.enforce import decide, policy_of
from gitreg.registry.promotion.stage_entries import entry_decision
from gitreg.registry.state.audit_log import reason_of, stage_log
from gitreg.registry.state.trailers import values_of

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import ModelVersion, Snapshot
    from gitreg.sdk.session import Session

_TONES = {Verdict.PASSED: "good", Verdict.OVERRIDDEN: "warn", Verdict.UNKNOWN: "plain", Verdict.FAILED: "bad"}
_IN_TIME = frozenset({"approvals", "soak", "from"})  # a version that does not pass these may do so later
_WAITING, _UNKNOWN = Badge("waiting", "warn"), Badge(Verdict.UNKNOWN.word)


def badges(snapshot: Snapshot, version: ModelVersion) -> list[Badge]:
    """Return the stage of a version as a badge, and one for each thing that a user has to know first."""
    found = []
    if not version.number:
        found.append(Badge("draft", "warn"))
    if version.yanked:
        found.append(Badge("yanked", "bad"))
    if version.stage:
        last = version.stage == snapshot.settings.stages[-1]
        found.append(Badge(version.stage, "good" if last else "plain" if version.stage == ARCHIVED else "accent"))
    return found or [Badge("in no stage")]


def standing(snapshot: Snapshot, version: ModelVersion, moves: Sequence[StageMove]) -> list[tuple[str, str | None]]:
    """Return how a version came to its stage, a line each: since when and by whom, and the reason.

    Parameters
    ----------
    moves:
        Its moves into and out of stages, newest first.
    """
    lines: list[tuple[str, str | None]] = []
    for mark, word in (("yanked", "Yanked"), ("archived", "Archived")):
        if getattr(version.annotation, mark):
            moment, reason = _began(snapshot, version, mark)
            lines.append((f"{word} {moment}".strip(), version.annotation.yank_reason if mark == "yanked" else reason))
    if moves and version.stage not in (None, ARCHIVED):
        lines.append((f"In {version.stage} since {moves[0].when} by {moves[0].who}", moves[0].reason))
    elif moves and not lines:
        sentence = f"{moves[0].event[0].upper()}{moves[0].event[1:]}"
        lines.append((f"{sentence} ({moves[0].when} by {moves[0].who})", moves[0].reason))
    return lines


def _began(snapshot: Snapshot, version: ModelVersion, mark: str) -> tuple[str, str | None]:
    """Return since when, and by whom, an annotation has a mark, "" if that is not known; and the reason for archiving.

    A version that another one took the place of has no reason of its own: the commit's is for the promotion.
    """
    began = None
    for entry in snapshot.index.history(snapshot.seq, "annotation", version.model, version.version):
        if not (entry.data or {}).get(mark):
            break
        began = entry
    if began is None:
        return "", None
    commit = snapshot.index.moment(began.since)
    reason = reason_of(commit) if values_of(commit.message, "Gitreg-Operation") == ["archive"] else None
    return f"since {datetime.fromtimestamp(commit.time, UTC):%Y-%m-%d %H:%M} UTC by {commit.author}", reason


def gates(session: Session, snapshot: Snapshot, version: ModelVersion) -> list[StageGates]:
    """Return what the policies say of a version: of the stage that it holds, and of those that it may enter next.

    Gates that run a program or read files are not evaluated, and nobody in particular asks to promote.
    """
    stages = list(snapshot.settings.stages)
    if not version.number or version.yanked or version.deleted or version.stage == ARCHIVED:
        return []
    first = stages.index(version.stage) if version.stage in stages else 0
    context = replace(session.context(), promoter=None, look=None, run=None)
    found = []
    for stage in stages[first:]:
        held = stage == version.stage
        try:
            pointer = Key("stage", version.model, stage)
            if policy_of(snapshot, pointer) == Policy(stage=stage) and not held:
                continue
            decision = (
                entry_decision(snapshot, version, stage, context)
                if held
                else decide(snapshot, snapshot, version, pointer, context)
            )
        except GitregError as error:
            found.append(StageGates(f"To enter {stage}", _UNKNOWN, [GateLine("policy", _UNKNOWN, error.message)]))
            continue
        if decision is not None and (decision.results or decision.protected):
            found.append(_stage_gates(snapshot, version, decision, held=held))
    return found


def _stage_gates(snapshot: Snapshot, version: ModelVersion, decision: Decision, *, held: bool) -> StageGates:
    stage = decision.stage
    lines = [line for result in decision.results for line in _lines(result, held=held)]
    for entry in snapshot.approvals(version.model, version.version, stage):
        data = entry.data or {}
        until = f", until {str(data['until'])[:10]}" if data.get("until") else ""
        reason = f": {data['reason']}" if data.get("reason") else ""
        sentence = f"{str(data.get('when', ''))[:10]}{until}{reason}"
        lines.append(GateLine(f"approval by {entry.name.rpartition('/')[2]}", Badge("given"), sentence))
    if decision.protected:
        lines.append(GateLine("protected", Badge("rule"), "entered by pull request only"))
    words = {line.verdict.word for line in lines if not line.depth}
    if held:
        verdict = Badge("failed", "bad") if "failed" in words else Badge("held", "good")
        return StageGates(f"How it entered {stage}", verdict, lines)
    if decision.allowed:
        verdict = Badge("open", "good")
    elif "failed" in words:
        verdict = Badge("barred", "bad")
    else:
        verdict = _WAITING if "waiting" in words else _UNKNOWN
    return StageGates(f"To enter {stage}", verdict, lines)


def _lines(result: Result, *, held: bool, depth: int = 0) -> Iterator[GateLine]:
    waiting = result.kind in _IN_TIME and not result.outcome.opens and not held
    verdict = _WAITING if waiting else Badge(result.outcome.word, _TONES[result.outcome])
    yield GateLine(result.name, verdict, result.sentence, depth)
    for part in result.parts:
        yield from _lines(part, held=held, depth=depth + 1)


def incumbent(snapshot: Snapshot, version: ModelVersion) -> tuple[ModelVersion | None, str]:
    """Return the version to compare a version with, and a remark on it: what holds the last stage, or held it before.

    The stages after the version's own count, the last one first. If no other version is there, it is the version that
    it took its own stage from.
    """
    stages, holders = list(snapshot.settings.stages), snapshot.stages(version.model)
    own = stages.index(version.stage) if version.stage in stages else -1
    for stage in reversed(stages[own + 1 :]):
        holder = snapshot.find_version(version.model, holders[stage]) if stage in holders else None
        if holder is not None and holder.version != version.version:
            return holder, f"in {stage}"
    if own >= 0:
        with suppress(GitregError):  # no version ever held the stage
            for row in stage_log(snapshot, version.model, stages[own]):
                if row["version"] == version.version:
                    before = row["from"] and snapshot.find_version(version.model, row["from"])
                    return (before, f"in {stages[own]} before") if before else (None, "")
    return None, ""


def gate_metrics(snapshot: Snapshot, model: str) -> Mapping[str, str]:
    """Return the metrics that the policies of a model name, with ``higher`` or ``lower``, whichever is better."""
    found: dict[str, str] = {}
    with suppress(GitregError):  # the policies cannot be read, as `gates` reports
        for stage in snapshot.settings.stages:
            for gate in policy_of(snapshot, Key("stage", model, stage)).gates:
                for name, direction in _directions(gate):
                    found[name] = direction if found.get(name, direction) == direction else ""
    return found


def _directions(gate: Gate) -> Iterator[tuple[str, str]]:
    match gate:
        case AllGate() | AnyGate():
            for part in gate.gates:
                yield from _directions(part)
        case BoundGate():
            both = gate.at_least is not None and gate.at_most is not None
            yield gate.metric, "" if both else "higher" if gate.at_least is not None else "lower"
        case IncumbentGate():
            yield gate.metric, "higher" if gate.incumbent == "not_below" else "lower"

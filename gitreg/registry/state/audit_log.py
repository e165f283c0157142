"""The history of the branch as audit log: author, time, reason and events of each commit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from gitreg.errors import NotFound
from gitreg.names import as_number, parse_reference
from gitreg.policy.promotion import check_stage_is_known
from gitreg.registry.state.index import BranchCommit, IndexEntry
from gitreg.registry.state.references import resolve
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.state.trailers import trailers, values_of


def log(snapshot: Snapshot, model: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield one row for each commit that changed a model, or the registry; newest first.

    Each row has ``commit`` (object id), ``when`` (RFC 3339), ``who``, ``email``, ``subject``, ``reason``,
    ``overridden`` (the names of the gates that force overrode), ``events`` (the changes of the commit, each with
    ``event`` and, where they apply, ``model``, ``version``, ``stage``, ``alias``, ``from``) and ``cut`` (True where a
    shallow clone ends at this commit).

    Raises
    ------
    NotFound
        There never was such a model, or the registry has no history.
    """
    rows = snapshot.index.touched(snapshot.seq, model)
    first = next(rows, None)
    if first is None:
        if model is not None:
            snapshot.card_fields(model)
        raise NotFound("the registry has no history")
    yield _row(*first)
    for each in rows:
        yield _row(*each)


def reference_log(snapshot: Snapshot, reference: str) -> list[dict[str, Any]]:
    """Return the history of what a reference names, newest first: of a stage, or of a version, deleted ones included.

    The rows are those of `stage_log`, or those of `log` for the commits that changed what is known of the version:
    record, annotation, approvals, and the stages and aliases that it took or left.

    Raises
    ------
    NotFound
        There is no such model or version, or the stage was never held.
    """
    model, selector = parse_reference(reference)
    if selector in snapshot.settings.stages:
        return stage_log(snapshot, model, selector)
    number = as_number(selector) if selector else None
    version = snapshot.find_number(model, number, deleted=True) if number is not None else None
    version = version or (snapshot.find_version(model, selector, deleted=True) if selector else None)
    if version is None and selector and snapshot.index.history(snapshot.seq, "stage", model, selector):
        return stage_log(snapshot, model, selector)  # of a stage that is declared no longer
    version = version or resolve(snapshot, reference, withdrawn=True)
    rows = []
    for moment, began, ended in snapshot.index.touched(snapshot.seq, version.model):
        # what begins and ends at one file is one event: a pointer that goes to another version leaves this one
        about = {entry[:3] for entry in (*began, *ended) if _concerns(entry, version.version)}
        if about:
            rows.append(_row(moment, *([entry for entry in each if entry[:3] in about] for each in (began, ended))))
    return rows


def _concerns(entry: IndexEntry, version: str) -> bool:
    """Return whether a file of a model is about one of its versions."""
    match entry.kind:
        case "model_version" | "annotation":
            return entry.name == version
        case "approval":
            return entry.name.split("/")[0] == version
        case "stage" | "alias":
            return _version(entry) == version
    return False


def stage_log(snapshot: Snapshot, model: str, stage: str) -> list[dict[str, Any]]:
    """Return the history of a stage, newest first: one row for each move of its pointer.

    Each row has ``commit``, ``when``, ``who``, ``email``, ``version`` (None: the stage is empty from this commit on),
    ``from`` (the version before), ``reason``, ``overridden`` and ``subject``.

    Raises
    ------
    NotFound
        There is no such model, or the stage was never held.
    InvalidInput
        There is no such stage.
    """
    snapshot.card_fields(model)
    entries = snapshot.index.history(snapshot.seq, "stage", model, stage)
    if not entries:
        check_stage_is_known(stage, snapshot.settings.stages)
        raise NotFound(f"no version of {model} was ever in {stage}")
    rows: list[dict[str, Any]] = []
    former: IndexEntry | None = None
    for entry in reversed(entries):
        if former is not None and former.until is not None and former.until < entry.since:
            rows.append(_held(snapshot, former.until, None, former))
            former = None
        moved = former is None or _version(former) != _version(entry)
        if moved:
            rows.append(_held(snapshot, entry.since, entry, former))
        former = entry
    if former is not None and former.until is not None and former.until <= snapshot.seq:
        rows.append(_held(snapshot, former.until, None, former))
    return rows[::-1]


def _held(snapshot: Snapshot, seq: int, entry: IndexEntry | None, former: IndexEntry | None) -> dict[str, Any]:
    moment = snapshot.index.moment(seq)
    return {
        "version": _version(entry) if entry else None,
        "from": _version(former) if former else None,
        **_told(moment),
        "reason": (entry.data or {}).get("reason") if entry else None,
        "overridden": overridden_by(moment),
    }


def _row(moment: BranchCommit, began: list[IndexEntry], ended: list[IndexEntry]) -> dict[str, Any]:
    former = {(e.kind, e.model, e.name): e for e in ended}
    events = []
    for entry in began:
        before = former.pop((entry.kind, entry.model, entry.name), None)
        events.extend(events_of(entry, before))
    events.extend(removal_of(entry) for entry in former.values())
    return {
        **_told(moment),
        "reason": reason_of(moment),
        "overridden": overridden_by(moment),
        "events": [event for event in events if event],
        "cut": moment.boundary,
    }


def reason_of(moment: BranchCommit) -> str | None:
    """Return the text below a commit's subject, without its trailers; None where there is none."""
    body = moment.message.rstrip().split("\n\n")[1:]
    if any(name.startswith("Gitreg-") for name, _ in trailers(moment.message)):
        body.pop()
    return "\n\n".join(body).strip() or None


def overridden_by(moment: BranchCommit) -> list[str]:
    """Return the names of the gates that force overrode in a commit, read from its trailers."""
    return values_of(moment.message, "Gitreg-Overridden")


def _told(moment: BranchCommit) -> dict[str, Any]:
    when = datetime.fromtimestamp(moment.time, timezone(timedelta(minutes=moment.offset)))
    return {
        "commit": moment.oid,
        "when": when.isoformat(),
        "who": moment.author,
        "email": moment.email,
        "subject": moment.message.split("\n", 1)[0],
    }


def events_of(entry: IndexEntry, before: IndexEntry | None) -> list[dict[str, Any]]:
    """Return the events of a new or changed file, as in the rows of `log`."""
    data, old = entry.data or {}, (before.data or {}) if before else {}
    about = {"model": entry.model} if entry.model else {}
    if entry.problem:
        return [{"event": "broken", **about, "problem": entry.problem}]
    if entry.kind == "registry":
        return [{"event": "settings"}]
    if entry.kind == "model":
        return [{"event": "updated" if before else "registered", **about}]
    if entry.kind == "card":
        return [{"event": "card", **about}]
    if entry.kind == "model_version":
        return [{"event": "edited" if before else "saved", **about, "version": entry.name}]
    if entry.kind == "artifact":
        return [{"event": "edited" if before else "stored", "artifact": f"{entry.model}@{entry.name}"}]
    if entry.kind == "run":
        return [{"event": str(data.get("status")), "run": f"{entry.model}/{entry.name}"}]
    if entry.kind == "approval" and not entry.model:
        return [{"event": "settings approved"}]
    if entry.kind == "approval":
        version, stage, _ = entry.name.split("/")
        return [{"event": "approved", **about, "version": version, "stage": stage}]
    if entry.kind in ("stage", "alias"):
        came_back = "rolled_back_from" in data and data.get("rolled_back_from") != old.get("rolled_back_from")
        event = {"stage": "rolled back" if came_back else "promoted", "alias": "aliased"}[entry.kind]
        return [
            {
                "event": event,
                **about,
                "version": data.get("version"),
                entry.kind: entry.name,
                "from": old.get("version"),
            }
        ]
    events = [
        mark if data.get(mark) else f"un{mark}"
        for mark in ("archived", "yanked", "deleted")
        if bool(data.get(mark)) != bool(old.get(mark))
    ]
    rest = [{k: v for k, v in d.items() if k in ("description", "tags", "metadata", "links")} for d in (data, old)]
    if rest[0] != rest[1]:
        events.append("annotated")
    return [{"event": event, **about, "version": entry.name} for event in events]


def removal_of(entry: IndexEntry) -> dict[str, Any]:
    """Return the event of a removed file, as in the rows of `log`."""
    if entry.kind in ("artifact", "run"):
        return {"event": f"{entry.kind} removed", entry.kind: f"{entry.model}@{entry.name}"}
    about = {"model": entry.model}
    if entry.kind == "approval" and not entry.model:
        return {"event": "approval of settings removed"}
    if entry.kind == "approval":
        version, stage, _ = entry.name.split("/")
        return {"event": "approval removed", **about, "version": version, "stage": stage}
    if entry.kind in ("stage", "alias"):
        return {"event": f"{entry.kind} left", **about, "version": _version(entry), entry.kind: entry.name}
    return {"event": f"{entry.kind.replace('_', ' ')} removed", **about, "version": entry.name or None}


def _version(entry: IndexEntry) -> str | None:
    return (entry.data or {}).get("version")

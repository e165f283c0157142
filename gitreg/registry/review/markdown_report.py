"""The report of a check as Markdown for GitHub, GitLab and Gitea.

All texts of the registry (names, values, sentences) are escaped: they make no link, mention nobody and end no table.
Hosts look for URLs, e-mails, people and issues in text that is escaped, too, but not in code: these words become code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gitreg.policy.evaluate import Decision
from gitreg.policy.results import Result, Verdict
from gitreg.registry.promotion.settings_changes import NOBODY_IS_ASKED, SettingsChange
from gitreg.registry.review.pull_request_check import Report
from gitreg.registry.review.semantic_diff import CardChange, Comparison, Link, Move, NewVersionMove
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.content_verdicts import code_in
from gitreg.registry.state.snapshot import ModelVersion
from gitreg.units import size_text

_MOST_ROWS = 50  # in one table; the text of a pull request is limited to some 65,000 characters
_LONGEST = 200  # characters in one value
_MARKS = {Verdict.PASSED: "✅", Verdict.OVERRIDDEN: "⚠️", Verdict.UNKNOWN: "❔", Verdict.FAILED: "❌"}
_UNSEEN = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\U000e0000-\U000e007f]"


_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_WORD = r"[^\s()<>\[\]{},;\"']*"
_LINKED = re.compile(rf"({_WORD}(?:://|(?i:www)\.|@|[#!~%$&]\w|[A-Z]-[0-9]){_WORD}|(?<!\w)[0-9a-f]{{7,64}}(?!\w))")
"""A word that GitHub, GitLab or Gitea makes a link of, or a mention: by a scheme, an @, a #12, a KEY-12 or a commit."""


def report_text(report: Report) -> str:
    """Return the whole report as Markdown: the result of the check, and the changes that the merge would make."""
    count = len(report.problems)
    if report.ok:
        verdict = "✅ **This may be merged.**"
    else:
        verdict = f"❌ **This must not be merged: {count} problem{'' if count == 1 else 's'}.**"
    parts = ["## gitreg check", verdict]
    if report.problems:
        parts.append(_problems(report.problems))
    if report.files:
        parts.append(
            f"{report.files} file{'' if report.files == 1 else 's'} of weights looked for, {report.read} read whole."
        )
    parts += [f"> Not looked at: {text(each)}" for each in report.unseen]
    return "\n\n".join([*parts, *_what_moves(report)]) + "\n"


def proposal_text(report: Report, reason: str) -> str:
    """Return the Markdown text of a pull request: the reason, and the changes that it would make."""
    parts = [text(reason.strip())] if reason.strip() else []
    parts += _what_moves(report)
    return "\n\n".join([*parts, "`gitreg sync` makes the tags and mirrors that follow, once this is merged."]) + "\n"


def _problems(problems: Sequence[Problem]) -> str:
    """Return the problems as a table that gives each remedy once."""
    rows, given = [], set()
    for each in problems:
        rows.append((code(each.where), text(each.what), "as above" if each.remedy in given else text(each.remedy)))
        given.add(each.remedy)
    return _table(("file", "problem", "what to do"), rows)


def _what_moves(report: Report) -> Iterator[str]:
    if report.settings is not None:
        yield from _authority(report.settings)
    moved = {each.after.reference for each in report.moves if each.after}
    for move in report.moves:
        yield from _move(move)
    for arrival in report.arrivals:
        yield from _arrival(arrival, brief=arrival.version.reference in moved)
    if report.links:
        yield "### Linked to versions that hold a stage"
        yield _links(report.links)
    for card in report.cards:
        yield from _card(card)
    if report.events:
        events = [f"- {_event(event)}" for event in report.events[:_MOST_ROWS]]
        yield "### Also"
        yield "\n".join([*events, *_and_more(report.events)])
    if not (report.moves or report.arrivals or report.cards or report.events):
        yield "Nothing in the registry changes."


def _authority(change: SettingsChange) -> Iterator[str]:
    yield "### Changes to who may do what"
    changes = [f"- {text(each.sentence)}" for each in change.authority[:_MOST_ROWS]]
    yield "\n".join([*changes, *_and_more(change.authority)])
    if change.guarded:
        yield f"> {NOBODY_IS_ASKED}"
    if change.decision is not None and change.decision.results:
        yield _gates(change.decision)


def _move(move: Move) -> Iterator[str]:
    before, after = (code(each.reference) if each else "nobody" for each in (move.before, move.after))
    yield f"### {code(f'{move.model}@{move.name}')}: {before} → {after}" + (" (rollback)" if move.rollback else "")
    if move.after is not None:
        yield _lineage(move.after)
    if move.comparison is not None:
        yield from _comparison(move.comparison)
    elif move.after is not None and move.after.metadata:
        yield _table(("metadata", "value"), [(code(k), _value(v)) for k, v in move.after.metadata.items()])
    if move.decision is not None and move.decision.results:
        yield _gates(move.decision)


def _arrival(arrival: NewVersionMove, *, brief: bool) -> Iterator[str]:
    version = arrival.version
    yield f"### New: {code(version.reference)}, {size_text(version.size)}"
    dangers = [each for artifact in version.artifacts.values() for each in code_in(artifact.contents)]
    if dangers:
        told_of = [f"- ⚠ {code(path)}: {text(why)}" for path, why in dangers[:_MOST_ROWS]]
        yield "\n".join([*told_of, *_and_more(dangers)])
    if brief:
        return
    yield _lineage(version)
    if arrival.comparison is not None:
        yield from _comparison(arrival.comparison)
    elif version.metadata:
        yield _table(("metadata", "value"), [(code(key), _value(value)) for key, value in version.metadata.items()])


def _lineage(version: ModelVersion) -> str:
    record = version.record
    rows = [("description", version.description), ("made by", record.created_by), ("made at", record.created_at)]
    rows += [("made from", ", ".join(record.inputs)), ("linked", ", ".join(version.links))]
    rows += [("source", _flat(record.source)), ("run", _flat(record.run)), ("record", version.digest)]
    return "\n".join(f"- {name}: {code(value)}" for name, value in rows if value)


def _comparison(comparison: Comparison) -> Iterator[str]:
    old, new = code(comparison["from"]), code(comparison["to"])
    if metadata := comparison["metadata"]:
        rows = [
            (code(key), _value(row["from"]), _value(row["to"]), _delta(row.get("delta")))
            for key, row in metadata.items()
        ]
        yield _table(("metadata", old, new, "delta"), rows)
    files, size = comparison["files"], comparison["size"]
    rest = f"{comparison['unchanged']} file{'' if comparison['unchanged'] == 1 else 's'} the same"
    sizes = f"{size_text(size['from'])} → {size_text(size['to'])}"
    yield f"Files: {len(files)} differ{'s' if len(files) == 1 else ''}, {rest}; {sizes} ({_signed(size['delta'])})"
    if files:
        yield _table(
            ("file", "change", old, new),
            [
                (code(f"{row['artifact']}:{row['path']}"), row["change"], size_text(row["from"]), size_text(row["to"]))
                for row in files
            ],
        )


def _gates(decision: Decision) -> str:
    def rows(results: Sequence[Result], depth: int) -> Iterator[tuple[str, ...]]:
        for result in results:
            name = "&nbsp;" * 4 * depth + code(result.name)
            yield _MARKS[result.outcome], name, result.outcome.word, text(result.sentence)
            yield from rows(result.parts, depth + 1)

    return _table(("", "gate", "outcome", "why"), list(rows(decision.results, 0)))


def _links(links: Sequence[Link]) -> str:
    rows = [
        (
            code(a.version),
            code(a.stage),
            code(a.artifact or ""),
            code(a.name),
            a.type,
            size_text(a.size),
            code(a.digest),
        )
        for a in links
    ]
    return _table(("version", "stage", "artifact", "name", "type", "size", "digest"), rows)


def _card(card: CardChange) -> Iterator[str]:
    yield f"### The card of {code(card.model)}"
    if card.fields:
        rows = [(code(name), _value(row["from"]), _value(row["to"])) for name, row in card.fields.items()]
        yield _table(("field", "before", "after"), rows)
    if card.text:
        lines = [_shown(line)[:_LONGEST] for line in card.text[:_MOST_ROWS]]
        fence = "`" * max(3, *(len(ticks) + 1 for ticks in re.findall("`+", "\n".join(lines)) or [""]))
        yield "\n".join([f"{fence}diff", *lines, fence, *_and_more(card.text)])


def _event(event: Mapping[str, Any]) -> str:
    about = event.get("model", "")
    if event.get("version"):
        about = f"{about}@{event['version']}"
    about = about or event.get("artifact") or event.get("run") or "gitreg.yaml"
    rest = {key: value for key, value in event.items() if key in ("stage", "problem") and value}
    more = f" ({', '.join(f'{key} {code(value)}' for key, value in rest.items())})" if rest else ""
    return f"{code(about)}: {text(event['event'])}{more}"


# -- escaping and formatting -----------------------------------------------------------------------------------------


def text(value: str) -> str:
    """Return a text on one line as Markdown that shows it: what stands in backticks as code, the rest literally."""
    line, shown, end = _one_line(value), "", 0
    for span in _CODE_SPAN.finditer(line):
        shown = _joined(shown, _plain(line[end : span.start()]))
        shown, end = _joined(shown, code(span[2])), span.end()
    return _joined(shown, _plain(line[end:]))


def _plain(line: str) -> str:
    """Return a line without code spans, escaped; a word that hosts would make a link of is code."""
    parts = _LINKED.split(line)  # each second one is such a word
    escaped = [re.sub(r"([\\`*_{}\[\]<>#~&!])", r"\\\1", part).replace("\\&", "&amp;") for part in parts]
    return "".join(code(part) if place % 2 else escaped[place] for place, part in enumerate(parts))


def _joined(first: str, second: str) -> str:
    """Return two pieces of Markdown as one; two code spans side by side would run into each other."""
    return f"{first} {second}" if first.endswith("`") and second.startswith("`") else first + second


def code(value: Any) -> str:
    """Return a name or a value as inline code, on one line; "" for an empty one."""
    line = _one_line(str(value))
    ticks = max((len(found) for found in re.findall("`+", line)), default=0)
    fence = "`" * (ticks + 1)
    pad = " " if ticks else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""


def _one_line(value: str) -> str:
    line = _shown(" ".join(value.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _shown(value: str) -> str:
    return re.sub(_UNSEEN, "\N{REPLACEMENT CHARACTER}", value)


def _value(value: Any) -> str:
    if value is None:
        return ""
    return code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _delta(delta: float | None) -> str:
    return "" if delta is None else f"{delta:+.6g}"


def _signed(size: float) -> str:
    return f"+{size_text(size)}" if size > 0 else size_text(size)


def _flat(data: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{key} {value}" for key, value in (data or {}).items())


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    shown = [titles, ["---"] * len(titles), *rows[:_MOST_ROWS]]
    # Cells are split at bars before code is recognised; elsewhere a backslash in code would be shown.
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in shown)
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    return "\n".join([*lines, *([""] if len(rows) > _MOST_ROWS else []), *_and_more(rows)])


def _and_more(rows: Sequence[object]) -> Iterable[str]:
    return [f"and {len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []

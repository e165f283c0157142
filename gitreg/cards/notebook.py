"""Objects as notebooks show them: a title, facts, tables and a picture, as HTML without scripts or outer resources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from gitreg.cards.lineage_graph import lay_out
from gitreg.cards.page import render_part, style_sheet
from gitreg.cards.values import Graph
from gitreg.units import counted

MOST_ROWS = 20
"""The number of rows of a table that are shown."""
_LONGEST, _LONGEST_AMONG_MANY = 200, 60  # characters of a value, and of one in a table of many columns
_MANY_COLUMNS = 4
_FOLDED = 32  # characters of a value that may be folded
_WIDTH = 760.0  # of a picture: what a cell's output has on a screen


class Table(NamedTuple):
    """A table of plain values.

    Parameters
    ----------
    columns:
        The names of the columns; a table without rows is not shown.
    rows:
        The values of each row, of which the first ones are shown.
    total:
        The number of all rows; None if these are all.
    caption:
        A title; "" for none.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    total: int | None = None
    caption: str = ""

    @property
    def more(self) -> str:
        """The number of rows that are not shown, with their noun; "" for none."""
        rest = (len(self.rows) if self.total is None else self.total) - min(len(self.rows), MOST_ROWS)
        return f"and {counted(rest, 'more row')}" if rest else ""

    @property
    def cells(self) -> list[list[tuple[str, str]]]:
        """The text of each cell that is shown, and its kind: ``text``, ``long``, or ``number`` in a column of them."""
        longest = _LONGEST if len(self.columns) < _MANY_COLUMNS else _LONGEST_AMONG_MANY
        columns = [
            [(text(value, longest), kind) for value, kind in zip(values, _kinds(values), strict=True)]
            for values in zip(*self.rows[:MOST_ROWS], strict=True)
        ]
        return [list(row) for row in zip(*columns, strict=True)]


def render(
    kind: str,
    title: str,
    *,
    facts: Mapping[str, Any] | None = None,
    tables: Sequence[Table] = (),
    graph: Graph | None = None,
) -> str:
    """Return an object as a piece of HTML with its own style, light or dark as the notebook is.

    Parameters
    ----------
    kind, title:
        The class of the object, and its name.
    facts:
        Values by name; those that are None or empty are left out.
    tables:
        Tables below the facts; those without rows are left out.
    graph:
        A graph to draw; None for none.

    Returns
    -------
    str
        A ``<div>`` in which each value is escaped.
    """
    shown = [(name, text(value)) for name, value in (facts or {}).items() if value not in (None, "", (), [], {})]
    values = (kind, title, shown, tables, graph)
    return render_part(
        "notebook.html.j2",
        {
            "style": style_sheet("notebook.css"),
            "kind": kind,
            "title": title,
            "facts": shown,
            "tables": [table for table in tables if table.rows],
            "picture": lay_out(graph, _WIDTH) if graph and len(graph.nodes) > 1 else None,
            # of several pictures in a notebook, each has an arrow of its own
            "mark": hashlib.sha256(repr(values).encode("utf-8", "surrogatepass")).hexdigest()[:8],
        },
    )


def text(value: Any, longest: int = _LONGEST) -> str:
    """Return a plain value as text for people: numbers in six digits, lists in a row, long texts cut."""
    if value is None:
        return ""
    if isinstance(value, float):
        found = f"{value:.6g}"
    elif isinstance(value, str):
        found = value
    elif isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        found = ", ".join(value)
    elif isinstance(value, bool | list | tuple | Mapping):
        found = json.dumps(value, ensure_ascii=False, default=str)
    else:
        found = str(value)
    return found if len(found) <= longest else f"{found[: longest - 1]}…"


def when(moment: str | None) -> str:
    """Return a date in ISO 8601 as its day and minute; another text as it is."""
    with suppress(ValueError):
        return f"{datetime.fromisoformat(moment or ''):%Y-%m-%d %H:%M}"
    return moment or ""


def _kinds(values: Sequence[Any]) -> list[str]:
    if all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return ["number"] * len(values)
    return ["long" if len(text(value)) > _FOLDED else "text" for value in values]

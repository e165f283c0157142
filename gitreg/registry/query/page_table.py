"""A page of a listing as a table in a notebook, with the columns that have something to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitreg.cards.notebook import Table, render, when
from gitreg.registry.query.rows import cells
from gitreg.units import counted, size_text

if TYPE_CHECKING:
    from gitreg.registry.query.filters import Page

_FIRST = ("model", "name", "version", "versions", "latest", "number", "stage", "aliases")
_LEFT_OUT = ("digest", "artifacts")
_MOST_COLUMNS = 12


def page_html(page: Page[Any]) -> str:
    """Return a page as HTML for a notebook."""
    title = counted(page.total, "item")
    if page.pages > 1:
        title = f"{len(page)} of {title}, page {page.page} of {page.pages}"
    return render("Page", title, tables=[table(page)])


def table(page: Page[Any], caption: str = "") -> Table:
    """Return the items of a page as a table; the columns that there is no room for are counted in its caption."""
    rows = [cells(item) for item in page]
    columns = _columns(rows, page.columns)
    if rest := len(columns) - _MOST_COLUMNS:
        caption = f"without {counted(rest, 'more column')}, which to_pandas() has" if rest > 0 else caption
    shown = [[_value(name, row.get(name)) for name in columns[:_MOST_COLUMNS]] for row in rows]
    names = [name.removeprefix("metadata.").removeprefix("stages.") for name in columns[:_MOST_COLUMNS]]
    return Table(names, shown, page.total - (page.page - 1) * page.size, caption)


def _columns(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """Return the columns in which a row has a value: names and stages, metadata, then the others."""
    known = dict.fromkeys((*columns, *(name for row in rows for name in row)))
    filled = [name for name in known if any(row.get(name) not in (None, "", [], False) for row in rows)]
    if all(str(row.get("number")) == row.get("version") for row in rows):
        filled = [name for name in filled if name != "number"]
    first = [name for name in _FIRST if name in filled]
    measured = [name for name in filled if name.startswith(("metadata.", "stages."))]
    others = [name for name in columns if name in filled and name not in (*first, *_LEFT_OUT)]
    return [*first, *measured, *others]


def _value(name: str, value: Any) -> Any:
    if name == "size":
        return size_text(value)
    if name == "created_by":
        return str(value or "").partition(" <")[0]
    return when(value) if name.endswith("_at") else value

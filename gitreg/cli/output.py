"""Output: tables for people; JSON, YAML and CSV for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gitreg import documents
from gitreg.cli import terminal
from gitreg.cli.fields import choose
from gitreg.cli.global_options import chosen_fields, is_quiet
from gitreg.cli.table import Cell, fitting, lay_out, styled
from gitreg.cli.text import as_json, in_a_file, lines, one_line
from gitreg.units import age_text, is_decimal, listed

if TYPE_CHECKING:
    from gitreg.registry.query.filters import Page

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""The beginnings of cells that spreadsheets compute (OWASP, CSV injection)."""

_TIMES = frozenset({"created", "when", "started", "last used"})
"""The titles of columns whose times are in the local time zone."""


def emit(
    data: Any,
    output: str,
    *,
    rows: Sequence[Mapping[str, Any]] | None = None,
    columns: Sequence[str] = (),
    name: str = "",
    complete: bool = True,
) -> None:
    """Print data for a program.

    Parameters
    ----------
    output:
        ``json``, ``yaml``, ``csv`` or ``jsonl``; ``columns``, a table of the fields that ``--fields`` chooses,
        with ``--quiet`` their values alone, between tabs; or ``ids``, the names alone.
    rows:
        The rows of all formats but JSON and YAML, where they may be a part of the data; None: the data is the only row.
    columns:
        The columns that CSV always has, before all others.
    name:
        The name of a row, with fields in braces.
    complete:
        False if there are more rows on other pages.

    Raises
    ------
    InvalidInput
        There is no field that ``--fields`` names.
    """
    if fields := chosen_fields():
        chosen = choose([data] if rows is None else rows, fields, columns, complete=complete)
        if rows is None:
            (data,) = chosen
        elif data is rows:
            data = rows = chosen
        else:
            data = {key: chosen if value is rows else value for key, value in data.items()}
            rows = chosen
        columns = fields
    if output == "ids":
        for each in dict.fromkeys(name.format_map(row) for row in ([data] if rows is None else rows)):
            print_line(each)
    elif output == "columns" and is_quiet():
        for row in [data] if rows is None else rows:
            click.echo("\t".join("" if value is None else one_line(str(_plain(value))) for value in row.values()))
    elif output == "columns" and rows is None:
        print_fields(data.items())
    elif output == "columns":
        _print_columns(fields, rows or [])
    elif output == "jsonl":
        for row in [data] if rows is None else rows:
            click.echo(as_json(row))
    elif output == "json":
        click.echo(as_json(data, indent=2))
    elif output == "yaml":
        text = documents.yaml.dumps(data).decode()
        click.echo(in_a_file(text) if terminal.is_terminal() else text, nl=False)
    else:
        _emit_csv([data] if rows is None else rows, columns)


def emit_page(page: Page[dict[str, Any]], output: str, columns: Sequence[str], name: str) -> None:
    """Print a page for a program: ``items``, ``total``, ``page``, ``pages``, ``size``; CSV has the items alone."""
    shape = {"items": page.items, "total": page.total, "page": page.page, "pages": page.pages, "size": page.size}
    emit(shape, output, rows=page.items, columns=columns, name=name, complete=page.pages == 1)
    if output in ("columns", "ids"):
        note_page(page)


def note_page(page: Page[dict[str, Any]]) -> None:
    """Print on standard error that there are more pages, if so."""
    if page.pages > 1:
        note(f"page {page.page} of {page.pages}, {page.total} in all (--page, --size)")


def _print_columns(fields: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    numbers = [field for field in fields if all(isinstance(row[field], int | float | None) for row in rows)]
    if rows:
        print_table(fields, [list(row.values()) for row in rows], right=numbers)


def _emit_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    import csv

    fields = dict.fromkeys((*columns, *(field for row in rows for field in row)))
    header: dict[str, None] = {}
    flat: list[dict[str, Any]] = [{} for _ in rows]
    for field in fields:
        if field in columns:
            header[field] = None
        for row, out in zip(rows, flat, strict=True):
            if field in columns:
                out[field] = _plain(row.get(field))
            elif field in row and not (columns and row[field] is None):
                cells = dict(_dotted(field, row[field]))
                out.update(cells)
                header.update(dict.fromkeys(cells))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_harmless(in_a_file(key)) for key in header)
    writer.writerows([_harmless(out.get(key)) for key in header] for out in flat)


def _harmless(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: a text that begins like one follows an apostrophe."""
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not is_decimal(cell):
        return f"'{cell}"
    return cell


def _dotted(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a value as columns: nested keys are joined by dots."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _dotted(f"{name}.{key}", item)
    else:
        yield name, _plain(value)


def _plain(value: Any) -> Any:
    """Return a value as CSV shows it; plain values of a list are joined by semicolons."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        return ";".join(str(_plain(item)) for item in value)
    if isinstance(value, list | tuple | Mapping):
        return as_json(value)
    return in_a_file(value) if isinstance(value, str) else value


# -- for people --------------------------------------------------------------------------------------------------------


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Sequence[str] = (),
    spare: Sequence[str] = (),
    shorten: Mapping[str, str] | None = None,
) -> None:
    """Print a table that fits the terminal; into a pipe, columns are as wide as they need to be.

    Columns that may be spared or shortened are left out where they have no value. The title of a column of times names
    their zone.

    Parameters
    ----------
    right:
        The columns to align right.
    spare:
        The columns to leave out on a narrow terminal, the first of them first.
    shorten:
        The only columns that give way there: by leaving out the ``middle`` or the ``end`` of their texts, or by
        folding them (``fold``). None: all columns are folded.
    """
    body = [[_cell(cell) for cell in row] for row in rows]
    optional = {*spare, *(shorten or ())}
    filled = [n for n, name in enumerate(columns) if name not in optional or any(row[n].text for row in body)]
    columns = [columns[n] for n in filled]
    titles = [
        Cell(f"{one_line(name)} ({_zone()})" if name in _TIMES else one_line(name), bold=True) for name in columns
    ]
    table = [titles, *([row[n] for n in filled] for row in body)]
    width = terminal.width()
    places = dict.fromkeys(columns.index(name) for name in spare if name in columns)
    parts = None if shorten is None else {n: shorten[name] for n, name in enumerate(columns) if name in shorten}
    kept = fitting(table, width=width, spare=list(places), shorten=parts)
    right_ones = [place for place, number in enumerate(kept) if columns[number] in right]
    shortened = {place: parts[number] for place, number in enumerate(kept) if parts and number in parts}
    shown = [[row[number] for number in kept] for row in table]
    click.echo("\n".join(lay_out(shown, width=width, right=right_ones, titles=True, shorten=shortened)))
    left = [name for number, name in enumerate(columns) if number not in kept and name != "age"]
    if left:
        note(f"too narrow for {listed(left, len(left), 'column')}: -o csv, or widen")


def print_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Print names and values in two columns, without empty values."""
    filled = [
        (Cell(one_line(name), bold=True), _cell(value)) for name, value in fields if value not in (None, "", [], {})
    ]
    if filled:
        click.echo("\n".join(lay_out(filled, width=terminal.width(), gap="  ")))


def print_heading(text: str) -> None:
    """Print an empty line and a heading."""
    click.echo()
    click.secho(one_line(text), bold=True)


def print_line(*parts: str | Cell) -> None:
    """Print one line of parts, without blanks between them."""
    cells = [part if isinstance(part, Cell) else Cell(part) for part in parts]
    click.echo("".join(styled(cell, one_line(cell.text)) for cell in cells))


def print_done(*parts: str | Cell) -> None:
    """Print one line that tells what was done, unless the user asked for quiet."""
    if not is_quiet():
        print_line(*parts)


def print_text(text: str) -> None:
    """Print a text of several lines."""
    click.echo(lines(text).rstrip())


def note(text: str) -> None:
    """Print a remark to the user on standard error, unless -q was given."""
    if not is_quiet():
        warn(text)


def warn(text: str) -> None:
    """Print on standard error what the user has to know, even with -q."""
    click.echo(one_line(text), err=True)


def _cell(value: Any) -> Cell:
    colour = {"production": "green", "staging": "magenta", "yanked": "red"}.get(str(value))
    return Cell(lines(value_text(value)), colour, dim=value == "archived")


def value_text(value: Any) -> str:
    """Return a value as people read it: a list with commas, numbers to six digits, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(value_text(item) for item in value)
    if isinstance(value, Mapping):
        return as_json(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def when_text(when: str | None) -> str:
    """Return an RFC 3339 time in the local time zone, to the minute; an invalid time is returned unchanged."""
    moment = _local(when)
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else when or ""


def dated(when: str | None, by: str | None = None) -> str:
    """Return a time with its zone and its age, and the person who did it: ``2026-11-22 13:39 CET (3 d ago) by Ada``."""
    moment, age = _local(when), age_of(when)
    text = f"{when_text(when)} {_zone(moment)}" if moment is not None else when or ""
    return text + (f" ({age})" if age else "") + (f" by {by}" if by else "")


def age_of(when: str | None) -> str:
    """Return the age of a time for people, as ``3 d ago``; nothing in a pipe, where it would be outdated when read."""
    moment = _local(when)
    if moment is None or not terminal.is_terminal():
        return ""
    return age_text((datetime.now(moment.tzinfo) - moment).total_seconds())


def _local(when: str | None) -> datetime | None:
    """Return a time in the local time zone; None for none, or one outside the calendar there."""
    try:
        return datetime.fromisoformat(when).astimezone() if when else None
    except (ValueError, OverflowError, OSError):
        return None


def _zone(moment: datetime | None = None) -> str:
    """Return the name of the local time zone at a moment, by default now: ``CET``, or ``UTC+03`` where it has none."""
    name = (moment or datetime.now().astimezone()).tzname() or ""
    return name if name[:1].isalpha() else f"UTC{name}"

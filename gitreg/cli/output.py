"""Printing: tables for people, JSON, YAML and CSV for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.table import Cell, lay_out

if TYPE_CHECKING:
    from gitreg.registry.filters import Page

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def emit(data: Any, output: str, *, rows: Iterable[Mapping[str, Any]] | None = None) -> None:
    """Print data for a program.

    Parameters
    ----------
    output:
        ``json``, ``yaml`` or ``csv``.
    rows:
        What CSV prints a line for each of; None: the data itself is the one row.
    """
    if output == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif output == "yaml":
        from gitreg.documents.yaml import dumps

        click.echo(dumps(data).decode(), nl=False)
    else:
        _emit_csv(list(rows) if rows is not None else [data])


def emit_page(page: Page, output: str) -> None:
    """Print a page for a program: ``items``, ``total``, ``page``, ``pages``, ``size``; CSV has the items alone."""
    shape = {"items": page.items, "total": page.total, "page": page.page, "pages": page.pages, "size": page.size}
    emit(shape, output, rows=page.items)


def note_page(page: Page) -> None:
    """Tell a person that there is more than one page."""
    if page.pages > 1:
        click.echo(f"page {page.page} of {page.pages}, {page.total} in all (--page, --size)", err=True)


def _emit_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    import csv

    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """One level of dotted columns; lists of plain values are joined by semicolons."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            out.update(_flat(value, f"{prefix}{key}."))
        elif isinstance(value, list):
            plain = all(isinstance(item, str | int | float) for item in value)
            out[prefix + key] = ";".join(map(str, value)) if plain else json.dumps(value, ensure_ascii=False)
        elif isinstance(value, bool):
            out[prefix + key] = str(value).lower()
        else:
            out[prefix + key] = value
    return out


# -- for people --------------------------------------------------------------------------------------------------------


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """Print a table that fits the terminal; into a pipe it is as wide as it needs to be.

    Parameters
    ----------
    right:
        The columns to align right.
    """
    shown = [[_cell(cell) for cell in row] for row in rows]
    titles = [Cell(column, bold=True) for column in columns]
    right_ones = [columns.index(name) for name in right]
    click.echo("\n".join(lay_out([titles, *shown], width=_width(), right=right_ones, titles=True)))


def print_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Print names and values below one another; what is empty is left out."""
    told = [(Cell(name, bold=True), _cell(value)) for name, value in fields if value not in (None, "", [], {})]
    if told:
        click.echo("\n".join(lay_out(told, width=_width(), gap="  ")))


def print_heading(text: str) -> None:
    """Print a line that begins a part."""
    click.echo()
    click.secho(text, bold=True)


def _width() -> int | None:
    if not sys.stdout.isatty():
        return None
    told = os.environ.get("COLUMNS", "")  # not by shutil, which brings in four compression libraries
    return int(told) if told.isdecimal() and int(told) else os.get_terminal_size(sys.stdout.fileno()).columns or None


def _cell(value: Any) -> Cell:
    colour = {"production": "green", "staging": "yellow", "yanked": "red"}.get(str(value))
    return Cell(clean(value), colour, dim=value == "archived")


def clean(value: Any) -> str:
    """Spell a value for the terminal, without anything that could move the cursor or colour what follows."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(clean(item) for item in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def size_text(size: float | None) -> str:
    """Spell a number of bytes: ``91.6 MB``."""
    if size is None:
        return ""
    for unit in _UNITS:
        if abs(size) < 1000 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def when_text(when: str | None) -> str:
    """Spell an RFC 3339 time in this machine's zone, to the minute."""
    if not when:
        return ""
    return f"{datetime.fromisoformat(when).astimezone():%Y-%m-%d %H:%M}"

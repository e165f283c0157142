"""The layout of tables that fit a terminal.

It does not use rich, because a table by rich takes more time than the rest of a listing (100 rows: 9 times the start of
Python).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple
from unicodedata import category, east_asian_width

import click

_NARROWEST = 4
_READABLE = 10  # columns to which a longer text may be folded: a date, most of a name
_SHORTENED = 16  # columns to which a longer text may be shortened
_GAP = "   "
_NO_COLUMNS: Mapping[int, str] = {}


class Cell(NamedTuple):
    """A text and its style; a line end in the text begins a new line."""

    text: str
    colour: str | None = None
    bold: bool = False
    dim: bool = False


def lay_out(
    rows: Sequence[Sequence[Cell]],
    *,
    width: int | None,
    right: Sequence[int] = (),
    gap: str = _GAP,
    titles: bool = False,
    shorten: Mapping[int, str] = _NO_COLUMNS,
) -> list[str]:
    """Return the lines of a table, each column as wide as its content; no line ends in blanks.

    Parameters
    ----------
    width:
        The columns of the terminal: the widest columns of the table are folded until they fit, titles last. None
        folds nothing.
    right:
        The columns to align right, by number.
    gap:
        The text between two columns.
    titles:
        True if the first row has the titles, with a rule below it.
    shorten:
        The columns that give way before others do, by number; each with the part of a text that is left out, its
        ``middle`` or its ``end``, or with ``fold``.
    """
    widths = [max(max(map(cells, cell.text.split("\n"))) for cell in column) for column in zip(*rows, strict=True)]
    title_widths = [cells(cell.text) for cell in rows[0]] if titles else []
    for floors in (
        [max(_SHORTENED, *title_widths[n : n + 1], 0) if n in shorten else wide for n, wide in enumerate(widths)],
        title_widths,
        [_NARROWEST] * len(widths),
    ):
        while width is not None and sum(widths) + len(gap) * (len(widths) - 1) > width:
            spare = [n for n, floor in enumerate(floors) if widths[n] > max(floor, _NARROWEST)]
            if not spare:
                break
            widths[max(spare, key=lambda n: widths[n])] -= 1
    lines: list[str] = []
    head = 0
    for place, row in enumerate(rows):
        folded = [
            [shortened(cell.text, room, shorten[n])] if shorten.get(n, "fold") != "fold" else _fold(cell.text, room)
            for n, (cell, room) in enumerate(zip(row, widths, strict=True))
        ]
        for parts in zip_longest(*folded, fillvalue=""):
            texts = []
            for number, (text, cell) in enumerate(zip(parts, row, strict=True)):
                part, blanks = text, " " * (widths[number] - cells(text))
                part = styled(cell, part)
                texts.append(blanks + part if number in right else part + blanks)
            lines.append(gap.join(texts).rstrip())
        if place == 0:
            head = len(lines)
    if titles:
        longest = max(cells(click.unstyle(line)) for line in lines)
        lines.insert(head, "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * longest)
    return lines


def fitting(
    rows: Sequence[Sequence[Cell]],
    *,
    width: int | None,
    spare: Sequence[int],
    gap: str = _GAP,
    shorten: Mapping[int, str] | None = None,
) -> list[int]:
    """Return the numbers of the columns that fit a terminal and stay readable.

    Parameters
    ----------
    rows:
        The titles, and the rows below them.
    width:
        The columns of the terminal; None for no limit.
    spare:
        The columns that may be left out, the first of them first; one that is narrow enough may stay all the same.
    shorten:
        The columns that give way; all others need their whole width. None: every column may be folded.
    """
    needed = []
    for number, column in enumerate(zip(*rows, strict=True)):
        longest = max(max(map(cells, cell.text.split("\n"))) for cell in column)
        least = _READABLE if shorten is None else _SHORTENED if number in shorten else longest
        needed.append(max(cells(column[0].text), min(least, longest)))
    kept = [n for n in range(len(needed)) if n not in spare]
    for number in reversed(spare):
        more = sorted([*kept, number])
        if width is None or sum(needed[n] for n in more) + len(gap) * (len(more) - 1) <= width:
            kept = more
    return kept


def shortened(text: str, room: int, part: str) -> str:
    """Return a text in one line that takes at most so many columns, with an ellipsis for the part that is left out.

    Parameters
    ----------
    part:
        ``end``, or ``middle``, where the end tells more: ``team/classifi…-large-v12``.
    """
    text = " ".join(text.split("\n"))
    if cells(text) <= room:
        return text
    tail = (room - 1) // 2 if part == "middle" else 0
    end = len(text)
    while end > 0 and cells(text[end - 1 :]) <= tail:
        end -= 1
    start = 0
    while cells(text[: start + 1]) <= room - 1 - cells(text[end:]):
        start += 1
    return f"{text[:start]}\N{HORIZONTAL ELLIPSIS}{text[end:]}"


def styled(cell: Cell, text: str) -> str:
    """Return a text in the style of its cell."""
    if not text or not (cell.colour or cell.bold or cell.dim):
        return text
    return click.style(text, fg=cell.colour, bold=cell.bold or None, dim=cell.dim or None)


def cells(text: str) -> int:
    """Return the number of columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if category(c) in ("Mn", "Me", "Cf") else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _fold(text: str, room: int) -> list[str]:
    """Return the lines of a text, broken at blanks where possible, else anywhere."""
    lines = []
    for line in text.split("\n"):
        rest = line
        while cells(rest) > room:
            end = len(rest)
            while cells(rest[:end]) > room:
                end -= 1
            end = max(end, 1)
            blank = rest.rfind(" ", 1, end + 1)
            lines.append(rest[: blank if blank > 0 else end])
            rest = rest[blank + 1 if blank > 0 else end :]
        lines.append(rest)
    return lines

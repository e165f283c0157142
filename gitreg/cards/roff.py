"""The conversion of Markdown to a manual page in the man macros of roff (man(7)), its tables in tbl(1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_NARROW = (34, 12)
"""Characters of a table's first column, and of others, up to which it is never broken."""

_CODE = str.maketrans({"-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"})


def escape(text: str, *, code: bool = False) -> str:
    """Return a text for roff; code keeps its ASCII signs, so that it can be copied."""
    return _no_macros(_signs(text, code=code))


def _signs(text: str, *, code: bool = False) -> str:
    escaped = text.replace("\\", "\\e")
    return escaped.translate(_CODE) if code else escaped


def _no_macros(text: str) -> str:
    """Return a text of which no line is taken for a macro."""
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def to_man_page(markdown: str, name: str, section: int) -> str:
    """Return a page: the first heading is the line under NAME.

    Parameters
    ----------
    markdown:
        A text (CommonMark with tables) that begins with a heading.
    name:
        The name of the page.
    section:
        The section of the manual.
    """
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    title = escape(tokens[1].content)
    lines = [
        "'\\\" t",
        f'.TH {escape(name.upper(), code=True)} {section} "" gitreg "Model registry"',
        ".ad l",
        ".nh",
        ".SH NAME",
    ]
    lines += [f"{escape(name, code=True)} \\- {title[:1].lower()}{title[1:]}"]
    if tokens[3].type != "heading_open":
        lines.append(".SH DESCRIPTION")
    return "\n".join([*lines, *_blocks(tokens[3:])]) + "\n"


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    numbers: list[int | None] = []
    rows: list[list[str]] = []
    for place, token in enumerate(tokens):
        match token.type:
            case "heading_open":
                yield ".SH" if token.tag == "h2" else ".SS"
            case "paragraph_open" if not token.hidden:
                yield ".PP"
            case "inline" if tokens[place - 1].type in ("th_open", "td_open"):
                rows[-1].append(_inline(token))
            case "inline":
                yield _inline(token)
            case "fence" | "code_block":
                yield from (".PP", ".in +4n", ".nf", escape(token.content.rstrip("\n"), code=True), ".fi", ".in")
            case "bullet_list_open":
                numbers.append(None)
            case "ordered_list_open":
                numbers.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop()
            case "list_item_open":
                yield f".IP {'•' if numbers[-1] is None else f'{numbers[-1]}.'} 4"
                numbers[-1] = None if numbers[-1] is None else numbers[-1] + 1
            case "table_open":
                rows = []
            case "tr_open":
                rows.append([])
            case "table_close":
                yield from _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table of which wide columns are broken to fit the page."""
    head, *body = rows
    widths = [max(len(re.sub(r"\\f[BIR]", "", cell)) for cell in column) for column in zip(*rows, strict=True)]
    columns = ["lx" if width > _NARROW[place > 0] else "l" for place, width in enumerate(widths)]
    yield from (".PP", ".TS", "allbox;", " ".join(f"{column}b" for column in columns), f"{' '.join(columns)}.")
    yield from ("\t".join(f"T{{\n{cell}\nT}}" for cell in row) for row in ([*rows] if any(head) else body))
    yield from (".TE", ".sp")


def _inline(token: Token) -> str:
    parts: list[str] = []
    link = ""
    for child in token.children or ():
        match child.type:
            case "text":
                parts.append(_signs(child.content))
            case "code_inline":
                parts.append(f"\\fB{_signs(child.content, code=True)}\\fR")
            case "strong_open" | "em_open":
                parts.append("\\fB" if child.type == "strong_open" else "\\fI")
            case "strong_close" | "em_close":
                parts.append("\\fR")
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "link_open":
                link = str(child.attrs.get("href", ""))
            case "link_close":
                if "://" in link and link not in "".join(parts):
                    parts.append(f" ({_signs(link, code=True)})")
    return _no_macros("".join(parts))

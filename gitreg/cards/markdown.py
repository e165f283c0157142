"""Markdown as HTML that cannot do anything: no raw HTML, and on a card no pictures from elsewhere, only plain links."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?:.*?\n)??---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_MOST = 500_000  # characters; a model's text is rarely longer than 50,000
_LINK = re.compile(r"(?:https?://|mailto:|#)", re.IGNORECASE)
_LINES = re.compile(r"(<pre>.*?</pre>)|\n", re.DOTALL)
_SCROLLING = {
    "<table>": '<div class="wide" tabindex="0"><table>',
    "</table>": "</table></div>",
    "<pre>": '<pre tabindex="0">',
}
_LEVEL = 2  # the page's own headings above those of the text


def without_front_matter(text: str) -> str:
    """Leave out the YAML block that Hugging Face's cards begin with."""
    return _FRONT_MATTER.sub("", text, count=1)


def to_html(text: str) -> str:
    """Give a text in Markdown (CommonMark, with tables) as HTML; headings come below those of the page."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
    reader.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    reader.add_render_rule("image", _picture)
    text = without_front_matter(text)
    tokens = reader.parse(text if len(text) <= _MOST else f"{text[:_MOST]}\n\n(and so on)")
    _fit(tokens)
    html: str = reader.renderer.render(tokens, reader.options, {})
    for tag, wanted in _SCROLLING.items():  # none of these stands in what a text says: there < is &lt;
        html = html.replace(tag, wanted)
    return html


def to_html_line(text: str, limit: int) -> str:
    """Give Markdown as HTML on one line, for where a text can have no other; such HTML is Markdown too.

    Parameters
    ----------
    limit:
        In bytes; what is too long loses its last paragraphs.
    """
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    parts = text.strip().encode()[:limit].decode(errors="ignore").split("\n\n")

    def html(count: int) -> str:
        return str(reader.render("\n\n".join(parts[:count])))

    most = bisect_right(range(1, len(parts) + 1), limit, key=lambda count: len(html(count).encode()))
    return _LINES.sub(lambda found: (found[1] or "").strip().replace("\n", "&#10;"), html(most))


def _picture(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    """Give what a picture shows, in words: it would have to be fetched."""
    return f"<em>{escape(tokens[index].content)}</em>"


def _fit(tokens: Sequence[Token]) -> None:
    """Put headings below the page's own, and what else a page has its own way of."""
    shallowest = min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=1)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) - shallowest + 1 + _LEVEL)}"
        aligned = str(token.attrs.pop("style", "")).removeprefix("text-align:")  # which the page's policy forbids
        if aligned:
            token.attrSet("class", f"at-{aligned}")
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noopener noreferrer nofollow")

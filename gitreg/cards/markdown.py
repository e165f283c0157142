"""The conversion of Markdown to safe HTML: no raw HTML, no remote images, plain links only."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?:.*?\n)??---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_MOST = 500_000  # characters; longer texts are cut off; few are longer than 50,000
_LINK = re.compile(r"(?:https?://|mailto:|#)", re.IGNORECASE)
_LINES = re.compile(r"(<pre>.*?</pre>)|\n", re.DOTALL)
_SCROLLING = {
    "<table>": '<div class="wide" tabindex="0"><table>',
    "</table>": "</table></div>",
    "<pre>": '<pre tabindex="0">',
}
_LEVEL = 2  # levels of the page's own headings, above those of the text


def without_front_matter(text: str) -> str:
    """Return a text without the YAML block at the beginning of Hugging Face's cards."""
    return _FRONT_MATTER.sub("", text, count=1)


def to_html(text: str) -> str:
    """Return Markdown (CommonMark with tables) as safe HTML; its headings come below those of the page."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
    reader.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    reader.add_render_rule("image", _picture)
    text = without_front_matter(text)
    tokens = reader.parse(text if len(text) <= _MOST else f"{text[:_MOST]}\n\n(and so on)")
    _fit(tokens)
    html: str = reader.renderer.render(tokens, reader.options, {})
    for tag, wanted in _SCROLLING.items():  # no text contains these tags: its own < is &lt;
        html = html.replace(tag, wanted)
    return html


def to_html_line(text: str, limit: int) -> str:
    """Return Markdown as HTML on one line, for places that allow only one; such HTML is valid Markdown too.

    Parameters
    ----------
    limit:
        Maximum length in bytes; the last paragraphs of a longer text are left out.

    Returns
    -------
    str
        HTML without line breaks.
    """
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    parts = text.strip().encode()[:limit].decode(errors="ignore").split("\n\n")

    def html(count: int) -> str:
        return str(reader.render("\n\n".join(parts[:count])))

    most = bisect_right(range(1, len(parts) + 1), limit, key=lambda count: len(html(count).encode()))
    return _LINES.sub(lambda found: (found[1] or "").strip().replace("\n", "&#10;"), html(most))


def _picture(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    """Return an image's alternative text in place of the image, which would have to be downloaded."""
    return f"<em>{escape(tokens[index].content)}</em>"


def _fit(tokens: Sequence[Token]) -> None:
    """Adapt parsed Markdown to the page: heading levels below the page's own, alignment as a class, `rel` on links."""
    shallowest = min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=1)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) - shallowest + 1 + _LEVEL)}"
        aligned = str(token.attrs.pop("style", "")).removeprefix("text-align:")  # the page's policy forbids styles
        if aligned:
            token.attrSet("class", f"at-{aligned}")
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noopener noreferrer nofollow")

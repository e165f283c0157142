"""The rendering of a card as one HTML file: no script, no request, everything escaped by the template."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.cards.lineage_graph import Picture, lay_out
from gitreg.cards.markdown import to_html
from gitreg.cards.plots import by_version, change, difference, number, plot
from gitreg.cards.values import Card, Graph, StepCard
from gitreg.units import size_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment
    from markupsafe import Markup

_HERE = Path(__file__).parent
_WIDE, _NARROW = 800.0, 342.0  # widths of pictures: what the page has on a screen, and on a phone
_MOST_PLOTS = 6
_WEB = re.compile(r"https?://[^\s@]+\Z")
"""The addresses that a card links to: of web pages, without a login."""
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Characters that no page may contain: control characters, and those that make a text read as another one."""


def render_card(card: Card) -> str:
    """Return a card as the text of one self-contained HTML file.

    Its Content-Security-Policy allows only its own style sheet, by its hash: a browser that respects it runs no script
    and sends no request, whatever the card contains.

    Returns
    -------
    str
        A whole HTML document.
    """
    from markupsafe import Markup

    return _render(
        "card.html.j2",
        card,
        text=Markup(to_html(card.text)) if card.text and card.text.strip() else None,  # noqa: S704 - it is safe HTML
        plots=[plot(each, card.version) for each in card.metrics if len(each.points) > 1],
        most_plots=_MOST_PLOTS,
    )


def render_step(card: StepCard) -> str:
    """Return the card of a step as the text of one self-contained HTML file, as :func:`render_card` does."""
    return _render("step.html.j2", card)


def render_part(template: str, values: Mapping[str, Any]) -> str:
    """Return a template of this folder with its values, in which each is escaped, and without unsafe characters."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", _environment().get_template(template).render(values))


def style_sheet(name: str) -> Markup:
    """Return a style sheet of this folder for a template."""
    from markupsafe import Markup

    return Markup((_HERE / name).read_text())  # noqa: S704 - our own


def _render(template: str, card: Card | StepCard, **more: Any) -> str:
    style = style_sheet("card.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    values: dict[str, Any] = {
        "card": card,
        "pictures": _pictures(card.lineage) if card.lineage and len(card.lineage.nodes) > 1 else [],
        "style": style,
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    }
    return render_part(template, values | more)


def _pictures(graph: Graph) -> list[Picture]:
    """Return the picture for a screen or a sheet of paper, and one for a phone where the first is too wide for it."""
    wide = lay_out(graph, _WIDE)
    return [wide] if wide.width <= _NARROW else [wide, lay_out(graph, _NARROW)]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "size": size_text,
        "command": shlex.join,
        "number": number,
        "difference": difference,
        "change": change,
        "by_version": by_version,
        "version_part": lambda reference: reference.rpartition("@")[2],
    }
    made.tests["web_address"] = lambda url: _WEB.match(url) is not None
    return made

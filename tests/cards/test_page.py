"""A card as HTML: nothing that it says can do anything, and what it says is there."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitreg.cards.markdown import to_html
from gitreg.cards.page import _UNSAFE as UNSAFE
from gitreg.cards.page import render_card
from gitreg.cards.plots import plot
from gitreg.cards.values import (
    Artifact,
    Badge,
    Card,
    CheckResult,
    Fact,
    GateLine,
    Graph,
    Metric,
    StageGates,
    StageMove,
    TensorInfo,
)

HOSTILE = "<script>alert(1)</script>\"' onload=x <!-- {{ 7*7 }} ]]> &amp;"
ALLOWED = (
    "html head meta title style body header main section footer p h1 h2 h3 h4 h5 h6 dl dt dd div figure figcaption pre "
    "code table caption thead tbody tr th td small strong em span svg defs marker path polyline circle g rect text "
    "q details summary ul ol li a blockquote hr br"
)


class Reader(HTMLParser):
    """Note every tag, attribute and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def card(text: str) -> Card:
    return Card(
        title=text, description=text, facts=[Fact(text, text, text, text)], badges=[Badge(text, text)],
        standing=[(text, text)], compared=(text, text),
        gates=[StageGates(text, Badge(text), [GateLine(text, Badge(text), text, 1)])],
        fields=[(text, text)], text=text, snippets=[(text, text)],
        metadata=[(text, text)], metrics=[Metric(text, 1.0, [(text, 1.0), ("2", 2.5)], 2.5, text)], version=text,
        artifacts=[Artifact(
            text, text, 5, text, text, [(text, 5, text)], 3, [TensorInfo(text, text, [1, 2])], 4, 2,
            [(text, text, text)], [(text, 1, 5)],
        )],
        history=[StageMove(text, text, text, text)],
        checks=[CheckResult(text, None, text), CheckResult(text, True, text, text)],
        lineage=Graph([("version", text, text), ("artifact", text, text)], [(1, 0, text)]),
        generated=[Fact(text, text)],
    )  # fmt: skip


def assert_harmless(page: str) -> Reader:
    read = Reader(page)
    assert set(read.tags) <= {*ALLOWED.split()}
    for name, value in read.attributes:
        assert not name.startswith("on"), name
        assert name not in ("src", "srcset", "action", "style")
        if name == "href":
            assert re.match(r"https?://|mailto:|#|$", value or "", re.IGNORECASE), value  # empty: this page itself
    return read


@pytest.mark.slow
@given(st.text(max_size=40) | st.just(HOSTILE))
def test_whatever_is_said_stays_text(text: str) -> None:
    read = assert_harmless(render_card(card(text)))
    plain = UNSAFE.sub("\ufffd", text).strip()
    assert plain in read.text or plain in html.unescape(read.text)


@example("[]()")
@given(st.text(alphabet="<>[]()!`*#|-\n \\ab\"'&;:/javscript", max_size=60))
def test_markdown_makes_no_tag_that_could_do_something(text: str) -> None:
    assert_harmless(to_html(text))


def test_markdown_is_read_as_people_write_it() -> None:
    text = (
        "---\nlicense: mit\n---\n# Title\n\n## Part\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "[ok](https://x.org) [no](javascript:1) ![p](https://x.org/p.png) <b>raw</b>\n"
    )
    made = to_html(text)
    assert "license" not in made
    assert "<h3>Title</h3>" in made
    assert "<h4>Part</h4>" in made, "below the page's own headings"
    assert "<table>" in made
    assert 'href="https://x.org" rel="noopener noreferrer nofollow"' in made
    assert "javascript:1)" in made
    assert "<img" not in made
    assert "&lt;b&gt;raw" in made


def test_a_picture_is_told_in_words_and_a_table_is_aligned_without_a_style() -> None:
    made = to_html('![a "plot" <b>](https://x.org/p.png)\n\n| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | 3 |\n')
    assert "<em>a &quot;plot&quot; &lt;b&gt;</em>" in made
    assert "x.org" not in made
    assert '<th class="at-left">a</th>' in made
    assert '<td class="at-right">3</td>' in made
    assert "style=" not in made


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("block", ["license: mit\n", ""])
def test_front_matter_is_left_out_however_its_lines_end(start: str, block: str, end: str) -> None:
    made = to_html(f"{start}---\n{block}---\n# Title\n".replace("\n", end))
    assert made.strip() == "<h3>Title</h3>"


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", [">" * 5000, "[" * 20_000, "a *b **c " * 5000, "`" * 20_000 + "a``", "|a" * 900, "<http://a>" * 3000]
)
def test_a_text_that_is_hard_to_read_is_read_all_the_same(text: str) -> None:
    assert_harmless(to_html(text))


@pytest.mark.slow
def test_a_text_without_end_has_one() -> None:
    assert len(to_html("a\n\n" * 1_000_000)) < 3_000_000


def test_a_page_holds_nothing_that_is_no_text_or_turns_it_round() -> None:
    page = render_card(card("a\ud800b\x07c\u202ed"))
    assert "a\ufffdb\ufffdc\ufffdd" in page
    page.encode()


def test_a_picture_says_how_much_it_leaves_out() -> None:
    graph = Graph([("version", "a", "a"), ("version", "b", "b")], [(0, 1, "input")], 7)
    page = render_card(replace(card("x"), lineage=graph))
    assert "leaves out 7 that are farther away" in page
    assert "and 7 more; gitreg lineage" in page
    assert "more; gitreg lineage" not in render_card(card("x"))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**300), 10**300), min_size=1))
def test_a_plot_of_any_numbers_keeps_inside_its_frame(values: list[float]) -> None:
    drawn = plot(Metric("m", values[0], [(str(n), value) for n, value in enumerate(values)]), "0")
    assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y, *_ in drawn.dots)


def test_the_page_lets_nothing_in_but_its_own_style() -> None:
    page = render_card(card("x"))
    policy = dict(Reader(page).attributes)
    assert (policy["content"] or "").startswith("no-referrer")
    assert "default-src &#39;none&#39;; style-src &#39;sha256-" in page
    assert "unsafe" not in page
    assert "<script" not in page


def test_what_is_not_there_has_no_heading() -> None:
    bare = Card(title="iris@1", description=None, facts=[Fact("Number", "1")])
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", render_card(bare)) == []
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", render_card(replace(bare, metadata=[("a", "1")]))) == ["Metadata"]


def test_a_plot_marks_the_version_and_keeps_inside_its_frame() -> None:
    drawn = plot(Metric("loss", 1.0, [("1", 3.0), ("2", 1.0), ("3", 2.0)]), "2")
    assert [dot.own for dot in drawn.dots] == [False, True, False]
    assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y, *_ in drawn.dots)
    assert (drawn.value, drawn.low, drawn.high) == ("1", "1", "3")
    assert len({dot.y for dot in plot(Metric("flat", 1.0, [("1", 1.0), ("2", 1.0)]), "1").dots}) == 1

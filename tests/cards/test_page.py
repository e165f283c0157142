"""A card as HTML: nothing that it says can do anything, and what it says is there."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitreg.cards.markdown import to_html
from gitreg.cards.page import _UNSAFE as UNSAFE
from gitreg.cards.page import render_card
from gitreg.cards.plots import by_version, plot
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
    "q bdi details summary ul ol li a blockquote hr br"
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
    page = render_card(replace(card("x"), title="a@1", lineage=graph))
    assert page.count("7 more are farther away: <code>gitreg lineage a@1</code>") == 2, "the picture, and the list"
    assert "farther away" not in render_card(card("x"))


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


def test_a_link_leads_to_a_web_page_without_a_login_or_is_text() -> None:
    bare = Card(title="iris@1", description=None, facts=[])
    for url in ("javascript:alert(1)", "data:text/html,x", "https://user:word@host.example/x", "file:///x", "//x"):
        page = render_card(replace(bare, facts=[Fact("Registry", "there", url)]))
        assert "<dd>there</dd>" in page, url
    page = render_card(replace(bare, facts=[Fact("Registry", "there", "https://host.example/x")]))
    assert '<a href="https://host.example/x" rel="noopener noreferrer nofollow">there</a>' in page


def test_metrics_beside_another_version_have_differences_and_say_what_is_better_only_where_it_is_known() -> None:
    metrics = [
        Metric("loss", 0.7, [], 0.8, "lower"),
        Metric("auc", 0.7, [], 0.8, "higher"),
        Metric("rows", 1200, [], 1000),
        Metric("f1", 0.5, [], 0.5, "higher"),
        Metric("new", 0.5, [], None, "higher"),
    ]
    read = Reader(render_card(Card("a@2", None, [], metrics=metrics, compared=("a@1", "in production"))))
    text = " ".join(read.text.split())
    assert "Beside a@1, in production" in text
    for row in (
        "loss lower is better0.70.8\N{MINUS SIGN}0.1 better", "auc higher is better0.70.8\N{MINUS SIGN}0.1 worse",
        "rows1,2001,000+200 ", "f1 higher is better0.50.5same", "new higher is better0.5\N{EN DASH}",
    ):  # fmt: skip
        assert row in text, text


def test_versions_that_only_some_metrics_have_stand_in_order_in_the_table_of_numbers() -> None:
    a = plot(Metric("a", 1.0, [("1", 1.0), ("2", 2.0), ("4", 4.0)]), "2")
    b = plot(Metric("b", 1.0, [("2", 5.0), ("3", 6.0), ("4", 7.0)]), "2")
    assert by_version([a, b]) == [
        ("1", ["1", ""], False), ("2", ["2", "5"], True), ("3", ["", "6"], False), ("4", ["4", "7"], False),
    ]  # fmt: skip


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=60, unique=True), st.integers(0, 59))
def test_the_names_on_the_axis_of_versions_do_not_touch_and_the_own_one_is_there(names: list[str], own: int) -> None:
    version = names[own % len(names)]
    drawn = plot(Metric("m", 1.0, [(name, float(n)) for n, name in enumerate(names)]), version)
    assert [mark for _, _, mark in drawn.names].count("own") == 1
    ends = sorted((x - len(name) * 3.5, x + len(name) * 3.5) for x, name, _ in drawn.names)
    assert all(a[1] < b[0] for a, b in pairwise(ends))
    assert ends[0][0] >= 0
    assert ends[-1][1] <= drawn.width


def test_many_files_are_folded_below_their_folders() -> None:
    files = [(f"part/{n}.bin", 1, "ab" * 32) for n in range(30)]
    artifact = Artifact("model", "model", 30, f"sha256:{'cd' * 32}", None, files, folders=[("part/", 30, 30)])
    page = render_card(Card("a@1", None, [], artifacts=[artifact]))
    assert page.index("part/</th>") < page.index("All 30 files") < page.index("part/0.bin")
    assert f"{'ab' * 32}  part/0.bin\n" in page, "as sha256sum -c reads it"
    assert page.count("cd" * 32) == 1


def test_a_card_that_shows_a_part_says_of_how_many_and_names_the_command_that_lists_all() -> None:
    metrics = [Metric(f"loss-{n}", 1.0, [("1", 1.0), ("2", 2.0)]) for n in range(46)]
    artifact = Artifact("model", "checkpoint", 1, f"sha256:{'cd' * 32}", None, [("m.bin", 1, "ab" * 32)], 1)
    page = render_card(Card("a@1", None, [], metrics=metrics, artifacts=[artifact], version="1"))
    assert page.count("<polyline") == 6
    assert "The first 6 of 46 metrics; the table of metrics has all of them." in page
    assert "and 1 more file: <code>gitreg show a@1</code> lists all" in page
    assert "<small>type checkpoint, 1 B</small>" in page
    assert "metrics;" not in render_card(Card("a@1", None, [], metrics=metrics[:6], version="1"))

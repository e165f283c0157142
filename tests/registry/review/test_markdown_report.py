"""A report in Markdown: what a registry says stands in it as text, and nothing else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gitreg.policy.evaluate import Decision
from gitreg.policy.results import Result, Verdict
from gitreg.registry.query.diff import compare
from gitreg.registry.review.markdown_report import _UNSEEN as UNSEEN
from gitreg.registry.review.markdown_report import code, proposal_text, report_text, text
from gitreg.registry.review.pull_request_check import Report
from gitreg.registry.review.semantic_diff import CardChange, Move
from gitreg.registry.rules.problem import Problem
from tests.registry.support import World

HEAD = "a" * 40


def moved(world: World, decision: Decision | None = None) -> Move:
    for number in (1, 2):
        world.save(content=f"{number}", metadata={"accuracy": 0.9 + number / 100, "by": "@ada | <b>"}, inputs=())
    before, after = (world.snapshot.find_version("iris", name) for name in "12")
    assert before is not None
    assert after is not None
    return Move("stage", "iris", "production", before, after, compare(before, after, None), decision=decision)


def test_a_report_says_first_whether_it_may_be_merged() -> None:
    assert "✅ **This may be merged.**" in report_text(Report(None, HEAD, ()))
    said = report_text(Report(None, HEAD, (Problem("models/iris/x.yaml", "is *bad*", "mend it"),)))
    assert "❌ **This must not be merged: 1 problem.**" in said
    assert "| `models/iris/x.yaml` | is \\*bad\\* | mend it |" in said


def test_a_move_is_two_versions_side_by_side_with_gates_that_passed_and_failed(world: World) -> None:
    inner = Result("accuracy", "metric", Verdict.FAILED, "0.92 is below 0.95")
    results = (Result("any", "any", Verdict.OVERRIDDEN, "one of these 1 is enough", parts=(inner,)),)
    said = report_text(Report(HEAD, HEAD, (), (moved(world, Decision("iris@2", "production", False, results)),)))
    assert "### `iris@production`: `iris@1` → `iris@2`" in said
    assert "| `accuracy` | `0.91` | `0.92` | +0.01 |" in said
    assert "| `model:m.bin` | changed | 1 B | 1 B |" in said
    assert "| ⚠️ | `any` | overridden | one of these 1 is enough |" in said
    assert "| ❌ | &nbsp;&nbsp;&nbsp;&nbsp;`accuracy` | failed | 0.92 is below 0.95 |" in said
    assert "- record: `sha256:" in said


def test_a_proposal_begins_with_the_reason_and_gives_no_verdict(world: World) -> None:
    said = proposal_text(Report(HEAD, HEAD, (Problem("x", "y", "z"),), (moved(world),)), "because\n")
    assert said.startswith("because\n\n### `iris@production`")
    assert "merged." in said
    assert "must not" not in said


def test_the_text_of_a_card_cannot_end_its_block() -> None:
    said = report_text(Report(HEAD, HEAD, (), cards=(CardChange("iris", {}, ("@@", "+````", "+<script>")),)))
    assert "`````diff\n@@\n+````\n+<script>\n`````" in said


def test_long_tables_are_cut_and_say_so() -> None:
    problems = tuple(Problem(f"models/{number}.yaml", "is bad", "mend it") for number in range(80))
    said = report_text(Report(None, HEAD, problems))
    assert "and 30 more" in said
    assert "models/49.yaml" in said
    assert "models/50.yaml" not in said


@given(st.text(max_size=60) | st.text("|\\`a ", max_size=12))
def test_no_value_ends_its_cell_or_its_line(value: str) -> None:
    for said in (code(value), text(value)):
        assert "\n" not in said
        assert said.isprintable() or all(char.isprintable() or char.isspace() or ord(char) > 127 for char in said)
    problem = Problem(f"x{value}x", value, value)
    tokens = MarkdownIt("commonmark").enable("table").parse(report_text(Report(None, HEAD, (problem,))))
    (row,) = [at for at, token in enumerate(tokens) if token.type == "tr_open"][1:]
    assert [token.type for token in tokens[row:]].count("td_open") == 3
    where = tokens[row + 2].children
    assert where is not None
    (shown,) = where
    assert (shown.type, shown.content) == ("code_inline", code_of(f"x{value}x"))


def code_of(value: str) -> str:
    """Return a value as it is shown in code, on one line."""
    return re.sub(UNSEEN, "\N{REPLACEMENT CHARACTER}", " ".join(value.split()))


def test_a_bar_is_escaped_in_a_table_and_nowhere_else() -> None:
    assert code("a|b") == "`a|b`"
    assert "| `a\\|b` | c\\|d |" in report_text(Report(None, HEAD, (Problem("a|b", "c|d", ""),)))


WORDS = st.lists(
    st.sampled_from([
        "Fixes", "https://github.com/a/b/issues/1", "http://x.org", "WWW.x.org", "ada@example.com", "@ada", "#12",
        "a/b#12", "GH-12", "!3", "~bug", "&4", "$5", "%6", "mailto:a@b.c", "a" * 40, "1234567", "`code`", "``a`b``",
        "`", "(https://x.org/(y),z@a.b)", "<b>", "[a](b)", "**x**", "|", "\\\\", "é", "iris@1",
    ]),
    max_size=4,  # longer texts are cut
)  # fmt: skip


@given(st.text(max_size=60) | WORDS.map(" ".join) | WORDS.map("".join))
def test_no_text_mentions_links_or_marks_up(value: str) -> None:
    # The blank keeps a sign at the end of the value apart from the letter behind it.
    (_, inline, _) = MarkdownIt("commonmark").parse(f"x{text(value)} x")
    assert inline.children is not None
    assert {each.type for each in inline.children} <= {"text", "code_inline", "text_special"}
    plain = " ".join(each.content for each in inline.children if each.type != "code_inline")
    assert not re.search(r"://|(?i:www)\.|@|[#!~%$&]\w|\b[A-Z]-[0-9]", plain), plain
    shown = "".join(each.content for each in inline.children)
    assert letters(shown) == letters(f"x{value}x")


def letters(value: str) -> list[str]:
    return [char for char in value if char.isascii() and char.isalnum()]


def test_a_command_in_a_sentence_is_code_and_a_url_is_no_link() -> None:
    assert text("see `gitreg why iris@1` (ask ada@example.com)") == "see `gitreg why iris@1` (ask `ada@example.com`)"
    assert text("Fixes https://github.com/a/b/issues/1, #2") == "Fixes `https://github.com/a/b/issues/1`, `#2`"
    assert text("a `b| c") == "a \\`b| c"


def test_a_remedy_of_many_problems_is_given_once() -> None:
    problems = tuple(
        Problem("models/iris/stages/production.yaml", f"gate {number}", "`gitreg why`") for number in "123"
    )
    said = report_text(Report(None, HEAD, problems))
    assert said.count("`gitreg why`") == 1
    assert said.count("as above") == 2

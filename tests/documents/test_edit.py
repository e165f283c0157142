"""Rewriting a file that a person wrote: it says what was asked, and what was not touched is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitreg.documents.edit import rewrite
from gitreg.documents.yaml import dumps, loads
from gitreg.errors import InvalidDocument
from tests.documents.test_yaml import TEXT, same

KEYS = st.sampled_from(["a", "b", "c", "tags", "metadata", "1", "true", "", "two words", "x: y", "#", "-"])
SMALL = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 2.5]) | TEXT
NESTED = st.recursive(
    SMALL, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
DATA = st.dictionaries(KEYS, NESTED, max_size=5)


def unordered(value: Any) -> Any:
    """The same value with the keys of its mappings in one order: a rewrite keeps the person's."""
    if isinstance(value, dict):
        return {key: unordered(value[key]) for key in sorted(value)}
    return [unordered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.slow
@given(DATA, DATA)
@example({"a": 1}, {"a": True})
@example({"a": ["\u2028"], "c": None}, {"c": []})
@example({"a": 1}, {"a": 1.0})
@example({"a": {"b": 1}}, {"a": {}})
@example({"a": {}}, {"a": {"b": {"c": []}}})
def test_a_rewritten_file_says_what_was_asked(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert same(unordered(loads(rewrite(dumps(old), new, "x"), "x")), unordered(new))


@given(DATA)
def test_what_says_it_already_is_not_touched(data: dict[str, Any]) -> None:
    text = b"# mine\n" + dumps(data).replace(b"\n", b"\r\n") if data else b"{}"
    if loads(text, "x") == data:
        assert rewrite(text, data, "x") == text


@given(
    st.binary(max_size=60) | st.text(alphabet="ab:- \n[]{}\"'#|>?,\t1.\x85\u2028\r", max_size=60).map(str.encode), DATA
)
@example(b"a:\tb\n", {"a": "c"})
@example(b"a: b #c\r\n#d\r\n", {"a": "c"})
@example(b"{a: 1}", {"a": 2})
@example(b"? a\n: 1\n", {"a": 2})
@example(b"a:\n- 1\n-\n\n  2\n# x\nb: 1", {"a": [1], "b": 1})
def test_whatever_stands_there_the_rewrite_says_what_was_asked(old: bytes, new: dict[str, Any]) -> None:
    try:
        loads(old, "x")
    except InvalidDocument:
        with pytest.raises(InvalidDocument):
            rewrite(old, new, "x")
        return
    assert same(unordered(loads(rewrite(old, new, "x"), "x")), unordered(new))


PLAIN = st.sampled_from(["one", "two words", "3", 4, 5.5, True, None, [1, "x"], {"in": 1, "out": [2]}, []])
NAMED = st.dictionaries(st.sampled_from(list("abcdefgh")), PLAIN, min_size=1, max_size=6)


@given(NAMED, NAMED)
def test_every_comment_and_every_untouched_line_survives(old: dict[str, Any], new: dict[str, Any]) -> None:
    lines = ["# the head"]
    for key, value in old.items():
        lines += [f"# before {key}", *dumps({key: value}).decode().splitlines(), ""]
    text = "\n".join([*lines, "# the end", ""])
    assert loads(text.encode(), "x") == old
    rewritten = rewrite(text.encode(), new, "x").decode()
    assert same(unordered(loads(rewritten.encode(), "x")), unordered(new))
    kept = rewritten.splitlines()
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in kept if line.startswith("#")] == comments
    for key, value in old.items():
        if key in new and same(unordered(value), unordered(new[key])):
            assert f"\n{dumps({key: value}).decode()}" in rewritten


def test_a_comment_behind_a_changed_value_stays() -> None:
    old = b"format: 1   # the first\nversion: '7'  # the good one\nreason: because\n"
    new = rewrite(old, {"format": 1, "version": "8", "reason": "because"}, "x")
    assert new == b"format: 1   # the first\nversion: '8'  # the good one\nreason: because\n"


def test_only_the_lines_of_a_nested_change_change() -> None:
    old = b"""\
# the model
metadata:
    # measured by Ada
    accuracy: 0.9
    loss:  0.10   # not a typo
tags: [ a,   b ]

# the end
"""
    new = rewrite(old, {"metadata": {"accuracy": 0.95, "loss": 0.1, "f1": 1}, "tags": ["a", "b"]}, "x")
    assert new == old.replace(b"accuracy: 0.9\n", b"accuracy: 0.95\n").replace(b"a typo\n", b"a typo\n    f1: 1\n")


def test_new_keys_stand_where_the_canonical_order_puts_them() -> None:
    new = rewrite(b"format: 1\nversion: '1'\n# end\n", {"format": 1, "kind": "stage", "version": "1", "zeal": 2}, "x")
    assert new == b"format: 1\nkind: stage\nversion: '1'\nzeal: 2\n# end\n"


@pytest.mark.parametrize("old", [b"{a: 1, b: 2}\n", b"[]\n", b"text\n", b""])
def test_what_cannot_be_edited_line_by_line_takes_the_canonical_form(old: bytes) -> None:
    assert rewrite(old, {"a": 2}, "x") == b"a: 2\n"


@pytest.mark.slow
def test_a_large_file_takes_the_canonical_form_at_once() -> None:
    data = {f"key{n}": n for n in range(30_000)}
    new = data | {"key7": "seven"}
    assert rewrite(b"# mine\n" + dumps(data), new, "x") == dumps(new)

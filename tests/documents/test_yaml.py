"""YAML in and out: what is written reads as it was, here and elsewhere; what is hostile is refused at once."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gitreg.documents.layout import MAX_BYTES
from gitreg.documents.yaml import dumps, loads, pointer
from gitreg.errors import InvalidDocument
from tests.measuring import measured

TRICKY = st.sampled_from(
    [
        "",
        "~",
        "null",
        "yes",
        "No",
        "on",
        "1",
        "1.0",
        "1e5",
        "1_000",
        "0o7",
        "0x1F",
        "0b1",
        "1:30",
        ".inf",
        ".nan",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "=",
        "<<",
        "2026-11-22",
        "2026-11-22T10:00:00Z",
        "*a",
        "&a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'",
        '"',
        "\n",
        "a\n",
        "a\n\n",
        "\na",
        " a\nb",
        "a \nb",
        "\ta",
        "a\tb",
        "\r",
        "a\r\nb",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ufeffa",
        "\x7f",
        "\x00",
        "\x1b",
        "😀",
        "---",
        "...",
        "--- a",
        "?",
        "? a",
        ":",
        "[",
        "{",
        ",",
        "]",
        "}",
        "+.5",
        "5.",
        "-0",
        "1e999",
        "+1",
        "007",
        "a" * 300,
        "key: |\n x",
        "\n\n",
        " ",
        "  \n",
        "a\n b\n",
    ]
)
TEXT = TRICKY | st.text(max_size=30)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**90), 10**90) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)


def same(a: Any, b: Any) -> bool:
    """Equal for JSON too: 1, 1.0 and True differ; so do 0.0 and -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))


@given(VALUES)
@example({"a": -0.0, "b": 1e22, "c": 5e-324})
@example({"": {"": [[], {}, ""]}})
@example("\n")
def test_what_is_written_reads_as_it_was(value: Any) -> None:
    written = dumps(value)
    assert same(loads(written, "x"), value)
    assert b"\r" not in written


@given(TRICKY, TRICKY)
def test_every_tricky_text_survives_as_key_and_as_value(key: str, value: str) -> None:
    assert loads(dumps({key: value, "list": [value]}), "x") == {key: value, "list": [value]}


def without_timestamps() -> type[yaml.SafeLoader]:
    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012
            first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
            for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return Loader


@given(VALUES)
def test_pyyaml_reads_what_is_written_as_it_was(value: Any) -> None:
    assert same(yaml.load(dumps(value), Loader=without_timestamps()), value)


@given(VALUES)
def test_the_canonical_form_is_stable(value: Any) -> None:
    once = dumps(value)
    assert dumps(loads(once, "x")) == once


@given(st.binary(max_size=60) | st.text(alphabet="ab:- \n[]{}\"'#|>?&*!,\t1.", max_size=60).map(str.encode))
def test_reading_anything_gives_json_or_one_error(data: bytes) -> None:
    try:
        value = loads(data, "x")
    except InvalidDocument as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    assert same(loads(dumps(value), "x"), value)


def test_the_canonical_form_is_for_people() -> None:
    data = {"format": 1, "version": "7", "tags": ["a", "b"], "when": "2026-11-22T10:00:00Z", "text": "one\ntwo\n"}
    assert dumps(data).decode() == (
        "format: 1\nversion: '7'\ntags:\n- a\n- b\nwhen: 2026-11-22T10:00:00Z\ntext: |\n  one\n  two\n"
    )


def test_a_date_is_text_and_yaml_1_1s_booleans_are_too() -> None:
    assert loads(b"a: 2026-11-22\nb: yes\nc: 1:30\nd: 1_000\ne: 0o17\nf: 0x1F\n", "x") == {
        "a": "2026-11-22",
        "b": "yes",
        "c": "1:30",
        "d": "1_000",
        "e": 15,
        "f": 31,
    }


@pytest.mark.parametrize("data", [b"", b"# only a comment\n", b"---\n", b"\xef\xbb\xbf"])
def test_an_empty_file_says_nothing(data: bytes) -> None:
    assert loads(data, "x") is None


@pytest.mark.parametrize(
    ("data", "pointer_", "reason"),
    [
        (b"a: {b: [1, .nan]}", "/a/b/1", "no JSON number"),
        (b"a: .inf", "/a", "no JSON number"),
        (b"a: 1e999", "/a", "too large"),
        (b"a/b:\n  c~d: .inf", "/a~1b/c~0d", "no JSON number"),
        (b"a: 1\na: 2", "/a", "twice"),
        (b"a: 1\n'a': 2", "/a", "twice"),
        (b"a: &x 1", "/a", "anchor"),
        (b"a: *x", "/a", "alias"),
        (b"a: !!python/object:os.system x", "/a", "tag"),
        (b"a: !!str 1", "/a", "tag"),
        (b"a: !x {}", "/a", "tag"),
        (b"? [a]\n: 1", "", "key"),
        (b"? !x a\n: 1", "", "key"),
        (b"--- 1\n--- 2", "", "more than one document"),
        (b"\xff\xfe", "", "not UTF-8"),
        (b"a: '\xe9'", "", "not UTF-8"),
        (b"a: [", "", "not YAML: line 2, column 1"),
        (b'a: "\\ud800"', "", ""),
        (b"a:\n\t- b", "", "not YAML: line 2"),
        (b"a: " + b"9" * 5000, "/a", "5,000 digits"),
        (b"a: -0x" + b"9" * 200, None, None),
        (b"x" * (MAX_BYTES + 1), "", "bytes long"),
    ],
)
def test_what_json_cannot_say_is_refused_with_its_place(data: bytes, pointer_: str | None, reason: str | None) -> None:
    if reason is None:
        assert isinstance(loads(data, "f.yaml")["a"], str)
        return
    with pytest.raises(InvalidDocument) as caught:
        loads(data, "f.yaml")
    assert caught.value.where == "f.yaml"
    assert caught.value.pointer == pointer_
    assert reason in caught.value.reason


def test_a_pointer_is_spelled_as_in_rfc_6901() -> None:
    assert pointer(["a/b", "m~n", 0, ""]) == "/a~1b/m~0n/0/"


BOMBS = {
    "brackets": b"[" * 200_000,
    "balanced brackets": b"[" * 200_000 + b"]" * 200_000,
    "braces": b"{a: " * 200_000,
    "bare braces": b"{" * 200_000,
    "dashes": b"- " * 200_000,
    "question marks": b"? " * 200_000,
    "keys in keys": b"".join(b" " * n + b"a:\n" for n in range(1500)),
    "laughs": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)),
    "values": b"- 1\n" * 1_000_000,
    "digits": b"a: " + b"9" * 3_000_000,
    "float digits": b"a: " + b"9" * 3_000_000 + b".5",
    "a long text": b"a: " + b"x" * 3_900_000,
    "a large file": b"a: " + b"x" * 50_000_000,
    "quoted breaks": b'a: "' + b"\n" * 3_000_000 + b'"',
    "comments": b"#\n" * 1_900_000,
    "exclamations": b"!" * 1_000_000,
    "anchors": b"&a " * 200_000,
    "percent": b"%" * 1_000_000,
    "nul": b"\0" * 1_000_000,
    "many keys": b"".join(b"k%d: 1\n" % n for n in range(300_000)),
}


@pytest.mark.parametrize("opened", ["[", "{a: ", "- "])
@pytest.mark.parametrize("levels", [65, 255, 1_001, 200_000])
def test_the_depth_that_fits_is_told_by_us_whatever_the_library_would_say(opened: str, levels: int) -> None:
    with pytest.raises(InvalidDocument, match="nested deeper than 64 levels"):
        loads(opened.encode() * levels, "x")


def test_brackets_in_a_text_nest_nothing() -> None:
    assert loads(b'a: "' + b"[" * 2_000 + b'"', "x") == {"a": "[" * 2_000}


READ = """
import sys, time
from pathlib import Path
from gitreg.documents.yaml import loads
from gitreg.errors import InvalidDocument
def counted():
    start = time.process_time()
    for _ in range(10_000_000):
        pass
    return time.process_time() - start
for path in sys.argv[1:]:
    data = Path(path).read_bytes()
    usual = counted()
    start = time.process_time()
    try:
        loads(data, "bomb.yaml")
    except InvalidDocument as error:
        assert len(str(error)) < 300, str(error)[:300]
        assert "\\n" not in str(error)
    took = time.process_time() - start
    print(f"{took / max(usual, counted()):.3f}", Path(path).name)
"""


@pytest.mark.slow
def test_no_bomb_takes_as_long_as_fifty_million_steps_or_200_megabytes(tmp_path: Any) -> None:
    paths = []
    for name, content in BOMBS.items():
        (tmp_path / name).write_bytes(content)
        paths.append(str(tmp_path / name))

    done = measured([sys.executable, "-c", READ, *paths], cwd=tmp_path)
    assert done.code == 0, done.err[-2000:]
    took = {line.partition(" ")[2]: float(line.split()[0]) for line in done.out.splitlines()}
    assert set(took) == set(BOMBS)
    slow = {name: of_ten_million for name, of_ten_million in took.items() if of_ten_million >= 5}
    assert not slow
    assert done.peak < 200 * 1024  # KiB

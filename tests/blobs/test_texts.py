"""Recipes and the tables of packs: what was written is read back, and nothing else is taken for it."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.blobs.format.pack import FOOTER_SIZE, Span, pack_table, parse_table, table_size
from gitreg.blobs.format.recipe import Chunk, parse_recipe, recipe_text
from gitreg.errors import GitregError, InvalidDocument

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
chunks = st.lists(st.builds(Chunk, digests, st.integers(1, 64 << 20)), max_size=20)
packed = st.lists(st.builds(Chunk, digests, st.integers(0, 1 << 20)), max_size=20, unique_by=lambda file: file.sha256)


def signed(body: bytes) -> bytes:
    """Give a recipe that somebody made with care."""
    return body + f"end {sha256(body).hexdigest()}\n".encode()


def footed(lines: bytes) -> bytes:
    """Give a pack's table that somebody made with care."""
    return lines + f"gitreg-pack 1 {len(lines):016} {sha256(lines).hexdigest()}\n".encode()


@given(chunks)
def test_a_recipe_is_read_back_as_it_was_written(chunks: list[Chunk]) -> None:
    assert parse_recipe(recipe_text(chunks)) == chunks


@given(chunks, st.data())
def test_a_recipe_that_was_cut_or_flipped_is_refused(chunks: list[Chunk], data: st.DataObject) -> None:
    text = bytearray(recipe_text(chunks))
    at = data.draw(st.integers(0, len(text) - 1))
    for wrong in (
        text[:at],
        text[at + 1 :],
        text[:at] + bytes([text[at] ^ 1 << at % 8]) + text[at + 1 :],
        text + b"\n",
    ):
        with pytest.raises(InvalidDocument, match="cut off or changed"):
            parse_recipe(bytes(wrong))


def test_a_recipe_lies_as_the_format_says() -> None:
    body = b"gitreg-recipe 1\n" + b"1" * 64 + b"  5\n"
    assert recipe_text([Chunk("1" * 64, 5)]) == signed(body)


def test_a_recipe_of_a_newer_kind_is_no_damage() -> None:
    with pytest.raises(GitregError, match=r"gitreg-recipe 2.* newer") as caught:
        parse_recipe(signed(b"gitreg-recipe 2\nwhatever\n"))
    assert not isinstance(caught.value, InvalidDocument)
    assert caught.value.hint == "upgrade gitreg"


@pytest.mark.parametrize(
    "lines",
    [
        b"1" * 64 + b"  5",  # no end of line
        b"1" * 64 + b"  0\n",
        b"1" * 64 + b"  05\n",
        b"1" * 64 + b"  -5\n",
        b"1" * 64 + b" 5\n",
        b"1" * 63 + b"  5\n",
        b"A" * 64 + b"  5\n",
        b"\n",
        b"\xff\xfe\n",
        b"1" * 64 + b"  1000000000000000000\n",  # no memory holds such a chunk
    ],
)
def test_a_recipe_made_with_ill_will_is_refused(lines: bytes) -> None:
    with pytest.raises(InvalidDocument):
        parse_recipe(signed(b"gitreg-recipe 1\n" + lines))


@given(packed)
def test_a_packs_table_says_where_each_file_is(files: list[Chunk]) -> None:
    table = pack_table(files)
    assert table_size(table[-FOOTER_SIZE:]) == len(table)
    spans = parse_table(table)
    assert list(spans) == [file.sha256 for file in files]
    assert [span.stop - span.start for span in spans.values()] == [file.size for file in files]
    ends = [0, *(span.stop for span in spans.values())]
    assert [span.start for span in spans.values()] == ends[:-1]


@given(packed, st.data())
def test_a_packs_table_that_was_cut_or_flipped_is_refused(files: list[Chunk], data: st.DataObject) -> None:
    table = bytearray(pack_table(files))
    at = data.draw(st.integers(0, len(table) - 1))
    for wrong in (table[:at], table[at + 1 :], table[:at] + bytes([table[at] ^ 1 << at % 8]) + table[at + 1 :]):
        with pytest.raises(InvalidDocument):
            parse_table(bytes(wrong))


def test_a_packs_table_lies_as_the_format_says() -> None:
    lines = b"1" * 64 + b"  5\n" + b"2" * 64 + b"  0\n"
    assert pack_table([Chunk("1" * 64, 5), Chunk("2" * 64, 0)]) == footed(lines)
    assert parse_table(footed(lines)) == {"1" * 64: Span(0, 5), "2" * 64: Span(5, 5)}


@pytest.mark.parametrize("lines", [b"1" * 64 + b"  5", b"1" * 64 + b"  05\n", b"\n", b"1" * 64 + b" 5\n", b"\xff\n"])
def test_a_packs_table_made_with_ill_will_is_refused(lines: bytes) -> None:
    with pytest.raises(InvalidDocument):
        parse_table(footed(lines))


@pytest.mark.parametrize("footer", [b"", b"x" * FOOTER_SIZE, b"gitreg-pack 1 " + b"9" * 16 + b" " + b"0" * 64])
def test_what_is_no_footer_is_refused(footer: bytes) -> None:
    with pytest.raises(InvalidDocument, match="cut off or changed"):
        table_size(footer)

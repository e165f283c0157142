from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import IntegrityError, InvalidInput
from gitreg.git.objects.parsing import (
    TreeEntry,
    encode_message,
    format_signature,
    format_tree,
    parse_commit,
    parse_signature,
    parse_tag,
    parse_tree,
)
from gitreg.git.values import Identity

OID = "ab" * 20


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Ada <a@x> 1700000000 +0200", Identity("Ada", "a@x", 1700000000, 120)),
        (b"Ada <a@x> 1700000000 -0330", Identity("Ada", "a@x", 1700000000, -210)),
        (b"<> 5 +0000", Identity("", "", 5, 0)),
        (b"Ada", Identity("Ada", "", 0, 0)),
        (b"", Identity("", "", 0, 0)),
        (b"Ada <a@x>", Identity("Ada", "a@x", 0, 0)),
        (b"Ada <a@x> soon +0200", Identity("Ada", "a@x", 0, 0)),
        (b"Ada <a@x> 5", Identity("Ada", "a@x", 5, 0)),
        (b"Ada <a@x> 99999999999999 +0000", Identity("Ada", "a@x", 0, 0)),
        (b"Ada <a@x> 5 +9900", Identity("Ada", "a@x", 0, 0)),
        (b"A <b> <a@x> 5 +0000", Identity("A", "b> <a@x", 5, 0)),
        (b"\xff <a@x> 5 +0000", Identity("\N{REPLACEMENT CHARACTER}", "a@x", 5, 0)),
    ],
)
def test_an_odd_signature_is_read_for_what_can_be_read(raw: bytes, expected: Identity) -> None:
    assert parse_signature(raw) == expected
    assert expected.when.utcoffset() is not None


@given(
    st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1),
    st.integers(0, 2**35),
    st.integers(-1439, 1439),
)
def test_a_signature_survives_writing_and_reading(name: str, time: int, offset: int) -> None:
    who = Identity(name, "a@x", time, offset)
    assert parse_signature(format_signature(who)) == who
    assert who.when.timestamp() == time


def test_crud_around_a_name_is_left_out_and_no_name_is_refused() -> None:
    assert format_signature(Identity(" .Ada <x>\n,", "<a@x>", 1, 0)) == b"Ada x <a@x> 1 +0000"
    for bad in (Identity("<>", "a@x", 1, 0), Identity("Ada", "a@x", -1, 0), Identity("Ada", "a@x", 1, 1440)):
        with pytest.raises(InvalidInput):
            format_signature(bad)


def test_a_commit_in_another_encoding_with_a_signature_is_read() -> None:
    raw = (
        f"tree {OID}\nparent {OID}\nauthor A <a@x> 1 +0000\ncommitter C <c@x> 2 +0000\nencoding ISO-8859-1\n"
        "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\ncaf"
    ).encode() + b"\xe9\n"
    commit = parse_commit(OID, raw)
    assert (commit.tree, commit.parents, commit.message) == (OID, (OID,), "café\n")
    assert (commit.author.name, commit.committer.time) == ("A", 2)


def test_a_commit_with_hardly_anything_is_read_and_one_without_a_tree_is_not() -> None:
    commit = parse_commit(OID, f"tree {OID}\n\n".encode())
    assert (commit.parents, commit.author.name, commit.message) == ((), "", "")
    with pytest.raises(IntegrityError):
        parse_commit(OID, b"author A <a@x> 1 +0000\n\nx")


def test_a_tag_without_a_tagger_and_with_a_signature_is_read() -> None:
    body = "first\n\n-----BEGIN SSH SIGNATURE-----\nabc\n-----END SSH SIGNATURE-----\n"
    tag = parse_tag(OID, f"object {OID}\ntype commit\ntag v1\n\n{body}".encode())
    assert (tag.tagger, tag.signed, tag.message) == (None, True, "first\n\n")
    with pytest.raises(IntegrityError):
        parse_tag(OID, b"tag v1\n\nx")


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1),
        st.builds(TreeEntry, st.sampled_from([0o100644, 0o100755, 0o040000, 0o120000, 0o160000]), st.just(OID)),
    )
)
def test_a_tree_survives_writing_and_reading(entries: dict[str, TreeEntry]) -> None:
    assert parse_tree(format_tree(entries.items()), 40) == entries


@pytest.mark.parametrize("raw", [b"x", b"100644 a", b"100644\0" + b"a" * 20, b"9 a\0" + b"a" * 20])
def test_a_damaged_tree_is_said_to_be(raw: bytes) -> None:
    with pytest.raises(IntegrityError):
        parse_tree(raw, 40)


@pytest.mark.parametrize("message", ["a\0b", "\ud800"])
def test_a_message_that_git_cannot_hold_is_refused(message: str) -> None:
    with pytest.raises(InvalidInput):
        encode_message(message)

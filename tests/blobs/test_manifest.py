from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.blobs.files import FileEntry, check_paths
from gitreg.blobs.manifest import Manifest
from gitreg.errors import InvalidDocument, InvalidInput

ONE = "1" * 64
TWO = "2" * 64


def acceptable(files: list[FileEntry]) -> bool:
    try:
        check_paths(file.path for file in files)
    except InvalidInput:
        return False
    return True


entries = st.builds(
    FileEntry,
    path=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1),
    size=st.integers(0, 10**18),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    executable=st.booleans(),
)


@given(st.lists(entries, unique_by=lambda file: file.path).filter(acceptable))
def test_a_manifest_is_read_back_as_it_was_written(files: list[FileEntry]) -> None:
    manifest = Manifest.of(files)
    assert list(manifest.files) == sorted(files, key=lambda file: file.path.encode())
    assert Manifest.parse(manifest.text) == manifest == Manifest.of(reversed(files))


def test_the_text_and_its_digest_are_what_the_format_says() -> None:
    files = [FileEntry("é", 5, TWO, executable=True), FileEntry("a b", 0, ONE)]
    text = f"{ONE}  0  -  a b\n{TWO}  5  x  é\n".encode()
    manifest = Manifest.of(files)
    assert manifest.text == text
    assert manifest.digest == f"sha256:{hashlib.sha256(text).hexdigest()}" == f"sha256:{manifest.hex}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{ONE}  0  -  a", "cut off"),
        (f"{ONE}  0  -  b\n{TWO}  0  -  a\n", "sorted"),
        (f"{ONE}  0  -  a\n{TWO}  0  -  a\n", "two files"),
        (f"{ONE}  0  -  ../a\n", "'..' part"),
        (f"{ONE}  0  -  /a\n", "absolute"),
        (f"{ONE}  01  -  a\n", "line 1"),
        (f"{ONE}  -1  -  a\n", "line 1"),
        (f"{ONE} 1 - a\n", "line 1"),
        (f"{ONE}  0  -  a\n{ONE[1:]}  0  -  b\n", "line 2"),
        (f"{ONE.replace('1', 'A')}  0  -  a\n", "line 1"),
        (f"{ONE}  0  w  a\n", "line 1"),
        (f"{ONE}  0  -  a\r\n", "control character"),
        ("\n", "line 1"),
    ],
)
def test_a_text_that_is_no_manifest_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(InvalidDocument, match=reason):
        Manifest.parse(text.encode())


def test_a_manifest_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="byte 72 is not UTF-8"):
        Manifest.parse(f"{ONE}  0  -  ".encode() + b"\xff\n")

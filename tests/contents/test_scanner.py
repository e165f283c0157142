"""What files are by their content, over a corpus of harmless and hostile ones."""

from __future__ import annotations

import collections
import gzip
import io
import os
import pickle
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.contents import limits
from gitreg.contents import scanner as contents
from gitreg.contents.allowlist import allowed_pairs
from tests.contents import corpus


def verdict(data: bytes) -> str:
    return contents.scan(io.BytesIO(data)).verdict


@pytest.mark.parametrize("name", corpus.hostile())
def test_each_hostile_file_is_code(name: str) -> None:
    data = corpus.hostile()[name]
    assert verdict(data) == "code", contents.scan(io.BytesIO(data)).why


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus.hostile())
def test_each_hostile_file_is_code_in_an_archive_too(name: str) -> None:
    data = corpus.hostile()[name]
    assert verdict(corpus.zipped(("folder/file", data))) == "code"
    assert verdict(corpus.zipped(("file", data), packed=zipfile.ZIP_DEFLATED)) == "code"
    assert verdict(corpus.tarred(("file", data))) == "code"


@pytest.mark.parametrize("name", corpus.harmless())
def test_each_harmless_file_is_what_it_is(name: str) -> None:
    expected, data = corpus.harmless()[name]
    assert (verdict(data), contents.scan(io.BytesIO(data)).why)[0] == expected


@pytest.mark.slow
def test_each_file_that_a_library_writes_is_what_it_is() -> None:
    files = corpus.by_libraries()
    found = {name: contents.scan(io.BytesIO(data)) for name, (_, data) in files.items()}
    wrong = {name: finding for name, finding in found.items() if finding.verdict != files[name][0]}
    assert not wrong


def test_a_foreign_class_in_an_allowed_module_is_code() -> None:
    for module, name in (
        ("numpy", "memmap"),
        ("collections", "UserDict"),
        ("sklearn.linear_model._base", "__loader__"),
    ):
        data = b"\x80\x04" + corpus.text(module) + corpus.text(name) + b"\x93)R."
        finding = contents.scan(io.BytesIO(data))
        assert finding.verdict == "code"
        assert f"{module}.{name}" in finding.why


def test_a_name_of_python_2_is_held_against_what_it_is_read_as() -> None:
    assert verdict(b"c__builtin__\nset\n)R.") == "limited"
    assert verdict(b"\x80\x02c__builtin__\neval\n(X\x01\0\0\x001tR.") == "code"
    assert verdict(b"\x80\x02ccopy_reg\n_reconstructor\n.") == "limited"


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: b"\x80\x04" + b"N0" * (limits.OPCODES // 2) + b"N.",
        lambda: corpus.zipped(*((f"{number}", b"x") for number in range(limits.MEMBERS + 1))),
        lambda: gzip.compress(b"\0" * (limits.MEMBER_BYTES + 1), 1),
        lambda: corpus.zipped(("x", b"\0" * (limits.MEMBER_BYTES + 1)), packed=zipfile.ZIP_DEFLATED),
        lambda: b'{"a": "' + b" " * limits.TEXT_BYTES + b'"}',
    ],
    ids=["opcodes", "members", "unpacked", "unpacked member", "JSON"],
)
def test_limits_end_in_code(make: Callable[[], bytes]) -> None:
    finding = contents.scan(io.BytesIO(make()))
    assert finding.verdict == "code"
    assert "too long to be looked through" in finding.why


@pytest.mark.slow
def test_what_is_unpacked_is_counted_over_all_members() -> None:
    member = b"\0" * (limits.MEMBER_BYTES // 2)
    members = [(f"{number}", member) for number in range(limits.UNPACKED_BYTES // len(member) + 1)]
    assert verdict(corpus.zipped(*members[:2], packed=zipfile.ZIP_DEFLATED)) == "opaque"
    assert verdict(corpus.zipped(*members, packed=zipfile.ZIP_DEFLATED)) == "code"


def test_a_tuple_that_holds_itself_twice_a_hundred_times_over_is_looked_at_once() -> None:
    assert verdict(b"\x80\x04)" + b"2\x86" * 500 + b"\x85\x85.") == "limited"


@pytest.mark.slow
def test_what_is_large_is_stepped_over(tmp_path: Path) -> None:
    class Counted(io.FileIO):
        taken = 0

        def readinto(self, buffer: object) -> int | None:
            size = super().readinto(buffer)  # type: ignore[arg-type]
            Counted.taken += size or 0
            return size

    path = tmp_path / "large"
    for data in (pickle.dumps([b"\1" * (32 << 20), "x" * (8 << 20)]), corpus.zipped(("x.bin", b"\xff" * (32 << 20)))):
        path.write_bytes(data)
        Counted.taken = 0
        with io.BufferedReader(Counted(path)) as file:
            assert contents.scan(file).verdict in ("limited", "opaque")
        assert Counted.taken < 66 << 20 if data[:1] == b"P" else Counted.taken < 1 << 20


KEPT = 1 << 16  # bytes of a line that the scan looks at


@pytest.mark.parametrize(
    "data",
    [
        b"Np" + b" " * (KEPT - 8) + b"x y" + b"z" * 64,
        b"F" + b" " * (KEPT - 8) + b"x y" + b"z" * 64,
        b"I" + b" " * (KEPT - 8) + b"x y" + b"z" * 64,
        b"a: % " + b"!" * (2 * KEPT),
    ],
    ids=["an index", "a float", "a number", "tags"],
)
def test_no_text_is_gone_through_once_for_each_of_its_places(data: bytes) -> None:
    """Otherwise the work grows with the square of the length."""
    plain = max(work_of(b"word " * (len(data) // 5)) for _ in range(3))
    assert work_of(data) < 200 * plain


def work_of(data: bytes) -> float:
    """The CPU time that the scan of a file takes."""
    begun = time.process_time()
    contents.scan(io.BytesIO(data))
    return time.process_time() - begun


@pytest.mark.parametrize("begin", [b"I", b"L", b"F", b"S", b"Np", b"Ng", b"Fx y"])
def test_a_line_that_says_nothing_is_not_looked_for_to_its_end(begin: bytes) -> None:
    class Counted(io.BytesIO):
        taken = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            self.taken += len(line)
            return line

    file = Counted(begin + b"\xff" * (4 << 20))
    assert contents.scan(file).verdict == "opaque"
    assert file.taken < 1 << 20


def test_the_names_of_all_members_are_told() -> None:
    data = corpus.zipped(("a", corpus.SYSTEM), ("b", pickle.dumps(collections.OrderedDict())))
    assert contents.scan(io.BytesIO(data)).names == ("collections.OrderedDict", f"{os.name}.system")


def test_what_a_file_says_of_itself_is_printed_and_kept_without_harm() -> None:
    for data in (
        corpus.hostile()["of_a_signed_sum.tar"],
        corpus.zipped(("\x1b[2J", corpus.SYSTEM)),
        b"\x80\x04X\3\0\0\0\xed\xa0\x80" + corpus.text("x") + b"\x93)R.",
    ):
        finding = contents.scan(io.BytesIO(data))
        assert finding.verdict == "code"
        for said in (finding.why, *finding.names):
            assert said.isprintable()
            said.encode()


def test_a_block_of_lz4_is_unpacked_with_its_matches() -> None:
    block = b"\x1fab"[:1] + b"a" + b"\x01\x00" + b"\x05" + b"\x50bbbbb"  # one literal, a match of 24, five literals
    frame = b"\x04\x22\x4d\x18\x60\x40\x82" + len(block).to_bytes(4, "little") + block + b"\0" * 4
    from gitreg.contents.lz4 import unpack

    assert unpack(io.BytesIO(frame), 100) == (b"a" * 25 + b"bbbbb", True)


@pytest.mark.slow
def test_no_listed_name_opens_imports_executes_or_connects_whatever_it_is_called_with() -> None:
    modules = sorted({module for module, _ in allowed_pairs()})
    assert modules
    child = Path(__file__).with_name("calling.py")
    start: int | None = 0
    tried = 0
    while start is not None:
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", str(child), str(start)], capture_output=True, text=True, check=False
        )
        lines = done.stdout.splitlines()
        assert "HARM" not in done.stdout, done.stdout
        tried += len(lines)
        # Native code may fall over what it is given: memory and availability are not promised. The next pair, then.
        start = None if done.returncode == 0 else int(lines[-1].split()[0]) + 1
    assert tried > 100

"""Scans of archives by their members; members that are stored unpacked are scanned in place."""

from __future__ import annotations

import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from typing import BinaryIO

from gitreg.contents.findings import CODE, DATA, OPAQUE, TOO_LONG, Finding, worst
from gitreg.contents.limits import Budget, TooLongError
from gitreg.contents.unpacking import unpack
from gitreg.contents.window import window

Look = Callable[[BinaryIO], Finding]
"""Scans a member, one level deeper."""

_END_OF_ZIP = b"PK\x05\x06"
_LONGEST_END = 65557
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64 = struct.Struct("<4sIQI")
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_MOST = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)  # members, length and start, where their values are in the zip64 record
_WITHOUT_MAGIC = ("zlib", "lzma", "xz")
_UNREADABLE = "a member that cannot be read"


def is_zip(file: BinaryIO, head: bytes, size: int) -> bool:
    """Return whether a file may be read as a zip, which is recognised by its end, whatever precedes it."""
    if head.startswith(b"PK\x03\x04"):
        return True
    file.seek(max(0, size - _LONGEST_END))
    return _END_OF_ZIP in file.read()


def look_at_zip(file: BinaryIO, look: Look, budget: Budget) -> Finding:
    """Return the finding on a zip: the worst one of its members."""
    file.seek(0)
    found = [Finding(DATA, "zip")]
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            torch = _torch_folders(members)
            for member in _counted(members, budget):
                if member.is_dir() and not member.file_size:
                    continue
                finding = _zip_member(file, archive, member, look, budget)
                if finding.verdict == OPAQUE and member.filename.rpartition("/")[0] in torch:
                    finding = Finding(DATA, "tensor")
                found.append(finding.inside(member.filename))
            twice = _twice(member.filename for member in members)
            if not _has_one_directory(file):
                found.append(Finding(CODE, "zip in which readers may find different members"))
    except TooLongError:
        return worst([*found, Finding(CODE, f"zip, {TOO_LONG}")])
    except Exception as error:  # zipfile raises many types for a file that is no zip
        found.append(Finding(CODE, f"zip that cannot be read ({type(error).__name__})"))
        return worst(found)
    if twice is not None:
        found.append(Finding(CODE, f"zip with two members {twice}"))
    return worst(found)


def _has_one_directory(file: BinaryIO) -> bool:
    """Return whether all readers find the same list of members, by its place and both end records of a large zip."""
    size = file.seek(0, 2)
    tail_at = max(0, size - _LONGEST_END - _END_64.size - _LOCATOR_64.size)
    file.seek(tail_at)
    tail = file.read()
    at = tail.rindex(_END_OF_ZIP)
    _, _, _, _, members, length, start, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        return False
    end = at
    if at >= _LOCATOR_64.size + _END_64.size and tail.startswith(b"PK\6\7", at - _LOCATOR_64.size):
        end = at - _LOCATOR_64.size - _END_64.size
        shortened, large = (members, length, start), _END_64.unpack_from(tail, end)
        if large[0] != b"PK\6\6" or _LOCATOR_64.unpack_from(tail, at - _LOCATOR_64.size)[2] != tail_at + end:
            return False
        if any(small not in (value, most) for small, value, most in zip(shortened, large[7:], _MOST, strict=True)):
            return False
        length, start = large[8:]
    return bool(start + length == tail_at + end)


def _counted(members: Iterable[zipfile.ZipInfo], budget: Budget) -> Iterable[zipfile.ZipInfo]:
    for member in members:
        budget.member()
        yield member


def _twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _torch_folders(members: Iterable[zipfile.ZipInfo]) -> set[str]:
    """Return the folders in which ``torch.save`` stores the bytes of tensors, beside its pickle."""
    return {
        f"{member.filename.removesuffix('data.pkl')}data"
        for member in members
        if member.filename.endswith("data.pkl") and member.filename.count("/") == 1
    }


def _zip_member(
    file: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo, look: Look, budget: Budget
) -> Finding:
    if member.flag_bits & 1:
        return Finding(CODE, "a member that is encrypted")
    try:
        archive.open(member).close()  # compares the two headers of a member
        if member.compress_type == zipfile.ZIP_STORED:
            if member.file_size != member.compress_size:
                return Finding(CODE, _UNREADABLE)
            return look(window(file, _start(file, member), member.file_size))
        limit = budget.unpackable
        with archive.open(member) as packed:
            data = packed.read(limit + 1)
    except TooLongError:
        raise
    except Exception:  # zipfile and the decompressors raise many types
        return Finding(CODE, _UNREADABLE)
    if len(data) > limit:
        return Finding(CODE, TOO_LONG)
    return look_at_unpacked(data, look, budget)


def _start(file: BinaryIO, member: zipfile.ZipInfo) -> int:
    file.seek(member.header_offset)
    header = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    return member.header_offset + _LOCAL_HEADER.size + int(header[9]) + int(header[10])


def look_at_unpacked(data: bytes, look: Look, budget: Budget) -> Finding:
    """Return the finding on unpacked bytes.

    Returns
    -------
    Finding
        The finding that ``look`` returns.

    Raises
    ------
    TooLongError
        More bytes were unpacked than are scanned.
    """
    from io import BytesIO

    budget.unpacked(len(data))
    return look(BytesIO(data))


def look_at_packed(file: BinaryIO, kind: str, look: Look, budget: Budget) -> Finding | None:
    """Return the finding on a file packed as a whole; None where nothing comes out of a file that looks packed."""
    file.seek(0)
    try:
        unpacked = unpack(file, kind, budget.unpackable)
    except TooLongError:
        return Finding(CODE, f"{kind}, {TOO_LONG}")
    if not unpacked.whole and not unpacked.data and kind in _WITHOUT_MAGIC:
        return None
    try:
        found = [look_at_unpacked(unpacked.data, look, budget).inside(kind)] if unpacked.data else []
    except TooLongError:
        return Finding(CODE, f"{kind}, {TOO_LONG}")
    if not unpacked.whole:
        found.append(Finding(OPAQUE, f"{kind}, damaged"))
    return worst(found) if found else Finding(DATA, f"{kind} of nothing")


def is_tar(head: bytes) -> bool:
    """Return whether a file may be read as a tar, by its first header."""
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def look_at_tar(file: BinaryIO, look: Look, budget: Budget) -> Finding:
    """Return the finding on a tar: the worst one of its members."""
    file.seek(0)
    found = [Finding(DATA, "tar")]
    seen: set[str] = set()
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                budget.member()
                if member.name in seen:
                    found.append(Finding(CODE, f"tar with two members {member.name}"))
                seen.add(member.name)
                if member.issparse():
                    found.append(Finding(CODE, _UNREADABLE).inside(member.name))
                elif member.isreg() or member.type not in tarfile.SUPPORTED_TYPES:  # unknown types are read as files
                    at = file.tell()
                    found.append(look(window(file, member.offset_data, member.size)).inside(member.name))
                    file.seek(at)
    except TooLongError:
        found.append(Finding(CODE, f"tar, {TOO_LONG}"))
    except Exception as error:  # tarfile raises many types for a file that is no tar
        found.append(Finding(CODE, f"tar that cannot be read ({type(error).__name__})"))
    return worst(found)

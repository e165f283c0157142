"""Archives: what their members are; what lies in them as it is, is looked at in place."""

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
"""Looks at a member, one level deeper."""

_END_OF_ZIP = b"PK\x05\x06"
_LONGEST_END = 65557
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_UNREADABLE = "a member that cannot be read"


def is_zip(file: BinaryIO, head: bytes, size: int) -> bool:
    """Return whether a file can be taken for a zip: its end says so, whatever stands before."""
    if head.startswith(b"PK\x03\x04"):
        return True
    file.seek(max(0, size - _LONGEST_END))
    return _END_OF_ZIP in file.read()


def look_at_zip(file: BinaryIO, look: Look, budget: Budget) -> Finding:
    """Return the finding on a zip: the worst of its members'."""
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
    except TooLongError:
        return worst([*found, Finding(CODE, f"zip, {TOO_LONG}")])
    except Exception as error:  # whatever zipfile raises for what is no zip
        found.append(Finding(CODE, f"zip that cannot be read ({type(error).__name__})"))
        return worst(found)
    if twice is not None:
        found.append(Finding(CODE, f"zip with two members {twice}"))
    return worst(found)


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
    """Return the folders in which ``torch.save`` keeps the storages' bytes: beside its pickle."""
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
        archive.open(member).close()  # holds the two headers of a member against each other
        if member.compress_type == zipfile.ZIP_STORED:
            if member.file_size != member.compress_size:
                return Finding(CODE, _UNREADABLE)
            return look(window(file, _start(file, member), member.file_size))
        limit = budget.unpackable
        with archive.open(member) as packed:
            data = packed.read(limit + 1)
    except TooLongError:
        raise
    except Exception:  # whatever zipfile and the packings raise
        return Finding(CODE, _UNREADABLE)
    if len(data) > limit:
        return Finding(CODE, TOO_LONG)
    return look_at_unpacked(data, look, budget)


def _start(file: BinaryIO, member: zipfile.ZipInfo) -> int:
    file.seek(member.header_offset)
    header = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    return member.header_offset + _LOCAL_HEADER.size + int(header[9]) + int(header[10])


def look_at_unpacked(data: bytes, look: Look, budget: Budget) -> Finding:
    """Return the finding on bytes that were unpacked."""
    from io import BytesIO

    budget.unpacked(len(data))
    return look(BytesIO(data))


def look_at_packed(file: BinaryIO, kind: str, look: Look, budget: Budget) -> Finding | None:
    """Return the finding on a file that is packed as a whole; None where nothing comes out of what looks like zlib."""
    file.seek(0)
    try:
        unpacked = unpack(file, kind, budget.unpackable)
    except TooLongError:
        return Finding(CODE, f"{kind}, {TOO_LONG}")
    if not unpacked.data and kind == "zlib" and not unpacked.whole:
        return None
    try:
        found = [look_at_unpacked(unpacked.data, look, budget).inside(kind)] if unpacked.data else []
    except TooLongError:
        return Finding(CODE, f"{kind}, {TOO_LONG}")
    if not unpacked.whole:
        found.append(Finding(OPAQUE, f"{kind}, damaged"))
    return worst(found) if found else Finding(DATA, f"{kind} of nothing")


def is_tar(head: bytes) -> bool:
    """Return whether a file can be taken for a tar, by its first header's sum."""
    if len(head) < 512 or not head[0]:
        return False
    try:
        said = int(head[148:156].strip(b"\0 ") or b"x", 8)
    except ValueError:
        return False
    return said == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def look_at_tar(file: BinaryIO, look: Look, budget: Budget) -> Finding:
    """Return the finding on a tar: the worst of its members'."""
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
                elif member.isreg():
                    at = file.tell()
                    found.append(look(window(file, member.offset_data, member.size)).inside(member.name))
                    file.seek(at)
    except TooLongError:
        found.append(Finding(CODE, f"tar, {TOO_LONG}"))
    except Exception as error:  # whatever tarfile raises for what is no tar
        found.append(Finding(CODE, f"tar that cannot be read ({type(error).__name__})"))
    return worst(found)

"""The manifest: the paths, sizes and digests of a set of files as one text, whose digest is the identity of the set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from gitreg.blobs.files import FileEntry, check_paths
from gitreg.errors import InvalidDocument, InvalidInput

_LINE = re.compile(r"([0-9a-f]{64})  (0|[1-9][0-9]{0,18})  ([x-])  (.+)")


def manifest_text(files: Iterable[FileEntry]) -> bytes:
    """Write one line a file, sorted by the path's UTF-8 bytes: ``<sha256>  <size>  <x or ->  <path>``."""
    ordered = sorted(files, key=lambda file: file.path.encode())
    return "".join(f"{f.sha256}  {f.size}  {'x' if f.executable else '-'}  {f.path}\n" for f in ordered).encode()


def manifest_digest(files: Iterable[FileEntry]) -> str:
    """Return ``sha256:`` and the digest of the manifest's text."""
    return f"sha256:{sha256(manifest_text(files)).hexdigest()}"


def parse_manifest(text: bytes) -> list[FileEntry]:
    """Read what `manifest_text` wrote, and nothing else.

    Raises
    ------
    InvalidDocument
        It is not UTF-8, a line is not of that form, lines are not in order, or the paths cannot stand in an artifact.
    """
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        raise InvalidDocument("manifest", "", f"byte {error.start} is not UTF-8") from error
    lines = decoded.split("\n")
    if lines.pop():
        raise InvalidDocument("manifest", "", "the last line has no end: it was cut off")
    files = [_parse_line(number, line) for number, line in enumerate(lines, start=1)]
    try:
        check_paths(file.path for file in files)
    except InvalidInput as error:
        raise InvalidDocument("manifest", "", error.message) from error
    if manifest_text(files) != text:
        raise InvalidDocument("manifest", "", "its lines are not sorted by path")
    return files


def _parse_line(number: int, line: str) -> FileEntry:
    match = _LINE.fullmatch(line)
    if match is None:
        raise InvalidDocument(
            f"manifest, line {number}", "", f"{line[:200]!r} is not '<sha256>  <size>  <x or ->  <path>'"
        )
    digest, size, mode, path = match.groups()
    return FileEntry(path, int(size), digest, executable=mode == "x")

"""The manifest: a text with the paths, sizes and digests of a set of files; its digest identifies the set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from gitreg.blobs.files import FileEntry, check_paths
from gitreg.errors import InvalidDocument, InvalidInput
from gitreg.names import nfc

_LINE = re.compile(r"([0-9a-f]{64})  (0|[1-9][0-9]{0,18})  ([x-])  (.+)")


class Manifest(NamedTuple):
    """A set of files that is stored and loaded as a unit.

    Parameters
    ----------
    digest:
        ``sha256:`` and the digest of the manifest's text.
    files:
        Sorted by the path's UTF-8 bytes.
    """

    digest: str
    files: tuple[FileEntry, ...]

    @classmethod
    def of(cls, files: Iterable[FileEntry]) -> Manifest:
        """Return the manifest of some files, given in any order."""
        ordered = tuple(sorted(files, key=lambda file: file.path.encode()))
        return cls(f"sha256:{sha256(_text(ordered)).hexdigest()}", ordered)

    @classmethod
    def parse(cls, text: bytes) -> Manifest:
        """Return the manifest that a text, as `text` returns it, describes.

        Raises
        ------
        InvalidDocument
            The text is not UTF-8, a line has another form, lines are not sorted, or the paths cannot exist in one
            artifact.
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
        manifest = cls.of(files)
        if manifest.text != text:
            raise InvalidDocument("manifest", "", "its lines are not sorted by path")
        return manifest

    def find(self, path: str) -> FileEntry | None:
        """Return the entry of a path, compared without regard to the Unicode form; None if there is none."""
        wanted = nfc(path)
        return next((entry for entry in self.files if entry.path == path or nfc(entry.path) == wanted), None)

    @property
    def hex(self) -> str:
        """The digest in hexadecimal, without its algorithm."""
        return self.digest.removeprefix("sha256:")

    @property
    def text(self) -> bytes:
        """The manifest's text, one line per file, sorted by path: ``<sha256>  <size>  <x or ->  <path>``."""
        return _text(self.files)


def _text(files: Iterable[FileEntry]) -> bytes:
    return "".join(f"{f.sha256}  {f.size}  {'x' if f.executable else '-'}  {f.path}\n" for f in files).encode()


def _parse_line(number: int, line: str) -> FileEntry:
    match = _LINE.fullmatch(line)
    if match is None:
        raise InvalidDocument(
            f"manifest, line {number}", "", f"{line[:200]!r} is not '<sha256>  <size>  <x or ->  <path>'"
        )
    digest, size, mode, path = match.groups()
    return FileEntry(path, int(size), digest, executable=mode == "x")

"""Limits on the part of a file that is scanned, so that every scan ends soon."""

from __future__ import annotations

OPCODES = 500_000
LEVELS = 3
MEMBER_BYTES = 64 << 20
UNPACKED_BYTES = 256 << 20
MEMBERS = 10_000
TEXT_BYTES = 64 << 20  # bytes of JSON, or of text that is searched for source


class TooLongError(Exception):
    """The error that a file exceeds a limit of the scan."""


class Budget:
    """The amounts that may still be scanned of one file, over all levels of archives."""

    def __init__(self) -> None:
        self.opcodes = OPCODES
        self._unpacked = UNPACKED_BYTES
        self._members = MEMBERS

    def member(self) -> None:
        """Count one more member of an archive.

        Raises
        ------
        TooLongError
            There are too many members.
        """
        self._members -= 1
        if self._members < 0:
            raise TooLongError

    @property
    def unpackable(self) -> int:
        """The bytes that the next member may unpack to."""
        return min(MEMBER_BYTES, self._unpacked)

    def unpacked(self, size: int) -> None:
        """Count unpacked bytes.

        Raises
        ------
        TooLongError
            There are too many bytes.
        """
        if size > self.unpackable:
            raise TooLongError
        self._unpacked -= size

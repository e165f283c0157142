"""Limits of how much of a file is looked through, so that a scan ends soon whatever it is given."""

from __future__ import annotations

OPCODES = 500_000
LEVELS = 3
MEMBER_BYTES = 64 << 20
UNPACKED_BYTES = 256 << 20
MEMBERS = 10_000
TEXT_BYTES = 64 << 20  # of JSON, and of text in which source is looked for


class TooLongError(Exception):
    """A file holds more than is looked through."""


class Budget:
    """The rest that may still be looked through of one file, all levels together."""

    def __init__(self) -> None:
        self.opcodes = OPCODES
        self._unpacked = UNPACKED_BYTES
        self._members = MEMBERS

    def member(self) -> None:
        """Count one more member of an archive.

        Raises
        ------
        TooLongError
            There are too many.
        """
        self._members -= 1
        if self._members < 0:
            raise TooLongError

    @property
    def unpackable(self) -> int:
        """The bytes that the next member may unpack to."""
        return min(MEMBER_BYTES, self._unpacked)

    def unpacked(self, size: int) -> None:
        """Count bytes that were unpacked.

        Raises
        ------
        TooLongError
            There are too many.
        """
        if size > self.unpackable:
            raise TooLongError
        self._unpacked -= size

"""The base class of materializers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from gitreg.errors import InvalidInput


class Materializer(ABC):
    """The conversion of objects of some types to files, and back.

    A subclass that needs a library imports it inside its methods: every materializer is asked about every object, even
    if its library is not installed.
    """

    name: ClassVar[str]
    """The materializer's name in records, by which the files are read later: never change it."""
    types: ClassVar[tuple[str, ...]]
    """The types that it handles, subclasses included, as ``module.qualified_name``, by the type's own attributes."""
    needs: ClassVar[str] = ""
    """Arguments of ``pip install`` for its library."""
    safe_from: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Distributions with their oldest safe version: a file can make an older one run code."""

    def takes(self, value: object) -> bool:
        """Return whether this materializer handles an object, which is of one of its types."""
        return True

    @abstractmethod
    def write(self, value: object, folder: Path) -> None:
        """Write an object into an empty folder; the same value gives the same bytes if the format allows.

        Parameters
        ----------
        value:
            An object of one of the types, or of a subclass.
        folder:
            An existing empty folder.

        Raises
        ------
        InvalidInput
            The files would not restore exactly this value. Any other exception is treated the same way.
        """

    @abstractmethod
    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Return the object that ``write`` wrote.

        Parameters
        ----------
        folder:
            The folder with the files, maybe from a stranger: no code in them may run unless ``trusted``.
        trusted:
            True if the caller passed ``unsafe_pickle=True``.
        expected:
            The type that the caller expects, if any.

        Raises
        ------
        InvalidInput
            The files are damaged. Any other exception is treated the same way.
        Refused
            The files would run code, and the caller does not trust them.
        """


def qualified(kind: type) -> str:
    """Return a type's name as in `Materializer.types`: ``module.qualified_name``."""
    return f"{kind.__module__}.{kind.__qualname__}"


def shown(kind: type) -> str:
    """Return a type's name for messages, without ``builtins.``."""
    return qualified(kind).removeprefix("builtins.")


def check_exact(value: object, kind: type) -> None:
    """Raise InvalidInput for a subclass, because the files would lose its extra state and behaviour silently.

    Raises
    ------
    InvalidInput
        The object is not exactly of this type.
    """
    if type(value) is not kind:
        raise InvalidInput(
            f"an object of {shown(type(value))} would come back as {shown(kind)}", hint=f"convert it to {shown(kind)}"
        )

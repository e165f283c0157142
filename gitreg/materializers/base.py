"""What a materializer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from gitreg.errors import InvalidInput


class Materializer(ABC):
    """Objects of some types as files, and back.

    One that needs a library imports it inside its methods: every materializer is asked about every object, long before
    anybody knows whether its library is installed.
    """

    name: ClassVar[str]
    """What is kept beside the files and says later how they are read: never change it."""
    types: ClassVar[tuple[str, ...]]
    """The types that it takes and whose subclasses it looks at: ``module.qualified_name``, as the type says itself."""
    needs: ClassVar[str] = ""
    """What ``pip install`` has to be told where the library is missing."""
    safe_from: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Distributions that read safely only from this version on: an older one can be made to run code by a file."""

    def takes(self, value: object) -> bool:
        """Say whether this object, which is of one of the types, is for this materializer."""
        return True

    @abstractmethod
    def write(self, value: object, folder: Path) -> None:
        """Write the object into the empty folder, the same value as the same bytes where its format can.

        Parameters
        ----------
        value:
            Of one of the types, or of a subclass.
        folder:
            Exists and is empty.

        Raises
        ------
        InvalidInput
            The files would not give this very value back. Any other exception counts as that too.
        """

    @abstractmethod
    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Read what ``write`` wrote.

        Parameters
        ----------
        folder:
            Holds the files, made by anybody: nothing in them may run unless ``trusted``.
        trusted:
            Whether the loader said ``unsafe_pickle=True``.
        expected:
            The type that the loader wants, where it said so.

        Raises
        ------
        InvalidInput
            They are damaged. Any other exception counts as that too.
        Refused
            They would run code, and the loader does not trust them.
        """


def qualified(kind: type) -> str:
    """Spell a type as materializers name theirs."""
    return f"{kind.__module__}.{kind.__qualname__}"


def shown(kind: type) -> str:
    """Spell a type for people."""
    return qualified(kind).removeprefix("builtins.")


def check_exact(value: object, kind: type) -> None:
    """Refuse a subclass, whose extra state and behaviour the files would lose without a word.

    Raises
    ------
    InvalidInput
        The object's type is another.
    """
    if type(value) is not kind:
        raise InvalidInput(
            f"an object of {shown(type(value))} would come back as {shown(kind)}", hint=f"convert it to {shown(kind)}"
        )

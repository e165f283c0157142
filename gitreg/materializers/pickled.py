"""The last resort, for who says so: pickle, which runs whatever its file says."""

from __future__ import annotations

import pickle
from pathlib import Path

from gitreg.errors import Refused
from gitreg.materializers.base import Materializer


class Pickle(Materializer):
    """Any object that pickle takes; no type leads here, only ``unsafe_pickle=True``."""

    name = "pickle"
    types = ()

    def write(self, value: object, folder: Path) -> None:
        """Write ``object.pkl``."""
        with (folder / "object.pkl").open("xb") as file:
            pickle.dump(value, file, protocol=5)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Read it, which runs what it says."""
        if not trusted:
            raise Refused(
                "the object is pickled, and reading a pickle runs whatever code its maker put there",
                hint="load it with unsafe_pickle=True if you trust who made it",
            )
        with (folder / "object.pkl").open("rb") as file:
            return pickle.load(file)  # noqa: S301

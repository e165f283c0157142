"""The last resort, on request only: pickle, which can run any code when a file is read."""

from __future__ import annotations

import pickle
from pathlib import Path

from gitreg.errors import Refused
from gitreg.materializers.base import Materializer


class Pickle(Materializer):
    """Any object that pickle accepts; used only with ``unsafe_pickle=True``, never by type."""

    name = "pickle"
    types = ()

    def write(self, value: object, folder: Path) -> None:
        """Write ``object.pkl``."""
        with (folder / "object.pkl").open("xb") as file:
            pickle.dump(value, file, protocol=5)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Return the object, if the caller trusts the file; reading can run any code in it."""
        if not trusted:
            raise Refused(
                "the object is pickled, and reading a pickle runs whatever code its maker put there",
                hint="load it with unsafe_pickle=True if you trust who made it",
            )
        with (folder / "object.pkl").open("rb") as file:
            return pickle.load(file)  # noqa: S301

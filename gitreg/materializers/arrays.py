"""numpy's arrays and scalars, in numpy's npy format, written and read without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer, check_exact

_FILE = "array.npy"
_PLAIN_HEADER = 60_000  # characters; version 1.0 of the format stores the header's length in 16 bits


class Array(Materializer):
    """An array; its dtype, byte order, shape and order in memory are kept."""

    name = "numpy.array"
    types = ("numpy.ndarray",)
    needs = "numpy"

    def write(self, value: object, folder: Path) -> None:
        """Write ``array.npy``."""
        import numpy as np

        check_exact(value, np.ndarray)
        _write(value, folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the array, read into memory."""
        return _read(folder)


class Scalar(Materializer):
    """A scalar such as ``numpy.float32``, as an array without dimensions."""

    name = "numpy.scalar"
    types = ("numpy.generic",)
    needs = "numpy"

    def write(self, value: object, folder: Path) -> None:
        """Write ``array.npy``."""
        import numpy as np

        _write(np.asarray(value), folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the scalar."""
        array = _read(folder)
        if array.ndim:
            raise InvalidInput(f"{_FILE} has {array.ndim} dimensions, a scalar has none")
        return array[()]


def _write(array: Any, folder: Path) -> None:
    import numpy as np

    if array.dtype.hasobject:
        raise InvalidInput(
            f"an array of dtype {array.dtype} holds Python objects, which the npy format can only pickle",
            hint="convert it to numbers or strings (array.astype(str)), or a pandas DataFrame",
        )
    fields = str(array.dtype.descr)
    version = (
        (1, 0) if fields.isascii() and len(fields) < _PLAIN_HEADER else (3, 0)
    )  # numpy itself would warn of the latter
    with (folder / _FILE).open("xb") as file:
        np.lib.format.write_array(file, array, version=version, allow_pickle=False)


def _read(folder: Path) -> Any:
    import numpy as np

    with (folder / _FILE).open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)

"""The lookup of materializers by object or by name: gitreg's own, and those of other distributions.

Another distribution declares one by an entry point of the group ``gitreg.materializers``, whose name is the
materializer's name and whose value is a subclass of ``Materializer``. The nearest type in the object's method
resolution order decides; if two declare the same type, a foreign one goes before gitreg's own, and the first by name
among foreign ones. Names of gitreg's own are reserved, so that files written by them stay readable: an entry point
with such a name is left out with a warning, as is one that fails.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from gitreg.errors import InvalidInput
from gitreg.materializers.arrays import Array, Scalar
from gitreg.materializers.arrow_polars import ArrowTable, PolarsFrame
from gitreg.materializers.base import Materializer, qualified
from gitreg.materializers.boosting import LightGBM, XGBoost
from gitreg.materializers.frames import PandasFrame, PandasSeries
from gitreg.materializers.hugging_face import SentenceTransformers, Transformers
from gitreg.materializers.onnx_keras import Keras, Onnx
from gitreg.materializers.paths import Paths
from gitreg.materializers.pickle_files import Pickle
from gitreg.materializers.plain import Bytes, Json, Text
from gitreg.materializers.scikit_learn import Sklearn
from gitreg.materializers.torch_tensors import Module, StateDict, TorchTensor

_GROUP = "gitreg.materializers"
# The first that takes an object of its type is used: a state dict (a dict of tensors) is tried before JSON.
_OURS: dict[str, Materializer] = {
    kind.name: kind()
    for kind in (
        StateDict, Text, Bytes, Json, Paths, PandasFrame, PandasSeries, PolarsFrame, ArrowTable, Array, Scalar,
        Sklearn, XGBoost, LightGBM, TorchTensor, Module, Transformers, SentenceTransformers, Onnx, Keras, Pickle,
    )
}  # fmt: skip


def names() -> list[str]:
    """Return the names of all known materializers, sorted."""
    return sorted({*_OURS, *_others()} - {Module.name})


def by_type(value: object) -> Materializer | None:
    """Return the materializer of an object; None if there is none."""
    everyone = [*_loaded_others(), *_OURS.values()]
    for kind in map(qualified, type(value).__mro__):
        for one in everyone:
            if kind in one.types and one.takes(value):
                return one
    return None


def by_name(name: str) -> Materializer:
    """Return the materializer with a name; no other entry point is loaded.

    Raises
    ------
    InvalidInput
        The name is unknown, or its distribution is broken.
    """
    if name in _OURS:
        return _OURS[name]
    if name not in _others():
        raise InvalidInput(
            f"no materializer is called {name!r}; there are {', '.join(names())}",
            hint="install the distribution that brings it, or update gitreg",
        )
    return _load(_others()[name])


@cache
def _others() -> dict[str, EntryPoint]:
    found = {}
    for point in entry_points(group=_GROUP):
        if point.name in _OURS:
            _leave_out(point, "that name is gitreg's own")
        else:
            found[point.name] = point
    return dict(sorted(found.items()))


@cache
def _loaded_others() -> tuple[Materializer, ...]:
    return tuple(_working())


def _working() -> Iterator[Materializer]:
    for point in _others().values():
        try:
            yield _load(point)
        except InvalidInput as error:
            _leave_out(point, error.message)


def _load(point: EntryPoint) -> Materializer:
    hint = f"update or uninstall {point.dist.name}" if point.dist else None
    try:
        kind = point.load()
    except Exception as error:
        raise InvalidInput(f"the materializer {point.name} ({point.value}) fails: {error}", hint=hint) from error
    if not (isinstance(kind, type) and issubclass(kind, Materializer)):
        raise InvalidInput(f"{point.value} is no subclass of gitreg.materializers.Materializer", hint=hint)
    if kind.name != point.name:
        raise InvalidInput(f"{point.value} is named {kind.name!r}, its entry point {point.name!r}", hint=hint)
    return kind()


def _leave_out(point: EntryPoint, why: str) -> None:
    warnings.warn(f"the materializer {point.name} ({point.value}) is left out: {why}", RuntimeWarning, stacklevel=2)

"""scikit-learn, with skops: a zip of arrays and of JSON that names types; only trusted types are ever built."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput, Refused
from gitreg.materializers.base import Materializer, qualified

_FILE = "model.skops"
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the zip format's first day
# Types that a file may name although skops does not trust them. A trusted name is any callable to a file: skops
# builds an object by its class alone, or calls the class with arguments of the file, and passes its state to
# ``__setstate__``. So a name is trusted only if it is a class, of one of these packages, whose constructor and
# ``__setstate__`` do no more than keep what they are passed: estimators by their base class, the rest by its name.
# Functions never are (a file may call them with any arguments), nor is scipy.stats, whose distributions ``exec`` a text
# of their state. A forged KDTree, Tree or Booster runs no code, but it can crash Python; skops 0.16 removed trees from
# its trusted types for that reason, and without them no forest could be loaded.
_ESTIMATORS = ("sklearn.", "xgboost.sklearn.", "lightgbm.sklearn.")
_BASES = frozenset(
    {
        "sklearn.base.BaseEstimator",
        "sklearn.gaussian_process.kernels.Kernel",
        "sklearn.metrics._dist_metrics.DistanceMetric",
        "sklearn.metrics._dist_metrics.DistanceMetric32",
        "sklearn.metrics._dist_metrics.DistanceMetric64",
        "sklearn.model_selection._split.BaseCrossValidator",
        "sklearn.model_selection._split.BaseShuffleSplit",
        "sklearn.neural_network._stochastic_optimizers.BaseOptimizer",
        "sklearn._loss.loss.BaseLoss",
    }
)
_PARTS = frozenset(
    {
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "xgboost.core.Booster",
    }
)
_SHOWN = 5  # number of type names in a message


class Sklearn(Materializer):
    """Estimators and pipelines of scikit-learn, and other objects with its interface."""

    name = "sklearn"
    types = ("sklearn.base.BaseEstimator",)
    needs = "scikit-learn skops"
    safe_from = (("skops", "0.13"),)  # CVE-2025-54412, CVE-2025-54413, CVE-2025-54886

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.skops``."""
        import skops.io

        raw = io.BytesIO()
        skops.io.dump(value, raw)
        with zipfile.ZipFile(raw) as source, zipfile.ZipFile(folder / _FILE, "x") as target:
            _copy_steadily(source, target)
        if unknown := _unknown(skops.io.get_untrusted_types(file=folder / _FILE)):
            raise InvalidInput(
                f"it holds what would be loaded only as code: {_listed(unknown)}",
                hint="save the part that needs no code (of a search, its best_estimator_), or say unsafe_pickle=True",
            )
        self.read(folder, trusted=False, expected=None)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Return the object; types other than those that skops and gitreg trust are built only from trusted files."""
        import skops.io

        named = skops.io.get_untrusted_types(file=folder / _FILE)
        if not trusted and (unknown := _unknown(named)):
            raise Refused(
                f"{_FILE} holds types that are not trusted: {_listed(unknown)}",
                hint="load it with unsafe_pickle=True if you trust who made it: they can run code or crash Python",
            )
        return skops.io.load(folder / _FILE, trusted=named)


def _unknown(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in _PARTS and not _is_estimator(name)]


def _is_estimator(name: str) -> bool:
    """Return whether a name is that of a class of scikit-learn, XGBoost or LightGBM with one of the trusted bases."""
    if not name.startswith(_ESTIMATORS):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        kind = getattr(import_module(module), attribute, None)
    except ImportError:  # no such module, or one that needs another library
        return False
    return (
        isinstance(kind, type)
        and qualified(kind) == name
        and not _BASES.isdisjoint(qualified(base) for base in kind.__mro__[1:])
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _copy_steadily(source: zipfile.ZipFile, target: zipfile.ZipFile) -> None:
    """Copy a skops file so that the same model gives the same bytes.

    skops names files and objects by their memory addresses, and adds the time: the addresses are replaced by numbers in
    the order of its schema, the time by a constant.
    """
    schema = json.loads(source.read("schema.json"))
    files: dict[str, str] = {}
    _renumber(schema, {}, files)
    for old, new in files.items():
        _add(target, new, source.read(old))
    _add(target, "schema.json", json.dumps(schema, indent=2).encode())


def _renumber(node: Any, objects: dict[int, int], files: dict[str, str]) -> None:
    if isinstance(node, list):
        for inner in node:
            _renumber(inner, objects, files)
    elif isinstance(node, dict):
        if isinstance(number := node.get("__id__"), int):
            node["__id__"] = objects.setdefault(number, len(objects))
        if "__loader__" in node and isinstance(old := node.get("file"), str):
            node["file"] = files.setdefault(old, f"{len(files)}{Path(old).suffix}")
        for inner in node.values():
            _renumber(inner, objects, files)


def _add(target: zipfile.ZipFile, name: str, content: bytes) -> None:
    target.writestr(zipfile.ZipInfo(name, date_time=_NO_TIME), content)

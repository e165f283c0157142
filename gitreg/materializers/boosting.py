"""XGBoost (UBJSON) and LightGBM (its text format): bare boosters and their scikit-learn wrappers.

Both libraries read files in C++ without checking them: a malicious file can crash Python, although neither format can
name code. A wrapper's class and parameters, and for LightGBM its classes, are stored in ``estimator.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer, check_exact, shown

_ESTIMATOR = "estimator.json"


class XGBoost(Materializer):
    """A Booster, or a fitted wrapper such as XGBClassifier, XGBRegressor or XGBRanker."""

    name = "xgboost"
    types = ("xgboost.core.Booster", "xgboost.sklearn.XGBModel")
    needs = "xgboost"
    file = "model.ubj"

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.ubj``, and ``estimator.json`` for a wrapper."""
        import xgboost

        if isinstance(value, xgboost.Booster):
            check_exact(value, xgboost.Booster)
        else:
            _write_estimator(value, xgboost, folder)
        value.save_model(folder / self.file)  # type: ignore[attr-defined]

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the booster, or its wrapper."""
        import xgboost

        about = _read_estimator(folder)
        model: Any = xgboost.Booster() if about is None else _make_estimator(about, xgboost, xgboost.XGBModel)
        model.load_model(folder / self.file)
        if about is not None:
            model.set_params(**about["params"])  # loading replaces some of them with the booster's
        return model


class LightGBM(Materializer):
    """A Booster, up to its best iteration if it has one, or a fitted LGBMClassifier, LGBMRegressor or LGBMRanker."""

    name = "lightgbm"
    types = ("lightgbm.basic.Booster", "lightgbm.sklearn.LGBMModel")
    needs = "lightgbm"
    file = "model.txt"

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.txt``, and ``estimator.json`` for a wrapper."""
        import lightgbm

        booster: Any = value
        if isinstance(value, lightgbm.Booster):
            check_exact(value, lightgbm.Booster)
        else:
            assert isinstance(value, lightgbm.LGBMModel)
            booster = value.booster_
            classes = getattr(value, "classes_", None)
            _write_estimator(value, lightgbm, folder, classes=None if classes is None else _labels(classes))
        booster.save_model(folder / self.file)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the booster, or its wrapper."""
        import lightgbm

        text = (folder / self.file).read_bytes()
        _check_trees(text)
        booster = lightgbm.Booster(model_str=text.decode())
        about = _read_estimator(folder)
        if about is None:
            return booster
        model = _make_estimator(about, lightgbm, lightgbm.LGBMModel)
        _fit_with(model, booster, about["classes"])
        return model


def _check_trees(text: bytes) -> None:
    """Raise InvalidInput unless each tree is where the header says: LightGBM would read past the end of a cut file."""
    head, _, trees = text.partition(b"\n\n")
    sizes = next(
        (line.partition(b"=")[2] for line in head.splitlines() if line.startswith(b"tree_sizes=")), b""
    ).split()
    start = 0
    for number, size in enumerate(sizes):
        if int(size) <= 0 or not trees.startswith(b"Tree=%d\n" % number, start):
            raise InvalidInput(f"the model's tree {number} is not where its head says")
        start += int(size)
    if not trees.startswith(b"end of trees", start):
        raise InvalidInput("the model does not end where its head says")


def _fit_with(model: Any, booster: Any, classes: dict[str, Any] | None) -> None:
    """Set a wrapper's attributes as fitting does; LightGBM has no public way, so these are private names."""
    import numpy as np

    model._Booster = booster
    model._n_features = model._n_features_in = booster.num_feature()
    model._best_iteration = booster.best_iteration
    model._objective = model.objective or booster.params.get("objective")
    model.fitted_ = True
    if classes is not None:
        from sklearn.preprocessing import LabelEncoder

        model._classes = np.array(classes["values"], dtype=classes["dtype"])
        model._n_classes = len(model._classes)
        model._le = LabelEncoder().fit(model._classes)
        model._class_map = {label: number for number, label in enumerate(model._classes)}


def _labels(classes: Any) -> dict[str, Any]:
    if classes.dtype.kind not in "biuU":
        raise InvalidInput(
            f"its classes are of dtype {classes.dtype}",
            hint="train it on labels that are numbers or a numpy array of strings",
        )
    return {"dtype": classes.dtype.str, "values": classes.tolist()}


def _write_estimator(model: Any, library: ModuleType, folder: Path, **more: Any) -> None:
    """Write a wrapper's class and its non-default parameters."""
    kind = type(model)
    if getattr(library, kind.__name__, None) is not kind:
        raise InvalidInput(f"{shown(kind)} is no class of {library.__name__} itself", hint="save its booster")
    defaults = kind().get_params()
    chosen = {name: value for name, value in model.get_params().items() if repr(value) != repr(defaults.get(name))}
    for name, value in chosen.items():
        if json.loads(_dump(name, value)) != value:
            raise InvalidInput(f"its parameter {name} is {value!r}, which JSON would change", hint="save its booster")
    text = json.dumps({"class": kind.__name__, "params": chosen, **more}, sort_keys=True)
    (folder / _ESTIMATOR).write_text(text, encoding="utf-8")


def _dump(name: str, value: object) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"its parameter {name} is {value!r}, which JSON cannot say", hint="save its booster"
        ) from None


def _read_estimator(folder: Path) -> dict[str, Any] | None:
    path = folder / _ESTIMATOR
    if not path.exists():
        return None
    about = json.loads(path.read_bytes())
    assert isinstance(about, dict)
    return about


def _make_estimator(about: dict[str, Any], library: ModuleType, base: type) -> Any:
    kind = getattr(library, str(about["class"]), None)
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise InvalidInput(f"{_ESTIMATOR} names {about['class']!r}, which is no estimator of {library.__name__}")
    return kind(**about["params"])

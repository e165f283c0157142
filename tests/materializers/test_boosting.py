"""XGBoost and LightGBM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import InvalidInput
from gitreg.materializers import read, write
from tests.materializers.helpers import Library, again, damaged, digests, refused

np: Any = pytest.importorskip("numpy")
lightgbm, xgboost = Library("lightgbm"), Library("xgboost")

X = np.random.default_rng(1).normal(np.repeat([[0.0], [3.0], [6.0]], 50, axis=0), 1.0, (150, 4))
Y = np.repeat([0, 1, 2], 50)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
QUIET = {"n_estimators": 3, "n_jobs": 1}


def test_a_booster_of_xgboost_comes_back_with_its_attributes() -> None:
    data = xgboost.DMatrix(X, Y, feature_names=list("abcd"))
    model = xgboost.train({"nthread": 1}, data, 3)
    model.set_attr(note="a note")
    back = again(model, "xgboost")
    assert np.array_equal(back.predict(data), model.predict(data))
    assert back.attributes() == model.attributes()
    assert back.feature_names == list("abcd")


@pytest.mark.parametrize(
    ("library", "name", "options"),
    [
        (xgboost, "XGBClassifier", {"max_depth": 2, "missing": -1.0}),
        (xgboost, "XGBRegressor", {"objective": "reg:absoluteerror"}),
        (xgboost, "XGBRFClassifier", {}),
        (lightgbm, "LGBMRegressor", {"verbose": -1, "num_leaves": 5}),
        (lightgbm, "LGBMClassifier", {"verbose": -1}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_estimator_comes_back_with_its_class_and_parameters(library: Library, name: str, options: Any) -> None:
    model = getattr(library, name)(**options, **QUIET).fit(X, Y)
    back = again(model, model.__module__.partition(".")[0])
    assert type(back) is type(model)
    assert np.array_equal(back.predict(X), model.predict(X))
    if hasattr(model, "predict_proba"):
        assert np.array_equal(back.predict_proba(X), model.predict_proba(X))
        assert np.array_equal(back.classes_, model.classes_)
    assert back.n_features_in_ == 4
    asked = {name: value for name, value in model.get_params().items() if value is not None}
    assert str({name: back.get_params()[name] for name in asked}) == str(asked)


def test_a_classifier_of_lightgbm_keeps_its_labels_and_can_be_trained_on() -> None:
    model = lightgbm.LGBMClassifier(verbose=-1, **QUIET).fit(X, NAMES)
    back = again(model, "lightgbm")
    assert np.array_equal(back.predict(X), model.predict(X))
    assert back.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert back.score(X, NAMES) == model.score(X, NAMES)
    assert again(back, "lightgbm").booster_.num_trees() == 9
    assert back.fit(X, NAMES).score(X, NAMES) == model.score(X, NAMES)


def test_a_booster_of_lightgbm_comes_back() -> None:
    model = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, Y), 3)
    assert np.array_equal(again(model, "lightgbm").predict(X), model.predict(X))


def test_a_model_that_stopped_early_predicts_by_its_best_iteration() -> None:
    data = lightgbm.Dataset(X[::2], Y[::2])
    model = lightgbm.train(
        {"verbose": -1, "num_threads": 1, "learning_rate": 1.0},
        data,
        50,
        valid_sets=[lightgbm.Dataset(X[1::2], Y[1::2], reference=data)],
        callbacks=[lightgbm.early_stopping(1, verbose=False)],
    )
    assert model.best_iteration < 49
    assert np.array_equal(again(model, "lightgbm").predict(X), model.predict(X))
    other = xgboost.XGBRegressor(n_estimators=50, early_stopping_rounds=1, learning_rate=1.0, n_jobs=1)
    other.fit(X[::2], Y[::2], eval_set=[(X[1::2], Y[1::2])], verbose=False)
    back = again(other, "xgboost")
    assert np.array_equal(back.predict(X), other.predict(X))
    assert back.best_iteration == other.best_iteration


def test_what_is_not_trained_is_refused_in_words() -> None:
    refused(xgboost.XGBClassifier(), "cannot be saved as xgboost", "fit")
    refused(lightgbm.LGBMClassifier(), "cannot be saved as lightgbm", "fit")


def test_a_parameter_that_is_code_is_refused_with_its_name() -> None:
    def loss(y: Any, p: Any) -> Any:
        return p - y, np.ones_like(y)

    refused(xgboost.XGBRegressor(objective=loss, **QUIET).fit(X, Y), "its parameter objective is <function")
    refused(
        xgboost.XGBRegressor(monotone_constraints=(1, 0, 0, 0), **QUIET).fit(X, Y), "monotone_constraints", "change"
    )


def test_a_class_of_ones_own_is_refused() -> None:
    class Mine(xgboost.XGBRegressor):  # type: ignore[name-defined]  # of a library that is imported at its first use
        pass

    refused(Mine(**QUIET).fit(X, Y), "Mine is no class of xgboost itself")


@pytest.mark.parametrize("name", ["DMatrix", "train", "os", "", "XGBModel.load_model"])
def test_files_that_name_what_is_no_estimator_are_refused(name: str, tmp_path: Path) -> None:
    write(xgboost.XGBRegressor(**QUIET).fit(X, Y), tmp_path)
    (tmp_path / "estimator.json").write_text(json.dumps({"class": name, "params": {}}))
    with pytest.raises(InvalidInput, match="which is no estimator of xgboost"):
        read(tmp_path, "xgboost")


def test_the_same_training_gives_the_same_bytes() -> None:
    for kind in (xgboost.XGBClassifier, lightgbm.LGBMClassifier):
        quiet = {**QUIET, **({"verbose": -1} if kind is lightgbm.LGBMClassifier else {})}
        assert digests(kind(**quiet).fit(X, Y)) == digests(kind(**quiet).fit(X, Y))


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_damage_is_told_in_words(library: str, tmp_path: Path) -> None:
    model = xgboost.XGBClassifier(**QUIET) if library == "xgboost" else lightgbm.LGBMClassifier(verbose=-1, **QUIET)
    damaged(model.fit(X, Y), tmp_path / "files", inside=False)  # XGBoost 3.2 was seen to crash at a changed byte

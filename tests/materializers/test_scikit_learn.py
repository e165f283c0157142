"""scikit-learn, by skops."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import Refused
from gitreg.materializers import read, write
from tests.materializers.helpers import Library, again, damaged, digests, python, refused

np: Any = pytest.importorskip("numpy")
linear, pipeline, preprocessing = (
    Library("sklearn.linear_model"),
    Library("sklearn.pipeline"),
    Library("sklearn.preprocessing"),
)
svm, trees, vectors = Library("sklearn.svm"), Library("sklearn.ensemble"), Library("sklearn.feature_extraction.text")
Library("skops")

X = np.random.default_rng(1).normal(np.repeat([[0.0], [3.0], [6.0]], 50, axis=0), 1.0, (150, 4))
Y = np.repeat([0, 1, 2], 50)


def scaled(estimator: Any) -> Any:
    """Return an estimator behind a scaler, trained."""
    return pipeline.make_pipeline(preprocessing.StandardScaler(), estimator).fit(X, Y)


@pytest.mark.parametrize(
    "train",
    [lambda: svm.SVC(gamma=0.01).fit(X, Y), lambda: scaled(linear.LogisticRegression())],
    ids=["estimator", "pipeline"],
)
def test_a_trained_model_comes_back_and_predicts_the_same(train: Callable[[], Any]) -> None:
    model = train()
    back = again(model, "sklearn")
    assert type(back) is type(model)
    assert np.array_equal(back.predict(X), model.predict(X))
    assert str(back.get_params()) == str(model.get_params())


def test_a_model_with_sparse_matrices_and_a_vocabulary_comes_back() -> None:
    texts = ["a good model", "a bad model", "good"]
    model = vectors.TfidfVectorizer().fit(texts)
    assert (again(model, "sklearn").transform(texts) != model.transform(texts)).nnz == 0


def test_an_untrained_model_comes_back() -> None:
    assert again(svm.SVC(C=3), "sklearn").get_params() == svm.SVC(C=3).get_params()


@pytest.mark.parametrize("name", ["RandomForestClassifier", "GradientBoostingClassifier"])
def test_trees_come_back(name: str) -> None:
    model = getattr(trees, name)(n_estimators=3, random_state=1).fit(X, Y)
    assert np.array_equal(again(model, "sklearn").predict_proba(X), model.predict_proba(X))


_ORDINARY: dict[str, Callable[[], Any]] = {
    "neighbours": lambda: Library("sklearn.neighbors").KNeighborsClassifier(),
    "neighbours in balls": lambda: Library("sklearn.neighbors").KNeighborsRegressor(
        metric="manhattan", algorithm="ball_tree"
    ),
    "grid search": lambda: Library("sklearn.model_selection").GridSearchCV(svm.SVC(), {"C": [1, 2]}, cv=2),
    "random search": lambda: Library("sklearn.model_selection").RandomizedSearchCV(
        svm.SVC(), {"C": [1, 2]}, n_iter=2, cv=Library("sklearn.model_selection").KFold(2)
    ),
    "voting": lambda: trees.VotingClassifier([("a", linear.LogisticRegression()), ("b", svm.SVC())]),
    "stacking": lambda: trees.StackingClassifier([("a", svm.SVC())], cv=2),
    "calibrated": lambda: Library("sklearn.calibration").CalibratedClassifierCV(svm.SVC(), cv=2),
    "calibrated by steps": lambda: Library("sklearn.calibration").CalibratedClassifierCV(
        svm.SVC(), cv=2, method="isotonic"
    ),
    "gaussian classifier": lambda: Library("sklearn.gaussian_process").GaussianProcessClassifier(),
    "gaussian regressor": lambda: Library("sklearn.gaussian_process").GaussianProcessRegressor(
        Library("sklearn.gaussian_process.kernels").RBF() + Library("sklearn.gaussian_process.kernels").WhiteKernel()
    ),
    "network": lambda: Library("sklearn.neural_network").MLPClassifier((3,), max_iter=5, random_state=1),
    "network by descent": lambda: Library("sklearn.neural_network").MLPRegressor(
        hidden_layer_sizes=(3,), max_iter=5, solver="sgd", random_state=1
    ),
    "gradients": lambda: trees.HistGradientBoostingClassifier(max_iter=2),
    "imputer": lambda: pipeline.make_pipeline(Library("sklearn.impute").SimpleImputer(), svm.SVC()),
    "xgboost": lambda: pipeline.make_pipeline(
        preprocessing.StandardScaler(), Library("xgboost").XGBClassifier(n_estimators=2)
    ),
    "lightgbm": lambda: pipeline.make_pipeline(
        preprocessing.StandardScaler(), Library("lightgbm").LGBMClassifier(n_estimators=2, verbose=-1)
    ),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", _ORDINARY)
def test_ordinary_estimators_are_loaded_without_trust(name: str) -> None:
    model = _ORDINARY[name]().fit(X, Y)
    assert np.array_equal(again(model, "sklearn").predict(X), model.predict(X))


def test_a_class_of_ones_own_is_refused_when_it_is_saved_and_when_it_is_loaded(tmp_path: Path) -> None:
    from tests.materializers.own_transformer import Mine

    name = r"tests\.materializers\.own_transformer\.Mine"
    error = refused(Mine().fit(X), "loaded only as code: tests.materializers.own_transformer.Mine")
    assert "unsafe_pickle=True" in (error.hint or "")
    Library("skops.io").dump(Mine().fit(X), tmp_path / "model.skops")
    with pytest.raises(Refused, match=f"types that are not trusted: {name}") as raised:
        read(tmp_path, "sklearn")
    assert "unsafe_pickle=True" in (raised.value.hint or "")
    assert isinstance(read(tmp_path, "sklearn", unsafe_pickle=True), Mine)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("__main__", "Own"),
        ("functools", "partial"),
        ("subprocess", "Popen"),
        ("sklearn.datasets", "load_files"),
        ("sklearn.utils", "os"),
        ("sklearn.pipeline", "make_pipeline"),
        ("sklearn.metrics._classification", "accuracy_score"),
        ("sklearn.base", "defaultdict"),
        ("sklearn.no_such_module", "Thing"),
        ("scipy.stats._distn_infrastructure", "rv_continuous_frozen"),
        ("scipy.stats._continuous_distns", "norm_gen"),
        ("xgboost.core", "DMatrix"),
        ("xgboost.dask", "DaskXGBClassifier"),
        ("lightgbm.basic", "Dataset"),
    ],
)
@pytest.mark.parametrize("loader", ["FunctionNode", "TypeNode", "ObjectNode", "ConstructorFromReduceNode"])
def test_a_hostile_file_is_refused(tmp_path: Path, module: str, name: str, loader: str) -> None:
    write(pipeline.make_pipeline(preprocessing.FunctionTransformer(np.log1p)), tmp_path)
    file = tmp_path / "model.skops"
    with zipfile.ZipFile(file) as source:
        text = source.read("schema.json").decode()
        rest = {each: source.read(each) for each in source.namelist() if each != "schema.json"}
    evil: dict[str, Any] = {"__class__": name, "__module__": module, "__loader__": loader}
    evil["content"] = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '["echo"]'}

    def turned(node: Any) -> Any:
        if isinstance(node, dict):
            return evil if node.get("__class__") == "log1p" else {key: turned(each) for key, each in node.items()}
        return [turned(each) for each in node] if isinstance(node, list) else node

    with zipfile.ZipFile(file, "w") as target:
        for each, content in rest.items():
            target.writestr(each, content)
        target.writestr("schema.json", json.dumps(turned(json.loads(text))))
    with pytest.raises(Refused, match=re.escape(f"{module}.{name}")):
        read(tmp_path, "sklearn")


def test_a_model_that_holds_a_lambda_is_refused_with_words() -> None:
    refused(preprocessing.FunctionTransformer(lambda x: x), "cannot be saved as sklearn")


def _trained() -> Any:
    return scaled(trees.RandomForestClassifier(3, random_state=1))


def test_the_same_training_gives_the_same_bytes() -> None:
    assert digests(_trained()) == digests(_trained())


@pytest.mark.slow
def test_the_same_training_gives_the_same_bytes_in_another_process() -> None:
    code = "from tests.materializers import test_scikit_learn as here; print(here.digests(here._trained()))"
    assert python(code, PYTHONHASHSEED="7").strip() == str(digests(_trained()))


def test_damage_is_told_in_words(tmp_path: Path) -> None:
    damaged(svm.SVC().fit(X, Y), tmp_path / "files")

"""scikit-learn, by skops."""

from __future__ import annotations

import json
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


def test_a_type_that_skops_does_not_trust_is_named_and_loaded_only_by_who_trusts_it(tmp_path: Path) -> None:
    from tests.materializers.own_transformer import Mine

    assert write(Mine().fit(X), tmp_path) == "sklearn"
    with pytest.raises(
        Refused, match=r"types that skops does not trust: tests\.materializers\.own_transformer\.Mine"
    ) as raised:
        read(tmp_path, "sklearn")
    assert "unsafe_pickle=True" in (raised.value.hint or "")
    assert isinstance(read(tmp_path, "sklearn", unsafe_pickle=True), Mine)


def test_a_file_made_to_run_a_program_is_refused(tmp_path: Path) -> None:
    write(pipeline.make_pipeline(preprocessing.FunctionTransformer(np.log1p)), tmp_path)
    file = tmp_path / "model.skops"
    with zipfile.ZipFile(file) as source:
        schema = json.loads(source.read("schema.json").replace(b'"log1p"', b'"system"').replace(b'"numpy"', b'"os"'))
        rest = {name: source.read(name) for name in source.namelist() if name != "schema.json"}
    with zipfile.ZipFile(file, "w") as target:
        for name, content in rest.items():
            target.writestr(name, content)
        target.writestr("schema.json", json.dumps(schema))
    with pytest.raises(Refused, match=r"os\.system"):
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

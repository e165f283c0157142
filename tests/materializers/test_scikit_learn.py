"""scikit-learn, by skops."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from gitreg.errors import Refused
from gitreg.materializers import read, write
from tests.materializers.helpers import again, damaged, digests, python, refused

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize("model", [SVC(gamma=0.01), make_pipeline(StandardScaler(), LogisticRegression())])
def test_a_trained_model_comes_back_and_predicts_the_same(model: Any) -> None:
    model.fit(X, Y)
    back = again(model, "sklearn")
    assert type(back) is type(model)
    assert np.array_equal(back.predict(X), model.predict(X))
    assert str(back.get_params()) == str(model.get_params())


def test_a_model_with_sparse_matrices_and_a_vocabulary_comes_back() -> None:
    texts = ["a good model", "a bad model", "good"]
    model = TfidfVectorizer().fit(texts)
    assert (again(model, "sklearn").transform(texts) != model.transform(texts)).nnz == 0


def test_an_untrained_model_comes_back() -> None:
    assert again(SVC(C=3), "sklearn").get_params() == SVC(C=3).get_params()


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(3, random_state=1), GradientBoostingClassifier(n_estimators=3)]
)
def test_trees_come_back(model: Any) -> None:
    model.fit(X, Y)
    assert np.array_equal(again(model, "sklearn").predict_proba(X), model.predict_proba(X))


class Mine(TransformerMixin, BaseEstimator):
    def fit(self, x: object, y: object = None) -> Mine:
        self.fitted_ = True
        return self


def test_a_type_that_skops_does_not_trust_is_named_and_loaded_only_by_who_trusts_it(tmp_path: Path) -> None:
    assert write(Mine().fit(X), tmp_path) == "sklearn"
    with pytest.raises(
        Refused, match=r"types that skops does not trust: tests\.materializers\.test_scikit_learn\.Mine"
    ) as raised:
        read(tmp_path, "sklearn")
    assert "unsafe_pickle=True" in (raised.value.hint or "")
    assert isinstance(read(tmp_path, "sklearn", unsafe_pickle=True), Mine)


def test_a_file_made_to_run_a_program_is_refused(tmp_path: Path) -> None:
    write(make_pipeline(FunctionTransformer(np.log1p)), tmp_path)
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
    refused(FunctionTransformer(lambda x: x), "cannot be saved as sklearn")


def _trained() -> Any:
    return make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=1)).fit(X, Y)


def test_the_same_training_gives_the_same_bytes() -> None:
    assert digests(_trained()) == digests(_trained())


@pytest.mark.slow
def test_the_same_training_gives_the_same_bytes_in_another_process() -> None:
    code = "from tests.materializers import test_scikit_learn as here; print(here.digests(here._trained()))"
    assert python(code, PYTHONHASHSEED="7").strip() == str(digests(_trained()))


def test_damage_is_told_in_words(tmp_path: Path) -> None:
    damaged(SVC().fit(X, Y), tmp_path / "files")

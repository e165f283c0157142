"""Objects of Python as artifacts of versions: saved, found again in another process, and refused in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import gitreg
from gitreg import AlreadyExists, InvalidInput, NotFound, Refused, Registry
from gitreg.sdk.views.card import card
from tests.registry.support import git

pytestmark = pytest.mark.slow

ESTIMATOR = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=["r", "s"])


class Unknown:
    """A type that no materializer takes."""


def loaded_elsewhere(registry: Registry, reference: str) -> str:
    """Return what another process prints of the object."""
    code = f"""
from gitreg import Registry
with Registry.open({str(registry.folder)!r}) as registry:
    found = registry.load_object({reference!r})
    print(type(found).__qualname__, getattr(found, "tolist", lambda: found)())
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_an_estimator_and_its_data_are_one_version_and_come_back(registry: Registry) -> None:
    version = registry.save(
        "iris",
        ESTIMATOR,
        metadata={"accuracy": 0.95},
        stage="production",
        artifacts={"train": FRAME, "labels": ["setosa", "virginica"], "threshold": 0.5},
    )
    assert version.reference == "iris@1"
    assert {name: each.materializer for name, each in version.artifacts.items()} == {
        "model": "sklearn", "train": "pandas.dataframe", "labels": "json", "threshold": "json",
    }  # fmt: skip
    assert registry.load_object("iris@production").predict([[1.0]]).tolist() == [1]
    pd.testing.assert_frame_equal(registry.load_object("iris@1", artifact="train"), FRAME)
    assert registry.load_object("iris", artifact="labels") == ["setosa", "virginica"]
    assert registry.load_object("iris", artifact="threshold") == 0.5
    assert [path.name for path in registry.load("iris@1").iterdir()] == ["model.skops"]


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (np.arange(3), "ndarray [0, 1, 2]"),
        (pd.Series([1.5], name="s"), "Series [1.5]"),
        ({"a": 1, "b": [1, 2]}, "dict {'a': 1, 'b': [1, 2]}"),
        ([{"a": 1}], "list [{'a': 1}]"),
        (b"\x00\xff", r"bytes b'\x00\xff'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_object_comes_back_in_another_process(registry: Registry, value: Any, printed: str) -> None:
    registry.save("thing", value)
    assert loaded_elsewhere(registry, "thing") == printed


def test_a_state_dict_and_a_booster_come_back(registry: Registry) -> None:
    torch, xgboost = pytest.importorskip("torch"), pytest.importorskip("xgboost")
    booster = xgboost.train({}, xgboost.DMatrix(np.eye(2), label=[0, 1]), 1)
    layer = torch.nn.Linear(2, 1)
    registry.save("layer", layer.state_dict())
    registry.save("trees", booster)
    assert torch.equal(registry.load_object("layer")["weight"], layer.state_dict()["weight"])
    assert registry.load_object("trees").save_raw() == booster.save_raw()


def test_a_batch_saves_objects_and_files_in_one_commit(registry: Registry, weights: Path) -> None:
    head = git(registry.folder, "rev-parse", "HEAD")
    with registry.batch() as batch:
        batch.save("iris", ESTIMATOR)
        batch.save("table", FRAME, artifacts={"notes": weights, "zeros": np.zeros(2)})
        batch.save("plain", weights)
    assert [each.reference for each in batch.versions] == ["iris@1", "table@1", "plain@1"]
    assert git(registry.folder, "rev-parse", "HEAD~1") == head
    assert registry.load_object("table", artifact="zeros").tolist() == [0, 0]
    assert (registry.load("table", artifact="notes") / weights.name).read_bytes() == weights.read_bytes()


def test_the_same_object_under_the_same_name_is_no_second_version(registry: Registry, tmp_path: Path) -> None:
    first = registry.save("table@may", FRAME)
    head = git(registry.folder, "rev-parse", "HEAD")
    assert registry.save("table@may", FRAME.copy()).number == first.number
    assert git(registry.folder, "rev-parse", "HEAD") == head
    with pytest.raises(AlreadyExists, match="table@may already exists with other content"):
        registry.save("table@may", FRAME * 2)
    with pytest.raises(AlreadyExists, match="already exists with other content"):  # a file is no object
        registry.save("table@may", registry.load("table@may"))


@pytest.mark.parametrize(
    ("contents", "message", "hint"),
    [
        ((ESTIMATOR, "notes.txt"), "an object is saved on its own", "give further files as artifacts={'name': path}"),
        ((["a.bst", Path("b.bst"), "c.bst"],), "what to save is a list of paths", "write save(model, *paths)"),
        ((Unknown,), "what to save is the class Unknown", "did you forget the brackets, Unknown()?"),
        ((range(3),), "what to save is a range", "make it a list"),
        ((3,), "the number 3 is neither a file nor a model", "keep numbers as metadata"),
        ((None,), "what to save is None", "pass a path, or the object itself"),
        ((Unknown(),), "no materializer takes .*Unknown", "save a path, write a materializer for it"),
        (({"path": Path("a.bst")},), "of pathlib.*Path, which JSON cannot say", "save it as an artifact of its own"),
        ((), "there is nothing to save", "name a file or a folder"),
    ],
)
def test_a_mistake_is_answered_in_words_and_stores_nothing(
    registry: Registry, contents: tuple[Any, ...], message: str, hint: str
) -> None:
    store = registry.session.branch.repository.common_dir / "gitreg" / "store"
    before = sorted(store.rglob("*"))
    with pytest.raises(InvalidInput, match=message) as raised:
        registry.save("iris", *contents)
    assert raised.value.hint is not None
    assert hint in raised.value.hint
    assert [path for path in sorted(store.rglob("*")) if path.is_file()] == [path for path in before if path.is_file()]
    assert registry.list_models().total == 0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "the artifact 'extra' is None"),
        ([Path("a"), Path("b")], "the artifact 'extra' is a list of paths"),
        (Unknown(), "no materializer takes"),
    ],
)
def test_an_artifact_that_is_a_mistake_is_named(registry: Registry, value: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        registry.save("iris", ESTIMATOR, artifacts={"extra": value})
    with pytest.raises(InvalidInput, match="the artifact 'model' is given twice"):
        registry.save("iris", ESTIMATOR, artifacts={"model": FRAME})
    assert registry.list_models().total == 0


def test_a_version_of_files_is_no_object(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    with pytest.raises(InvalidInput, match="iris@1 was saved as files") as raised:
        registry.load_object("iris@1")
    assert raised.value.hint == "registry.load gives their folder"
    with pytest.raises(NotFound, match="iris@1 has no artifact 'train'"):
        registry.load_object("iris@1", artifact="train")


def test_a_pickle_is_written_and_read_only_by_those_who_ask_for_it(registry: Registry) -> None:
    registry.save("odd", Unknown(), unsafe_pickle=True)
    with pytest.raises(Refused) as raised:
        registry.load_object("odd")
    assert "unsafe_pickle=True" in str(raised.value.hint)
    assert isinstance(registry.load_object("odd", unsafe_pickle=True), Unknown)


def test_a_missing_library_is_named_first_and_a_pickle_never(registry: Registry) -> None:
    registry.save("table", FRAME)
    code = f"""
import sys
sys.modules["pyarrow"] = None
import pandas as pd
from gitreg import InvalidInput, Registry
with Registry.open({str(registry.folder)!r}) as registry:
    for call in (lambda: registry.save("other", pd.DataFrame({{"a": [1]}})), lambda: registry.load_object("table")):
        try:
            call()
        except InvalidInput as error:
            print(error.message, error.hint, sep="|")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "pandas.dataframe needs pyarrow, which is not installed|pip install pyarrow; or save a file that you wrote",
        "pandas.dataframe needs pyarrow, which is not installed|pip install pyarrow",
    ]


def test_an_object_of_a_version_is_an_artifact_of_the_model_too(registry: Registry) -> None:
    registry.save("iris", {"a": 1})
    assert gitreg.Model("iris", 1, registry=registry).load_artifact("model") == {"a": 1}


def test_paths_are_saved_without_any_materializer_being_imported(registry: Registry, weights: Path) -> None:
    code = f"""
import sys
from gitreg import Registry
with Registry.open({str(registry.folder)!r}) as registry:
    registry.save("iris", {str(weights)!r})
print([name for name in sys.modules if name.startswith(("gitreg.materializers", "numpy", "pandas", "sklearn"))])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_show_and_the_card_tell_how_an_object_is_loaded(registry: Registry, weights: Path) -> None:
    registry.save("iris", ESTIMATOR, artifacts={"train": FRAME, "notes": weights}, stage="staging")
    shown = subprocess.run(
        [sys.executable, "-m", "gitreg", "show", "iris"],
        cwd=registry.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'an object, as sklearn writes it: registry.load_object("iris@1")' in shown.stdout
    assert 'registry.load_object("iris@1", artifact="train")' in shown.stdout
    assert shown.stdout.count("load_object") == 2
    snippets = dict(card(registry, "iris").snippets)
    assert snippets["In Python"].endswith('    folder = registry.load("iris@staging")')
    assert '    model = registry.load_object("iris@staging")\n' in snippets["As the object that was saved"]

"""ZenML's page on model management: every code block runs, its imports changed to gitreg's and its elisions filled in.

``tests/seeds/zenml-model-management.md`` is the page of ZenML's documentation (Apache-2.0) as it was. What it elides
(``...``, parameters, a variable of an earlier block) is filled in here, with training on real data; nothing else of a
block is changed, and what the page claims of it is checked.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from gitreg import Client, Model, ModelStages, Refused, Registry, pipeline, save_artifact
from tests.sdk.conftest import new_registry, registry, user  # noqa: F401 - fixtures
from tests.system.world import Person, make_person

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[1] / "seeds" / "zenml-model-management.md"
BLOCKS = re.findall(r"^```(python|bash)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r"^from zenml(?:\.\w+)* import (.+)$", re.MULTILINE)
_TRAINING = """\
import pandas as pd
from typing import Annotated, Tuple
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from gitreg import ArtifactConfig, Client, Model, get_step_context, pipeline, save_artifact, step

@step
def data_loader() -> Tuple[Annotated[pd.DataFrame, "X_train"], Annotated[pd.Series, "y_train"]]:
    data = load_iris(as_frame=True)
    return data.data, data.target

@step
def train_and_evaluate(
    X_train: pd.DataFrame, y_train: pd.Series
) -> Annotated[ClassifierMixin, ArtifactConfig("trained_model", is_model_artifact=True)]:
    trained = LogisticRegression(max_iter=300).fit(X_train, y_train)
    get_step_context().model.log_metadata({"accuracy": trained.score(X_train, y_train)})
    return trained
"""


@pytest.fixture
def inside(registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry:  # noqa: F811
    monkeypatch.chdir(registry.folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    return registry


@pytest.fixture
def run_block(tmp_path: Path) -> Callable[..., ModuleType]:
    """Run a python block of the page, found by a text in it, and give its module."""

    def run(holding: str, *filled: tuple[str, str], before: str = _TRAINING, after: str = "") -> ModuleType:
        found = [code for language, code in BLOCKS if language == "python" and holding in code]
        assert len(found) == 1, f"{len(found)} blocks hold {holding!r}"
        code = _IMPORT.sub(r"from gitreg import \1", found[0])
        assert "zenml" not in code.lower().replace("zenml gmbh", "")
        for elided, filling in filled:
            assert elided in code
            code = code.replace(elided, filling)
        path = tmp_path / f"block_{len(list(tmp_path.glob('block_*.py')))}.py"
        path.write_text(f"{before}\n{code}\n{after}")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return run


Run = Callable[..., ModuleType]


def test_every_block_of_the_page_is_run_by_a_test_below() -> None:
    source = Path(__file__).read_text()
    held = [[holding in code for _, code in BLOCKS].index(True) for holding in _HOLDING]
    assert sorted(held) == list(range(len(BLOCKS)))
    for holding in _HOLDING:
        assert source.count(holding.replace("\n", "\\n")) >= 2, f"{holding!r} is listed, but not run"


_HOLDING = (
    "zenml model register",
    "Client().create_model(",
    'name="demo"',
    'version="1.0.5"',
    'version="even_better_version"\n)\n\n@step',
    "earlier_version =",
    "zenml model version update",
    "latest_model =",
    "def promote_to_staging",
    "def my_pipeline",
    "deployment_uri",
    "training_checkpoint",
    "existing_artifact =",
)


def _bash(holding: str) -> list[str]:
    (code,) = [code for language, code in BLOCKS if language == "bash" and holding in code]
    words = shlex.split(code)
    assert words[0] == "zenml"
    return words[1:]


@pytest.mark.slow
def test_a_model_is_registered_and_promoted_by_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = make_person(tmp_path)
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, ada.env[name])
    ada.gitreg("init", tmp_path / "registry")
    there: Person = ada.at(tmp_path / "registry")
    words = [word.replace("...", "Apache-2.0") for word in _bash("zenml model register")]
    there.gitreg(*words, "--tag", "sklearn")
    with Registry.open(there.here) as opened:
        card = opened.model("iris_logistic_regression").document
        assert (card.license, card.description, card.tags) == ("Apache-2.0", "Apache-2.0", ("sklearn",))
        opened.create_version("iris_logistic_regression", "1.2.3")
        words = [word.replace("...", "staging") for word in _bash("zenml model version update")]
        there.gitreg(*words[:4], "1.2.3", *words[4:])
        assert opened.version("iris_logistic_regression@staging").version == "1.2.3"


def test_a_model_is_registered_by_the_sdk(inside: Registry, run_block: Run) -> None:
    run_block("Client().create_model(", before="")
    card = inside.model("iris_logistic_regression").document
    assert card.description == "Logistic regression model trained on the Iris dataset."
    assert (card.license, card.tags) == ("Copyright (c) ZenML GmbH 2023", ("regression", "sklearn", "iris"))


@pytest.mark.slow
def test_running_a_pipeline_registers_its_model_and_makes_a_version_each_time(inside: Registry, run_block: Run) -> None:
    training = "X, y = data_loader()\n    train_and_evaluate(X, y)"
    block = run_block('name="demo"', ("    ...\n", f"    {training}\n"))
    block.train_and_promote_model()
    block.train_and_promote_model()
    card = inside.model("demo")
    assert (card.document.license, card.document.description) == ("Apache", "Show case Model Control Plane.")
    assert [version.number for version in inside.session.snapshot().versions("demo")] == [1, 2]
    second = Model("demo", 2)
    assert second.metadata["accuracy"] > 0.9
    assert second.load_artifact("trained_model").score(*_iris()) == second.metadata["accuracy"]
    assert not Model("demo").get_data_artifact("trained_model"), "it is a model, no data"


def test_a_pipeline_that_does_nothing_makes_a_version_all_the_same(inside: Registry, run_block: Run) -> None:
    run_block('name="demo"').train_and_promote_model()
    assert Model("demo").number == 1


@pytest.mark.slow
def test_a_version_is_named_and_the_step_takes_precedence(inside: Registry, run_block: Run) -> None:
    block = run_block(
        'version="1.0.5"',
        (
            "def svc_trainer(...) -> ...:\n    ...",
            (
                "def svc_trainer(X: pd.DataFrame, y: pd.Series) -> Annotated[ClassifierMixin, 'svc']:\n"
                "    return SVC().fit(X, y)"
            ),
        ),
        ("def training_pipeline( ... ):", "def training_pipeline():"),
        ("    # training happens here", "    svc_trainer(*data_loader())"),
    )
    block.training_pipeline()
    assert sorted(inside.version("my_model@1.0.5").artifacts) == ["X_train", "svc", "y_train"]
    other = block.pipeline(model=Model(name="other"))(block.training_pipeline.function)
    other()
    assert "svc" not in inside.version("other@1").artifacts
    assert inside.version("my_model@1.0.5").artifacts["svc"].artifact == "svc@1", "the step was known, and is linked"


@pytest.mark.slow
def test_versions_are_numbered_whatever_their_names(inside: Registry, run_block: Run) -> None:
    for _ in range(4):
        inside.create_version("my_model")
    inside.create_version("my_model", "really_good_version")
    block = run_block(
        'version="even_better_version"\n)\n\n@step',
        (
            "def svc_trainer(...) -> ...:\n    ...",
            (
                "def svc_trainer() -> Annotated[ClassifierMixin, 'svc']:\n"
                "    return SVC().fit(*load_iris(return_X_y=True))"
            ),
        ),
    )
    block.pipeline(block.svc_trainer)()
    numbers = run_block("earlier_version =", before="from gitreg import Model")
    assert (numbers.earlier_version, numbers.updated_version) == (5, 6)


@pytest.mark.slow
def test_versions_are_promoted_by_the_sdk(inside: Registry, run_block: Run) -> None:
    inside.create_version("iris_logistic_regression", "1.2.3")
    inside.create_version("iris_logistic_regression", "1.2.4")
    run_block("latest_model =", before="from gitreg import Model")
    held = inside.session.snapshot().stages("iris_logistic_regression")
    assert held == {"staging": "1.2.4", "production": "1.2.3"}
    inside.create_version("iris_logistic_regression", "1.2.5")
    latest = Model("iris_logistic_regression", ModelStages.LATEST)
    with pytest.raises(Refused, match=r"1\.2\.4"):
        latest.set_stage(ModelStages.STAGING)
    latest.set_stage(ModelStages.STAGING, force=True)
    assert Model("iris_logistic_regression", "1.2.4").stage == ModelStages.ARCHIVED


@pytest.mark.slow
def test_a_step_promotes_the_version_that_its_run_makes(inside: Registry, run_block: Run) -> None:
    block = run_block(
        "def promote_to_staging",
        ("@pipeline(\n    ...\n)", '@pipeline(\n    model=Model(name="iris")\n)'),
        ("    ...\n    promote", "    train_and_evaluate(*data_loader())\n    promote"),
    )
    block.train_and_promote_model()
    assert Model("iris", ModelStages.STAGING).number == 1
    block.train_and_promote_model()
    assert (Model("iris", "staging").number, Model("iris", 1).stage) == (2, "archived")
    log = next(inside.log("iris"))
    assert {event["event"] for event in log["events"]} >= {"saved", "promoted", "archived"}, "in one commit"


@pytest.mark.slow
def test_all_artifacts_of_a_run_are_linked_to_the_version_that_is_configured(inside: Registry, run_block: Run) -> None:
    block = run_block("def my_pipeline", ("    ...\n", "    train_and_evaluate(*data_loader())\n"))
    block.my_pipeline()
    assert sorted(inside.version("my_model@1.0.0").artifacts) == ["X_train", "trained_model", "y_train"]
    assert Model("my_model", "1.0.0").load_artifact("X_train").shape == (150, 4)


@pytest.mark.slow
def test_outputs_are_marked_as_models_and_deployments(inside: Registry, run_block: Run) -> None:
    block = run_block(
        "deployment_uri", ("]:\n    ...", "]:\n    return SVC(gamma=gamma).fit(X_train, y_train), 'https://x'")
    )
    assert block.svc_trainer(*_iris(as_frame=True))[1] == "https://x", "outside of a pipeline it is a function"

    @pipeline(model=Model("iris"))
    def train() -> None:
        block.svc_trainer(*block.data_loader(), gamma=0.01)

    train()
    model = Model("iris")
    trained, uri = model.get_model_artifact("trained_model"), model.get_deployment_artifact("deployment_uri")
    data = model.get_data_artifact("X_train")
    assert trained is not None
    assert uri is not None
    assert data is not None
    assert (trained.load().gamma, uri.load(), data.load().shape) == (0.01, "https://x", (150, 4))
    assert model.get_data_artifact("deployment_uri") is None
    assert model.get_artifact("nothing") is None


@pytest.mark.slow
def test_checkpoints_that_are_saved_half_way_are_linked_and_survive_a_failure(inside: Registry, run_block: Run) -> None:
    block = run_block(
        "training_checkpoint",
        (
            '    """Step running slow training."""\n    ...',
            '    """Step running slow training."""\n    model, epochs = Slow(), range(3)',
        ),
        ("checkpoint = model.train(epoch)", "checkpoint = model.train(epoch, trn_dataset)"),
        (
            "    ...\n\n    return model",
            "    if FAILS:\n        raise RuntimeError('out of memory')\n    return checkpoint",
        ),
        before=_TRAINING
        + """
FAILS = True

class Slow:
    def train(self, epoch, data):
        return LogisticRegression(max_iter=50 * (epoch + 1)).fit(data, load_iris().target)
""",
        after="""
@pipeline
def train():
    trainer(data_loader()[0])
""",
    )
    with pytest.warns(UserWarning, match="converge"), pytest.raises(RuntimeError, match="out of memory"):
        block.train()
    draft = inside.version("MyModel@draft")
    assert draft.artifacts["training_checkpoint"].type == "data"
    assert inside.session.snapshot().find_model("MyModel") is None, "nothing is published"
    vars(block)["FAILS"] = False
    with pytest.warns(UserWarning, match="converge"):
        block.train()
    version = inside.version("MyModel@1.2.42")
    assert [link for link in version.links if "checkpoint" in link] == [
        f"training_checkpoint@1.2.42_{epoch}" for epoch in range(3)
    ]
    model = Model("MyModel", "1.2.42")
    assert model.load_artifact("training_checkpoint", version="1.2.42_1").max_iter == 100
    assert model.load_artifact("training_checkpoint").max_iter == 150, "the newest link wins"
    assert model.load_artifact("trained_model").max_iter == 150
    assert not list(inside.session.branch.repository.refs("refs/drafts/"))


@pytest.mark.slow
def test_artifacts_are_linked_by_hand_in_a_step_and_outside_of_one(inside: Registry, run_block: Run) -> None:
    save_artifact({"rows": 3}, "existing_artifact")
    block = run_block("existing_artifact =", before="")
    assert Model("MyModel", "0.2.42").load_artifact("existing_artifact") == {"rows": 3}
    block.f_()
    assert Model("MyModel", "0.0.42").load_artifact("manual_artifact") == "Hello, World!"

    with pytest.raises(Refused, match=r"MyModel@0\.0\.42 was sealed with an artifact 'manual_artifact'"):
        pipeline(name="by_hand")(block.f_)()  # another version of it, for one that was sealed with the first
    assert inside.version("MyModel@0.0.42").links == ("manual_artifact@1",)
    existing = Client().get_artifact_version(name_id_or_prefix="existing_artifact")
    assert Client().get_artifact_version(existing.id[:8]).reference == "existing_artifact@1"


def _iris(*, as_frame: bool = False) -> tuple[object, object]:
    from sklearn.datasets import load_iris

    data = load_iris(as_frame=True)
    return data.data, data.target

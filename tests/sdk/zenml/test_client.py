"""ZenML's shape over a registry: the calls of its documentation, and what semantics say of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitreg import AlreadyExists, Client, InvalidInput, Model, ModelStages, NotFound, Refused, Registry


@pytest.fixture
def inside(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Stand in the registry's folder, where a client without arguments finds it."""
    monkeypatch.chdir(registry.folder)
    return registry


@pytest.mark.slow
def test_a_model_is_registered_listed_changed_and_deleted(inside: Registry) -> None:
    client = Client()
    made = client.create_model(
        name="iris_logistic_regression",
        license="Copyright (c) Ada 2026",
        description="Logistic regression model trained on the Iris dataset.",
        tags=["regression", "sklearn", "iris"],
    )
    assert (made.name, made.document.tags) == ("iris_logistic_regression", ("regression", "sklearn", "iris"))
    with pytest.raises(AlreadyExists):
        client.create_model("iris_logistic_regression")
    client.create_model("tulip", tags=["sklearn"])
    page = client.list_models(sort_by="desc:name", tag="sklearn", size=1)
    assert ([model.name for model in page.items], page.total, page.total_pages) == (["tulip"], 2, 2)
    assert client.list_models(logical_operator="or", name="tulip", tag="iris").total == 2
    with pytest.raises(InvalidInput, match="xor"):
        client.list_models(logical_operator="xor")
    changed = client.update_model("tulip", license="MIT", add_tags=["x"], remove_tags=["sklearn"])
    assert (changed.document.license, changed.document.tags) == ("MIT", ("x",))
    client.delete_model("tulip")
    with pytest.raises(NotFound):
        client.get_model("tulip")


@pytest.mark.slow
def test_versions_are_made_found_by_name_number_and_stage_and_moved(inside: Registry, weights: Path) -> None:
    client = Client(inside.folder)
    inside.save("iris", weights, metadata={"accuracy": 0.5})
    named = client.create_model_version("iris", "alpha", description="first named")
    assert (named.number, named.version) == (2, "alpha")
    with pytest.raises(NotFound):
        client.create_model_version("tulip")
    moved = client.update_model_version("iris", 2, stage=ModelStages.STAGING, add_tags=["x"])
    assert (moved.stage, moved.tags) == ("staging", ("x",))
    for selector in (2, "2", "alpha", ModelStages.STAGING, ModelStages.LATEST, None):
        assert client.get_model_version("iris", selector).number == 2
    wanted: dict[str, Any] = {"metadata.accuracy": "gte:0.5"}
    found = client.list_model_versions("iris", **wanted)
    assert [version.number for version in found.items] == [1]
    with pytest.raises(Refused):
        client.delete_model_version("iris", "alpha")
    client.delete_model_version("iris", 1)
    assert [version.number for version in client.list_model_versions("iris").items] == [2]


@pytest.mark.slow
def test_importing_gitreg_brings_in_what_is_used_and_nothing_else() -> None:
    code = "import gitreg, sys; print([m for m in sys.modules if m.startswith('gitreg')]); print(gitreg.Model)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == ["['gitreg']", "<class 'gitreg.sdk.zenml.model.Model'>"]


@pytest.mark.slow
def test_a_model_is_moved_by_name_number_and_latest(inside: Registry, weights: Path) -> None:
    inside.save("iris_logistic_regression@1.2.3", weights)
    inside.save("iris_logistic_regression", weights)
    model = Model(name="iris_logistic_regression", version="1.2.3")
    model.set_stage(stage=ModelStages.PRODUCTION)
    assert (model.number, model.stage, model.version) == (1, ModelStages.PRODUCTION, "1.2.3")
    latest = Model(name="iris_logistic_regression", version=ModelStages.LATEST)
    latest.set_stage(stage=ModelStages.STAGING)
    assert Model("iris_logistic_regression", 2).stage == Model("iris_logistic_regression", "2").stage == "staging"
    with pytest.raises(Refused, match="held by"):
        latest.set_stage(ModelStages.PRODUCTION)
    latest.set_stage(ModelStages.PRODUCTION, force=True)
    assert model.stage is ModelStages.ARCHIVED
    model.log_metadata({"accuracy": 0.9})
    assert model.metadata == {"accuracy": 0.9}
    assert {path.name for path in latest.load().iterdir()} == {"model.bin"}


def test_a_named_version_is_got_or_made_by_what_writes_and_a_number_or_stage_only_got(inside: Registry) -> None:
    with pytest.raises(NotFound):
        assert Model("iris", version="1.0.5").number
    Model("iris", version="1.0.5", description="Show case").set_stage(ModelStages.STAGING)
    assert Model("iris", version="1.0.5").number == 1
    assert inside.model("iris").document.description == "Show case"
    for selector in (7, "7", "production", None):
        model = Model("tulip" if selector is None else "iris", version=selector)
        with pytest.raises(NotFound):
            model.set_stage(ModelStages.STAGING)


def test_a_card_that_differs_from_the_registered_one_warns_and_changes_nothing(inside: Registry) -> None:
    inside.register_model("iris", license="MIT", tags=["a"])
    inside.create_version("iris")
    with pytest.warns(UserWarning, match="another license, tags"):
        assert Model("iris", license="GPL", tags=["b"], registry=inside).number == 1
    assert inside.model("iris").document.license == "MIT"

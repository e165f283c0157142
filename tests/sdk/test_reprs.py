"""Objects as a prompt or a notebook shows them: one line each, that names the thing and its state."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import gitreg
from gitreg import Model, Registry, save_artifact

pytestmark = pytest.mark.slow


@pytest.fixture
def shown(registry: Registry, weights: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One object of each class that a person meets, by the name of the class."""
    monkeypatch.chdir(registry.folder)
    with registry.batch() as batch:
        batch.save("iris", weights)
    many = weights.parent / "many"
    many.mkdir()
    for n in range(3):
        (many / f"{n}.bin").write_bytes(b"x" * 70_000)
    version = registry.save("iris", many, metadata={"notes": "x" * 9000}, stage="production")
    with gitreg.run(model=Model("iris"), registry=registry) as run:
        artifact = save_artifact({"a": 1}, "data")
        context, draft = gitreg.get_step_context(), run.draft
    objects = [
        registry, version, version.artifacts["model"], registry.model("iris"), Model("iris", "production"),
        registry.list_versions(size=1), registry.lineage("iris@2"), registry.why("iris@1", "production"), run, batch,
        batch.outcome, draft, artifact, artifact.document, context, gitreg.current, gitreg.Client(registry),
        registry.verify(), *registry.signed("iris@2"), run.sealed, version.record,
    ]  # fmt: skip
    return {type(each).__name__: each for each in objects}


def test_each_is_one_short_line_without_an_address_in_memory(shown: dict[str, Any]) -> None:
    for name, value in shown.items():
        text = repr(value)
        assert len(text) < (900 if name.endswith("Document") else 300), name
        assert "\n" not in text, name
        assert not re.search(r"object at 0x|^<", text), text


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("ModelVersion", r"ModelVersion\('iris@2', stage='production', 3 files, 210\.0 kB\)"),
        ("ArtifactRecord", r"ArtifactRecord\('model', 3 files, 210\.0 kB\)"),
        ("ModelCard", r"ModelCard\('iris', 3 versions, latest='3', production='2'\)"),
        ("Model", r"Model\('iris@production'\)"),
        ("Page", r"Page\(1 of 3 items, page 1 of 3\)"),
        ("Lineage", r"Lineage\('iris@2', \d nodes?, \d edges?\)"),
        ("Decision", r"Decision\('iris@1', 'production', (allowed|refused), \d of \d rules? met\)"),
        ("Run", r"Run\('.+/.+', 'completed'\)"),
        ("Batch", r"Batch\(1 version, '[0-9a-f]{10}'\)"),
        ("Outcome", r"Outcome\('[0-9a-f]{10}', 'Save iris@1'\)"),
        ("Draft", r"Draft\('.+/.+', 'running', 1 version, 1 artifact\)"),
        ("ArtifactVersion", r"ArtifactVersion\('data@1', 'data', 1 file, \d+ B\)"),
        ("ArtifactDocument", r"ArtifactDocument\('data@1', 'data', 1 file, \d+ B\)"),
        ("Registry", r"Registry\('.+', branch='main', store='.+'\)"),
        ("RunDocument", r"RunDocument\(pipeline='.+', run='.+', status='completed', .{1,600}"),
        ("VersionDocument", r"VersionDocument\(model='iris', version='2', number=2, .{1,500}"),
        ("VersionSignature", r"VersionSignature\('iris@2', 'unsigned.*'\)"),
    ],
)
def test_it_names_the_thing_and_its_state(shown: dict[str, Any], name: str, pattern: str) -> None:
    assert re.fullmatch(pattern, repr(shown[name])), repr(shown[name])


def test_a_registry_at_a_url_shows_it_without_the_login(one: Registry, hub: Path, weights: Path) -> None:
    one.save("iris", weights)
    with Registry.open(f"file://{hub}") as registry:
        assert repr(registry).startswith(f"Registry('file://{hub}', branch='main'")


def test_a_yanked_version_says_so(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    assert repr(registry.yank("iris@1")) == "ModelVersion('iris@1', yanked, 1 file, 7 B)"

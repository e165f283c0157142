"""The examples in the docstrings of the public names: each runs in a registry of its own, which looks as they say."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from inspect import getattr_static
from pathlib import Path
from types import FunctionType
from typing import Annotated, Any

import pytest

import gitreg
from tests.test_public_names import PUBLIC, own_functions

USED = {"Annotated": Annotated, "Path": Path, "gitreg": gitreg, "os": os}
"""Names that examples use without importing them."""

VERBS = ("Registry", "Client", "Model", "ArtifactVersion", "Batch", "Page")
"""The classes whose every public method has an example."""

WITHOUT = {
    "Batch.add",
    "Model.filled",
    "Model.warn_of_differences",
    "Registry.approve_settings",
    "Registry.release_claims",
}
"""Verbs that runs and the command line call, and what only a store with the claims of lost registries has."""


def documented() -> Iterator[tuple[str, Any]]:
    """Yield each public function, class and method that has a docstring, with its name in the reference."""
    for name, value in PUBLIC.items():
        if isinstance(value, FunctionType | type):
            yield name, value
        if isinstance(value, type):
            for function in own_functions(value):
                title = function.__name__
                if function.__qualname__ == f"{name}.{title}" and not title.startswith("_"):
                    yield f"{name}.{title}", getattr_static(value, title)


DOCUMENTED = {name: getattr(value, "__func__", value) for name, value in documented()}
WITH_EXAMPLES = [name for name, value in DOCUMENTED.items() if ">>> " in (value.__doc__ or "")]


def prepare(folder: Path) -> None:
    """Make the registry of the examples: see the docstring of `Registry`."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    (folder / "vocabulary.txt").write_bytes(b"first second")
    with chdir(folder), gitreg.Registry.init(".")[0] as registry:
        key = " ".join(Path("key.pub").read_text().split()[:2])
        with Path("gitreg.yaml").open("a") as file:
            file.write(f"people:\n  ada@example.com: [{key}]\n")
        subprocess.run(["git", "commit", "--quiet", "--all", "--message", "People"], check=True)
        for accuracy in (0.90, 0.93, 0.95):
            Path("model.bst").write_text(f"weights of {accuracy}")
            registry.save("iris", "model.bst", metadata={"accuracy": accuracy})
        registry.promote("iris@1", "production")
        registry.promote("iris@2", "production", force=True)
        registry.set_alias("iris@2", "champion")
        gitreg.save_artifact({"classes": ["setosa", "virginica"]}, "labels", registry=registry)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder with the registry of the examples."""
    folder = tmp_path_factory.mktemp("prepared") / "shop"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        act_as("bob", patch)  # who makes a version does not approve it
        prepare(folder)
        act_as("ada", patch)
        yield folder


def act_as(name: str, patch: pytest.MonkeyPatch) -> None:
    """Set the author and committer of what follows."""
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", name.capitalize())
        patch.setenv(f"GIT_{role}_EMAIL", f"{name}@example.com")


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_an_example_does_what_it_says(
    name: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(prepared, folder, symlinks=True)
    monkeypatch.chdir(folder)
    with gitreg.Registry.open(".") as registry:
        names = {"registry": registry, **PUBLIC, **USED}
        test = doctest.DocTestParser().get_doctest(DOCUMENTED[name].__doc__, names, name, None, None)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        report: list[str] = []
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


FUNCTIONS = {name for name, value in PUBLIC.items() if isinstance(value, FunctionType)}
PUBLIC_VERBS = {
    name
    for name, value in DOCUMENTED.items()
    if isinstance(value, FunctionType) and name.partition(".")[0] in {*VERBS, *FUNCTIONS}
}
RAISE_NOTHING = {
    "Batch.add", "Client.list_artifact_versions", "Model.card", "Model.filled", "Model.warn_of_differences",
    "Registry.close", "Registry.doctor", "Registry.repair",
}  # fmt: skip
"""Verbs that have no errors of their own: `doctor` and `repair` report, and the others only look."""


def test_every_verb_has_an_example() -> None:
    assert PUBLIC_VERBS - {*WITH_EXAMPLES} == WITHOUT


def test_every_verb_says_what_it_raises() -> None:
    assert {name for name in PUBLIC_VERBS if "Raises\n" not in DOCUMENTED[name].__doc__} == RAISE_NOTHING


def test_every_verb_that_returns_something_tells_what_it_is() -> None:
    returning = {
        name
        for name in WITH_EXAMPLES
        if isinstance(DOCUMENTED[name], FunctionType) and DOCUMENTED[name].__annotations__.get("return") != "None"
    }
    described = {
        name for name in returning if re.search(r"^ *(Returns|Yields)$", DOCUMENTED[name].__doc__, re.MULTILINE)
    }
    assert returning - described == set()

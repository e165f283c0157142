"""A batch in Python: files as they come, one commit and one push at the end, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gitreg.errors import InvalidInput, NotFound
from gitreg.registry.state.snapshot import ModelVersion
from gitreg.sdk.registry import Registry
from tests.registry.conftest import hub, one
from tests.registry.support import git, refs

pytestmark = pytest.mark.slow

__all__ = ["hub", "one"]


@pytest.fixture
def two(one: Registry, tmp_path: Path) -> Iterator[Registry]:
    """Another clone of the same registry."""
    from gitreg.sdk.verbs.remotes import clone

    with Registry(clone(str(tmp_path / "hub.git"), tmp_path / "two")) as registry:
        yield registry


@pytest.mark.slow
def test_many_versions_are_one_commit(registry: Registry, weights: Path) -> None:
    before = registry.session.snapshot().commit
    with registry.batch("nightly") as batch:
        for number in range(3):
            weights.write_text(f"weights {number}")
            batch.save("iris", weights, metadata={"number": number})
            assert registry.session.snapshot().commit == before
        assert batch.versions == []
    assert [(version.number, version.metadata) for version in batch.versions] == [
        (number + 1, {"number": number}) for number in range(3)
    ]
    assert git(registry.folder, "rev-list", "--count", f"{before}..main") == "1"
    for number in range(3):
        assert registry.read_file(f"iris@{number + 1}", "model.bin") == f"weights {number}".encode()
    assert registry.doctor() == []


@pytest.mark.slow
def test_nothing_is_committed_where_the_block_raises_or_saves_nothing(registry: Registry, weights: Path) -> None:
    before = refs(registry.folder)
    with suppress(ZeroDivisionError), registry.batch() as batch:
        batch.save("iris", weights)
        raise ZeroDivisionError
    with registry.batch() as batch:
        pass
    assert (batch.outcome, batch.versions) == (None, [])
    assert refs(registry.folder) == before
    with pytest.raises(InvalidInput, match="nothing to save"), registry.batch() as batch:
        batch.save("iris")
    with pytest.raises(NotFound), registry.batch() as batch:
        batch.save("iris", weights, inputs=["gone@1"])
    assert refs(registry.folder) == before


@pytest.mark.slow
def test_a_batch_that_loses_a_race_takes_the_numbers_after_the_winners(
    one: Registry, two: Registry, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with one.batch() as batch:
        batch.save("iris", weights, metadata={"by": "one"})
        batch.save("iris", weights, metadata={"by": "one"})
        two.save("iris", weights, metadata={"by": "two"})
        raced: list[ModelVersion] = []
        build = one.session.branch.repository.build_commit

        def overtaken(*arguments: object, **said: object) -> str:
            if not raced:
                raced.append(two.save("iris", weights, metadata={"by": "two"}))
            return build(*arguments, **said)  # type: ignore[arg-type]

        monkeypatch.setattr(one.session.branch.repository, "build_commit", overtaken)
    assert raced[0].number == 2
    assert [version.number for version in batch.versions] == [3, 4]
    assert [version.metadata["by"] for version in one.session.snapshot().versions("iris")] == [
        "two",
        "two",
        "one",
        "one",
    ]


@pytest.mark.slow
def test_a_batch_is_one_push(one: Registry, hub: Path, weights: Path) -> None:
    counts = hub / "hooks" / "post-receive"
    counts.parent.mkdir(exist_ok=True)
    counts.write_text("#!/bin/sh\ncat >> pushes\necho end >> pushes\n")
    counts.chmod(0o755)
    with one.batch() as batch:
        for model in ("iris", "tulip", "iris"):
            batch.save(model, weights, stage="staging" if model == "tulip" else None)
    said = (hub / "pushes").read_text().splitlines()
    assert said.count("end") == 1
    assert sorted(line.split()[2] for line in said if line != "end") == [
        "refs/heads/main", "refs/stages/tulip@staging", "refs/tags/models/iris@1", "refs/tags/models/iris@2",
        "refs/tags/models/tulip@1",
    ]  # fmt: skip

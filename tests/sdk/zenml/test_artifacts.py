"""Artifacts on their own, saved from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg import InvalidInput, Registry, save_artifact
from tests.registry.support import git


def test_who_may_not_commit_stores_nothing(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.csv").write_text("a,b")
    store = registry.session.branch.repository.common_dir / "gitreg" / "store"
    before, commit = sorted(store.rglob("*")), git(registry.folder, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "")
    with Registry.open(registry.folder) as nobodys, pytest.raises(InvalidInput, match="does not know who you are"):
        save_artifact(tmp_path / "data.csv", "data", registry=nobodys)
    assert sorted(store.rglob("*")) == before
    assert git(registry.folder, "rev-parse", "HEAD") == commit

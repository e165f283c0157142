"""A ref names what is on the disk: its new value is synced before it takes the old one's place."""

from __future__ import annotations

import pytest

from gitreg.git import RefUpdate, Repository
from tests.disk import Disk
from tests.git.conftest import commit


def test_a_ref_that_is_moved_alone_is_on_the_disk_before_it_has_its_name(plain: Repository, disk: Disk) -> None:
    """By gitreg itself, where there is a git program and where there is none."""
    one, two = commit(plain, {"a": b"1"}), commit(plain, {"a": b"2"})
    plain.update_refs([RefUpdate("refs/drafts/train@one", one, None)], reason="t")
    plain.update_refs([RefUpdate("refs/drafts/train@one", two, one)], reason="t")
    refs = plain.common_dir / "refs" / "drafts"
    assert disk.named(refs)[-1] == refs / "train@one"
    disk.assert_bytes_before_names(refs)


@pytest.mark.parametrize("either_env", ["no git"], indirect=True)
def test_refs_that_are_moved_together_without_git_are_on_the_disk_before_they_have_their_names(
    plain: Repository, disk: Disk
) -> None:
    one = commit(plain, {"a": b"1"})
    names = ["refs/tags/a", "refs/stages/b"]
    plain.update_refs([RefUpdate(name, one, None) for name in names], reason="t")
    assert {plain.common_dir / name for name in names} <= set(disk.named(plain.common_dir / "refs"))
    disk.assert_bytes_before_names(plain.common_dir / "refs")

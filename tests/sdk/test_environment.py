"""What a user's environment says, and which folders that names."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gitreg.sdk.environment import Environment
from gitreg.sdk.registry import Registry
from tests.blobs.helpers import contents


def refuse_hardlinks(*_: object, **__: object) -> None:
    """As between two file systems."""
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def test_links_lead_to_a_cache_that_is_named_from_the_current_folder(
    registry: Registry, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.save("iris", weights)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITREG_CACHE", "near")
    monkeypatch.setattr(os, "link", refuse_hardlinks)
    with Registry.open(registry.folder) as here:
        here.load("iris", tmp_path / "linked", link=True)
    assert (tmp_path / "linked" / "model.bin").is_symlink()
    assert contents(tmp_path / "linked") == {"model.bin": b"weights"}


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"GITREG_CACHE": "near"}, "/somewhere/near"),
        ({"GITREG_CACHE": "/far"}, "/far"),
        ({"XDG_CACHE_HOME": "near", "HOME": "/home/ada"}, "/home/ada/.cache/gitreg"),  # as its specification says
        ({"XDG_CACHE_HOME": "/far"}, "/far/gitreg"),
        ({"HOME": "near"}, "/somewhere/near/.cache/gitreg"),
    ],
)
def test_the_cache_is_the_same_whatever_becomes_the_current_folder(
    env: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert Environment(Path("/somewhere"), env).cache().layout.root == Path(folder)


def test_a_user_id_without_a_home_has_its_folders_where_container_runtimes_say(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(os, "getuid", lambda: max(each.pw_uid for each in pwd.getpwall()) - 1)
    if os.getuid() in {each.pw_uid for each in pwd.getpwall()}:
        pytest.skip("that user has a home here")
    assert Environment(Path("/somewhere"), {}).cache().layout.root == Path("/.cache/gitreg")

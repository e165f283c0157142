"""``gitreg store``, ``verify`` and ``trust`` as a person sees them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.blobs.helpers import flip_a_bit
from tests.system.world import Person, contents, need_strace, store_of


@pytest.fixture
def copied(writer: Person, tmp_path: Path) -> Person:
    """A registry with a replica that has the first version."""
    writer.gitreg("store", "add", tmp_path / "replica")
    writer.gitreg("store", "copy", "iris@1", "--to", tmp_path / "replica")
    return writer


@pytest.mark.slow
def test_status_has_a_row_for_each_version_and_a_column_for_each_store(copied: Person, tmp_path: Path) -> None:
    title, _, one, other = copied.gitreg("store", "status").out.splitlines()
    assert title.split() == ["version", str(store_of(copied.here)), str(tmp_path / "replica")]
    assert one.split() == ["iris@1", "whole", "whole"]
    assert other.split() == ["iris@1.1", "whole", "absent"]
    assert copied.gitreg("store", "status", "iris@1.1", "--json").data == [
        {"reference": "iris@1.1", "store": str(store_of(copied.here)), "state": "whole", "held": 2, "files": 2},
        {"reference": "iris@1.1", "store": str(tmp_path / "replica"), "state": "absent", "held": 0, "files": 2},
    ]
    assert copied.gitreg("store", "status", "-o", "csv").out.splitlines()[0] == "reference,store,state,held,files"


@pytest.mark.slow
def test_copy_says_what_it_copied_and_where_and_fails_with_6_for_what_it_could_not(
    copied: Person, tmp_path: Path
) -> None:
    assert "is not there" in copied.gitreg("store", "copy", "--to", "../disk", code=1).err
    assert copied.gitreg("store", "create", "../disk").out == f"Made the store {tmp_path / 'disk'}\n"
    assert copied.gitreg("store", "create", "../disk").out == f"{tmp_path / 'disk'} is a store already\n"
    assert (
        copied.gitreg("store", "copy", "--to", "../disk").out
        == f"Copied 4 files, 25 B, to {(tmp_path / 'disk').as_uri()}\n"
    )
    assert copied.gitreg("store", "copy", "--to", tmp_path / "disk", "--json").data == []
    shutil.rmtree(store_of(copied.here))
    shutil.rmtree(tmp_path / "replica")
    flip_a_bit(next((tmp_path / "disk" / "packs").glob("*/*")))
    ended = copied.gitreg("store", "copy", "--from", tmp_path / "disk", code=6)
    assert "model.bin" in ended.err or "vocab.json" in ended.err or "the pack" in ended.err
    assert "Copied 2 files" in ended.out
    copied.gitreg("store", "copy", code=2)
    copied.gitreg("store", "copy", "--from", tmp_path / "nowhere", code=3)


@pytest.mark.slow
def test_a_store_is_added_and_removed_as_a_commit(copied: Person, tmp_path: Path) -> None:
    assert "Add the store" in copied.git("log", "-1", "--format=%s")
    assert copied.gitreg("store", "add", tmp_path / "replica", "--json").data["changed"] is False
    assert copied.gitreg("store", "remove", "../replica", "--json").data["changed"] is True
    copied.gitreg("store", "remove", "../replica", code=3)
    copied.gitreg("store", "add", store_of(copied.here), code=4)


@pytest.mark.slow
def test_verify_is_quick_or_reads_all_or_some_and_ends_with_6(copied: Person, tmp_path: Path) -> None:
    assert "6 files" in copied.gitreg("verify").out
    assert "(6 read whole); 0 not" in copied.gitreg("verify", "--deep").out
    assert "read whole" in copied.gitreg("verify", "--sample", "5%").out
    for wrong in ("5", "0%", "101%", "x%"):
        copied.gitreg("verify", "--sample", wrong, code=2)
    copied.gitreg("verify", "--deep", "--sample", "5%", code=2)
    pack = next((tmp_path / "replica" / "packs").glob("*/*"))
    flip_a_bit(pack)
    copied.gitreg("verify")
    ended = copied.gitreg("verify", "--deep", code=6)
    assert (tmp_path / "replica").as_uri() in ended.err


@pytest.mark.slow
def test_trust_says_each_store_that_it_approves(copied: Person, tmp_path: Path) -> None:
    assert copied.gitreg("trust", "--stores").out == f"Trusted {tmp_path / 'replica'}\n"
    copied.gitreg("store", "remove", "../replica")
    assert copied.gitreg("trust", "--stores").out.startswith("Nothing to trust")


@pytest.mark.slow
def test_trust_alone_trusts_nothing_and_lists_what_is_trusted_and_what_is_named_but_not(
    copied: Person, tmp_path: Path
) -> None:
    stranger = copied.with_env(XDG_CONFIG_HOME=str(tmp_path / "stranger"))
    for _ in range(2):
        listed = stranger.gitreg("trust", "--json").data
        assert listed == [{"url": str(tmp_path / "replica"), "trusted_for": "store", "trusted": False}]
    assert "gitreg trust --stores" in stranger.gitreg("trust").err
    stranger.gitreg("trust", "--stores")
    assert stranger.gitreg("trust", "--json").data == [{**listed[0], "trusted": True}]
    stranger.gitreg("trust", "--stores", "--code", code=2)


@pytest.mark.slow
def test_nothing_of_a_store_that_is_not_approved_is_ever_opened(copied: Person, tmp_path: Path) -> None:
    strace = need_strace()
    stranger = copied.with_env(XDG_CONFIG_HOME=str(tmp_path / "stranger"), GITREG_CACHE=str(tmp_path / "cache2"))
    log = tmp_path / "strace"
    stranger.gitreg("store", "create", tmp_path / "disk")
    for command in (
        "load iris@1", "verify --deep", "store status", "doctor",
        f"store copy --to {tmp_path / 'disk'}", "diff iris@1 iris@1.1",
    ):  # fmt: skip
        ended = stranger.run(strace, "-f", "-e", "trace=file", "-o", log, "gitreg", *command.split())
        assert ended.code == 0, ended
        assert str(tmp_path / "replica") not in log.read_text(), command
    assert stranger.gitreg("load", "iris@1").err == "", "what the cache has is asked of no store"
    nothing_cached = stranger.with_env(GITREG_CACHE=str(tmp_path / "cache3"))
    warned = nothing_cached.gitreg("load", "iris@1").err
    assert "replica, which is not trusted on this machine" in warned
    before = contents(tmp_path / "replica")
    stranger.gitreg("trust", "--stores")
    assert "replica" not in stranger.gitreg("load", "iris@1").err
    assert contents(tmp_path / "replica") == before


@pytest.mark.slow
def test_status_says_why_a_store_is_unreachable(copied: Person, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "replica")
    (tmp_path / "replica").write_text("no folder")
    said = copied.gitreg("store", "status")
    assert "unreachable" in said.out
    assert "unreachable: cannot" in said.err
    assert str(tmp_path / "replica") in said.err


@pytest.mark.parametrize("command", [("save", "iris", ""), ("load", "iris", ""), ("init", "")])
def test_an_empty_path_does_not_mean_the_current_folder(writer: Person, command: tuple[str, ...]) -> None:
    before = contents(writer.here)
    assert "'' names no path" in writer.gitreg(*command, code=2).err
    assert contents(writer.here) == before

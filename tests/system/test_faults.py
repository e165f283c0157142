"""Full disks, limits, read-only stores, flipped bits: the right error, nothing lost, and running again succeeds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.system.world import (
    PROGRAMS,
    Person,
    assert_in_words,
    assert_sound,
    contents,
    in_namespace,
    need_strace,
    store_of,
    write,
)

pytestmark = pytest.mark.slow

LARGE = 3_000_000


@pytest.fixture
def saved(registry: Person, weights: Path) -> Person:
    registry.gitreg("save", "iris", weights)
    return registry


def damage(file: Path, how: str) -> None:
    file.chmod(0o644)
    if how == "flipped":
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    elif how == "truncated":
        file.write_bytes(file.read_bytes()[:-1])
    else:
        file.unlink()


def objects(person: Person, folder: str) -> list[Path]:
    """Give what lies in a folder of the registry's store."""
    return sorted(path for path in (store_of(person.here) / folder).rglob("*") if path.is_file())


@pytest.mark.parametrize("how", ["flipped", "truncated", "missing"])
@pytest.mark.parametrize(("size", "folder"), [(7_000, "packs"), (2 << 20, "sha256"), (33 << 20, "sha256"),
                                              (33 << 20, "recipes")])  # fmt: skip
def test_damage_in_the_store_is_found_never_loaded_and_mended_by_saving_again(
    registry: Person, tmp_path: Path, weights: Path, how: str, size: int, folder: str
) -> None:
    saved = registry
    write(weights, {"model.bin": os.urandom(size)})
    saved.gitreg("save", "iris", weights)
    damage(max(objects(saved, folder), key=lambda path: path.stat().st_size), how)
    named = "vocab.json" if folder == "packs" else "model.bin"  # a pack is named by its first file
    assert "model.bin" in saved.gitreg("verify", "--deep", code=6).out
    assert named in saved.gitreg("load", "iris", tmp_path / "out", code=6).err
    assert not (tmp_path / "out" / "model.bin").exists()
    assert named in saved.gitreg("load", "iris", code=6).err
    assert any("model.bin" in problem["where"] for problem in saved.doctor_says())
    saved.gitreg("save", "iris", weights)
    saved.gitreg("load", "iris@1", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(weights)
    saved.gitreg("verify", "--deep")
    assert_sound(saved)


@pytest.mark.parametrize("how", ["flipped", "truncated", "missing"])
def test_damage_in_the_cache_is_mended_from_the_store(saved: Person, weights: Path, how: str) -> None:
    cached = Path(saved.gitreg("load", "iris").out.strip())
    (cached / "config").chmod(0o755)
    damage(cached / "config" / "vocab.json", how)
    again = Path(saved.gitreg("load", "iris").out.strip())
    assert again == cached
    assert (again / "config" / "vocab.json").read_bytes() == (weights / "config" / "vocab.json").read_bytes()


def test_a_damaged_cache_and_a_damaged_store_give_nothing(saved: Person) -> None:
    cached = Path(saved.gitreg("load", "iris").out.strip())
    damage(objects(saved, "packs")[0], "flipped")
    damage(cached / "model.bin", "flipped")
    assert "model.bin" in saved.gitreg("load", "iris", code=6).err


def test_a_cache_that_is_thrown_away_is_made_again(saved: Person, weights: Path) -> None:
    cached = Path(saved.gitreg("load", "iris").out.strip())
    shutil.rmtree(saved.env["GITREG_CACHE"])
    assert Path(saved.gitreg("load", "iris").out.strip()) == cached
    assert (cached / "model.bin").read_bytes() == (weights / "model.bin").read_bytes()


def test_a_full_disk_under_the_store_is_an_error_in_words_and_the_save_succeeds_when_there_is_room(
    ada: Person, tmp_path: Path
) -> None:
    weights = write(tmp_path / "weights", {"small": "s", "large.bin": b"x" * LARGE})
    (tmp_path / "disk").mkdir()
    ada.gitreg("init", tmp_path / "registry", "--store", tmp_path / "disk" / "store")
    there = ada.at(tmp_path / "registry")
    head = there.git("rev-parse", "HEAD")
    ended = in_namespace(
        there,
        f"""
        mount -t tmpfs -o size=1m none {tmp_path}/disk
        gitreg store create {tmp_path}/disk/store >&2
        code=0; gitreg save iris {weights} || code=$?
        find {tmp_path}/disk -type f -name '*[0-9a-f][0-9a-f]' -size +1k
        mount -o remount,size=16m {tmp_path}/disk
        gitreg save iris {weights} >&2
        gitreg verify --deep >&2
        exit $code
        """,
    )
    assert ended.code == 1, ended
    lines = [line for line in ended.err.splitlines() if "error:" in line or "hint:" in line]
    assert len(lines) == 2, ended.err
    assert "No space left on device" in lines[0]
    assert ended.out == "", "nothing of the large file stands under a final name"
    assert "Traceback" not in ended.err
    assert there.git("rev-parse", "HEAD~1") == head, "one commit: that of the second try"


def test_a_full_disk_under_git_leaves_the_old_state_and_the_command_succeeds_when_there_is_room(
    ada: Person, tmp_path: Path
) -> None:
    """Filled to a few free kilobytes more at each turn, so that every write is the one that fails at some turn."""
    (tmp_path / "disk").mkdir()
    weights = write(tmp_path / "weights", {"model.bin": b"x" * 1000})
    ended = in_namespace(
        ada,
        f"""
        mount -t tmpfs -o size=2m none {tmp_path}/disk
        cd {tmp_path}/disk
        gitreg init . > /dev/null; gitreg save iris {weights} > /dev/null; gitreg list > /dev/null
        failed=0
        for free in 0 4 8 12 16 20 24 32 40 48 64; do
          rm -f fill; before=$(git rev-parse HEAD)
          room=$(df -k --output=avail . | tail -1)
          head -c $(( (room - free) * 1024 )) /dev/zero > fill || true
          code=0; gitreg save iris@try-$free {weights} > {tmp_path}/out 2> {tmp_path}/err || code=$?
          echo "code $code $(wc -l < {tmp_path}/err) $(grep -c Traceback {tmp_path}/err) $(head -1 {tmp_path}/err)"
          rm -f fill
          if [ $code != 0 ]; then
            failed=$((failed + 1))
            [ $before = $(git rev-parse HEAD) ] || [ -n "$(git tag -l models/iris@try-$free)" ] || echo TORN
            [ -z "$(find .git -name '*.lock' -not -path '*/gitreg/*')" ] || echo "LOCK $(find .git -name '*.lock')"
          fi
          gitreg save iris@try-$free {weights} > /dev/null || echo AGAIN FAILED
          git fsck --strict --no-dangling --no-progress || echo FSCK
          [ -z "$(git status --porcelain)" ] || echo "DIRTY $(git status --porcelain)"
        done
        gitreg doctor || true
        echo "failed $failed"
        """,
    )
    assert ended.code == 0, ended
    lines = ended.out.splitlines()
    for word in ("TORN", "LOCK", "AGAIN FAILED", "FSCK", "DIRTY"):
        assert not [line for line in lines if word in line], ended.out
    failures = [line.split(" ", 4) for line in lines if line.startswith("code ") and not line.startswith("code 0")]
    assert failures, "the disk was never full"
    for _, code, said, tracebacks, first in failures:
        assert (code, tracebacks) == ("1", "0"), first
        assert int(said) in (1, 2), first
        assert first.startswith("error: "), first
    assert "The registry is sound." in lines


def test_a_limit_on_file_sizes_is_an_error_in_words_and_without_it_the_save_succeeds(
    registry: Person, tmp_path: Path
) -> None:
    weights = write(tmp_path / "weights", {"large.bin": b"x" * LARGE})
    limited = registry.run("sh", "-c", f"ulimit -f 1000; exec gitreg save iris '{weights}'")
    assert limited.code == 1
    assert_in_words(limited)
    assert "File too large" in limited.err
    assert [path for path in store_of(registry.here).rglob("*") if path.is_file() and path.stat().st_size > 1000] == []
    registry.gitreg("save", "iris", weights)
    assert_sound(registry)


def test_a_read_only_store_and_repository_are_read_and_refuse_to_be_written_in_words(
    saved: Person, tmp_path: Path, weights: Path
) -> None:
    other = write(tmp_path / "other", {"model.bin": b"new"})
    ended = in_namespace(
        saved,
        f"""
        mount --bind {saved.here} {saved.here}
        mount -o remount,ro,bind {saved.here}
        cd {saved.here}
        gitreg show iris@1 > /dev/null && gitreg list > /dev/null && gitreg log > /dev/null
        gitreg load iris {tmp_path}/out > /dev/null
        gitreg verify --deep > /dev/null
        gitreg doctor > /dev/null
        for command in "save iris {other}" "promote iris@1 production" "gc --apply --grace 0"; do
          code=0; gitreg $command > /dev/null 2> {tmp_path}/err || code=$?
          echo "$code $(wc -l < {tmp_path}/err) $(grep -c Traceback {tmp_path}/err) $(head -1 {tmp_path}/err)"
        done
        """,
    )
    assert (ended.code, ended.err) == (0, "")
    assert contents(tmp_path / "out") == contents(weights)
    save, promote, _ = (line.split(" ", 3) for line in ended.out.splitlines())
    for code, said, tracebacks, first in (save, promote):
        assert (code, tracebacks) == ("1", "0"), first
        assert int(said) in (1, 2), first
        assert first.startswith("error: "), first
        assert "ead-only" in first, first
    saved.gitreg("save", "iris", other)


def test_the_locks_that_a_failing_disk_keeps_are_named_by_the_next_commands(saved: Person) -> None:
    """Whoever removes a lock there gets EIO, git and gitreg alike."""
    saved.gitreg("promote", "iris@1", "staging")
    saved.gitreg("archive", "iris@1")
    failing = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=unlink", "-e", "inject=unlink:error=EIO")
    need_strace()
    ended = saved.run(*failing, PROGRAMS / "gitreg", "promote", "iris@1", "staging")
    moved = saved.git("log", "-1", "--format=%s") == "Promote iris@1 to staging"
    assert moved == (ended.code == 0 or "it is done, do not repeat it" in ended.err), ended
    left = [path for path in (saved.here / ".git").rglob("*.lock") if "gitreg" not in path.parts]
    assert left
    while (ended := saved.run(PROGRAMS / "gitreg", "promote", "iris@1", "production", "--force")).code:
        assert_in_words(ended)
        (named,) = (path for path in left if str(path) in ended.err and path.exists())
        named.unlink()
    saved.gitreg("show", "iris@production")
    assert_sound(saved)


def test_an_index_that_is_garbage_or_gone_is_made_again(saved: Person) -> None:
    [index] = (saved.here / ".git" / "gitreg").glob("index-*.sqlite")
    expected = saved.gitreg("list", "iris", "--json").out
    for content in (b"garbage" * 1000, b""):
        index.write_bytes(content)
        ended = saved.run("gitreg", "list", "iris", "--json")
        assert ended.out == expected or (ended.code == 5 and "try again" in ended.err)
        assert saved.gitreg("list", "iris", "--json").out == expected
    index.unlink()
    assert saved.gitreg("list", "iris", "--json").out == expected

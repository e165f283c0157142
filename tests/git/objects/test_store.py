from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from gitreg.errors import IntegrityError, InvalidInput, NotFound, Refused
from gitreg.git import Repository
from gitreg.git.objects.store import ObjectStore
from gitreg.git.remote.negotiation import to_send
from tests.git.conftest import Env, commit, git, make


def object_path(repo: Repository, oid: str) -> Path:
    return repo.common_dir / "objects" / oid[:2] / oid[2:]


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [b"", b"no zlib", zlib.compress(b"blob 3\0abc"), zlib.compress(b"blob 2\0hi")[:-3]])
def test_a_damaged_object_is_never_handed_out(plain: Repository, damage: bytes) -> None:
    oid = commit(plain, {"a": b"hi"})
    overwrite(object_path(plain, dict(plain.walk(oid))["a"]), damage)
    with pytest.raises(IntegrityError) as caught:
        plain.read(oid, "a")
    assert caught.value.hint


def test_a_damaged_pack_is_never_handed_out(plain: Repository, env: Env) -> None:
    oid = commit(plain, {"a": b"hi" * 1000})
    git(plain.common_dir, env, "gc", "-q", "--prune=now")
    pack = next((plain.common_dir / "objects/pack").glob("*.pack"))
    content = bytearray(pack.read_bytes())
    content[12:-20] = bytes(len(content) - 32)
    overwrite(pack, bytes(content))
    with pytest.raises(IntegrityError):
        plain.commit(oid)


def test_the_wrong_kind_of_object_is_said_to_be_one(plain: Repository) -> None:
    oid = commit(plain, {"a": b"hi"})
    with pytest.raises(InvalidInput, match="is a commit, not a blob"):
        plain.read_blob(oid)
    with pytest.raises(NotFound):
        plain.commit("0" * 40)
    with pytest.raises(NotFound):
        plain.commit("main")


def test_what_a_partial_clone_left_out_is_said_in_words(
    tmp_path: Path, plain: Repository, env: Env, either_env: Env
) -> None:
    oid = commit(plain, {"a": b"hi"})
    git(plain.common_dir, env, "config", "uploadpack.allowFilter", "true")
    url = plain.common_dir.as_uri()
    git(tmp_path, env, "clone", "-q", "--no-checkout", "--filter=blob:none", "-b", "registry", url, "partial")
    with Repository.discover(tmp_path / "partial", env=either_env) as clone:
        assert [path for path, _ in clone.walk(oid)] == ["a"]
        with pytest.raises(NotFound, match="not in this repository") as caught:
            clone.read(oid, "a")
        assert "partial clone" in str(caught.value.hint)


def test_objects_of_alternates_are_found_in_either_format(tmp_path: Path, env: Env, object_format: str) -> None:
    with Repository.discover(make(tmp_path, env, "normal", object_format), env=env) as source:
        oid = commit(source, {"a": b"hi"})
        git(source.common_dir, env, "gc", "-q")
        git(tmp_path, env, "clone", "-q", "--shared", "-b", "registry", "normal", "shared")
        loose = commit(source, {"a": b"loose"})
    with Repository.discover(tmp_path / "shared", env=env) as clone:
        assert clone.read(oid, "a") == b"hi"
        assert clone.read(loose, "a") == b"loose"
        assert clone.resolve(oid[:10]) == oid


def test_a_pre_receive_hook_reads_what_is_in_quarantine(tmp_path: Path, plain: Repository, env: Env) -> None:
    bare = make(tmp_path, env, "bare")
    oid = commit(plain, {"a": b"pushed"})
    hook = bare / "hooks/pre-receive"
    hook.write_text(
        f"#!{sys.executable}\nimport os, pathlib\nfrom gitreg.git import Repository\n"
        "with Repository.discover(pathlib.Path.cwd(), env=os.environ) as repo:\n"
        f"    print(repo.work_tree, repo.read({oid!r}, 'a'), repo.resolve({oid!r}) == {oid!r})\n"
    )
    hook.chmod(0o755)
    push = ["git", "push", str(bare), "HEAD:refs/heads/x"]
    done = subprocess.run(push, cwd=plain.common_dir, env=env, capture_output=True, text=True, check=True)
    assert "remote: None b'pushed' True" in done.stderr


@pytest.mark.slow
def test_a_process_that_stays_reads_through_every_gc_and_sees_what_others_write(plain: Repository, env: Env) -> None:
    oids = [commit(plain, {"n": str(n).encode(), f"f/{n}": b"x"}) for n in range(30)]
    for turn in range(6):
        with subprocess.Popen(["git", "repack", "-adq"], cwd=plain.common_dir, env=env) as packing:
            while packing.poll() is None:
                for n, oid in enumerate(oids):
                    assert plain.read(oid, "n") == str(n).encode()
        git(plain.common_dir, env, "prune-packed", "-q")
        with Repository.discover(plain.common_dir, env=env) as another:
            oids.append(commit(another, {"n": str(30 + turn).encode()}))
        git(plain.common_dir, env, "gc", "-q", "--prune=now")
        assert plain.read(oids[-1], "n") == str(30 + turn).encode()
        assert plain.resolve(oids[-1][:12]) == oids[-1]


def test_equal_subtrees_are_not_opened_to_compare_them(plain: Repository) -> None:
    one = commit(plain, {"same/a": b"1", "other/b": b"1"})
    two = commit(plain, {"other/b": b"2"})
    object_path(plain, plain.listing(one, "")["same/"]).unlink()
    assert [change.path for change in plain.diff(one, two)] == ["other/b"]


@pytest.mark.slow
def test_folders_in_one_another_without_end_are_refused_in_words(plain: Repository, env: Env) -> None:
    deep = "d/" * 1500
    stream = (
        f"commit refs/heads/deep\ncommitter A <a@example.com> 1 +0000\ndata 1\nx\nM 644 inline {deep}f\ndata 1\nx\n"
    )
    git(plain.common_dir, env, "-c", "core.maxTreeDepth=9999", "fast-import", "--quiet", stdin=stream)
    oid = plain.read_ref("refs/heads/deep")
    assert oid is not None
    objects = ObjectStore([plain.common_dir / "objects"], "sha1", 40)
    for ask in (
        lambda: plain.walk(oid),
        lambda: plain.links(oid, ""),
        lambda: plain.folders_with([oid], "f"),
        lambda: plain.diff(None, oid),
        lambda: plain.new_links(None, oid),
        lambda: to_send(objects, [oid], [], frozenset()),
    ):
        with pytest.raises(Refused, match="folders in one another"):
            list(ask())
    objects.close()

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import InvalidInput, NotFound
from gitreg.git import Repository
from gitreg.git.objects.writer import check_path
from tests.git.conftest import ADA, Env, commit, git, make

PATHS = st.sampled_from(["a", "a.b", "a-b", "a/x", "a/y/z", "a0", "b/c", "b/d/e", "ü", "b.c/d", "b-c/d/e", "zz"])
CHANGES = st.dictionaries(PATHS, st.one_of(st.none(), st.binary(max_size=3)), max_size=8)


def build(repo: Repository, parent: str | None, changes: dict[str, bytes | None]) -> str:
    return repo.build_commit(parent, changes, message="m", author=ADA, committer=ADA)


def clashing(files: dict[str, bytes]) -> bool:
    return any(other.startswith(f"{path}/") for path in files for other in files)


def gits_tree(folder: Path, env: Env, files: dict[str, bytes]) -> str:
    """Build the tree with git alone: its own index, its own hashing."""
    own = env | {"GIT_INDEX_FILE": str(folder / ".git/another-index")}
    git(folder, own, "read-tree", "--empty")
    for path, content in files.items():
        done = subprocess.run(
            ["git", "hash-object", "-w", "--stdin"], cwd=folder, env=own, input=content, capture_output=True, check=True
        )
        git(folder, own, "update-index", "--add", "--cacheinfo", f"100644,{done.stdout.decode().strip()},{path}")
    return git(folder, own, "write-tree")


@pytest.mark.slow
@given(CHANGES, CHANGES)
def test_a_tree_built_by_changes_is_the_tree_that_git_builds(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, bytes | None], second: dict[str, bytes | None]
) -> None:
    where = tmp_path_factory.mktemp("repo")
    env = {"PATH": os.environ["PATH"], "HOME": str(where)}
    with Repository.discover(make(where, env, "normal"), env=env) as repo:
        files: dict[str, bytes] = {}
        parent: str | None = None
        for changes in (first, second):
            after = {p: c for p, c in (files | changes).items() if c is not None}
            if clashing(after):
                with pytest.raises(InvalidInput):
                    build(repo, parent, changes)
                return
            before, parent, files = parent, build(repo, parent, changes), after
            assert repo.commit(parent).tree == gits_tree(where / "normal", env, files)
            was: dict[str, object] = dict(repo.walk(before)) if before else {}
            now = dict(repo.walk(parent))
            assert list(now) == sorted(files, key=str.encode)
            expected = {p for p in was.keys() | now.keys() if was.get(p) != now.get(p)}
            assert [c.path for c in repo.diff(before, parent)] == sorted(expected, key=str.encode)


def test_a_file_becomes_a_folder_and_back_in_one_change(plain: Repository) -> None:
    one = build(plain, None, {"a": b"file", "b/c": b"deep"})
    two = build(plain, one, {"a": None, "a/x": b"1", "b/c": None, "b": b"flat"})
    assert {path: plain.read_blob(oid) for path, oid in plain.walk(two)} == {"a/x": b"1", "b": b"flat"}


@pytest.mark.parametrize("changes", [{"a/x": b"1"}, {"b": b"flat"}, {"n": b"1", "n/m": b"2"}])
def test_a_file_in_the_place_of_a_folder_is_refused(plain: Repository, changes: dict[str, bytes | None]) -> None:
    one = build(plain, None, {"a": b"file", "b/c": b"deep"})
    with pytest.raises(InvalidInput):
        build(plain, one, changes)


def test_modes_links_and_submodules_of_others_stay_as_they_were(plain: Repository, env: Env) -> None:
    top = plain.work_tree
    assert top is not None
    (top / "run.sh").write_text("#!\n")
    (top / "run.sh").chmod(0o755)
    (top / "link").symlink_to("run.sh")
    git(top, env, "add", ".")
    git(top, env, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},sub")
    git(top, env, "commit", "-qm", "odd")
    old = git(top, env, "rev-parse", "HEAD")
    new = build(plain, old, {"run.sh": b"#!2\n", "x": b"x"})
    modes = {line.split("\t")[1]: line[:6] for line in git(top, env, "ls-tree", new).split("\n")}
    assert modes == {"link": "120000", "run.sh": "100755", "sub": "160000", "x": "100644"}
    assert [path for path, _ in plain.walk(new)] == ["run.sh", "x"]
    assert plain.read(new, "link") is None
    assert list(plain.listing(new, "")) == ["run.sh", "x"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        "./a",
        ".git",
        ".git/config",
        "a/.GIT/x",
        ".git.",
        ".git ",
        "GIT~1/x",
        "a/.g\u200cit/x",
        "a\0b",
        ".git::$INDEX_ALLOCATION/x",
        ".git\\config",
    ],
)
def test_a_path_that_git_must_not_hold_is_refused(plain: Repository, path: str) -> None:
    with pytest.raises(InvalidInput):
        build(plain, None, {path: b"x"})


@pytest.mark.parametrize("path", [".gitignore", ".github/x", "git", "a.git/b", "...", "models/iris/.gitkeep"])
def test_a_path_that_only_looks_like_that_is_fine(path: str) -> None:
    check_path(path)


def test_unchanged_content_makes_a_commit_with_the_same_tree(plain: Repository) -> None:
    one = build(plain, None, {"a/b": b"1"})
    two = build(plain, one, {"a/b": b"1", "not/there": None})
    assert two != one
    assert plain.commit(two).tree == plain.commit(one).tree
    assert plain.commit(build(plain, one, {"a/b": None})).tree == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_building_on_what_is_not_there_is_said_in_words(plain: Repository) -> None:
    with pytest.raises(NotFound, match="no commit or tree"):
        build(plain, "0" * 40, {"a": b"1"})
    with pytest.raises(InvalidInput, match="not here"):
        plain.build_tag("v1", "0" * 40, message="m", tagger=ADA)


def test_objects_left_half_written_by_a_killed_process_are_in_nobodys_way(plain: Repository) -> None:
    oid = commit(plain, {"a": b"1"})
    blob = dict(plain.walk(oid))["a"]
    path = plain.common_dir / "objects" / blob[:2] / blob[2:]
    path.unlink()
    (path.parent / "tmp_obj_left").write_bytes(b"half")
    path.with_name(f"{path.name}.lock").write_bytes(b"")  # what dulwich would have left
    build(plain, None, {"b": b"1"})
    assert plain.read(oid, "a") == b"1"


def test_a_shared_repository_gives_new_folders_to_its_group(tmp_path: Path, env: Env) -> None:
    git(tmp_path, env, "init", "-q", "--bare", "--shared=group", "shared")
    with Repository.discover(tmp_path / "shared", env=env) as repo:
        oid = commit(repo, {"a": b"1"})
        assert (repo.common_dir / "objects" / oid[:2]).stat().st_mode & 0o2070 == 0o2070
        assert (repo.common_dir / "gitreg").stat().st_mode & 0o2070 == 0o2070
        assert (repo.common_dir / "gitreg/lock").stat().st_mode & 0o060 == 0o060

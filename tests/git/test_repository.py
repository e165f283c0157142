"""One contract over (sha1, sha256) x (normal, bare, linked) x (git, no git), checked against the real git program."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gitreg.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from gitreg.git import PathChange, RefUpdate, Repository
from gitreg.git.creation import create_repository
from tests.git.conftest import ADA, BRANCH, Env, commit, git, make

FILES = {"gitreg.yaml": b"format: 1\n", "models/iris/model.yaml": b"a\n", "models/iris/versions/1.yaml": b"one\n"}


def test_what_is_committed_is_what_git_sees(repo: Repository, folder: Path, env: Env) -> None:
    first = commit(repo, dict(FILES), "first")
    second = commit(repo, {"models/iris/versions/1.yaml": None, "models/ü b.yaml": b"\0\xff"}, "second\n\nBody")
    assert git(folder, env, "rev-parse", BRANCH, f"{BRANCH}~1").split() == [second, first]
    assert git(folder, env, "-c", "core.quotePath=off", "ls-tree", "-r", "--name-only", second).split("\n") == [
        "gitreg.yaml",
        "models/iris/model.yaml",
        "models/ü b.yaml",
    ]
    assert git(folder, env, "log", "-1", "--format=%an|%ae|%at|%ai|%s|%b", second) == (
        "Ada Lovelace|ada@example.com|1700000000|2023-11-15 00:13:20 +0200|second|Body"
    )
    assert git(folder, env, "fsck", "--strict", "--no-dangling") == ""
    if repo.work_tree:
        assert git(folder, env, "status", "--porcelain") == ""


@pytest.mark.slow
def test_reading_agrees_with_what_was_written_loose_or_packed(repo: Repository, folder: Path, env: Env) -> None:
    first = commit(repo, dict(FILES))
    second = commit(repo, {"models/iris/versions/2.yaml": b"two\n", "gitreg.yaml": b"format: 2\n"})
    for _ in ("loose", "packed"):
        assert repo.read(second, "gitreg.yaml") == b"format: 2\n"
        assert repo.read(repo.commit(second).tree, "models/iris/model.yaml") == b"a\n"
        assert repo.read(second, "models/iris") is None
        assert repo.read(second, "models/none") is None
        assert repo.read(second, "gitreg.yaml/below") is None
        assert [path for path, _ in repo.walk(first)] == sorted(FILES)
        assert [path for path, _ in repo.walk(second, "models/iris/versions")] == [
            "models/iris/versions/1.yaml",
            "models/iris/versions/2.yaml",
        ]
        assert list(repo.walk(second, "nowhere")) == []
        assert {repo.read_blob(oid) for _, oid in repo.walk(first)} == set(FILES.values())
        assert list(repo.listing(second, "")) == ["gitreg.yaml", "models/"]
        assert list(repo.listing(second, "models/iris/")) == ["model.yaml", "versions/"]
        assert repo.listing(second, "nowhere") == {}
        assert [change.path for change in repo.diff(first, second)] == ["gitreg.yaml", "models/iris/versions/2.yaml"]
        two = git(folder, env, "rev-parse", f"{second}:models/iris/versions/2.yaml")
        assert list(repo.diff(second, first, "models")) == [PathChange("models/iris/versions/2.yaml", two, None)]
        assert len(list(repo.diff(None, second))) == 4
        assert list(repo.diff(second, second)) == []
        assert [c.oid for c in repo.history(second)] == [second, first]
        assert [c.oid for c in repo.history(second, until=first)] == [second]
        assert repo.commit(second).parents == (first,)
        assert repo.commit(second).author == ADA
        assert [repo.object_type(oid) for oid in (second, two, repo.commit(first).tree, "0" * len(two))] == [
            "commit",
            "blob",
            "tree",
            None,
        ]
        git(folder, env, "gc", "-q", "--prune=now")


def test_a_tag_is_gits_own_and_the_same_whoever_writes_it(repo: Repository, folder: Path, env: Env) -> None:
    target = commit(repo, dict(FILES))
    oid = repo.build_tag("models/iris@1", target, message="iris 1\n\nDigest: x", tagger=ADA)
    repo.update_refs([RefUpdate("refs/tags/models/iris@1", oid, None)], reason="tag")
    who = {"GIT_COMMITTER_DATE": "1700000000 +0200"}
    git(folder, env | who, "tag", "-a", "-m", "iris 1\n\nDigest: x", "models/iris@1-git", target)
    theirs = git(folder, env, "cat-file", "tag", "models/iris@1-git").replace("@1-git", "@1")
    assert git(folder, env, "cat-file", "tag", oid) == theirs
    tag = repo.tag(oid)
    assert tag is not None
    assert (tag.target, tag.target_type, tag.name, tag.signed, tag.tagger) == (
        target, "commit", "models/iris@1", False, ADA
    )  # fmt: skip
    assert tag.message == "iris 1\n\nDigest: x\n"
    assert repo.tag(target) is None
    assert git(folder, env, "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.slow
def test_a_commit_is_found_by_id_abbreviation_branch_and_tag(repo: Repository, folder: Path, env: Env) -> None:
    oid = commit(repo, dict(FILES))
    tag = repo.build_tag("models/iris@1", oid, message="t", tagger=ADA)
    repo.update_refs([RefUpdate("refs/tags/models/iris@1", tag, None)], reason="tag")
    for _ in ("loose", "packed"):
        texts = (oid, oid.upper(), oid[:9], oid[:8], "registry", BRANCH, "models/iris@1", tag, tag[:12], "HEAD")
        assert [repo.resolve(text) for text in texts] == [oid] * len(texts)
        for text in (oid[:3], "nothing", "../../config", "f" * len(oid), repo.commit(oid).tree, ""):
            assert repo.resolve(text) is None
        git(folder, env, "gc", "-q")


def test_what_follows_a_name_is_understood_as_git_does(repo: Repository, folder: Path, env: Env) -> None:
    start = commit(repo, dict(FILES))
    one, two = (
        repo.build_commit(start, {}, message=message, author=ADA, committer=ADA) for message in ("aside", "ahead")
    )
    joined = git(folder, env, "commit-tree", "-p", two, "-p", one, "-m", "join", f"{start}^{{tree}}")
    git(folder, env, "update-ref", "refs/heads/trunk", joined)
    for step in ("~1", "~", "^", "^2", "^2~1", "~2", "^0", "~0", "^^", "~1^1"):
        assert repo.resolve(f"trunk{step}") == git(folder, env, "rev-parse", f"trunk{step}"), step
    for text in ("trunk~9", "trunk^3", "nothing~1", "~1", "trunk@{1}"):
        assert repo.resolve(text) is None
    git(folder, env, "update-ref", "refs/remotes/origin/trunk", joined)
    git(folder, env, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    for text in ("@", "@~0", "origin~1"):
        assert repo.resolve(text) == git(folder, env, "rev-parse", text), text


def test_any_other_revision_means_what_it_means_to_git(folder: Path, env: Env, tmp_path: Path) -> None:
    with Repository.discover(folder, env=env) as repo:
        first, second = commit(repo, dict(FILES), "first"), commit(repo, {"b": b"2"}, "second")
        for oid in (first, second):
            git(folder, env, "update-ref", "--create-reflog", "refs/heads/moved", oid)
        for text in ("moved@{1}", ":/first", "HEAD^{/first}", "moved^{}", "moved^{commit}~1", "moved@{1}^{commit}"):
            assert repo.resolve(text) == first if "1" in text or "first" in text else second, text
        for text in ("moved@{9}", "^moved", "moved..HEAD", "moved^{tree}", "--all", "@{upstream}", ":/nothing"):
            assert repo.resolve(text) is None, text
    with Repository.discover(folder, env=env | {"PATH": str(tmp_path / "empty")}) as repo:
        assert repo.resolve("moved@{1}") is None


@pytest.mark.slow
def test_an_abbreviation_of_several_commits_is_refused(plain: Repository, env: Env) -> None:
    assert plain.work_tree is not None
    tree = git(plain.work_tree, env, "write-tree")
    seen: set[str] = set()
    for number in range(2000):
        committer = type(ADA)(ADA.name, ADA.email, number, 0)
        oid = plain.build_commit(None, {}, message="x", author=ADA, committer=committer)
        if oid[:4] in seen:
            break
        seen.add(oid[:4])
    assert tree == plain.commit(oid).tree
    with pytest.raises(InvalidInput, match="short for"):
        plain.resolve(oid[:4])


def test_head_and_refs_are_listed_by_any_prefix(repo: Repository, folder: Path, env: Env) -> None:
    oid = commit(repo, dict(FILES))
    names = [f"refs/tags/models/iris@{n}" for n in range(12)] + ["refs/tags/models/iris/nested@1", "refs/stages/x"]
    repo.update_refs([RefUpdate(name, oid, None) for name in names], reason="many")
    for _ in ("loose", "packed"):
        assert repo.head_branch() == BRANCH
        assert list(repo.refs("refs/tags/models/iris@1")) == [names[1], names[10], names[11]]
        listed = git(folder, env, "for-each-ref", "--format=%(refname)", "refs/tags", "refs/stages").split("\n")
        assert [*repo.refs("refs/stages/"), *repo.refs("refs/tags/")] == listed
        assert repo.read_ref("refs/stages/x") == oid
        git(folder, env, "pack-refs", "--all")


def test_the_work_tree_and_folders_are_what_git_says(
    repo: Repository, folder: Path, env: Env, object_format: str
) -> None:
    assert str(repo.git_dir) == git(folder, env, "rev-parse", "--absolute-git-dir")
    assert repo.common_dir == (folder / git(folder, env, "rev-parse", "--git-common-dir")).resolve()
    assert repo.work_tree == (None if folder.name == "bare" else folder)
    assert repo.object_format == object_format


def test_creating_makes_what_git_init_makes(tmp_path: Path, either_env: Env, env: Env) -> None:
    with create_repository(tmp_path / "a" / "b", branch="trunk", env=either_env) as repo:
        assert repo.head_branch() == "refs/heads/trunk"
        assert repo.work_tree == tmp_path / "a" / "b"
        assert git(tmp_path / "a" / "b", env, "status", "--porcelain") == ""
    with pytest.raises(AlreadyExists):
        create_repository(tmp_path / "a" / "b", branch="trunk", env=either_env)
    with pytest.raises(InvalidInput):
        create_repository(tmp_path / "c", branch="no..good", env=either_env)


def test_a_shallow_clone_says_where_it_was_cut(tmp_path: Path, plain: Repository, env: Env, either_env: Env) -> None:
    oids = [commit(plain, {"n": str(n).encode()}) for n in range(4)]
    git(tmp_path, env, "clone", "-q", "--depth=2", "-b", "registry", plain.common_dir.as_uri(), "shallow")
    with Repository.discover(tmp_path / "shallow", env=either_env) as clone:
        assert clone.is_shallow
        assert not plain.is_shallow
        assert [c.oid for c in clone.history(oids[3])] == [oids[3], oids[2]]
        assert clone.is_boundary(oids[2])
        assert not clone.is_boundary(oids[3])
        assert clone.commit(oids[2]).parents == (oids[1],)
        with pytest.raises(NotFound):
            clone.commit(oids[1])


def test_the_lock_lets_one_in_and_tells_the_others(plain: Repository) -> None:
    with plain.lock(timeout=1), pytest.raises(Conflict, match="another gitreg process"), plain.lock(timeout=0.05):
        pass
    with plain.lock(timeout=0):
        pass


@pytest.mark.slow
def test_the_lock_of_a_killed_process_is_free(plain: Repository) -> None:
    code = (
        "import sys, pathlib; from gitreg.git import Repository\n"
        "with Repository.discover(pathlib.Path(sys.argv[1])).lock(timeout=1):\n    print('in', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(plain.git_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"in\n"
        with pytest.raises(Conflict), plain.lock(timeout=0.05):
            pass
        holder.kill()
        with plain.lock(timeout=10):
            pass


def test_reading_a_ref_imports_no_git_library_and_no_subprocess(plain: Repository) -> None:
    oid = commit(plain, {"a": b"a"})
    code = (
        "import sys, pathlib; from gitreg.git import Repository\n"
        "r = Repository.discover(pathlib.Path(sys.argv[1])); print(r.read_ref('refs/heads/registry'))\n"
        "print(r.read(r.read_ref('refs/heads/registry'), 'a'))\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('dulwich', 'subprocess', 'filelock', 'shutil')])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(plain.git_dir)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == [oid, "b'a'", "[]"]


@pytest.mark.slow
def test_one_repository_serves_several_threads(tmp_path: Path, env: Env) -> None:
    folder = make(tmp_path, env, "normal")
    with Repository.discover(folder, env=env) as repo:
        head = commit(repo, {f"f/{n}": f"{n} ".encode() * 200 for n in range(300)})
        git(folder, env, "gc", "-q", "--prune=now")
        wrong: list[object] = []

        def read_all() -> None:
            try:
                wrong.extend(n for n in range(300) if repo.read(head, f"f/{n}") != f"{n} ".encode() * 200)
            except Exception as error:
                wrong.append(error)

        threads = [threading.Thread(target=read_all) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


@pytest.mark.slow
def test_what_the_work_trees_are_at_is_known_from_each_of_them(
    tmp_path: Path, plain: Repository, env: Env, either_env: Env
) -> None:
    assert plain.checked_out() == []  # the branch is unborn
    one, two, three, _, five = (commit(plain, {"n": str(n).encode()}) for n in range(5))
    top = plain.work_tree
    assert top
    git(top, env, "worktree", "add", "-q", "--detach", "../detached", one)
    git(top, env, "worktree", "add", "-q", "-b", "feature", "../branch", two)
    git(top, env, "pack-refs", "--all")
    git(top, env, "worktree", "add", "-q", "--detach", "../removed", three)
    shutil.rmtree(tmp_path / "removed")  # git itself keeps what it was at until `git worktree prune`
    for folder in (top, tmp_path / "detached", tmp_path / "branch"):
        with Repository.discover(folder, env=either_env) as repo:
            assert repo.checked_out() == sorted([one, two, three, five])
    git(top, env, "worktree", "prune")
    assert plain.checked_out() == sorted([one, two, five])
    git(top, env, "checkout", "-q", "--detach", three)
    assert plain.checked_out() == sorted([one, two, three])

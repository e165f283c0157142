"""The index against the files themselves: whatever plain git does to the branch, both say the same."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.documents.layout import MAX_BYTES
from gitreg.documents.yaml import dumps
from gitreg.errors import Conflict
from gitreg.git import Repository
from gitreg.git.history.replay import WORTH_A_PROCESS
from gitreg.names import slug
from gitreg.registry.state import index_builder, index_file
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.index import open_index
from gitreg.registry.state.snapshot import Snapshot
from gitreg.sdk.registry import Registry
from tests.registry.support import commit_files, git, pointer, record

MODELS = ("iris", "team/Iris 2")
SETTINGS = b"format: 1\nkind: registry\nbranch: main\nprefix: models\nstages: [staging, production]\n"
USER = {
    **{
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Ada"), ("EMAIL", "a@b"))
    },
    "GIT_CONFIG_GLOBAL": os.devnull,
}

KINDS = ("model", "model_version", "annotation", "stage", "alias")
Said = dict[str, Any]


def read_plainly(folder: Path, commit: str) -> dict[str, Said]:
    """What the plain files say at a commit, by path: a reading as naive as can be."""
    said: dict[str, Said] = {}
    for line in git(folder, "ls-tree", "-r", commit, "models", env=USER).splitlines():
        meta, path = line.split("\t")
        text = git(folder, "cat-file", "blob", meta.split()[2], env=USER)
        keys = [line.partition(":")[0] for line in text.splitlines() if ": " in line]
        if len(keys) != len(set(keys)):  # no file of ours has a key twice, not even in two mappings
            continue
        try:
            data = yaml.load(text, Loader=yaml.BaseLoader)
        except yaml.YAMLError:
            continue
        if isinstance(data, dict) and data.get("format") == "1" and data.get("kind") in KINDS:
            said[path] = data
    return said


def plain(folder: Path, commit: str) -> Said:
    files = read_plainly(folder, commit)
    paths = git(folder, "ls-tree", "-r", "--name-only", commit, env=USER).splitlines()
    out: Said = {}
    for model in MODELS:
        at = f"models/{slug(model)}"
        notes = {path: data for path, data in files.items() if path.startswith(f"{at}/annotations/")}
        versions = {}
        for path, data in files.items():
            if path.startswith(f"{at}/versions/"):
                beside = path.replace("/versions/", "/annotations/")
                unread = {"yanked": "true"} if beside in paths else {}  # it may say so
                note = notes.get(beside, unread)
                if note.get("deleted") != "true":
                    versions[data["version"]] = (int(data["number"]), note.get("yanked") == "true")
        counted = sorted((number, name) for name, (number, yanked) in versions.items() if not yanked)
        out[model] = {
            "registered": f"{at}/model.yaml" in paths,  # be its card readable or not
            "versions": sorted((number, name, yanked) for name, (number, yanked) in versions.items()),
            "latest": counted[-1][1] if counted else None,
            "stages": {
                path.split("/")[-1][:-5]: data["version"]
                for path, data in files.items()
                if path.startswith(f"{at}/stages/")
            },
            "aliases": {
                path.split("/")[-1][:-5]: data["version"]
                for path, data in files.items()
                if path.startswith(f"{at}/aliases/")
            },
        }
    return out


def told(snapshot: Snapshot) -> Said:
    out: Said = {}
    listed = {model.name: model for model in snapshot.models()}
    for model in MODELS:
        versions = snapshot.versions(model)
        latest = snapshot.latest(model)
        out[model] = {
            "registered": model in snapshot.model_names(),
            "versions": sorted((version.number, version.version, version.yanked) for version in versions),
            "latest": latest.version if latest else None,
            "stages": snapshot.stages(model),
            "aliases": snapshot.aliases(model),
        }
        between = [version for version in versions if 2 <= version.number <= 3]
        assert snapshot.versions_between(model, 2, 3) == between
        for version in versions:
            assert snapshot.find_version(model, version.version) == version
            assert snapshot.find_number(model, version.number) == version
        if model in listed:
            assert listed[model] == snapshot.model(model)
            assert listed[model].versions == len(versions)
    return out


class Branch:
    """A branch that plain git writes to, without asking gitreg."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.files: dict[str, bytes | None] = {}
        self.seen = [self.commit({"gitreg.yaml": SETTINGS})]

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments, env=USER)

    def commit(self, files: dict[str, bytes | None], *extra: str) -> str:
        for path, content in files.items():
            target = self.folder / path
            if content is None:
                target.unlink(missing_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "By hand", *extra)
        return self.git("rev-parse", "HEAD")

    def step(self, what: str, model: str, number: int, choice: int) -> None:
        at = f"models/{slug(model)}"
        name = f"named-{number}" if number % 2 else str(number)
        files: dict[str, dict[str, bytes | None]] = {
            "model": {
                f"{at}/model.yaml": dumps({"format": 1, "kind": "model", "name": model, "description": f"{choice}"})
            },
            "record": {
                # Every other one in a form that is not recognised at sight, but parsed.
                f"{at}/versions/{name}.yaml": record(model, name, number, metadata={"choice": choice})
                + (b"# by hand\n" if choice % 2 else b"")
            },
            "twice": {  # looks recognisable, and is broken: a key stands there twice
                f"{at}/versions/{name}.yaml": record(model, name, number, metadata={"a": 1}) + b"  a: 2\n"
            },
            "note": {
                f"{at}/annotations/{name}.yaml": dumps(
                    {"format": 1, "kind": "annotation", "yanked": choice % 2 == 0, "deleted": choice == 3}
                )
            },
            "stage": {f"{at}/stages/{['staging', 'production'][choice % 2]}.yaml": pointer("stage", name)},
            "alias": {f"{at}/aliases/champion.yaml": pointer("alias", name)},
            "foreign": {f"{at}/notes.txt": b"x", "models/a b.yaml": b"[", f"{at}/versions/a b.yaml": b"x: 1"},
        }
        present = sorted(path for path in self.git("ls-files", "models").splitlines() if '"' not in path)
        chosen = present[choice * 7 % len(present)] if present else None
        if what in files:
            self.commit(files[what])
        elif what == "remove" and chosen:
            self.commit({chosen: None})
        elif what == "break" and chosen:
            self.commit({chosen: [b"format: [", b"", b"\xff", b"kind: none\nformat: 1\n"][choice] or b"- 1"})
        elif what == "mend" and chosen and "/versions/" in chosen:  # what was sound is broken, what was broken sound
            was = (self.folder / chosen).read_bytes()
            self.commit({chosen: was.replace(b"  a: 2\n", b"") if b"  a: 2\n" in was else was + b"number: 9\n"})
        elif what == "merge":
            self.git("checkout", "-q", "-b", "side")
            self.commit(files["record"])
            self.commit(files["stage"])
            self.git("checkout", "-q", "main")
            self.commit(files["alias"])
            self.git("merge", "-q", "--no-ff", "-X", "theirs", "-m", "Merge", "side")
            self.git("branch", "-D", "side")
        elif what == "reset" and self.git("rev-list", "--count", "--first-parent", "HEAD") > "1":
            self.git("reset", "-q", "--hard", "HEAD~1")
        elif what == "amend":
            self.commit(files["record"] if self.git("rev-list", "--count", "HEAD") > "1" else {}, "--amend")
        elif what == "back":  # as a revert does: the former files in a new commit
            line = self.git("rev-list", "--first-parent", "HEAD").split()
            self.git("read-tree", "-u", "--reset", line[min(choice, len(line) - 1)])
            self.git("commit", "-q", "--allow-empty", "-m", "Back")
        elif what == "pack":
            self.git("pack-refs", "--all")
            self.git("repack", "-adq")
        self.seen.append(self.git("rev-parse", "HEAD"))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["record"] * 4
            + ["note"] * 2
            + ["stage"] * 2
            + [
                "model",
                "alias",
                "foreign",
                "twice",
                "mend",
                "remove",
                "break",
                "merge",
                "reset",
                "amend",
                "back",
                "pack",
            ]
        ),
        st.sampled_from(MODELS),
        st.integers(1, 4),
        st.integers(0, 3),
    ),
    min_size=4,
    max_size=10,
)


def hold(steps: list[tuple[str, str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = Branch(folder)
        with Repository.discover(folder, env=os.environ | USER) as repository:
            branch = RegistryBranch(repository, "main")
            try:
                for step in steps:
                    writer.step(*step)
                    assert told(branch.snapshot()) == plain(folder, "HEAD"), step
                rebuilt = RegistryBranch(repository, "main")
                for commit in dict.fromkeys(writer.seen):
                    there = plain(folder, commit)
                    assert told(branch.snapshot(commit)) == there
                    assert told(rebuilt.snapshot_at(commit)) == there
                rebuilt.close()
                index_file.discard(branch.index_path)
                fresh = RegistryBranch(repository, "main")
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(
                        index_builder, "_FEW", 0
                    )  # as many commits are read: what is known at sight is not parsed
                    for commit in dict.fromkeys(reversed(writer.seen)):
                        assert told(fresh.snapshot_at(commit)) == plain(folder, commit)
                fresh.close()
            finally:
                branch.close()


@pytest.mark.slow
@settings(max_examples=4)
@given(STEPS)
def test_the_index_says_what_the_files_say(steps: list[tuple[str, str, int, int]]) -> None:
    hold(steps)


@pytest.mark.slow
@settings(max_examples=20)
@given(STEPS)
def test_the_index_says_what_the_files_say_over_many_histories(steps: list[tuple[str, str, int, int]]) -> None:
    hold(steps)


# -- the file ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(registry: Registry, weights: Path) -> Registry:
    """A registry with two versions, its index closed."""
    registry.save("iris", weights, stage="production")
    registry.save("iris@alpha", weights)
    registry.session.branch.close()
    return registry


def spoil_other_version(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("UPDATE documents SET data = '{}'")
    db.close()


def spoil_foreign(path: Path) -> None:
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE commits (x)")
    db.execute(f"PRAGMA user_version = {index_file.VERSION}")
    db.commit()
    db.close()


def spoil_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


SPOILERS: list[Callable[[Path], object]] = [
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"no database at all" * 100),
    lambda path: path.write_bytes(path.read_bytes()[:5000]),
    lambda path: path.write_bytes(path.read_bytes()[: 2 * 4096]),
    lambda path: path.unlink(),
    spoil_other_version,
    spoil_foreign,
    spoil_pages,
]


@pytest.mark.slow
@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_spoiled_index_is_rebuilt_and_never_wrong(saved: Registry, spoil: Callable[[Path], object]) -> None:
    spoil(saved.session.branch.index_path)
    assert saved.version("iris@production").number == 1
    assert [version.version for version in saved.session.snapshot().versions("iris")] == ["1", "alpha"]
    saved.session.branch.close()
    index = open_index(saved.session.branch.index_path)
    assert index.head() == (3, saved.session.branch.head())
    index.close()


@pytest.mark.slow
def test_a_leftover_log_beside_a_missing_index_is_not_played_into_the_new_one(saved: Registry) -> None:
    path = saved.session.branch.index_path
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").write_bytes(os.urandom(40_000))
    path.unlink()
    assert saved.version("iris@alpha").number == 2


@pytest.mark.slow
def test_a_locked_index_is_waited_for_and_then_done_without(saved: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_file, "BUSY_SECONDS", 0.1)
    db = sqlite3.connect(saved.session.branch.index_path, isolation_level=None)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    assert saved.version("iris").number == 2
    db.close()
    assert saved.session.branch.index_path.exists()


@pytest.mark.slow
def test_a_file_that_is_damaged_while_it_is_open_is_made_again(saved: Registry, weights: Path) -> None:
    snapshot = saved.session.snapshot()
    saved.session.branch._index._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    saved.session.branch._index._db.execute("PRAGMA cache_size = 0")  # type: ignore[union-attr]
    with open(saved.session.branch.index_path, "r+b") as file:
        file.write(b"\0" * os.path.getsize(saved.session.branch.index_path))
    saved.session.branch._index._db.execute("PRAGMA shrink_memory")  # type: ignore[union-attr]
    with pytest.raises(Conflict, match="damaged"):
        snapshot.versions("iris")
    assert [version.version for version in saved.session.snapshot().versions("iris")] == ["1", "alpha"]
    assert saved.save("iris", weights).number == 3


@pytest.mark.slow
def test_an_index_in_another_threads_hands_answers_too(saved: Registry) -> None:
    assert saved.version("iris").number == 2
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(saved.version("iris@production").number))
    thread.start()
    thread.join()
    assert found == [1]


@pytest.mark.slow
def test_what_is_remembered_is_forgotten_when_another_process_moves_the_branch(saved: Registry) -> None:
    before = saved.version("iris@production")
    assert saved.version("iris@production") is before
    assert saved.session.snapshot() is saved.session.snapshot()
    assert len(saved.session.snapshot().versions("iris")) == 2
    commit_files(
        saved.folder,
        {
            "models/iris/stages/production.yaml": pointer("stage", "alpha"),
            "models/iris/versions/3.yaml": record("iris", "3", 3),
        },
    )
    assert saved.version("iris@production").version == "alpha"
    assert len(saved.session.snapshot().versions("iris")) == 3
    git(saved.folder, "reset", "-q", "--hard", "HEAD~1")
    assert saved.version("iris@production") == before
    assert len(saved.session.snapshot().versions("iris")) == 2


@pytest.mark.slow
def test_a_list_of_versions_is_the_callers_own(saved: Registry) -> None:
    saved.session.snapshot().versions("iris").clear()
    assert len(saved.session.snapshot().versions("iris")) == 2


READ_ONLY = """
import sys
from gitreg.sdk.registry import Registry
with Registry.open(sys.argv[1]) as registry:
    print(registry.version("iris").version, registry.session.branch._index._path)
"""


def lengthen(folder: Path, commits: int) -> None:
    """Add commits that change nothing."""
    one = "commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 1\nm\n"
    first = one + "from refs/heads/main^0\n"
    if commits:
        git(folder, "fast-import", "--quiet", stdin=first + one * (commits - 1))


LARGE = {
    "models/iris/README.md": "card", "models/iris/annotations/1.yaml": "annotation", "models/big/model.yaml": "model",
    "models/iris/versions/9.yaml": "model_version",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("commits", [1, WORTH_A_PROCESS + 1])
def test_a_file_too_large_to_be_read_is_a_problem_and_nothing_else_is(saved: Registry, commits: int) -> None:
    index_file.discard(saved.session.branch.index_path)
    for path in LARGE:  # not by a commit each: together, so that one does not hide the next
        (saved.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (saved.folder / path).write_bytes(bytes(MAX_BYTES + 1))
    (saved.folder / "models/iris/aliases").mkdir()
    (saved.folder / "models/big/README.md").write_bytes(bytes(MAX_BYTES))
    commit_files(saved.folder, {"models/iris/aliases/best.yaml": pointer("alias", "1")})
    lengthen(saved.folder, commits - 1)
    snapshot = saved.session.snapshot()
    assert {entry.kind: entry.problem for entry in snapshot.unreadable()} == {
        kind: f"{path}: is 4,194,305 bytes long, more than the 4,194,304 that fit" for path, kind in LARGE.items()
    }
    assert snapshot.card("iris") is None
    assert snapshot.card("big") == "\0" * MAX_BYTES
    assert snapshot.index.latest(snapshot.seq) == {"iris": "alpha"}  # what was said of 1 may have withdrawn it
    assert snapshot.index.highest_number(snapshot.seq, "iris") == 9


MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True)
print(json.dumps([resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.stdout.decode()]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("with_git", [False, True])
def test_a_bomb_in_a_registry_costs_no_memory(saved: Registry, tmp_path: Path, packed: bool, with_git: bool) -> None:
    folder = saved.folder
    with (folder / "models/iris/README.md").open("wb") as file:
        file.truncate(400_000_000)
    git(folder, "-c", "core.bigFileThreshold=1g", "add", "-A")
    git(folder, "commit", "-q", "-m", "bomb")
    if packed:
        lengthen(folder, WORTH_A_PROCESS)
        git(folder, "repack", "-adq")
        git(folder, "prune-packed")
    env = {**os.environ, **({} if with_git else {"PATH": str(tmp_path)})}
    for words in (["list", "-o", "json"], ["show", "iris@production"]):
        index_file.discard(saved.session.branch.index_path)
        command = [sys.executable, "-c", MEASURED, sys.executable, "-m", "gitreg", *words]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr
        memory, said = json.loads(done.stdout)
        assert "iris" in said
        assert memory < 200 * 1024


@pytest.mark.slow
@pytest.mark.parametrize("keep", [True, False])
def test_a_read_only_repository_is_read_with_the_index_in_memory(saved: Registry, weights: Path, keep: bool) -> None:
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us make a mount namespace (unshare -rm)")
    folder = saved.folder
    if keep:  # an index that lags behind
        saved.session.snapshot()
        saved.session.branch.close()
        commit_files(folder, {"models/iris/versions/3.yaml": record("iris", "3", 3)})
    else:
        index_file.discard(saved.session.branch.index_path)
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-ec", script, "sh", str(folder), sys.executable, READ_ONLY],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["3" if keep else "alpha", "None"]


RACE = """
import sys
from pathlib import Path
from gitreg.sdk.registry import Registry
with Registry.open(sys.argv[1]) as registry:
    sys.stdin.readline()
    for n in range(5):
        snapshot = registry.session.snapshot()
        versions = snapshot.versions("iris")
        assert [v.number for v in versions] == list(range(1, len(versions) + 1)), versions
        assert snapshot.index.head()[0] >= len(versions), "the index lost commits"
        if n == int(sys.argv[2]) % 5:
            registry.save("iris", Path(sys.argv[1]) / "gitreg.yaml")
"""


@pytest.mark.slow
def test_processes_that_make_the_index_at_once_agree(saved: Registry) -> None:
    for _ in range(4):
        saved.session.branch.close()
        before = len(saved.session.snapshot().versions("iris"))
        saved.session.branch.close()
        index_file.discard(saved.session.branch.index_path)
        command = [sys.executable, "-c", RACE, str(saved.folder)]
        racers = [
            subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for n in range(6)
        ]
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("\n")
            racer.stdin.flush()
        said = [racer.communicate(timeout=120)[1] for racer in racers]
        assert said == [""] * 6
        assert len(saved.session.snapshot().versions("iris")) == before + 6
        check = sqlite3.connect(saved.session.branch.index_path)
        assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        check.close()


KILLED = """
import os, signal, sys
from gitreg.registry.state.index import Index
from gitreg.sdk.registry import Registry
left, run = int(sys.argv[2]), Index._run
def until_killed(self, *arguments, **how):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return run(self, *arguments, **how)
Index._run = until_killed
with Registry.open(sys.argv[1]) as registry:
    registry.session.snapshot()
"""


@pytest.mark.slow
@pytest.mark.parametrize("begun", [False, True])
def test_a_process_killed_at_any_statement_leaves_an_index_that_is_right(saved: Registry, begun: bool) -> None:
    path = saved.session.branch.index_path
    for statements in range(40):
        if begun:  # commits that are missing, else all of it
            number = 3 + statements
            commit_files(saved.folder, {f"models/iris/versions/{number}.yaml": record("iris", str(number), number)})
        else:
            index_file.discard(path)
        command = [sys.executable, "-c", KILLED, str(saved.folder), str(statements)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode == 0:
            break
        assert (ended.returncode, ended.stderr) == (-9, "")
        expected = plain(saved.folder, "HEAD")
        assert told(saved.session.snapshot()) == expected
        saved.session.branch.close()
        db = sqlite3.connect(path)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT count(*) FROM commits").fetchone() == (saved.session.snapshot().seq,)
        db.close()
        saved.session.branch.close()
    else:
        raise AssertionError("it was always killed")
    assert statements > 5


@pytest.mark.slow
def test_the_one_commit_of_a_shallow_clone_is_read_without_parsing_each_record(saved: Registry, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", "--depth=1", saved.folder.as_uri(), "cut")
    with Repository.discover(tmp_path / "cut", env=dict(os.environ)) as repository:
        branch = RegistryBranch(repository, "main")
        snapshot = branch.snapshot()  # yaml is imported here, as it is when a mirror was just made
        (text, *_) = [entry.text for entry in snapshot.index.scan(snapshot.seq, "model_version")]
        assert (text or "").startswith("format: 1\n")  # what the parser has read is kept as JSON
        branch.close()


@pytest.mark.slow
def test_a_long_history_is_indexed_alike_after_git_gc_and_a_rewrite(saved: Registry) -> None:
    folder = saved.folder
    for number in range(3, WORTH_A_PROCESS + 10):
        commit_files(folder, {f"models/iris/versions/{number}.yaml": record("iris", str(number), number)})
    git(folder, "gc", "--quiet", "--prune=now", env=USER)
    git(folder, "pack-refs", "--all", env=USER)
    index_file.discard(saved.session.branch.index_path)
    assert told(saved.session.snapshot()) == plain(folder, "HEAD")
    git(folder, "reset", "-q", "--hard", f"HEAD~{WORTH_A_PROCESS}", env=USER)
    commit_files(folder, {"models/iris/versions/other.yaml": record("iris", "other", 900)})
    assert told(saved.session.snapshot()) == plain(folder, "HEAD")
    assert saved.session.snapshot().highest_number("iris") == 900

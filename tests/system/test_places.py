"""Wherever the registry is and whatever state that is in: it works, or refuses in words, and work stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.world import Person, assert_sound, commit_by_hand, contents, without_git, write


def tell_a_story(person: Person, weights: Path, out: Path) -> None:
    """Do what people do all day, and see that it came about."""
    person.gitreg("save", "iris", weights, "--metadata", "accuracy=0.9")
    write(weights, {"model.bin": b"better"})
    person.gitreg("save", "iris@1.1", weights, "--stage", "staging", "--input", "iris@1")
    person.gitreg("promote", "iris@1", "production")
    person.gitreg("promote", "iris@1.1", "production", "--force", "--reason", "better")
    person.gitreg("rollback", "iris", "production")
    person.gitreg("alias", "set", "iris@1.1", "champion")
    person.gitreg("load", "iris@champion", out)
    assert (out / "model.bin").read_bytes() == b"better"
    assert person.gitreg("show", "iris@production", "--json").data["version"] == "1"
    assert [row["version"] for row in person.gitreg("log", "iris@production", "--json").data] == ["1", "1.1", "1"]
    assert person.gitreg("verify", "--deep", "--json").data["files"]
    assert person.doctor_says() == []


def project(ada: Person, where: Path, *options: str) -> Person:
    """A project's repository with one commit."""
    ada.git("init", "-q", "-b", "main", *options, where)
    there = ada.at(write(where, {"train.py": "print(1)\n", "data/a.csv": "1,2\n", ".gitignore": "*.log\n"}))
    there.git("add", "-A")
    there.git("commit", "-q", "-m", "code")
    return there


def make_dirty(there: Person) -> None:
    """Leave staged, unstaged, half-staged, untracked, removed and ignored work."""
    write(there.here, {"staged.py": "a\n", "train.py": "half\n", "run.log": "ignored\n"})
    there.git("add", "staged.py", "train.py")
    write(there.here, {"train.py": "half\nand more\n", "untracked.txt": "mine\n", "models/untracked.bin": "mine\n"})
    (there.here / "data" / "a.csv").unlink()


def state(there: Person) -> tuple[str, str, str, dict[str, tuple[bytes, int]]]:
    """All that a person has there that is not committed, and where HEAD is."""
    return (
        there.git("status", "--porcelain", "--ignored", "--untracked-files=all", "--branch"),
        there.git("diff", "--cached"),
        there.git("rev-parse", "HEAD"),
        contents(there.here),
    )


@pytest.mark.slow
@pytest.mark.parametrize("place", ["main", "a feature branch", "a detached head", "a linked work tree", "a subfolder"])
def test_inside_a_project_uncommitted_work_is_untouched_whatever_is_done(
    ada: Person, tmp_path: Path, weights: Path, place: str
) -> None:
    there = project(ada, tmp_path / "project")
    if place == "a feature branch":
        there.git("checkout", "-q", "-b", "feature/x")
    elif place == "a detached head":
        there.git("checkout", "-q", "--detach")
    elif place == "a linked work tree":
        there.git("worktree", "add", "-q", "-b", "linked", tmp_path / "linked")
        there = there.at(tmp_path / "linked")
    make_dirty(there)
    before = state(there)
    worker = there.at(there.here / "models") if place == "a subfolder" else there
    worker.gitreg("init")
    tell_a_story(worker, weights, tmp_path / "out")
    assert state(there) == before
    assert there.git("rev-parse", "registry") != there.git("rev-parse", "HEAD")
    source = worker.gitreg("show", "iris@1", "--json").data["source"]
    assert (source["commit"], source["dirty"]) == (before[2], True)


@pytest.mark.slow
@pytest.mark.parametrize("there_is_git", [True, False])
def test_a_linked_work_tree_of_the_registry_branch_follows_and_the_projects_own_does_not_move(
    ada: Person, tmp_path: Path, weights: Path, there_is_git: bool
) -> None:
    there = project(ada, tmp_path / "project")
    there.gitreg("init")
    there.git("worktree", "add", "-q", tmp_path / "cards", "registry")
    cards = there.at(tmp_path / "cards")
    make_dirty(there)
    write(cards.here, {"notes.txt": "mine\n"})
    before = state(there)
    worker = there if there_is_git else without_git(tmp_path, there)
    tell_a_story(worker, weights, tmp_path / "out")
    assert state(there) == before
    assert cards.git("status", "--porcelain") == "?? notes.txt"
    assert (cards.here / "models/iris/stages/production.yaml").is_file()
    assert (cards if there_is_git else without_git(tmp_path, cards)).gitreg("show", "iris@champion").code == 0
    assert_sound(there)


@pytest.mark.slow
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("kind", ["dedicated", "bare", "project"])
@pytest.mark.parametrize("there_is_git", [True, False], ids=["git", "no-git"])
def test_every_kind_of_repository_tells_the_same_story(
    ada: Person, tmp_path: Path, weights: Path, kind: str, object_format: str, there_is_git: bool
) -> None:
    folder, option = tmp_path / "repository", f"--object-format={object_format}"
    if kind == "project":
        there = project(ada, folder, option)
    else:
        ada.git("init", "-q", "-b", "main", option, *(["--bare"] if kind == "bare" else []), folder)
        there = ada.at(folder)
    worker = there if there_is_git else without_git(tmp_path, there)
    worker.gitreg("init")
    tell_a_story(worker, weights, tmp_path / "out")
    assert len(there.git("rev-parse", "main" if kind != "project" else "registry")) == (
        64 if object_format == "sha256" else 40
    )
    if kind != "bare":
        assert there.git("status", "--porcelain") == ""
    assert_sound(there)


@pytest.fixture
def published(registry: Person, weights: Path) -> Person:
    """A registry with some history."""
    registry.gitreg("save", "iris", weights, "--stage", "production")
    write(weights, {"model.bin": b"second"})
    registry.gitreg("save", "iris", weights)
    registry.gitreg("promote", "iris@2", "production", "--force", "--reason", "better")
    return registry


@pytest.mark.slow
def test_a_shallow_clone_is_read_and_written_and_says_that_history_is_cut(
    published: Person, tmp_path: Path, weights: Path
) -> None:
    """No store is shared here: the record says what the weights are, and that they are elsewhere."""
    published.git("clone", "-q", "--depth", "1", f"file://{published.here}", tmp_path / "shallow")
    shallow = published.at(tmp_path / "shallow")
    assert shallow.gitreg("show", "iris@production", "--json").data["version"] == "2"
    log = shallow.gitreg("log")
    assert "shallow" in log.err
    assert "git fetch --unshallow" in log.err
    assert shallow.gitreg("log", "--json").data[-1]["cut"] is True
    problems = shallow.doctor_says()
    assert all("not in the store" in problem["what"] for problem in problems), problems
    saved = shallow.gitreg("save", "iris", weights, "--json").data
    assert saved["version"]["number"] == 3, "a shallow clone is never read as an empty registry"
    assert shallow.gitreg("verify", "--deep", "iris@3").code == 0
    shallow.git("fetch", "-q", "--unshallow")
    assert shallow.gitreg("log", "--json").data[-1]["subject"] == "Begin the model registry"


@pytest.mark.slow
def test_a_clone_without_tags_gives_no_number_twice(published: Person, tmp_path: Path, weights: Path) -> None:
    published.git("clone", "-q", "--no-tags", f"file://{published.here}", tmp_path / "clone")
    clone = published.at(tmp_path / "clone")
    missing = [problem for problem in clone.doctor_says() if problem["repairable"]]
    assert {p["where"] for p in missing if "tags" in p["where"]} == {
        "refs/tags/models/iris@1",
        "refs/tags/models/iris@2",
    }
    assert clone.gitreg("save", "iris", weights, "--json").data["version"]["number"] == 3
    clone.run("gitreg", "doctor", "--repair")
    for version in ("1", "2"):
        ref = f"refs/tags/models/iris@{version}"
        assert clone.git("rev-parse", ref) == published.git("rev-parse", ref), "tags are a function of the branch"


@pytest.mark.slow
def test_an_untracked_file_in_the_way_of_a_record_refuses_the_save_and_nothing_moves(
    registry: Person, weights: Path
) -> None:
    registry.gitreg("save", "iris", weights)
    write(registry.here, {"models/iris/versions/2.yaml": "mine\n"})
    before, refs = state(registry), registry.git("for-each-ref")
    ended = registry.gitreg("save", "iris", weights, code=4)
    assert "models/iris/versions/2.yaml" in ended.err
    assert (state(registry), registry.git("for-each-ref")) == (before, refs)
    (registry.here / "models/iris/versions/2.yaml").unlink()
    registry.gitreg("save", "iris", weights)
    assert registry.git("status", "--porcelain") == ""


@pytest.mark.parametrize("how", ["edited", "staged", "ignored"])
@pytest.mark.slow
def test_uncommitted_work_on_a_file_that_must_change_refuses_and_nothing_moves(
    registry: Person, weights: Path, how: str
) -> None:
    registry.gitreg("save", "iris", weights, "--stage", "staging")
    pointer = "models/iris/stages/staging.yaml"
    if how == "ignored":
        pointer = "models/iris/stages/production.yaml"
        write(registry.here / ".git" / "info", {"exclude": "production.yaml\n"})
    write(registry.here, {pointer: "mine\n"})
    if how == "staged":
        registry.git("add", pointer)
    before, refs = state(registry), registry.git("for-each-ref")
    ended = registry.gitreg("promote", "iris@1", "production", code=4)
    assert pointer in ended.err
    assert (state(registry), registry.git("for-each-ref")) == (before, refs)


@pytest.fixture
def other_work(registry: Person, weights: Path) -> Person:
    """Work on other files, which is in nobody's way."""
    registry.gitreg("save", "iris", weights)
    write(registry.here, {"notes.md": "untracked\n", "staged.md": "staged\n", "models/iris/README.md": "# Card\n"})
    registry.git("add", "staged.md")
    registry.git("rm", "-q", "--cached", "gitreg.yaml")
    return registry


@pytest.mark.slow
def test_uncommitted_work_beside_what_must_change_stays_and_the_work_tree_follows(
    other_work: Person, weights: Path
) -> None:
    before = other_work.git("status", "--porcelain", "--untracked-files=all")
    other_work.gitreg("promote", "iris@1", "production")
    assert other_work.git("status", "--porcelain", "--untracked-files=all") == before
    assert (other_work.here / "models/iris/stages/production.yaml").is_file()
    assert (other_work.here / "models/iris/README.md").read_text() == "# Card\n"


@pytest.mark.slow
def test_what_a_person_writes_by_hand_and_tags_with_plain_git_is_accepted(registry: Person, weights: Path) -> None:
    registry.gitreg("save", "iris", weights)
    record = (registry.here / "models/iris/versions/1.yaml").read_text()
    record = record.replace('version: "1"', "version: by-hand").replace("version: '1'", "version: by-hand")
    commit_by_hand(
        registry,
        "main",
        {
            "models/iris/versions/by-hand.yaml": record.replace("number: 1", "number: 2"),
            "models/iris/stages/production.yaml": "format: 1\nkind: stage\nversion: by-hand\n",
            "models/iris/README.md": "---\nlicense: mit\n---\n# Iris\n",
        },
    )
    registry.git("tag", "-a", "-m", "by hand", "models/iris@by-hand", "main")
    assert registry.gitreg("show", "iris@production", "--json").data["number"] == 2
    problems = registry.doctor_says()
    assert [problem["where"] for problem in problems] == ["refs/stages/iris@production"], problems
    assert problems[0]["repairable"]
    registry.gitreg("doctor", "--repair")
    assert_sound(registry)


def test_outside_a_repository_there_is_no_registry_and_the_error_says_what_to_do(ada: Person) -> None:
    ended = ada.gitreg("list", code=3)
    assert "hint:" in ended.err


def test_a_repository_of_a_format_from_the_future_is_refused_in_words(ada: Person, tmp_path: Path) -> None:
    there = project(ada, tmp_path / "project")
    there.git("config", "core.repositoryFormatVersion", "1")
    there.git("config", "extensions.fromTheFuture", "true")
    assert "fromthefuture" in there.gitreg("list", code=4).err.lower()

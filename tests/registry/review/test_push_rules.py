"""What a push may do, where the whole server is not needed to see it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gitreg.errors import Conflict
from gitreg.git import RefUpdate, Repository
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.review import merge_check, push_rules
from gitreg.registry.review.pull_request_check import check
from gitreg.registry.review.push_rules import push_problems
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.sdk.registry import Registry
from tests.registry.support import commit_files, git, pointer, record

pytestmark = pytest.mark.slow


@pytest.fixture
def iris(registry: Registry, weights: Path) -> Registry:
    registry.save("iris", weights, stage="production")
    return registry


def asked(registry: Registry, *updates: RefUpdate, one_by_one: bool = False) -> list[str]:
    found = push_problems(registry.session.branch.repository, updates, lambda _: UNKNOWN, one_by_one=one_by_one)
    return [f"{problem.where} {problem.what}" for problem in found]


def branch(registry: Registry, name: str, files: dict[str, bytes | str | None], start: str = "main") -> RefUpdate:
    """Commit files beside the branch, and give the push of it."""
    old = git(registry.folder, "rev-parse", name)
    git(registry.folder, "checkout", "-q", "--detach", start)
    new = commit_files(registry.folder, files)
    git(registry.folder, "checkout", "-q", "main")
    return RefUpdate(f"refs/heads/{name}", new, old)


def test_what_somebody_else_does_while_a_push_is_judged_is_a_lost_race_and_no_fault(
    iris: Registry, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = branch(iris, "main", {"models/iris/versions/2.yaml": record("iris", "2", 2)})
    judge_each = merge_check.judge_each

    def overtaken(*arguments: object, **said: object) -> object:
        git(iris.folder, "tag", "-a", "-m", "theirs", "models/iris@2", "main")
        commit_files(iris.folder, {"models/iris/README.md": "theirs"})
        return judge_each(*arguments, **said)  # type: ignore[arg-type]

    monkeypatch.setattr(push_rules, "judge_each", overtaken)
    with pytest.raises(Conflict, match=r"refs/heads/main is at [0-9a-f]{12} by now"):
        asked(iris, push)


@pytest.mark.slow
def test_a_registry_in_a_folder_is_guarded_there_and_only_there(user: Path, tmp_path: Path, weights: Path) -> None:
    (tmp_path / "project").mkdir()
    git(tmp_path / "project", "init", "-q", "-b", "main")
    commit_files(tmp_path / "project", {"models/iris/versions/1.yaml": "the project's own"})
    made, _ = Registry.init(tmp_path / "project" / "reg", branch="main")
    with made as registry:
        registry.save("iris", weights)
        assert asked(registry, branch(registry, "main", {"models/iris/versions/1.yaml": "edited"})) == []
        (problem,) = asked(registry, branch(registry, "main", {"reg/models/iris/versions/1.yaml": None}))
        assert problem == "models/iris/versions/1.yaml is a sealed record and is removed"
        (problem,) = asked(registry, branch(registry, "main", {"reg/gitreg.yaml": None}))
        assert "gitreg.yaml" in problem


def test_a_tag_of_a_registry_in_a_folder_is_guarded_though_it_is_pushed_alone(user: Path, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    git(tmp_path / "project", "init", "-q", "-b", "main")
    commit_files(tmp_path / "project", {"src/deep/code.py": "x"})
    made, _ = Registry.init(tmp_path / "project/src/reg", branch="main")
    with made as registry:
        registry.save("iris", tmp_path / "project/src/deep")
        (tmp_path / "project/.git/gitreg/place").unlink()  # as on a server, where nobody ran init
        old = git(registry.folder, "rev-parse", "models/iris@1")
        for alone in (True, False):
            others = () if alone else (branch(registry, "main", {"../../src/deep/code.py": "y"}),)
            (problem,) = asked(registry, *others, RefUpdate("refs/tags/models/iris@1", None, old))
            assert "it is made once, and neither moves nor goes" in problem


@pytest.mark.parametrize("name", ["bob smith.yaml", "bob%40example.com.yml", "deep/bob.yaml"])
def test_an_approval_of_settings_in_another_spelling_is_told(iris: Registry, name: str) -> None:
    path = f"approvals/settings/{'a' * 64}/{name}"
    push = branch(iris, "main", {path: "x", "approvals/of-the-project.txt": "free"})
    (problem,) = asked(iris, push)
    assert problem == f"{path} is no file of the registry, or its name is not spelled as gitreg spells it"


@pytest.mark.slow
def test_a_protected_stage_takes_a_merge(iris: Registry, weights: Path) -> None:
    iris.save("iris", weights)
    settings = (iris.folder / "gitreg.yaml").read_text()
    commit_files(iris.folder, {"gitreg.yaml": f"{settings}policies:\n  production: {{protected: true}}\n"})
    push = branch(iris, "main", {"models/iris/stages/production.yaml": pointer("stage", "2")})
    (problem,) = asked(iris, push)
    assert "is entered by pull request only" in problem
    assert push.new is not None
    tree = git(iris.folder, "rev-parse", f"{push.new}^{{tree}}")
    merge = git(iris.folder, "commit-tree", "-p", "main", "-p", push.new, "-m", "Merge", tree)
    assert asked(iris, push._replace(new=merge)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "odd",
    [
        "gates: [5]",
        "gates: 5",
        "gates: [{metric: accuracy, at_least: abc}]",
        "gates: [{any: 5}]",
        "gates: [{approvals: {by: 3}}]",
        "overridable: 7",
        "promoters: [{a: b}]",
    ],
)
def test_policies_that_nobody_understands_are_mended_by_a_push(iris: Registry, odd: str) -> None:
    settings = (iris.folder / "gitreg.yaml").read_text()
    sound = (
        "{from: [staging], promoters: [ada@example.com], overridable: [promoters], gates: [{metric: accuracy, "
        "at_least: 1}, {any: [{metric: loss, at_most: 1}]}, {approvals: {count: 1, by: [bob@example.com]}}]}"
    )
    people = "people: {bob@example.com: [ssh-ed25519 AAAA]}"
    commit_files(iris.folder, {"gitreg.yaml": f"{settings}policies: {{production: {{{odd}}}}}\n{people}\n"})
    push = branch(iris, "main", {"gitreg.yaml": f"{settings}policies: {{production: {sound}}}\n{people}\n"})
    assert asked(iris, push) == []
    assert push.new is not None
    report = check(iris.session.branch, push.old, push.new)
    told = [change.sentence for change in report.settings.authority] if report.settings else []
    assert told == ["production changes: the policies before are not understood"]


@pytest.mark.slow
def test_a_move_in_a_commit_with_an_impossible_date_is_told_of_that_commit(
    iris: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = "models/iris/stages/production.yaml"
    sound = branch(iris, "main", {file: pointer("stage", "1", reason="said anew")})
    assert sound.new is not None
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")
    push = branch(iris, "main", {file: None}, start=sound.new)
    assert push.new is not None
    (problem,) = asked(iris, push)
    assert problem.startswith(f"{file} moves in a commit dated 2020-01-01T00:00:00Z, before its parent")
    assert problem.endswith(f"(in {push.new[:12]})")


@pytest.mark.slow
def test_a_push_that_brings_branch_and_tag_together_is_judged_as_one(iris: Registry) -> None:
    push = branch(iris, "main", {"models/iris/versions/2.yaml": record("iris", "2", 2)})
    assert push.new is not None

    def tag(message: str = "x", target: str = push.new, name: str = "models/iris@2") -> RefUpdate:
        text = f"object {target}\ntype commit\ntag {name}\ntagger Ada <a@b> 1700000000 +0000\n\n{message}\n"
        oid = git(iris.folder, "hash-object", "-t", "tag", "-w", "--stdin", stdin=text)
        return RefUpdate("refs/tags/models/iris@2", oid, None)

    assert asked(iris, push, tag()) == []
    assert asked(iris, tag(), one_by_one=True) == []
    assert "of which main has no record" in asked(iris, tag())[0]
    lies = tag("x\n\nGitreg-Record: sha256:" + "0" * 64)
    assert "says another digest of its record" in asked(iris, push, lies)[0]
    assert "its record came in" in asked(iris, push, tag(target=git(iris.folder, "rev-parse", "main")))[0]
    assert "was made for something else" in asked(iris, push, tag(name="models/iris@1"))[0]
    assert "is a lightweight tag" in asked(iris, push, RefUpdate("refs/tags/models/iris@2", push.new, None))[0]


Rule = Callable[[Registry], tuple[RefUpdate, str | None]]


def _orphan(registry: Registry) -> tuple[RefUpdate, str | None]:
    git(registry.folder, "tag", "-a", "-m", "x", "models/iris@9")
    return RefUpdate("refs/tags/models/iris@9", None, git(registry.folder, "rev-parse", "models/iris@9")), None


def _lightweight(registry: Registry) -> tuple[RefUpdate, str | None]:
    sound = git(registry.folder, "rev-parse", "models/iris@1")
    git(registry.folder, "tag", "-f", "models/iris@1", "models/iris@1^{commit}")
    return RefUpdate("refs/tags/models/iris@1", sound, git(registry.folder, "rev-parse", "models/iris@1")), None


def _back(registry: Registry) -> tuple[RefUpdate, str | None]:
    first = git(registry.folder, "rev-parse", "refs/stages/iris@production")
    registry.promote("iris@1", "staging")
    now = git(registry.folder, "rev-parse", "refs/stages/iris@production")
    return RefUpdate("refs/stages/iris@production", first, now), "would go back"


RULES: dict[str, Rule] = {
    "a tag that seals nothing may go": _orphan,
    "a tag that is wrong may be put right": _lightweight,
    "a mirror goes no way back": _back,
}


@pytest.mark.parametrize("what", RULES)
def test_a_ref_by_itself(iris: Registry, what: str) -> None:
    update, says = RULES[what](iris)
    found = asked(iris, update)
    assert found == [] if says is None else says in found[0]


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["stages: [", "format: 99\nbranch: main\n"])
def test_a_push_mends_a_file_that_never_could_be_read_where_it_can_have_no_policies(
    iris: Registry, tmp_path: Path, broken: str
) -> None:
    said = (iris.folder / "gitreg.yaml").read_text()
    folder = tmp_path / "broken"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    commit_files(folder, {"gitreg.yaml": broken})
    old = commit_files(folder, {"README.md": "x"})
    new = commit_files(folder, {"gitreg.yaml": f"{said}policies:\n  production: {{promoters: [ada@example.com]}}\n"})
    git(folder, "update-ref", "refs/heads/main", old)
    repository = Repository.discover(folder)

    def problems(commit: str, *, guarded: bool) -> list[str]:
        update, context = RefUpdate("refs/heads/main", commit, old), PromotionContext(settings_guarded=guarded)
        return [problem.what for problem in push_problems(repository, [update], lambda _: context)]

    with closing(repository):
        newer = broken.startswith("format")
        refused = "changes who may do what, and no settings policy says who may do that"
        assert problems(new, guarded=True) == ([refused] if newer else [])
        assert problems(new, guarded=False) == []
        with closing(RegistryBranch(repository, "main")) as branch:
            (told,) = check(branch, old, new).row()["authority"]
        assert told["sentence"] == "gitreg.yaml could not be read before, nor could its policies"


def test_nothing_is_written(iris: Registry) -> None:
    before = git(iris.folder, "for-each-ref")
    push = branch(iris, "main", {"models/iris/versions/1.yaml": None})
    assert isinstance(push_problems(iris.session.branch.repository, [push], lambda _: UNKNOWN)[0], Problem)
    assert git(iris.folder, "for-each-ref") == before
    assert RegistryBranch(iris.session.branch.repository, "main").head() == push.old

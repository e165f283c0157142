"""Promotion by pull request, with the real programs: proposed, checked in CI, merged, synced, reverted."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from gitreg.documents.yaml import loads
from tests.servers.buckets import Servers
from tests.servers.gitremotes import make_far
from tests.system.forge import (
    METHODS,
    github_checkout,
    gitlab_checkout,
    merge,
    run_job,
    stand_in,
    steps,
    with_programs,
)
from tests.system.world import (
    Person,
    assert_in_words,
    assert_sound,
    commit_by_hand,
    make_person,
    record_path,
    without_git,
    write,
)

pytestmark = pytest.mark.slow

PROMOTION = "gitreg/promote/iris-production-2"


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Person:
    where = tmp_path_factory.mktemp("pull-requests")
    ada = make_person(where)
    ada.git("init", "-q", "--bare", "-b", "main", where / "hub.git")
    ada.git("init", "-q", "-b", "main", where / "clone")
    there = ada.at(where / "clone")
    there.git("remote", "add", "origin", "../hub.git")
    there.gitreg("init", "--remote", "origin", "--store", where / "store")
    for number in (1, 2):
        weights = write(where / f"weights-{number}", {"model.bin": f"weights {number}"})
        there.gitreg("save", "iris", weights, "--metadata", f"accuracy=0.9{number}")
    there.gitreg("promote", "iris@1", "production")
    return there


@pytest.fixture
def clone(_prepared: Person, tmp_path: Path) -> Person:
    """Ada's clone of a registry with two versions, of which the first holds production."""
    for name in ("hub.git", "clone"):
        shutil.copytree(_prepared.here.parent / name, tmp_path / name, symlinks=True)
    return replace(_prepared, here=tmp_path / "clone", env=_prepared.env | {"GITREG_CACHE": str(tmp_path / "cache")})


@pytest.fixture
def hub(clone: Person, tmp_path: Path) -> Path:
    return tmp_path / "hub.git"


@pytest.fixture
def store(_prepared: Person) -> Path:
    """Where the weights are; it is not to be written to."""
    return _prepared.here.parent / "store"


@pytest.fixture
def robot(clone: Person, tmp_path: Path) -> Person:
    """What CI runs as: with a home of its own, in which nothing is approved and nobody is named."""
    home = tmp_path / "robot"
    home.mkdir()
    nobody = {name: value for name, value in clone.env.items() if not name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))}
    here = Person(home, home, nobody | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "GITREG_CACHE": str(home)})
    here.run("git", "config", "--global", "user.name", "Forge")
    here.run("git", "config", "--global", "user.email", "forge@example.com")
    return here


def propose(clone: Person) -> str:
    clone.gitreg("promote", "iris@2", "production", "--force", "--pr")
    return PROMOTION


def stages(person: Person) -> list[object]:
    return [(row["version"], row["stage"]) for row in person.gitreg("list", "iris", "--json").data["items"]]


# -- checked in CI ---------------------------------------------------------------------------------------------------


def test_a_promotion_is_checked_with_its_weights_and_told_in_markdown(
    clone: Person, robot: Person, hub: Path, store: Path, tmp_path: Path
) -> None:
    there = github_checkout(robot, hub, tmp_path / "ci", branch=propose(clone))
    there.gitreg("trust", store)
    ended = there.gitreg("check", "--base", "origin/main~0", "--report", "report.md")
    for base in ("origin/main~99", "HEAD~99", "nowhere@{1}"):
        assert f"no commit '{base}'" in there.gitreg("check", "--base", base, code=3).err
    assert ended.out == (there.here / "report.md").read_text()
    for told in ("may be merged", "`iris@1` → `iris@2`", "| `accuracy` | `0.91` | `0.92` | +0.01 |", "read whole"):
        assert told in ended.out, ended.out
    said = there.gitreg("check", "--json").data
    assert (said["ok"], said["unseen"], said["weights"]) == (True, [], {"files": 1, "read": 1})
    assert [(move["from"], move["to"]) for move in said["moves"]] == [("iris@1", "iris@2")]
    assert "error: cannot write the report: " in there.gitreg("check", "--report", "none/report.md", code=1).err
    there.gitreg("check", "--base", "", code=3)  # an empty variable of a job names nothing


@pytest.mark.slow
@pytest.mark.parametrize(("damage", "why"), [("gone", "does not hold it"), ("rotten", "model.bin")])
def test_weights_that_are_gone_or_rotten_stop_a_promotion(
    clone: Person, robot: Person, hub: Path, store: Path, tmp_path: Path, damage: str, why: str
) -> None:
    shutil.copytree(store, tmp_path / "store")
    text = (clone.here / "gitreg.yaml").read_text().replace(str(store), str(tmp_path / "store"))
    commit_by_hand(clone, "main", {"gitreg.yaml": text})
    clone.gitreg("push")
    held = [path for path in (tmp_path / "store").rglob("*") if path.is_file() and b"weights 2" in path.read_bytes()]
    assert held
    for path in held:
        path.chmod(0o644)
        path.unlink() if damage == "gone" else path.write_bytes(path.read_bytes().replace(b"weights 2", b"w3ights 2"))
    there = github_checkout(robot, hub, tmp_path / "ci", branch=propose(clone))
    there.gitreg("trust", tmp_path / "store")
    ended = there.gitreg("check", code=4)
    assert record_path("iris", "2") in ended.err
    assert why in ended.err


def test_a_store_that_nobody_approved_is_not_opened_and_the_report_says_so(
    clone: Person, robot: Person, hub: Path, tmp_path: Path
) -> None:
    there = github_checkout(robot, hub, tmp_path / "ci", branch=propose(clone))
    assert "Not looked at: the weights in" in there.gitreg("check").out


@pytest.mark.slow
def test_the_stores_are_those_of_the_target_whatever_a_proposal_says(
    clone: Person, robot: Person, hub: Path, store: Path, tmp_path: Path
) -> None:
    clone.git("checkout", "-q", "-b", "evil")
    text = (clone.here / "gitreg.yaml").read_text()
    write(clone.here, {"gitreg.yaml": text.replace(str(store), str(tmp_path / "elsewhere"))})
    clone.git("commit", "-qam", "another store")
    clone.git("push", "-q", "origin", "evil")
    there = github_checkout(robot, hub, tmp_path / "ci", branch="evil")
    there.gitreg("trust", tmp_path / "elsewhere")
    assert f"the weights in {store}:" in "".join(there.gitreg("check", "--json").data["unseen"])


@pytest.mark.slow
@pytest.mark.parametrize("checkout", [github_checkout, gitlab_checkout])
def test_a_shallow_checkout_without_tags_is_completed_by_itself(
    clone: Person, robot: Person, hub: Path, tmp_path: Path, checkout: Callable[..., Person]
) -> None:
    policy = "policies:\n  production:\n    gates:\n    - soak: {stage: staging, hours: 0.0001}\n"
    commit_by_hand(clone, "main", {"gitreg.yaml": (clone.here / "gitreg.yaml").read_text() + policy})
    clone.gitreg("push")
    clone.gitreg("promote", "iris@2", "staging")
    time.sleep(1.5)  # it soaks
    branch = propose(clone)
    there = checkout(robot, hub, tmp_path / "ci", branch=branch, depth=1)
    assert there.git("rev-list", "--count", "HEAD") == "1"
    said = there.gitreg("check", "--base", "origin/main", "--json").data
    assert [(move["from"], move["to"]) for move in said["moves"]] == [
        ("iris@1", "iris@2"), ("iris@2", None),
    ]  # fmt: skip
    (result,) = said["moves"][0]["decision"]["results"]
    assert result["outcome"] == "passed"


def test_a_shallow_checkout_that_cannot_be_completed_says_what_to_do(
    clone: Person, robot: Person, hub: Path, tmp_path: Path
) -> None:
    there = github_checkout(robot, hub, tmp_path / "ci", branch=propose(clone), depth=1)
    hub.rename(tmp_path / "away.git")
    assert "origin" in there.gitreg("check", code=3).err


@pytest.mark.slow
def test_a_command_of_the_targets_policy_is_run_in_the_checkout(
    clone: Person, robot: Person, hub: Path, tmp_path: Path
) -> None:
    script = "echo told; test $GITREG_VERSION@$GITREG_STAGE = iris@2@production && test -f gitreg.yaml"
    policy = f"policies:\n  production:\n    gates:\n    - command: [sh, -c, '{script}']\n"
    commit_by_hand(clone, "main", {"gitreg.yaml": (clone.here / "gitreg.yaml").read_text() + policy})
    clone.gitreg("push")
    there = github_checkout(robot, hub, tmp_path / "ci", branch=propose(clone))
    ended = there.gitreg("check", "--json")
    assert ended.data["moves"][0]["decision"]["allowed"]
    assert ended.err == "told\n"


# -- merged, synced, reverted ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("by", METHODS)
def test_the_pipeline_for_github_checks_then_syncs_then_deploys(
    clone: Person, robot: Person, hub: Path, tmp_path: Path, by: str
) -> None:
    clone.gitreg("ci", "github")
    text = (clone.here / ".github/workflows/gitreg.yml").read_text()
    check_schema("github-workflows", text)
    branch = propose(clone)
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    ci = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output), "GITHUB_BASE_REF": "main"}
    there = github_checkout(robot, hub, tmp_path / "check", branch=branch)
    ended = run_job(there, text, "check", **ci)
    assert ended.code == 0, ended.err
    assert "may be merged" in summary.read_text()
    before = clone.at(hub).git("rev-parse", "main")
    after = merge(robot, hub, branch, by=by)
    pushed = ci | {"github_event_before": before, "GITHUB_SHA": after}
    ended = run_job(github_checkout(robot, hub, tmp_path / "sync"), text, "sync", **pushed)
    assert ended.code == 0, ended.err
    moved = output.read_text().strip().removeprefix("moved=")
    assert moved == "models/iris/stages/production.yaml"
    ended = run_job(
        github_checkout(robot, hub, tmp_path / "deploy"), text, "deploy", needs_sync_outputs_moved=moved, **pushed
    )
    assert (ended.code, "iris@production is in /" in ended.out) == (0, True), ended.err
    clone.gitreg("pull")
    assert stages(clone) == [("2", "production"), ("1", "archived")]
    assert clone.at(hub).git("rev-parse", "refs/stages/iris@production") == after
    assert_sound(clone)


@pytest.mark.slow
def test_the_pipeline_for_gitlab_checks_then_syncs_then_deploys(
    clone: Person, robot: Person, hub: Path, tmp_path: Path
) -> None:
    clone.gitreg("ci", "gitlab")
    text = (clone.here / ".gitlab-ci.yml").read_text()
    check_schema("gitlab-ci", text)
    branch = propose(clone)
    there = gitlab_checkout(robot, hub, tmp_path / "check", branch=branch)
    ended = run_job(there, text, "gitreg-check", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert ended.code == 0, ended.err
    assert "may be merged" in (there.here / "gitreg-report.md").read_text()
    before = clone.at(hub).git("rev-parse", "main")
    after = merge(robot, hub, branch)
    pushed = {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_BEFORE_SHA": before, "CI_COMMIT_SHA": after}
    for job in ("gitreg-sync", "gitreg-deploy"):
        ended = run_job(gitlab_checkout(robot, hub, tmp_path / job, branch="main"), text, job, **pushed)
        assert ended.code == 0, ended.err
    assert "iris@production is in /" in ended.out
    clone.gitreg("pull")
    assert stages(clone) == [("2", "production"), ("1", "archived")]
    assert_sound(clone)


@pytest.mark.slow
def test_a_pull_request_that_must_not_be_merged_fails_the_job_and_still_reports(
    clone: Person, robot: Person, hub: Path, tmp_path: Path
) -> None:
    clone.git("checkout", "-q", "-b", "evil")
    path = clone.here / record_path("iris", "1")
    path.write_text(path.read_text().replace("0.91", "0.99"))
    clone.git("commit", "-qam", "better")
    clone.git("push", "-q", "origin", "evil")
    clone.git("checkout", "-q", "main")
    text = clone.gitreg("ci", "github", "--out", "-").out
    summary = tmp_path / "summary.md"
    there = github_checkout(robot, hub, tmp_path / "ci", branch="evil")
    ended = run_job(there, text, "check", GITHUB_STEP_SUMMARY=str(summary), GITHUB_BASE_REF="main")
    assert ended.code == 4
    assert f"`{record_path('iris', '1')}` | is a sealed record and is edited" in summary.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("by", METHODS)
def test_reverting_the_merge_is_a_rollback_and_asks_no_gate(
    clone: Person, robot: Person, hub: Path, tmp_path: Path, by: str
) -> None:
    merged = merge(robot, hub, propose(clone), by=by)
    clone.gitreg("sync")
    policy = "policies:\n  production:\n    gates:\n    - {metric: accuracy, at_least: 0.99}\n"
    commit_by_hand(clone, "main", {"gitreg.yaml": (clone.here / "gitreg.yaml").read_text() + policy})
    clone.gitreg("push")
    clone.git("checkout", "-q", "-b", "revert")
    clone.git("revert", "--no-edit", *(["-m", "1"] if by == "merge" else []), merged)
    clone.git("push", "-q", "origin", "revert")
    clone.git("checkout", "-q", "main")
    there = github_checkout(robot, hub, tmp_path / "ci", branch="revert")
    (move,) = there.gitreg("check", "--json").data["moves"]
    assert (move["from"], move["to"], move["rollback"]) == ("iris@2", "iris@1", True)
    merge(robot, hub, "revert")
    clone.gitreg("sync")
    clone.gitreg("pull")
    assert stages(clone) == [("2", None), ("1", "production")]
    assert_sound(clone)


@pytest.mark.slow
def test_proposals_for_different_stages_never_conflict_and_for_the_same_one_they_do(
    clone: Person, robot: Person, hub: Path, tmp_path: Path
) -> None:
    clone.gitreg("save", "iris", write(tmp_path / "weights-3", {"m": "3"}))
    clone.gitreg("promote", "iris@3", "staging", "--pr")
    other, first = "gitreg/promote/iris-staging-3", propose(clone)
    clone.gitreg("promote", "iris@3", "production", "--force", "--pr")
    merge(robot, hub, other)
    merge(robot, hub, first)
    late = "gitreg/promote/iris-production-3"
    assert "CONFLICT" in robot.at(hub).run("git", "merge-tree", "--write-tree", "main", late).out
    there = gitlab_checkout(robot, hub, tmp_path / "ci", branch=late)
    ended = there.gitreg("check", "--base", "origin/main", code=4)
    assert "stages/production.yaml: was changed on the target branch, too" in ended.err


# -- opened ----------------------------------------------------------------------------------------------------------


def known_as(person: Person, url: str, hub: object) -> None:
    """Let the clone's remote be called as if it were at a forge, and reach the hub all the same."""
    for line in person.run("git", "config", "--global", "--get-regexp", r"^url\..*\.insteadof$").out.splitlines():
        key, _, known = line.partition(" ")  # of another test of the same person
        if known == url:
            person.git("config", "--global", "--remove-section", key.rpartition(".")[0])
    person.git("config", "--global", f"url.{hub}.insteadOf", url)
    person.git("remote", "set-url", "origin", url)


def test_gh_gets_the_difference_in_words_and_says_where_the_pull_request_is(
    clone: Person, hub: Path, tmp_path: Path
) -> None:
    known_as(clone, "https://github.com/team/models.git", hub)
    url = "https://github.com/team/models/pull/7"
    person = with_programs(clone, stand_in(tmp_path / "bin", "gh", says=url, host="github.com"))
    arguments = ("promote", "iris@2", "production", "--force", "--pr", "--reason", "it *is* better", "--json")
    said = person.gitreg(*arguments).data["proposal"]
    assert said == {"branch": PROMOTION, "url": url, "opened": True}
    argv = (tmp_path / "bin/gh.argv").read_text().split("\0")
    assert argv[argv.index("--title") + 1] == "Promote iris@2 to production"
    body = (tmp_path / "bin/gh.stdin").read_text()
    assert body.startswith("it \\*is\\* better\n")
    assert "| `accuracy` | `0.91` | `0.92` | +0.01 |" in body


@pytest.mark.slow
@pytest.mark.parametrize("takes", [True, False])
def test_gitlab_is_told_by_push_options_over_http_where_it_takes_them(
    clone: Person, ada: Person, hub: Path, tmp_path: Path, servers: Servers, takes: bool
) -> None:
    far = make_far(("git", "http"), tmp_path, ada.env, servers)
    clone.git("push", "-q", far.url, "main", "refs/tags/*:refs/tags/*")
    far.git("config", "receive.advertisePushOptions", str(takes).lower())
    opened = "https://gitlab.example.com/team/models/-/merge_requests/7"
    far.hook(
        "pre-receive",
        f'for n in $(seq 0 $((${{GIT_PUSH_OPTION_COUNT:-0}} - 1))); do eval "echo \\"\\$GIT_PUSH_OPTION_$n\\""; done'
        f" > {tmp_path}/options; if [ -s {tmp_path}/options ]; then echo 'View it: {opened}'; fi",
    )
    known_as(clone, "https://gitlab.example.com/team/models.git", far.url)
    said = clone.gitreg("promote", "iris@2", "production", "--force", "--pr", "--json").data["proposal"]
    options = (tmp_path / "options").read_text()
    if takes:
        assert said == {"branch": PROMOTION, "url": opened, "opened": True}
        assert options.startswith("merge_request.create\nmerge_request.target=main\nmerge_request.title=Promote iris@2")
        assert "`0.92` | +0.01" in options
    else:
        assert (said["opened"], options) == (False, "")
        assert said["url"].startswith("https://gitlab.example.com/team/models/-/merge_requests/new?")
    assert PROMOTION in str(far.refs())


@pytest.mark.slow
@pytest.mark.parametrize("program", ["git", "dulwich"])
def test_gitea_opens_it_by_a_push_for_review_and_goes_on_with_it(
    clone: Person, ada: Person, tmp_path: Path, servers: Servers, program: str
) -> None:
    far = make_far(("git", "http"), tmp_path, ada.env, servers)
    clone.git("push", "-q", far.url, "main", "refs/tags/*:refs/tags/*")
    far.git("config", "receive.advertisePushOptions", "true")
    far.git("config", "receive.procReceiveRefs", "refs/for")
    far.hook("proc-receive", f"exec {sys.executable} {Path(__file__).with_name('agit.py')}")
    known_as(clone, "https://gitea.example.com/team/models.git", far.url)
    person = clone if program == "git" else without_git(tmp_path, clone)
    opened = {"branch": PROMOTION, "url": "https://gitea.example.com/team/models/pulls/1", "opened": True}
    for why in ("it is better", "it *is* better"):
        said = person.gitreg("promote", "iris@2", "production", "--force", "--pr", "--reason", why, "--json").data
        assert said["proposal"] == opened
        refs = far.refs()
        assert refs["refs/pull/1/head"] == refs[f"refs/heads/{PROMOTION}"]
    assert not [ref for ref in refs if ref.startswith("refs/for")]
    (pull,) = json.loads((far.path / "pulls.json").read_text())
    assert (pull["topic"], pull["title"]) == (PROMOTION, "Promote iris@2 to production")
    assert pull["description"].startswith("<p>it is better</p><h3><code>iris@production</code>")
    assert "<td>+0.01</td>" in pull["description"]


@pytest.mark.slow
def test_where_gitea_takes_no_push_for_review_the_page_is_named(
    clone: Person, ada: Person, tmp_path: Path, servers: Servers
) -> None:
    far = make_far(("git", "http"), tmp_path, ada.env, servers)
    clone.git("push", "-q", far.url, "main", "refs/tags/*:refs/tags/*")
    far.git("config", "receive.advertisePushOptions", "true")
    far.git("config", "receive.procReceiveRefs", "refs/for")  # and no hook
    known_as(clone, "https://gitea.example.com/team/models.git", far.url)
    said = clone.gitreg("promote", "iris@2", "production", "--force", "--pr", "--json").data["proposal"]
    page = f"https://gitea.example.com/team/models/compare/main...{PROMOTION}"
    assert said == {"branch": PROMOTION, "url": page, "opened": False}
    assert f"refs/heads/{PROMOTION}" in far.refs()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["folder", "http"])
def test_where_the_branch_is_protected_the_change_is_proposed_by_itself(
    clone: Person, ada: Person, tmp_path: Path, servers: Servers, way: str
) -> None:
    far = make_far(("git", way), tmp_path, ada.env, servers)
    clone.git("push", "-q", far.url, "main", "refs/tags/*:refs/tags/*", "refs/stages/*:refs/stages/*")
    far.hook("update", '[ "$1" != refs/heads/main ] || { echo "GH006: Protected branch update failed"; exit 1; }')
    clone.git("remote", "set-url", "origin", far.url)
    before = far.refs()
    weights = write(tmp_path / "weights-3", {"m": "3"})
    ended = clone.gitreg("save", "iris", weights)
    assert "origin/main is protected: the change is proposed instead" in ended.err
    assert "It waits on the branch gitreg/save/iris-3" in ended.out
    clone.gitreg("promote", "iris@2", "production", "--force")
    branches = {"refs/heads/gitreg/save/iris-3", f"refs/heads/{PROMOTION}"}
    assert {name: oid for name, oid in far.refs().items() if name not in branches} == before
    assert branches <= set(far.refs())
    for branch in ("gitreg/save/iris-3", PROMOTION):
        merge(ada, far.path, branch)
    assert clone.gitreg("sync").out.splitlines()[:-1] == ["refs/tags/models/iris@3", "refs/stages/iris@production"]
    assert stages(clone) == [("3", None), ("2", "production"), ("1", "archived")]
    assert_sound(clone)


# -- pipelines and rules ---------------------------------------------------------------------------------------------


def check_schema(name: str, text: str) -> None:
    """Hold a pipeline against the service's published schema (SchemaStore's, as check-jsonschema carries it)."""
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor"
    (found,) = [each for each in vendored.iterdir() if each.name.startswith(name) and each.name.endswith(".json")]
    schema = json.loads(found.read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(loads(text.encode(), "pipeline"))


def test_a_pipeline_that_is_there_is_not_written_over(clone: Person) -> None:
    clone.gitreg("ci", "gitlab")
    path = clone.here / ".gitlab-ci.yml"
    path.write_text("mine: true\n")
    assert "--force" in clone.gitreg("ci", "gitlab", code=4).err
    assert path.read_text() == "mine: true\n"
    clone.gitreg("ci", "gitlab", "--force")
    assert path.read_text() == clone.gitreg("ci", "gitlab", "--out", "-").out


def test_a_pipeline_approves_the_stores_by_their_names(clone: Person, store: Path) -> None:
    text = clone.gitreg("ci", "github", "--out", "-", "--install", "x").out
    approving = [script for _, script in steps(text, "check") if "trust" in script]
    assert approving == [f"gitreg trust {store}\n"]
    assert "@" not in text.replace("actions/checkout@v5", "").replace("python@v6", "").replace(
        "artifact@v4", ""
    ).replace("$model@production", "")


@pytest.mark.parametrize(("host", "program"), [("github", "gh"), ("gitlab", "glab"), ("gitea", "curl")])
def test_the_rules_for_a_host_are_commands_that_a_shell_runs(
    clone: Person, tmp_path: Path, host: str, program: str
) -> None:
    clone.git("remote", "set-url", "origin", f"git@{host}.example.com:team/models.git")
    text = clone.gitreg("protect", host).out
    person = with_programs(clone, stand_in(tmp_path / "bin", program)).with_env(GITEA_TOKEN="t0ken")
    ended = person.run("bash", "-eu", "-c", text)
    assert ended.code == 0, ended.err
    assert "/gitreg.yaml" in ended.out
    assert "stages/production.yaml" in ended.out
    calls = (tmp_path / "bin" / f"{program}.argv").read_text()
    assert "team" in calls
    assert "models/" in calls + (tmp_path / "bin" / f"{program}.stdin").read_text()
    for body in (tmp_path / "bin" / f"{program}.stdin").read_text().replace("}\n{", "}\0{").split("\0"):
        assert not body or json.loads(body)


def test_rules_need_a_host(clone: Person) -> None:
    assert_in_words(clone.gitreg("protect", "github", code=2))
    clone.git("remote", "remove", "origin")
    assert "there is no remote origin" in clone.gitreg("protect", "github", code=2).err

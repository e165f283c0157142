"""What may be merged, and what must not be: two commits, and what the target's policy says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.documents.files import write
from gitreg.documents.layout import Key
from gitreg.documents.types import ArtifactDocument
from gitreg.errors import Refused
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.review.pull_request_check import Report, check
from gitreg.registry.state.manifests import Holder
from gitreg.registry.weights.verification import VerifiedItem
from gitreg.sdk.registry import Registry
from tests.registry.conftest import set_up_user
from tests.registry.support import NOW, artifact, commit_files, git, pointer, record

Commits = Callable[..., Report]
RECORD = "models/iris/versions/1.yaml"


@pytest.fixture(scope="module")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("checking")
    (where / "model.bin").write_bytes(b"weights")
    with pytest.MonkeyPatch.context() as patch:
        set_up_user(where, patch)
        with Registry.init(where / "registry")[0] as registry:
            for number in (1, 2):
                registry.save("iris", where / "model.bin", metadata={"accuracy": 0.9 + number / 100})
            registry.promote("iris@1", "production")
    return where / "registry"


@pytest.fixture
def two(_prepared: Path, user: Path, tmp_path: Path) -> Iterator[Registry]:
    """A registry with two versions; the first one holds production."""
    shutil.copytree(_prepared, tmp_path / "registry", symlinks=True)
    with Registry.open(tmp_path / "registry") as opened:
        yield opened


@pytest.fixture
def proposed(two: Registry) -> Commits:
    """Commits files on a branch of their own, one commit for each mapping, and checks them against the main branch."""

    def propose(*commits: Mapping[str, bytes | str | None]) -> Report:
        git(two.folder, "checkout", "-q", "-B", "proposal", "main")
        for files in commits:
            head = commit_files(two.folder, files)
        git(two.folder, "checkout", "-q", "main")
        return checked(two, head)

    return propose


def checked(registry: Registry, head: str, base: str | None = None, **known: object) -> Report:
    context = PromotionContext(now=registry.session.environment.clock, branch=registry.session.branch, **known)  # type: ignore[arg-type]
    return check(registry.session.branch, base or registry.session.branch.head(), head, context=context)


def told(report: Report) -> str:
    assert not report.ok
    return "\n".join(f"{problem.where} {problem.what}" for problem in report.problems)


def sealed(registry: Registry, name: str = "1") -> str:
    return git(registry.folder, "show", f"main:models/iris/versions/{name}.yaml") + "\n"


# -- what must not be merged -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_edit_of_a_sealed_record_is_refused(two: Registry, proposed: Commits) -> None:
    report = proposed({RECORD: sealed(two).replace("0.91", "0.99")})
    assert f"{RECORD} is a sealed record and is edited" in told(report)


def test_a_comment_in_a_sealed_record_is_an_edit(two: Registry, proposed: Commits) -> None:
    assert "is edited" in told(proposed({RECORD: sealed(two) + "# fine\n"}))


def test_the_removal_of_a_sealed_record_is_refused(proposed: Commits) -> None:
    assert f"{RECORD} is a sealed record and is removed" in told(proposed({RECORD: None}))


def test_a_record_in_whose_place_a_link_stands_is_removed(two: Registry) -> None:
    git(two.folder, "checkout", "-q", "-b", "proposal")
    (two.folder / RECORD).unlink()
    (two.folder / RECORD).symlink_to("2.yaml")
    head = commit_files(two.folder, {})
    assert "is removed" in told(checked(two, head, git(two.folder, "rev-parse", "main")))


@pytest.mark.parametrize("mode", ["120000", "160000"])
@pytest.mark.parametrize("path", ["models/iris/stages/staging.yaml", "models/sub", "artifacts"])
def test_a_link_or_a_submodule_among_the_files_is_refused(two: Registry, path: str, mode: str) -> None:
    git(two.folder, "checkout", "-q", "-b", "proposal")
    target = git(two.folder, "rev-parse", "HEAD" if mode == "160000" else f"HEAD:{RECORD}")
    git(two.folder, "update-index", "--add", "--cacheinfo", f"{mode},{target},{path}")
    git(two.folder, "commit", "-q", "-m", "by hand")
    report = checked(two, git(two.folder, "rev-parse", "HEAD"), git(two.folder, "rev-parse", "main"))
    assert f"{path} is a symbolic link or a submodule" in told(report)
    git(two.folder, "commit", "-q", "--allow-empty", "-m", "nothing more")
    assert checked(two, git(two.folder, "rev-parse", "HEAD"), git(two.folder, "rev-parse", "HEAD~1")).ok


@pytest.mark.parametrize("name", ["1", "latest", "production", "draft", "archived", "v3"])
def test_an_alias_that_would_be_read_as_something_else_is_refused(two: Registry, proposed: Commits, name: str) -> None:
    path = f"models/iris/aliases/{name}.yaml"
    why = "is an alias that is called like a stage" if name == "production" else f"alias {name!r} would be mistaken"
    assert f"{path} {why}" in told(proposed({path: pointer("alias", "1")}))
    commit_files(two.folder, {path: pointer("alias", "1")})
    assert path in {problem.where for problem in two.doctor()}


@pytest.mark.parametrize("name", ["latest", "draft", "archived"])
def test_a_version_that_would_be_read_as_something_else_is_refused(two: Registry, proposed: Commits, name: str) -> None:
    path = f"models/iris/versions/{name}.yaml"
    assert f"{path} is misnamed: {name!r} is a word of gitreg's and cannot name a version" in told(
        proposed({path: record("iris", name, 3)})
    )
    commit_files(two.folder, {path: record("iris", name, 3)})
    assert path in {problem.where for problem in two.doctor()}


def test_a_digest_that_is_not_that_of_the_listed_files_is_refused(two: Registry, proposed: Commits) -> None:
    new = sealed(two).replace("version: '1'", "version: '3'").replace("number: 1", "number: 3")
    path = "models/iris/versions/3.yaml"
    assert proposed({path: new}).ok
    for wrong in (
        re.sub("digest: sha256:.*", f"digest: sha256:{'1' * 64}", new),
        re.sub("sha256: .*", f"sha256: {'a' * 64}", new),
    ):
        assert f"{path} at model: the files that the record lists do not" in told(proposed({path: wrong}))


def test_an_edited_record_may_be_put_back(two: Registry, proposed: Commits) -> None:
    before = sealed(two)
    commit_files(two.folder, {RECORD: before.replace("0.91", "0.99")})
    assert proposed({RECORD: before}).ok
    assert "is edited" in told(proposed({RECORD: before.replace("0.91", "0.98")}))


def test_a_number_is_given_once(two: Registry, proposed: Commits) -> None:
    report = proposed({"models/iris/versions/best.yaml": record("iris", "best", 2)})
    assert "versions/best.yaml has the number 2, which iris@2 has already" in told(report)
    assert "the next number is 3" in report.problems[0].remedy


def test_a_number_that_the_target_has_given_meanwhile_is_taken(two: Registry, weights: Path) -> None:
    git(two.folder, "checkout", "-q", "-b", "proposal")
    head = commit_files(two.folder, {"models/iris/versions/best.yaml": record("iris", "best", 3)})
    git(two.folder, "checkout", "-q", "main")
    assert checked(two, head).ok
    two.save("iris", weights, metadata={"n": 3})
    assert "has the number 3, which iris@3 has already" in told(checked(two, head))


def test_two_proposals_that_give_one_number_meet_as_a_conflict(two: Registry, weights: Path) -> None:
    git(two.folder, "checkout", "-q", "-b", "proposal")
    head = commit_files(two.folder, {"models/iris/versions/3.yaml": record("iris", "3", 3)})
    git(two.folder, "checkout", "-q", "main")
    two.save("iris", weights, metadata={"n": 3})
    assert "versions/3.yaml was changed on the target branch, too" in told(checked(two, head))


def test_a_record_that_a_tag_says_is_another_is_refused(two: Registry, proposed: Commits) -> None:
    git(two.folder, "tag", "-a", "-m", "lost", "models/iris@3", "main")
    assert "the tag models/iris@3 seals another record" in told(
        proposed({"models/iris/versions/3.yaml": record("iris", "3", 3)})
    )


def test_a_name_that_differs_in_case_only_is_refused(proposed: Commits) -> None:
    new = {"models/iris/versions/Best.yaml": record("iris", "Best", 3)}
    assert proposed(new).ok
    twins = {**new, "models/iris/versions/best.yaml": record("iris", "best", 4)}
    assert "differs from models/iris/versions/" in told(proposed(twins))
    assert "differs from models/iris only in case" in told(proposed({"models/Iris/model.yaml": card("Iris")}))


SETTINGS = "format: 1\nkind: registry\nbranch: main\nprefix: models\nstages: [{}]\n"


def card(name: str) -> str:
    return f"format: 1\nkind: model\nname: {name}\n"


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("models/iris/stages/staging.yaml", pointer("stage", "9"), "points to version '9', which is not there"),
        ("models/iris/aliases/best.yaml", pointer("alias", "9"), "points to version '9', which is not there"),
        ("models/iris/stages/staging.yaml", pointer("stage", "2", digest="sha256:" + "0" * 64), "says the digest 0000"),
        ("models/iris/stages/canary.yaml", pointer("stage", "2"), "is no stage that gitreg.yaml declares"),
        ("models/iris/stages/staging.yaml", pointer("stage", "1"), "a version holds one stage"),
        ("models/iris/annotations/9.yaml", "format: 1\nkind: annotation\n", "is about iris@9, which is not there"),
        ("models/iris/annotations/1.yaml", "format: 1\nkind: annotation\ndeleted: true\n", "which was deleted"),
        ("models/iris/versions/3.yaml", record("iris", "3", 3, inputs=["rose@1"]), "was made from rose@1"),
        ("models/iris/versions/3.yaml", record("iris", "4", 3), "but the file's path says '3'"),
        ("models/iris/versions/3.yaml", record("iris", "3", 4), "is named 3 but has the number 4"),
        ("models/iris/model.yaml", "format: 1\nkind: model\nname: [\n", "models/iris/model.yaml"),
        ("models/iris/model.yaml", None, "is missing, though iris has versions"),
        ("models/my model/model.yaml", card("my model"), "is not spelled as gitreg spells it"),
        ("models/iris/notes.txt", "hello", "is no file of the registry"),
        ("models/iris/stages/staging.yaml", "version: [1", "models/iris/stages/staging.yaml"),
        ("gitreg.yaml", None, "there would be no registry"),
        ("gitreg.yaml", "format: 1\n", "gitreg.yaml"),
        ("gitreg.yaml", SETTINGS.format("staging"), "is no stage that gitreg.yaml declares (staging)"),
        ("gitreg.yaml", SETTINGS.format("a") + "policies: {a: {gate: 1}}\n", "/policies/a/gate"),
    ],
)  # fmt: skip
def test_what_breaks_the_registry_is_refused_with_its_file(
    proposed: Commits, path: str, content: bytes | str | None, why: str
) -> None:
    report = proposed({path: content})
    assert why in told(report)
    assert all(problem.where and problem.remedy for problem in report.problems)


def test_what_was_wrong_before_stops_nobody_who_leaves_it_as_it_was(two: Registry, proposed: Commits) -> None:
    commit_files(two.folder, {"models/iris/aliases/best.yaml": pointer("alias", "9"), "models/rose/x.txt": "x"})
    assert proposed({"models/iris/README.md": "# Iris\n"}).ok
    assert "'8', which is not there" in told(proposed({"models/iris/aliases/worst.yaml": pointer("alias", "8")}))


def test_files_that_are_none_of_the_registrys_are_left_alone(proposed: Commits) -> None:
    report = proposed({"train.py": "print()", ".github/workflows/x.yml": "{}"})
    assert report.ok
    assert (report.moves, report.events) == ((), ())


def test_a_new_record_that_a_later_commit_edits_would_be_broken_by_a_rebase(proposed: Commits) -> None:
    path = "models/iris/versions/3.yaml"
    twice = [{path: record("iris", "3", 3)}, {path: record("iris", "3", 3, description="better")}]
    assert "is edited by a later commit of the same proposal" in told(proposed(*twice))
    assert "is removed again by a later commit" in told(proposed({path: record("iris", "3", 3)}, {path: None}))


# -- what moves ------------------------------------------------------------------------------------------------------


def promotion(version: str = "2") -> dict[str, bytes | str | None]:
    return {"models/iris/stages/production.yaml": pointer("stage", version)}


def test_a_move_is_told_with_both_versions_side_by_side(proposed: Commits) -> None:
    (move,) = proposed(promotion()).moves
    assert (move.row()["from"], move.row()["to"], move.rollback) == ("iris@1", "iris@2", False)
    assert move.comparison is not None
    assert move.comparison["metadata"]["accuracy"]["delta"] == pytest.approx(0.01)
    assert move.comparison["unchanged"] == 1


def test_what_the_target_did_meanwhile_is_no_part_of_a_proposal(two: Registry, weights: Path) -> None:
    git(two.folder, "checkout", "-q", "-b", "proposal")
    head = commit_files(two.folder, {"models/iris/aliases/best.yaml": pointer("alias", "2")})
    git(two.folder, "checkout", "-q", "main")
    two.save("iris", weights, metadata={"n": 3})
    two.promote("iris@3", "staging")
    report = checked(two, head)
    assert report.ok
    assert [(move.kind, move.name) for move in report.moves] == [("alias", "best")]
    assert report.arrivals == ()


def test_a_test_merge_as_forges_make_it_is_checked_like_its_branch(two: Registry, weights: Path) -> None:
    git(two.folder, "checkout", "-q", "-b", "proposal")
    commit_files(two.folder, promotion())
    git(two.folder, "checkout", "-q", "main")
    two.save("iris", weights, metadata={"n": 3})
    tree = git(two.folder, "merge-tree", "--write-tree", "main", "proposal")
    merge = git(two.folder, "commit-tree", "-p", "main", "-p", "proposal", "-m", "Merge", tree)
    assert checked(two, merge).moves == checked(two, git(two.folder, "rev-parse", "proposal")).moves != ()


def test_a_new_version_stands_beside_the_latest_one(proposed: Commits) -> None:
    (new,) = proposed({"models/iris/versions/3.yaml": record("iris", "3", 3, metadata={"accuracy": 0.95})}).arrivals
    assert new.version.reference == "iris@3"
    assert new.comparison is not None
    assert (new.comparison["from"], new.comparison["files"][0]["change"]) == ("iris@2", "removed")


def test_a_change_of_the_card_is_told_field_by_field_and_line_by_line(proposed: Commits) -> None:
    said = {"models/iris/model.yaml": card("iris") + "license: MIT\n", "models/iris/README.md": "# Iris\nsmall\n"}
    (change,) = proposed(said).cards
    assert change.fields == {"license": {"from": None, "to": "MIT"}}
    assert change.text[-2:] == ("+# Iris", "+small")


# -- policies --------------------------------------------------------------------------------------------------------

GATE = "policies:\n  production:\n    gates:\n    - {metric: accuracy, at_least: %s}\n"


def with_policy(registry: Registry, policy: str) -> None:
    text = (registry.folder / "gitreg.yaml").read_text().partition("policies:")[0]
    commit_files(registry.folder, {"gitreg.yaml": text + policy})


def test_an_unmet_gate_refuses_the_promotion_and_a_met_one_does_not(two: Registry, proposed: Commits) -> None:
    with_policy(two, GATE % 0.95)
    assert "stages/production.yaml iris@2 may not enter production: metric" in told(proposed(promotion()))
    with_policy(two, GATE % 0.92)
    report = proposed(promotion())
    assert report.ok
    assert report.moves[0].decision is not None
    assert [result.outcome.word for result in report.moves[0].decision.results] == ["passed"]


def test_the_policy_that_counts_is_the_targets(two: Registry, proposed: Commits) -> None:
    with_policy(two, GATE % 0.95)
    lax = (two.folder / "gitreg.yaml").read_text().replace("0.95", "0.1")
    assert "may not enter production" in told(proposed({**promotion(), "gitreg.yaml": lax}))


def test_what_the_proposal_says_of_the_version_counts(two: Registry, proposed: Commits) -> None:
    with_policy(two, GATE.replace("%s", "0.95, later: true"))
    note = "format: 1\nkind: annotation\nmetadata: {accuracy: 0.97}\n"
    assert proposed({**promotion(), "models/iris/annotations/2.yaml": note}).ok


def test_who_promotes_is_who_made_the_commit(two: Registry) -> None:
    with_policy(two, "policies:\n  production:\n    promoters: [bob@example.com]\n")
    for name, allowed in (("bob@example.com", True), ("eve@example.com", False)):
        git(two.folder, "checkout", "-q", "-B", "proposal", "main")
        commit_files(two.folder, promotion())
        git(two.folder, "commit", "-q", "--amend", "--no-edit", f"--author=Somebody <{name}>")
        head = commit_files(two.folder, {"models/iris/README.md": "# Iris\n"})  # by Ada
        git(two.folder, "checkout", "-q", "main")
        assert checked(two, head).ok == allowed


def test_a_command_gate_is_run_and_told_what_it_is_about(two: Registry) -> None:
    with_policy(two, "policies:\n  production:\n    gates:\n    - command: [python, evaluate.py]\n")
    git(two.folder, "checkout", "-q", "-b", "proposal")
    head = commit_files(two.folder, promotion())
    git(two.folder, "checkout", "-q", "main")
    asked: list[object] = []
    for answer in (True, False):

        def run(*about: object, answer: bool = answer) -> bool:
            asked.append(about)
            return answer

        report = checked(two, head, run=run)
        assert report.ok == answer
    assert asked == [(("python", "evaluate.py"), "iris@2", Key("stage", "iris", "production"))] * 2
    assert "not evaluated" in checked(two, head).moves[0].row()["decision"]["results"][0]["outcome"]


@pytest.mark.slow
def test_force_overrides_only_what_the_target_lets_it(two: Registry, hub: Path) -> None:
    git(two.folder, "remote", "add", "origin", str(hub))
    text = (two.folder / "gitreg.yaml").read_text() + "remote: origin\n" + GATE % 0.95
    for overridable, good in (("", False), ("    overridable: [metric]\n", True)):
        commit_files(two.folder, {"gitreg.yaml": text + overridable})
        git(two.folder, "push", "-q", "origin", "main")
        with Registry.open(two.folder) as other:
            other.proposing = True
            other.promote("iris@2", "production", force=True)
        report = checked(two, git(hub, "rev-parse", "gitreg/promote/iris-production-2"))
        assert report.ok == good
        decision = report.moves[0].decision
        assert decision is not None
        assert decision.overridden == (["metric"] if good else [])


def test_a_revert_and_a_rollback_give_a_stage_back_without_asking_its_gates(two: Registry) -> None:
    two.promote("iris@2", "production", force=True)
    with_policy(two, GATE % 0.99)
    git(two.folder, "checkout", "-q", "-b", "proposal")
    git(two.folder, "revert", "--no-edit", "HEAD~1")
    report = checked(two, git(two.folder, "rev-parse", "HEAD"), git(two.folder, "rev-parse", "main"))
    assert report.ok
    assert [(move.row()["from"], move.row()["to"], move.rollback) for move in report.moves] == [
        ("iris@2", "iris@1", True)
    ]


def test_a_pointer_that_calls_itself_a_rollback_is_none_where_nobody_held_the_stage(
    two: Registry, proposed: Commits
) -> None:
    with_policy(two, GATE % 0.99)
    forged = {"models/iris/stages/production.yaml": pointer("stage", "2", rolled_back_from="1")}
    assert "may not enter production" in told(proposed(forged))


def test_a_yanked_version_takes_no_stage(two: Registry, proposed: Commits) -> None:
    two.yank("iris@2")
    assert "iris@2 was yanked and cannot take a stage" in told(proposed(promotion()))


def test_the_version_that_holds_a_stage_may_be_yanked(proposed: Commits) -> None:
    assert proposed({"models/iris/annotations/1.yaml": "format: 1\nkind: annotation\nyanked: true\n"}).ok


# -- histories -------------------------------------------------------------------------------------------------------


def test_commits_without_a_common_history_are_refused_in_words(two: Registry) -> None:
    tree = git(two.folder, "rev-parse", "main^{tree}")
    with pytest.raises(Refused, match="no history in common"):
        checked(two, git(two.folder, "commit-tree", "-m", "new", tree))


def test_a_first_push_is_checked_whole_and_meets_no_policy(two: Registry) -> None:
    head = two.session.branch.head()
    assert head is not None
    report = check(two.session.branch, None, head)
    assert report.ok
    assert [new.version.reference for new in report.arrivals] == ["iris@1", "iris@2"]
    assert [move.row()["to"] for move in report.moves] == ["iris@1"]
    edited = commit_files(two.folder, {RECORD: sealed(two).replace("0.91", "0.99")})
    assert "is edited by a later commit" in told(check(two.session.branch, None, edited))


@pytest.mark.parametrize("path", [RECORD, "artifacts/data/1.yaml"])
def test_a_first_push_that_has_removed_a_record_again_is_refused(two: Registry, path: str) -> None:
    git(two.folder, "checkout", "-q", "-b", "proposal")
    commit_files(two.folder, {path: (two.folder / RECORD).read_bytes()})
    head = commit_files(two.folder, {path: None, "models/iris/stages/production.yaml": None})
    assert f"{path} is removed again by a later commit" in told(check(two.session.branch, None, head))
    back = commit_files(two.folder, {RECORD: (sealed(two))})
    assert check(two.session.branch, None, back).ok == (path == RECORD)


def test_nothing_is_written(two: Registry, proposed: Commits) -> None:
    git(two.folder, "checkout", "-q", "-b", "proposal")
    head = commit_files(two.folder, promotion())
    git(two.folder, "checkout", "-q", "main")
    before = git(two.folder, "for-each-ref"), git(two.folder, "count-objects")
    assert checked(two, head).ok
    assert (git(two.folder, "for-each-ref"), git(two.folder, "count-objects")) == before
    assert two.version("iris@production").number == 1


EDITS = st.lists(
    st.tuples(st.sampled_from(["main", "proposal"]), st.sampled_from("abcd"), st.sampled_from(["1", "2", None])),
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=15)
@given(EDITS)
def test_what_is_foreseen_is_what_git_merges(two: Registry, edits: list[tuple[str, str, str | None]]) -> None:
    """Two branches set and remove aliases by turns: what the report says will be is what a merge makes of them."""
    start = git(two.folder, "rev-parse", "main")
    for branch in ("target", "proposal"):
        git(two.folder, "checkout", "-q", "-B", branch, start)
    for branch, alias, version in edits:
        git(two.folder, "checkout", "-q", "target" if branch == "main" else "proposal")
        path = f"models/iris/aliases/{alias}.yaml"
        if version is not None or (two.folder / path).exists():
            commit_files(two.folder, {path: pointer("alias", version) if version else None})
    git(two.folder, "checkout", "-q", "main")
    target, head = (git(two.folder, "rev-parse", name) for name in ("target", "proposal"))
    report = checked(two, head, target)
    try:
        tree = git(two.folder, "merge-tree", "--write-tree", target, head)
    except AssertionError:
        assert any("was changed on the target branch" in problem.what for problem in report.problems)
        return
    merge = git(two.folder, "commit-tree", "-p", target, "-m", "merge", tree)
    before, after = (two.session.snapshot(commit).aliases("iris") for commit in (target, merge))
    expected = {name for name in {**before, **after} if before.get(name) != after.get(name)}
    assert {problem.what for problem in report.problems} <= {"moves twice in this proposal"}
    assert {move.name for move in report.moves} == expected


def test_the_files_of_an_artifact_of_its_own_are_looked_for(two: Registry, proposed: Commits) -> None:
    said = artifact("a").to_data()
    document = ArtifactDocument(
        artifact="iris_data", version="1", number=1, id="0" * 32, created_at=NOW, size=said["size"],
        digest=said["digest"], files=artifact("a").files,
    )  # fmt: skip
    path = "artifacts/iris_data/1.yaml"
    assert proposed({path: write(Key("artifact", "iris_data", "1"), document)}).ok
    asked: list[str] = []

    def look(holders: Sequence[Holder]) -> list[VerifiedItem]:
        asked.extend(holder.reference for holder in holders)
        return [VerifiedItem("iris_data@1", "data", "m.bin", 1, "m.bin: is not there")]

    head = git(two.folder, "rev-parse", "proposal")
    assert f"{path} data: m.bin: is not there" in told(
        check(two.session.branch, two.session.branch.head(), head, weights=look)
    )
    assert asked == ["iris_data@1"]

"""Doctor: right work by hand is accepted, each thing that is wrong is named, and what is promised is mended."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gitreg.documents.yaml import dumps
from gitreg.errors import IntegrityError, InvalidDocument
from gitreg.registry.doctor import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.remotes import push
from tests.registry.support import commit_files, git, pointer, record

pytestmark = pytest.mark.slow

SHA = "sha256:" + "0" * 64


def named(registry: Registry) -> dict[str, Problem]:
    """What is wrong, by where, the only thing of each place."""
    problems = registry.doctor()
    assert len({problem.where for problem in problems}) == len(problems)
    for problem in problems:
        assert problem.remedy
        assert set(problem.row()) == {"where", "what", "remedy", "repairable"}
    return {problem.where: problem for problem in problems}


@pytest.fixture
def iris(registry: Registry, weights: Path) -> Registry:
    """A sound registry: two versions, one in production, an alias."""
    registry.save("iris", weights, stage="production")
    registry.save("iris", weights)
    registry.set_alias("iris@2", "champion")
    assert registry.doctor() == []
    return registry


def test_what_a_person_writes_with_plain_git_is_accepted(registry: Registry) -> None:
    folder = registry.folder
    at = "models/team/Iris%201"
    commit_files(
        folder,
        {
            f"{at}/model.yaml": "# by hand\nkind: model\nformat: 1\nname: team/Iris 1\n",
            f"{at}/README.md": "# Iris\n",
            f"{at}/versions/1.yaml": record("team/Iris 1", "1", 1),
            f"{at}/versions/alpha.yaml": record("team/Iris 1", "alpha", 2),
            f"{at}/stages/production.yaml": pointer("stage", "alpha"),
            "README.md": "about",
        },
    )
    git(folder, "tag", "-a", "-m", "by hand", "models/team/Iris%201@1")
    git(folder, "tag", "-a", "-m", "by hand", "models/team/Iris%201@alpha")
    git(folder, "update-ref", "refs/stages/team/Iris%201@production", "HEAD")
    assert registry.doctor() == []
    assert registry.version("team/Iris 1@production").number == 2


def test_a_glob_of_a_policy_that_fits_no_model_is_named(iris: Registry) -> None:
    before = (iris.folder / "gitreg.yaml").read_text()
    policies = "policies:\n  staging: {models: [ir?s], protected: true}\n  production:\n"
    policies += "  - models: [iris, 'rank*']\n    protected: true\n  - models: [Iris, gone]\n"
    iris.register_model("gone")
    iris.delete_model("gone")
    commit_files(iris.folder, {"gitreg.yaml": before + policies}, "policies")
    assert [(found.where, found.what) for found in iris.doctor()] == [
        ("gitreg.yaml", "at /policies/production/0/models/1: 'rank*' fits no model"),
        ("gitreg.yaml", "at /policies/production/1/models/0: 'Iris' fits no model"),
        ("gitreg.yaml", "at /policies/production/1/models/1: 'gone' fits no model"),
    ]


def test_what_is_written_by_hand_without_tags_is_tagged(registry: Registry) -> None:
    first = commit_files(registry.folder, {"models/iris/versions/1.yaml": record("iris", "1", 1)})
    commit_files(registry.folder, {"models/iris/model.yaml": "format: 1\nkind: model\nname: iris\n"}, "later")
    found = named(registry)
    assert set(found) == {"refs/tags/models/iris@1"}
    registry.repair(list(found.values()))
    assert git(registry.folder, "rev-parse", "models/iris@1^{commit}") == first
    assert registry.doctor() == []


def test_a_record_that_was_broken_at_first_is_sealed_once_it_can_be_read(registry: Registry) -> None:
    folder = registry.folder
    commit_files(
        folder,
        {"models/iris/model.yaml": "format: 1\nkind: model\nname: iris\n", "models/iris/versions/1.yaml": "number: ["},
    )
    assert set(named(registry)) == {"models/iris/versions/1.yaml"}
    mended = commit_files(folder, {"models/iris/versions/1.yaml": record("iris", "1", 1)})
    registry.repair(registry.doctor())
    assert registry.doctor() == []
    assert git(folder, "rev-parse", "models/iris@1^{commit}") == mended


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["120000", "160000"])
@pytest.mark.parametrize("path", ["models/iris/stages/staging.yaml", "models/rose"])
def test_a_link_where_a_file_or_a_folder_should_be_is_named(iris: Registry, path: str, mode: str) -> None:
    target = git(iris.folder, "rev-parse", "HEAD" if mode == "160000" else "HEAD:models/iris/model.yaml")
    git(iris.folder, "update-index", "--add", "--cacheinfo", f"{mode},{target},{path}")
    git(iris.folder, "commit", "-q", "-m", "by hand")
    assert "is a symbolic link or a submodule" in named(iris)[path].what


FILES: dict[str, tuple[dict[str, bytes | str | None], str, str]] = {
    "broken YAML": ({"models/iris/model.yaml": "name: ["}, "models/iris/model.yaml", "not YAML"),
    "a broken record": ({"models/iris/versions/3.yaml": "- 1"}, "models/iris/versions/3.yaml", "not a mapping"),
    "a huge number": (
        {"models/iris/versions/x.yaml": record("iris", "x", 10**30)},
        "models/iris/versions/x.yaml",
        "/number",
    ),
    "a foreign file": ({"models/iris/notes.txt": "x"}, "models/iris/notes.txt", "no file of the registry"),
    "a name not spelled so": ({"models/my iris/model.yaml": "x"}, "models/my iris/model.yaml", "not spelled"),
    "another model's record": (
        {"models/iris/versions/3.yaml": record("tulip", "3", 3)},
        "models/iris/versions/3.yaml",
        "the file's path says 'iris'",
    ),
    "an edited record": (
        {"models/iris/versions/1.yaml": record("iris", "1", 1)},
        "models/iris/versions/1.yaml",
        "was edited",
    ),
    "a removed record": (
        {"models/iris/versions/2.yaml": None, "models/iris/aliases/champion.yaml": None},
        "models/iris/versions/2.yaml",
        "was removed",
    ),
    "no card": ({"models/iris/model.yaml": None}, "models/iris/model.yaml", "is missing, though iris has versions"),
    "a dangling stage": (
        {"models/iris/stages/staging.yaml": pointer("stage", "9")},
        "models/iris/stages/staging.yaml",
        "not there",
    ),
    "a dangling alias": (
        {"models/iris/aliases/best.yaml": pointer("alias", "9")},
        "models/iris/aliases/best.yaml",
        "not there",
    ),
    "an undeclared stage": (
        {"models/iris/stages/prod.yaml": pointer("stage", "2")},
        "models/iris/stages/prod.yaml",
        "no stage that gitreg.yaml declares",
    ),
    "a wrong digest": (
        {"models/iris/stages/staging.yaml": pointer("stage", "2", digest=SHA)},
        "models/iris/stages/staging.yaml",
        "says the digest",
    ),
    "a pointer to a deleted version": (
        {"models/iris/annotations/2.yaml": dumps({"format": 1, "kind": "annotation", "deleted": True})},
        "models/iris/aliases/champion.yaml",
        "was deleted",
    ),
    "two stages of one version": (
        {"models/iris/stages/staging.yaml": pointer("stage", "1")},
        "models/iris/stages/staging.yaml",
        "is held by iris@1, and so is production; a version holds one stage",
    ),
    "a duplicate number": (
        {"models/iris/versions/twin.yaml": record("iris", "twin", 2)},
        "models/iris/versions/twin.yaml",
        "has the number 2, which iris@2 has already",
    ),
    "a name that is another number": (
        {"models/iris/versions/4.yaml": record("iris", "4", 3)},
        "models/iris/versions/4.yaml",
        "has the number 3",
    ),
    "versions in two cases": (
        {"models/iris/versions/A.yaml": record("iris", "A", 3), "models/iris/versions/a.yaml": record("iris", "a", 4)},
        "models/iris/versions/a.yaml",
        "only in case",
    ),
    "models in two cases": (
        {"models/Iris/model.yaml": "format: 1\nkind: model\nname: Iris\n"},
        "models/iris",
        "only in case",
    ),
    "folders in two cases": (
        {
            "models/a/x/model.yaml": "format: 1\nkind: model\nname: a/x\n",
            "models/A/y/model.yaml": "format: 1\nkind: model\nname: A/y\n",
        },
        "models/a",
        "only in case",
    ),
    "aliases in two cases": (
        {"models/iris/aliases/Champion.yaml": pointer("alias", "2")},
        "models/iris/aliases/champion.yaml",
        "only in case",
    ),
    "an annotation of nothing": (
        {"models/iris/annotations/9.yaml": dumps({"format": 1, "kind": "annotation"})},
        "models/iris/annotations/9.yaml",
        "is about iris@9, which is not there",
    ),
    "a newer format": (
        {"models/iris/model.yaml": "format: 2\nkind: model\nname: iris\n"},
        "models/iris/model.yaml",
        "this gitreg reads format 1",
    ),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:left out")  # reading says so; here doctor is asked
@pytest.mark.parametrize("what", FILES)
def test_a_wrong_file_is_named_and_the_rest_still_reads(iris: Registry, what: str) -> None:
    files, where, says = FILES[what]
    commit_files(iris.folder, files)
    problems = [problem for problem in iris.doctor() if not problem.where.startswith("refs/")]
    assert where in [problem.where for problem in problems]
    assert any(says in problem.what for problem in problems if problem.where == where)
    assert len(problems) == 1 or what in (
        "no card",
        "an edited record",
        "a pointer to a deleted version",
        "broken YAML",
        "a newer format",
    )
    if what == "an edited record":
        with pytest.raises(IntegrityError, match="was edited"):
            iris.version("iris@1")
    else:
        assert iris.version("iris@1").number == 1
    iris.repair(iris.doctor())
    left = iris.doctor()
    assert all(problem.repair is None for problem in left)
    assert where in [problem.where for problem in left]


REFS: dict[str, tuple[Callable[[Path], object], str, str, bool]] = {
    "a lightweight tag": (
        lambda f: git(f, "tag", "-f", "models/iris@1", "models/iris@1^{commit}"),
        "refs/tags/models/iris@1",
        "lightweight",
        True,
    ),
    "a missing tag": (lambda f: git(f, "tag", "-d", "models/iris@1"), "refs/tags/models/iris@1", "not sealed", True),
    "an orphan tag": (
        lambda f: git(f, "tag", "-a", "-m", "x", "models/iris@9"),
        "refs/tags/models/iris@9",
        "no record",
        False,
    ),
    "a foreign tag": (
        lambda f: git(f, "tag", "-a", "-m", "x", "models/v1"),
        "refs/tags/models/v1",
        "no tag of a version",
        False,
    ),
    "a moved tag": (
        lambda f: git(f, "tag", "-f", "-a", "-m", "x", "models/iris@2", "main~3"),
        "refs/tags/models/iris@2",
        "not what the branch says",
        True,
    ),
    "a tag of no commit": (
        lambda f: git(f, "tag", "-f", "-a", "-m", "x", "models/iris@2", "main^{tree}"),
        "refs/tags/models/iris@2",
        "no commit",
        True,
    ),
    "a missing mirror": (
        lambda f: git(f, "update-ref", "-d", "refs/stages/iris@production"),
        "refs/stages/iris@production",
        "is missing",
        True,
    ),
    "a lagging mirror": (
        lambda f: git(f, "update-ref", "refs/aliases/iris@champion", "main~1"),
        "refs/aliases/iris@champion",
        "where its file last changed",
        True,
    ),
    "a foreign mirror": (
        lambda f: git(f, "update-ref", "refs/stages/tulip@production", "main"),
        "refs/stages/tulip@production",
        "belongs to no stage",
        False,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", REFS)
def test_a_wrong_ref_is_named_and_mended_where_that_is_promised(iris: Registry, what: str) -> None:
    spoil, where, says, mended = REFS[what]
    sound = git(iris.folder, "for-each-ref")
    spoil(iris.folder)
    found = named(iris)
    assert set(found) == {where}
    assert says in found[where].what
    assert (found[where].repair is not None) == mended
    assert iris.version("iris@production").number == 1
    assert len(iris.repair(list(found.values()))) == mended
    if mended:
        assert git(iris.folder, "for-each-ref") == sound
        assert iris.doctor() == []


@pytest.mark.slow
def test_what_was_right_when_it_was_found_is_not_mended_over_later_work(iris: Registry) -> None:
    git(iris.folder, "update-ref", "-d", "refs/stages/iris@production")
    found = iris.doctor()
    iris.promote("iris@2", "production", force=True)
    moved = git(iris.folder, "rev-parse", "refs/stages/iris@production")
    with pytest.raises(Exception, match="refs/stages/iris@production"):
        iris.repair(found)
    assert git(iris.folder, "rev-parse", "refs/stages/iris@production") == moved


@pytest.mark.slow
def test_a_missing_blob_is_named_and_saving_the_file_again_mends_it(iris: Registry, weights: Path) -> None:
    for blob in (iris.folder / ".git/gitreg/store").rglob("*"):
        if blob.is_file() and blob.read_bytes() == b"weights":
            blob.chmod(0o644)
            blob.unlink()
    found = named(iris)
    assert len(found) == 1
    (where,) = found
    assert where.startswith("iris@")
    assert "not in the store" in found[where].what
    iris.save("iris", weights)
    assert iris.doctor() == []


def blobs_of(registry: Registry) -> list[Path]:
    store = registry.folder / ".git/gitreg/store"
    return [path for path in store.rglob("*") if path.is_file() and path.read_bytes() == b"weights"]


@pytest.mark.slow
def test_a_missing_blob_comes_back_from_the_cache_of_this_machine(iris: Registry) -> None:
    iris.load("iris@1")
    for blob in blobs_of(iris):
        blob.chmod(0o644)
        blob.unlink()
    (problem,) = iris.doctor()
    assert "but this machine's cache holds them" in problem.what
    assert iris.repair([problem]) == [problem]
    assert iris.doctor() == []
    assert [finding.problem for finding in iris.verify(share=1)] == [None, None]


@pytest.mark.slow
def test_a_rotten_blob_is_set_aside_when_it_is_read_and_comes_back_as_a_missing_one(iris: Registry) -> None:
    iris.load("iris@1")
    for blob in blobs_of(iris):
        blob.chmod(0o644)
        blob.write_bytes(b"rotten!")
    assert iris.doctor() == []  # which does not read gigabytes
    assert any(finding.problem for finding in iris.verify(share=1))
    (problem,) = iris.doctor()
    assert iris.repair([problem]) == [problem]
    assert [finding.problem for finding in iris.verify(share=1)] == [None, None]


@pytest.mark.slow
def test_a_rotten_cache_mends_nothing(iris: Registry) -> None:
    for file in iris.load("iris@1").rglob("*.bin"):
        file.chmod(0o644)
        file.write_bytes(b"rotten!")
    for blob in blobs_of(iris):
        blob.chmod(0o644)
        blob.unlink()
    found = iris.doctor()
    assert iris.repair(found) == []
    assert [problem.where for problem in iris.doctor()] == [problem.where for problem in found]
    assert blobs_of(iris) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE documents SET number = 7 WHERE name = '2'",
        "UPDATE documents SET data = replace(data, 'production', 'staging') WHERE kind = 'registry'",
        "DELETE FROM documents WHERE kind = 'stage'",
        "UPDATE commits SET time = time + 1 WHERE seq = 2",
        "UPDATE documents SET until = 3 WHERE kind = 'model_version' AND name = '2'",
        "DELETE FROM commits WHERE seq = 2",
        "UPDATE documents SET data = '{' WHERE kind = 'stage'",
    ],
)
def test_an_index_that_says_something_else_than_the_branch_is_made_anew(iris: Registry, spoil: str) -> None:
    iris.close()
    with closing(sqlite3.connect(iris.session.branch.index_path)) as database, database:
        assert database.execute(spoil).rowcount
    with Registry.open(iris.folder) as again:
        found = again.doctor()
        assert [problem.where for problem in found] == [str(again.session.branch.index_path)]
        assert "is stale" in found[0].what
        assert again.repair(found) == found
        assert again.doctor() == []
        assert again.version("iris@2").number == 2


@pytest.mark.slow
def test_a_record_that_was_reverted_by_the_remedy_is_sound_again(iris: Registry) -> None:
    for description in ("a typo", "another"):
        commit_files(iris.folder, {"models/iris/versions/1.yaml": record("iris", "1", 1, description=description)})
    found = {problem.where: problem for problem in iris.doctor()}
    command = found["models/iris/versions/1.yaml"].remedy.split("`")[1]
    git(iris.folder, *command.split()[1:])
    git(iris.folder, "commit", "-q", "-m", "Back as it was")
    assert iris.doctor() == []


@pytest.mark.slow
def test_a_merge_brings_versions_and_their_tags_stand_on_the_first_parent_line(iris: Registry) -> None:
    folder = iris.folder
    git(folder, "checkout", "-q", "-b", "side")
    commit_files(folder, {"models/iris/versions/3.yaml": record("iris", "3", 3)})
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "-m", "Merge", "side")
    iris.repair(iris.doctor())
    assert iris.doctor() == []
    assert git(folder, "rev-parse", "models/iris@3^{commit}") == git(folder, "rev-parse", "main")


@pytest.mark.slow
def test_broken_settings_are_a_problem_with_which_everything_reads_and_nothing_is_written(iris: Registry) -> None:
    said = f"format: 1\nkind: registry\nid: {'0' * 32}\nbranch: main\nprefix: models\nstages: x\n"
    commit_files(iris.folder, {"gitreg.yaml": said})
    assert [(problem.where, "is 'x', not a list" in problem.what) for problem in iris.doctor()] == [
        ("gitreg.yaml", True)
    ]
    assert iris.version("iris@1").number == 1
    with pytest.raises(InvalidDocument, match=r"gitreg\.yaml"):
        iris.promote("iris@1", "staging")


def without_id(registry: Registry) -> None:
    """Make it one that was begun before registries had ids."""
    settings = (registry.folder / "gitreg.yaml").read_text()
    commit_files(registry.folder, {"gitreg.yaml": re.sub("^id: .*\n", "", settings, flags=re.MULTILINE)})


def test_an_id_is_drawn_by_init_and_is_the_first_that_gitreg_yaml_says(registry: Registry) -> None:
    lines = (registry.folder / "gitreg.yaml").read_text().splitlines()
    assert re.fullmatch("id: ([0-9a-f]{32}|'[0-9]{32}')", lines[lines.index("kind: registry") + 1])


def test_a_registry_without_an_id_gets_one_once(registry: Registry) -> None:
    without_id(registry)
    (problem,) = registry.doctor()
    assert (problem.where, problem.repair) == ("gitreg.yaml", "id")
    assert registry.repair([problem]) == [problem]
    given = registry.session.snapshot().settings.id
    assert given is not None
    assert registry.doctor() == []
    registry.repair([problem])
    assert registry.session.snapshot().settings.id == given


@pytest.mark.slow
def test_an_id_is_given_on_the_remote_first_and_not_without_it(one: Registry, hub: Path) -> None:
    without_id(one)
    push(one.session)
    with Registry.open(one.folder, local=True) as alone:
        assert alone.repair(alone.doctor()) == []
        assert [problem.repair for problem in alone.doctor()] == ["id"]
    one.repair(one.doctor())
    assert one.doctor() == []
    assert f"id: {one.session.snapshot().settings.id}" in git(hub, "show", "main:gitreg.yaml").replace("'", "")


@pytest.mark.slow
def test_a_registry_in_a_folder_is_examined_there_and_only_there(user: Path, tmp_path: Path, weights: Path) -> None:
    (tmp_path / "project").mkdir()
    git(tmp_path / "project", "init", "-q", "-b", "main")
    commit_files(tmp_path / "project", {"models/notes.txt": "the project's own"})
    made, _ = Registry.init(tmp_path / "project" / "reg", branch="main")
    with made as registry:
        assert registry.session.branch.root == "reg"
        registry.save("iris", weights, stage="production")
        assert registry.doctor() == []
        commit_files(registry.folder, {"reg/models/x.txt": "x"})
        assert [problem.where for problem in registry.doctor()] == ["reg/models/x.txt"]
        branch = RegistryBranch(registry.session.branch.repository, "main", "reg")
        assert branch.snapshot().model_names() == ["iris"]
        branch.close()


@pytest.mark.slow
def test_a_namespace_shared_with_branches_costs_no_branch_on_repair(iris: Registry) -> None:
    settings = (iris.folder / "gitreg.yaml").read_text()
    commit_files(iris.folder, {"gitreg.yaml": settings + "mirrors:\n  stages: refs/heads/stages\n"})
    git(iris.folder, "branch", "stages/feature")
    before = git(iris.folder, "for-each-ref", "refs/heads", "refs/tags")
    iris.repair(iris.doctor())
    after = git(iris.folder, "for-each-ref", "refs/heads", "refs/tags")
    assert set(before.splitlines()) <= set(after.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "mirrors: {stages: refs/heads}",
        "mirrors: {stages: refs/tags/models}",
        "mirrors: {stages: refs/tags}",
        "mirrors: {stages: refs/x, aliases: refs/x}",
        "stages: [latest]",
        "stages: ['7']",
        "stages: [a/b]",
        "prefix: a..b",
        "branch: -x",
    ],
)
def test_settings_that_git_or_people_would_misread_are_a_problem(iris: Registry, line: str) -> None:
    field = line.partition(":")[0]
    kept = (iris.folder / "gitreg.yaml").read_text()
    kept = re.sub(rf"^{field}:.*\n(- .*\n)*", "", kept, flags=re.MULTILINE)
    commit_files(iris.folder, {"gitreg.yaml": f"{kept}{line}\n"})
    assert "gitreg.yaml" in [problem.where for problem in iris.doctor()]
    assert iris.version("iris@1").number == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("models/%1B%5B31mred/model.yaml", 'format: 1\nkind: model\nname: "\\e[31mred"\n'),
        ("models/dated/model.yaml", "format: 1\nkind: model\nname: dated\ncreated_at: 2026-99-99T99:99:99Z\n"),
        ("models/a%40b/model.yaml", "format: 1\nkind: model\nname: a@b\n"),
    ],
)
def test_a_name_or_a_date_that_cannot_be_is_a_problem(iris: Registry, path: str, content: str) -> None:
    commit_files(iris.folder, {path: content})
    assert path in [problem.where for problem in iris.doctor()]
    assert iris.version("iris@1").number == 1


@pytest.mark.slow
def test_a_path_that_is_not_utf8_is_named_and_the_rest_reads(iris: Registry) -> None:
    name = os.fsdecode(b"models/\xff")
    (iris.folder / name).mkdir()
    (iris.folder / name / "model.yaml").write_text("format: 1\nkind: model\nname: x\n")
    git(iris.folder, "add", ".")
    git(iris.folder, "commit", "-qm", "odd")
    assert iris.version("iris@1").number == 1
    assert any("no file of the registry" in problem.what for problem in iris.doctor())


@pytest.mark.slow
def test_promoting_again_mends_a_pointer_whose_digest_is_wrong(iris: Registry) -> None:
    iris.promote("iris@1", "production", force=True)
    commit_files(
        iris.folder,
        {"models/iris/stages/production.yaml": f"format: 1\nkind: stage\nversion: 1\ndigest: sha256:{'0' * 64}\n"},
    )
    with pytest.raises(IntegrityError):
        iris.version("iris@production")
    iris.promote("iris@1", "production")
    assert iris.version("iris@production").number == 1


@pytest.mark.slow
def test_a_version_whose_annotation_is_broken_counts_as_withdrawn(iris: Registry) -> None:
    commit_files(iris.folder, {"models/iris/annotations/2.yaml": "yanked: [\n"})
    with pytest.warns(UserWarning, match="cannot be read"):
        found = [iris.version("iris@2"), iris.version("iris")]
    assert [(version.number, version.yanked) for version in found] == [(2, True), (1, False)]

"""The registry as a handle: what a training job and a server do with it."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import gitreg
from gitreg.errors import IntegrityError, InvalidInput, NotFound, Refused
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs import save
from gitreg.sdk.verbs.versions import undelete_version
from gitreg.sdk.zenml.model import Model
from tests.registry.support import git


def test_init_twice_is_once(registry: Registry) -> None:
    again, made = Registry.init(registry.folder)
    with again:
        assert not made
        assert again.session.snapshot().commit == registry.session.snapshot().commit


def test_a_registry_is_found_from_the_current_folder_upwards_or_from_the_environment(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = registry.folder / "notes" / "deep"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    with Registry.open() as found:
        assert found.folder == registry.folder
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound):
        Registry.open()
    monkeypatch.setenv("GITREG_REGISTRY", str(registry.folder))
    with Registry.open() as found:
        assert found.folder == registry.folder
    with pytest.raises(NotFound):
        Registry.open(tmp_path / "nowhere")


def test_a_save_without_the_version_that_its_at_sign_announces_is_refused(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"w")
    with pytest.raises(InvalidInput, match="'iris@' names no version"):
        registry.save("iris@", tmp_path / "model.bin")
    assert not registry.session.snapshot().models()


def test_an_empty_path_is_not_the_current_folder(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"w")
    registry.save("iris", tmp_path / "model.bin")
    with registry.batch() as batch:
        for refused in (
            lambda: registry.save("iris", ""),
            lambda: registry.save("iris", artifacts={"tokenizer": ""}),
            lambda: registry.load("iris", ""),
            lambda: batch.save("iris", ""),
        ):
            with pytest.raises(InvalidInput, match="'' names no path"):
                refused()
    assert len(registry.list_versions("iris").items) == 1


def test_what_is_saved_is_loaded(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "weights.bin").write_bytes(b"w" * 1000)
    (folder / ".hidden").write_text("kept")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    version = registry.save("iris", folder, metadata={"accuracy": 0.9}, tags=["x"])
    assert (version.number, version.size) == (1, 1014)
    own = registry.load("iris@1", tmp_path / "own")
    there = {path.relative_to(own).as_posix(): path for path in own.rglob("*") if path.is_file()}
    inner = {name.removeprefix("model/"): path for name, path in there.items()}
    assert set(inner) == {"sub/weights.bin", ".hidden", "run.sh"}
    assert inner["run.sh"].stat().st_mode & 0o100
    inner["sub/weights.bin"].write_bytes(b"changed")
    cached = registry.load("iris@1", file="*.bin")
    (weights,) = [path for path in cached.rglob("*") if path.is_file()]
    assert weights.read_bytes() == b"w" * 1000
    assert registry.load("iris", str(tmp_path / "again")).is_dir()
    with pytest.raises(NotFound, match="matches"):
        registry.load("iris", file="*.onnx")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "loaded"),
    [
        ("model[1].bin", {"model[1].bin"}), ("[a]*?.bin", {"[a]*?.bin"}), ("sub/model[1].txt", {"sub/model[1].txt"}),
        ("model[1].txt", {"sub/model[1].txt"}), ("model?.bin", {"model1.bin"}), ("same", {"same", "sub/same"}),
        ("*.txt", {"sub/model[1].txt", "sub/model1.txt"}), ("*", {"*"}),
    ],
)  # fmt: skip
def test_a_file_that_is_called_so_literally_wins_over_those_that_match_the_pattern(
    registry: Registry, tmp_path: Path, wanted: str, loaded: set[str]
) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    for path in (
        "model[1].bin", "model1.bin", "[a]*?.bin", "sub/model[1].txt", "sub/model1.txt", "same", "sub/same", "*",
    ):  # fmt: skip
        (folder / path).write_text(path)
    registry.save("iris", folder)
    out = registry.load("iris@1", tmp_path / "out", file=wanted)
    assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == loaded


@pytest.mark.slow
def test_text_and_path_are_the_same_and_nothing_there_is_an_error(registry: Registry, weights: Path) -> None:
    first = registry.save("iris@a", str(weights))
    assert registry.save("iris@a", weights) == first
    for paths in (("gone.bin",), ()):
        with pytest.raises((NotFound, InvalidInput)):
            registry.save("iris", *paths)
    assert [version.version for version in registry.session.snapshot().versions("iris")] == ["a"]


@pytest.mark.slow
def test_several_artifacts_are_told_apart(registry: Registry, weights: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("1,2\n")
    registry.save("iris", weights, artifacts={"train": data})
    assert set(registry.version("iris").artifacts) == {"model", "train"}
    folder = registry.load("iris", artifact="train")
    assert [path.read_text() for path in folder.rglob("*") if path.is_file()] == ["1,2\n"]
    with pytest.raises(NotFound, match="no artifact 'test'"):
        registry.load("iris", artifact="test")
    with pytest.raises(InvalidInput, match="given twice"):
        registry.save("iris", weights, artifacts={"model": data})


def test_metadata_that_json_cannot_say_is_refused_before_anything_is_stored(registry: Registry, weights: Path) -> None:
    with pytest.raises(InvalidInput, match=r"metadata\.model"):
        registry.save("iris", weights, metadata={"model": object()})
    assert not (registry.folder / ".git/gitreg/store").exists()


def test_a_yanked_version_loads_with_a_warning(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    registry.yank("iris@1", reason="leaks")
    with pytest.warns(UserWarning, match="yanked: leaks"):
        registry.load("iris@1")
    with pytest.raises(NotFound):
        registry.load("iris")


def test_bytes_that_are_not_what_the_record_says_never_come_out(
    registry: Registry, weights: Path, tmp_path: Path
) -> None:
    registry.save("iris", weights)
    for blob in (registry.folder / ".git/gitreg/store").rglob("*"):
        if blob.is_file() and blob.read_bytes() == b"weights":
            blob.chmod(0o644)
            blob.write_bytes(b"weighty")
    assert [finding.problem is None for finding in registry.verify(share=1.0)] == [False]
    with pytest.raises(IntegrityError):
        registry.load("iris", tmp_path / "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


@pytest.mark.slow
def test_the_past_is_answered_for_by_commit_and_by_date(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights, stage="production")
    then = git(registry.folder, "rev-parse", "main")
    registry.save("iris", weights)
    registry.promote("iris@2", "production", force=True)
    assert registry.version("iris@production").number == 2
    assert registry.version("iris@production", at=then).number == 1
    assert registry.version("iris@production", at="models/iris@1").number == 1
    assert registry.model("iris", at="2999-01-01").stages == {"production": "2"}
    with pytest.raises(NotFound, match="did not exist"):
        registry.model("iris", at="2001-01-01")
    with pytest.raises(InvalidInput, match="neither a date nor a commit"):
        registry.model("iris", at="yesterday")


@pytest.mark.slow
def test_the_handle_sees_what_others_write(registry: Registry, weights: Path) -> None:
    with Registry.open(registry.folder) as other:
        other.save("iris", weights)
        assert registry.version("iris").number == 1
        registry.save("iris", weights)
        assert other.version("iris").number == 2


def test_a_store_that_the_user_did_not_approve_is_not_opened(
    user: Path, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = Registry.init(tmp_path / "shared", store=(tmp_path / "store").as_uri())
    with made:
        made.save("iris", weights)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody else"))
    with Registry.open(tmp_path / "shared") as registry:
        assert registry.version("iris").number == 1
        for use in (lambda: registry.load("iris"), lambda: registry.save("iris", weights)):
            with pytest.raises(Refused, match="not trusted on this machine"):
                use()
        registry.session.trust()
    with Registry.open(tmp_path / "shared") as registry:
        assert registry.load("iris").is_dir()


@pytest.mark.slow
def test_garbage_is_what_no_version_means(registry: Registry, weights: Path, tmp_path: Path) -> None:
    registry.save("iris", weights)
    weights.write_bytes(b"other weights")
    registry.save("iris", weights)
    registry.delete_version("iris@2")
    assert [one.reason for one in registry.collect_garbage(grace=3600)] == ["recent"]
    assert registry.collect_garbage(grace=3600, apply=True) == []
    (shown,) = registry.collect_garbage(grace=-5)
    assert (shown.model, shown.version, shown.reason) == ("iris", "2", "unused")
    assert registry.collect_garbage(grace=-5, apply=True) == [shown]
    assert [one.key for one in registry.return_garbage()] == [shown.key]
    registry.collect_garbage(grace=-5, apply=True)
    assert registry.purge_garbage(grace=3600) == []
    assert [one.key for one in registry.purge_garbage(grace=-5)] == [shown.key]
    assert registry.doctor() == []
    assert registry.load("iris@1", tmp_path / "out").is_dir()


def test_a_person_whom_git_does_not_know_is_told_so(
    registry: Registry, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{what}")
    with Registry.open(registry.folder) as unknown:
        with pytest.raises(InvalidInput):
            unknown.save("iris", weights)
        with pytest.raises(NotFound):
            unknown.version("iris")


@pytest.mark.slow
def test_a_log_tells_who_did_what_newest_first(registry: Registry, weights: Path) -> None:
    registry.register_model("iris", license="MIT")
    registry.save("iris", weights, stage="staging")
    registry.update_model("iris", audience="all")
    rows = list(registry.log("iris"))
    assert [[event["event"] for event in row["events"]] for row in rows] == [
        ["updated"], ["saved", "promoted"], ["registered"],
    ]  # fmt: skip
    assert {row["email"] for row in rows} == {"ada@example.com"}
    with pytest.raises(NotFound):
        list(registry.log("rose"))


@pytest.mark.slow
def test_a_deletion_is_undone_with_the_weights_that_are_still_somewhere(registry: Registry, weights: Path) -> None:
    registry.register_model("iris", license="MIT")
    registry.save("iris", weights)
    registry.delete_version("iris@1")
    with pytest.raises(NotFound, match="iris@1 was deleted") as caught:
        registry.load("iris@1")
    assert caught.value.hint == "`gitreg undelete iris@1` takes that back"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert undelete_version(registry.session, "iris@1").written
        assert not undelete_version(registry.session, "iris@1").written
        registry.delete_model("iris")
        registry.collect_garbage(grace=-1, apply=True)
        undelete_version(registry.session, "iris@1")
    assert registry.model("iris").document.license == "MIT"
    assert list(registry.load("iris", weights.parent / "loaded").iterdir())
    assert registry.doctor() == []
    registry.delete_version("iris@1")
    registry.collect_garbage(grace=-1, apply=True)
    registry.purge_garbage(grace=-1)
    with pytest.warns(UserWarning, match="weights of iris@1 are not in the store any more"):
        undelete_version(registry.session, "iris@1")
    for never in ("iris@9", "rose@1"):
        with pytest.raises(NotFound):
            undelete_version(registry.session, never)
    with pytest.raises(InvalidInput, match="names no version"):
        undelete_version(registry.session, "iris")


@pytest.mark.slow
def test_a_log_of_a_version_tells_what_became_of_it(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights, stage="staging")
    registry.save("iris", weights, metadata={"a": 1})
    registry.annotate("iris@1", tags=["x"])
    registry.promote("iris@2", "staging", force=True)
    registry.set_alias("iris@1", "champion")
    registry.set_alias("iris@2", "champion")
    registry.delete_alias("iris", "champion")
    registry.delete_version("iris@1")
    told = {
        name: [[event["event"] for event in row["events"]] for row in registry.log(name)]
        for name in ("iris@1", "iris@2", "iris@latest", "models:/iris/2")
    }
    assert told["iris@1"] == [
        ["deleted"], ["aliased"], ["aliased"], ["archived", "promoted"], ["annotated"], ["saved", "promoted"],
    ]  # fmt: skip
    assert told["iris@2"] == [["alias left"], ["aliased"], ["promoted"], ["saved"]]
    assert told["iris@latest"] == told["models:/iris/2"] == told["iris@2"]
    assert [row["version"] for row in registry.log("iris@staging")] == ["2", "1"]
    with pytest.raises(NotFound, match="'9'"):
        registry.log("iris@9")


@pytest.mark.slow
def test_what_a_reference_meant_is_read_loaded_compared_and_listed(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights, stage="production", metadata={"a": 1})
    weights.write_text("new")
    registry.save("iris", weights, metadata={"a": 2}, inputs=["iris@1"])
    registry.promote("iris@2", "production", force=True)
    assert (registry.load("iris@production") / weights.name).read_text() == "new"
    for then in ("HEAD~2", "models/iris@1"):
        assert (registry.load("iris@production", at=then) / weights.name).read_text() != "new"
        assert [row["version"] for row in registry.list_versions("iris", at=then).items] == ["1"]
        (row,) = registry.list_models(at=then).items
        assert (row["latest"], row["stages"]) == ("1", {"production": "1"})
        assert len(registry.lineage("iris@1", at=then).nodes) < len(registry.lineage("iris@1").nodes)
    assert registry.diff("iris@1", "iris@production")["metadata"]["a"]["to"] == 2
    assert registry.diff("iris@2", "iris@production", at="HEAD~1")["metadata"]["a"]["to"] == 1
    with pytest.raises(NotFound, match="iris has no version, stage or alias '2'"):
        registry.load("iris@2", at="HEAD~2")


@pytest.mark.slow
def test_a_number_whose_record_was_reset_away_is_not_given_again(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    registry.save("iris@alpha", weights)
    git(registry.folder, "reset", "-q", "--hard", "HEAD~1")
    plain = save.save(registry.session, save.Saving("iris", save.sources("model", [weights])), dry_run=True)
    assert plain.changes.version == ("iris", "3")
    assert registry.save("iris", weights).number == 3


@pytest.mark.slow
def test_files_edited_into_a_record_are_served_by_nobody(registry: Registry, weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(b"not these")
    registry.save("iris", weights)
    digest = sha256(other.read_bytes()).hexdigest()
    registry.save("swap", other)
    record = registry.folder / "models/iris/versions/1.yaml"
    text = record.read_text().replace(sha256(b"weights").hexdigest(), digest).replace("size: 7", "size: 9")
    git(registry.folder, "rm", "-q", "--cached", "models/iris/versions/1.yaml")
    (registry.folder / "models/iris/versions/hand.yaml").write_text(
        text.replace("version: '1'", "version: hand").replace("number: 1", "number: 2")
    )
    git(registry.folder, "checkout", "-q", "HEAD", "--", "models/iris/versions/1.yaml")
    git(registry.folder, "add", ".")
    git(registry.folder, "commit", "-qm", "by hand")
    for destination in (None, tmp_path / "own"):
        with pytest.raises(IntegrityError, match="digest"):
            registry.load("iris@hand", destination)
    assert any("digest" in (finding.problem or "") for finding in registry.verify("iris@hand"))


def test_an_edited_record_is_not_served(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights, metadata={"accuracy": 0.5})
    record = registry.folder / "models/iris/versions/1.yaml"
    record.write_text(record.read_text().replace("0.5", "0.9"))
    git(registry.folder, "commit", "-qam", "a little better")
    for reference in ("iris", "iris@1"):
        with pytest.raises(IntegrityError, match="edited"):
            registry.version(reference)


@pytest.mark.slow
def test_weights_that_only_a_detached_work_tree_means_are_no_garbage(
    registry: Registry, weights: Path, tmp_path: Path
) -> None:
    registry.save("iris", weights)
    other = tmp_path / "other.bin"
    other.write_bytes(b"other")
    registry.save("iris", other)
    git(registry.folder, "worktree", "add", "-q", "--detach", str(tmp_path / "detached"), "main")
    git(registry.folder, "tag", "-d", "models/iris@2")
    git(registry.folder, "reset", "-q", "--hard", "HEAD~1")
    assert list(registry.collect_garbage(grace=-60)) == []
    git(registry.folder, "worktree", "remove", "--force", str(tmp_path / "detached"))
    digest = sha256(b"other").hexdigest()
    assert [one.key for one in registry.collect_garbage(grace=-60)] == [f"sha256/{digest[:2]}/{digest}"]


def test_a_registry_shows_its_folder_branch_and_store(registry: Registry) -> None:
    assert repr(registry) == f"Registry('{registry.folder}', branch='main', store='{registry.store_url}')"


def test_a_registry_whose_branch_is_gone_shows_no_store(registry: Registry) -> None:
    git(registry.folder, "update-ref", "-d", "refs/heads/main")
    assert repr(registry) == f"Registry('{registry.folder}', branch='main')"


def test_a_pickled_registry_is_opened_again_with_its_options(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    with Registry.open(registry.folder, local=True) as local:
        local.proposing = True
        with pickle.loads(pickle.dumps(local)) as again:
            assert (again.folder, again.session.local, again.proposing) == (registry.folder, True, True)
            assert again.version("iris") == registry.version("iris")
            assert again.session.branch.repository is not local.session.branch.repository


def test_a_registry_lists_at_most_forty_names_all_of_them_methods(registry: Registry) -> None:
    names = dir(registry)
    assert len(names) <= 40
    assert {"open", "save", "load", "promote", "close"} <= set(names)
    assert all(callable(getattr(registry, name)) for name in names)
    assert callable(registry.approve_settings)
    assert set(dir(gitreg)) - set(gitreg.__all__) <= {name for name in dir(gitreg) if name.startswith("__")}


@pytest.mark.slow
def test_a_deleted_version_comes_back(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    registry.delete_version("iris@1")
    assert registry.undelete_version("iris@1").reference == "iris@1"
    assert registry.list_versions().total == 1


@pytest.mark.slow
def test_a_table_of_one_page_of_several_warns_of_the_other_rows(registry: Registry) -> None:
    pytest.importorskip("pandas")
    for _ in range(2):
        registry.create_version("iris")
    with pytest.warns(UserWarning, match=r"1 of 2 rows; size=2 gives all"):
        registry.list_versions(size=1).to_pandas()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.list_versions().to_pandas()


@pytest.mark.slow
def test_a_list_takes_its_sort_order_and_its_page(registry: Registry, weights: Path) -> None:
    for name in ("a", "b", "c"):
        registry.register_model(name, tags=[name])
    page = registry.list_models(["tag=a", "tag=c"], match_any=True, sort="desc:name", page=2, size=1)
    assert ([row["name"] for row in page.items], page.total) == (["a"], 2)
    registry.save("b", weights, metadata={"auc": 2})
    registry.save("b", weights, metadata={"auc": 1})
    newest = registry.list_versions("b", sort="metadata.auc", size=1)
    assert ([row["version"] for row in newest.items], newest.total) == (["2"], 2)


@pytest.mark.slow
def test_an_argument_of_the_wrong_kind_is_named(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"w")
    given: Any = registry
    version = given.save("iris", file)
    mistakes: list[tuple[Callable[[], Any], str]] = [
        (lambda: given.save("iris", file, tags="prod"), "tags is a list, not the text 'prod'"),
        (lambda: given.save("iris", file, tags=None), "tags is a list, not NoneType"),
        (lambda: given.save("iris", file, inputs="df"), "inputs is a list, not the text 'df'"),
        (lambda: given.save("iris", file, metadata=[1]), "metadata is a mapping, not list"),
        (lambda: given.save("iris", file, metadata="a=1"), "metadata is a mapping, not str"),
        (lambda: given.save("iris", artifacts=[file]), "artifacts is a mapping, not list"),
        (lambda: given.save({"a": 1}, "iris"), "the model is named by a text, not by dict"),
        (lambda: given.create_version("iris", tags="prod"), "tags is a list"),
        (lambda: given.annotate("iris", tags="prod"), "tags is a list"),
        (lambda: given.annotate("iris", remove_tags="prod"), "remove_tags is a list"),
        (lambda: given.annotate("iris", remove_metadata="prod"), "remove_metadata is a list"),
        (lambda: given.annotate("iris", metadata="a=1"), "metadata is a mapping"),
        (lambda: given.register_model("rose", tags="prod"), "tags is a list"),
        (lambda: given.update_model("iris", tags="prod"), "tags is a list"),
        (lambda: given.update_model("iris", remove_tags="prod"), "remove_tags is a list"),
        (lambda: given.list_versions("iris", "stage=production"), "filters is a list"),
        (lambda: given.list_models("tag=a"), "filters is a list"),
        (lambda: given.list_versions(size="10"), "size is a whole number, not '10'"),
        (lambda: given.load_object(5), "a version is named by a text, not by int"),
        (lambda: given.promote(5, "production"), "a version is named by a text, not by int"),
        (lambda: Model("iris", tags=given), "tags is a list"),
        (lambda: given.batch().add(save.Saving("iris", {}, tags="prod")), "tags is a list"),
    ]
    for mistake, words in mistakes:
        with pytest.raises(InvalidInput, match=re.escape(words)) as raised:
            mistake()
        assert raised.value.hint
    assert registry.list_versions().total == 1
    assert given.version(version).reference == given.promote(version, "staging").reference == "iris@1"
    assert given.load(version).is_dir()
    assert given.annotate(version, tags=["a"]).tags == ("a",)

"""Verifying a registry: records against their seals, stores against the records, some of it or all, in several goes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from gitreg.blobs.urls import open_store
from gitreg.errors import IntegrityError
from gitreg.progress import NO_PROGRESS
from gitreg.registry.weights.verification import VerifiedItem
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.stores import add_store, copying
from tests.blobs.helpers import Counter, flip_a_bit
from tests.registry.support import commit_files, git

pytestmark = pytest.mark.slow

MIDDLE = (1 << 20) + 1  # a file of its own


@pytest.fixture
def iris(registry: Registry, tmp_path: Path) -> Registry:
    """Two versions; a small pack each, one file in both, one of its own each."""
    folder = tmp_path / "iris"
    folder.mkdir()
    (folder / "shared").write_bytes(os.urandom(MIDDLE))
    for version in "12":
        (folder / "own").write_bytes(os.urandom(MIDDLE))
        for name in "ab":
            (folder / name).write_text(name + version)
        registry.save("iris", folder)
    return registry


@pytest.fixture
def replica(iris: Registry, tmp_path: Path) -> Path:
    add_store(iris.session, tmp_path / "replica")
    assert all(done.problem is None for done in copying(iris.session, to=tmp_path / "replica").run(NO_PROGRESS))
    return tmp_path / "replica"


def bad(registry: Registry, share: float = 0.0, reference: str | None = None) -> list[VerifiedItem]:
    return [finding for finding in registry.verify(reference, share=share) if finding.problem]


def store(registry: Registry) -> Path:
    return registry.folder / ".git/gitreg/store"


def file_of(registry: Registry, where: Path, version: str, path: str) -> Path:
    files = registry.version(version).artifacts["model"].files
    assert files is not None
    return where / "sha256" / files[path].sha256[:2] / files[path].sha256


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_sound_registry_has_a_finding_for_each_file_and_no_problem(iris: Registry, share: float) -> None:
    findings = list(iris.verify(share=share))
    assert [(each.reference, each.path) for each in findings if each.problem is None] == [
        (f"iris@{version}", path) for version in "12" for path in ("a", "b", "own", "shared")
    ]
    assert {each.read for each in findings} == {share == 1.0}
    assert {each.store for each in findings} == {store(iris).as_uri()}
    assert [each.reference for each in iris.verify("iris@2")] == ["iris@2"] * 4


@pytest.mark.slow
def test_the_quick_way_reads_no_weights_and_finds_what_is_missing_or_cut_off(iris: Registry) -> None:
    counted = Counter()
    file_of(iris, store(iris), "iris@1", "own").unlink()
    cut = file_of(iris, store(iris), "iris@2", "own")
    cut.chmod(0o644)
    os.truncate(cut, 100)
    found = [each for each in iris.verify(progress=counted) if each.problem]
    assert [(each.reference, each.path, each.store) for each in found] == [
        ("iris@1", "own", store(iris).as_uri()), ("iris@2", "own", store(iris).as_uri()),
    ]  # fmt: skip
    assert "own" in (found[0].problem or "")
    assert counted.bytes == 0


@pytest.mark.slow
def test_the_deep_way_reads_what_versions_share_once_and_finds_what_is_damaged(iris: Registry) -> None:
    counted = Counter()
    assert not [each for each in iris.verify(share=1.0, progress=counted) if each.problem]
    assert counted.bytes == 3 * MIDDLE + 2 * 4
    flip_a_bit(file_of(iris, store(iris), "iris@1", "shared"))
    assert bad(iris) == []
    found = bad(iris, 1.0)
    assert [(each.reference, each.path) for each in found] == [("iris@1", "shared"), ("iris@2", "shared")]
    assert (store(iris) / "damaged" / file_of(iris, Path(), "iris@1", "shared")).exists()


@pytest.mark.slow
def test_a_sample_is_a_part_of_the_files_and_one_at_least(iris: Registry) -> None:
    assert len({(each.path, each.size) for each in iris.verify(share=0.000001) if each.read}) == 1
    picked = [frozenset(n for n, each in enumerate(iris.verify(share=0.5)) if each.read) for _ in range(12)]
    assert len(set(picked)) > 1, "another choice each time"
    assert 0 < sum(map(len, picked)) < 12 * 8


@pytest.mark.slow
def test_a_record_that_was_edited_and_a_tag_that_was_moved_are_named(iris: Registry) -> None:
    path = "models/iris/versions/1.yaml"
    text = (iris.folder / path).read_text()
    commit_files(iris.folder, {path: text.replace("created_by: Ada", "created_by: Bob")})
    (found,) = bad(iris)
    assert (found.reference, found.artifact, found.path, found.store) == ("iris@1", "", "", None)
    assert "edited" in (found.problem or "")
    commit_files(iris.folder, {path: text})
    assert bad(iris) == []
    commit_files(iris.folder, {"models/iris/versions/2.yaml": "format: 1\n"})
    elsewhere = git(iris.folder, "rev-parse", "HEAD")
    git(iris.folder, "reset", "-q", "--hard", "HEAD~1")
    git(iris.folder, "tag", "-f", "-a", "-m", "moved", "models/iris@2", elsewhere)
    (found,) = bad(iris)
    assert found.reference == "iris@2"
    assert "models/iris@2" in (found.problem or "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "damage"),
    [
        ("models/iris/versions/2.yaml", "broken"),
        ("models/iris/versions/2.yaml", "without its number"),
        ("models/iris/versions/2.yaml", "removed"),
        ("models/iris/stages/production.yaml", "broken"),
        ("models/iris/annotations/1.yaml", "broken"),
        ("artifacts/note/1.yaml", "broken"),
        ("artifacts/note/1.yaml", "removed"),
        ("gitreg.yaml", "broken"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_cannot_be_read_or_was_removed_is_named_once(iris: Registry, path: str, damage: str) -> None:
    import gitreg

    gitreg.save_artifact("its own", "note", registry=iris)
    iris.promote("iris@2", "production")
    iris.annotate("iris@1", description="good")
    assert [finding for finding in iris.verify() if finding.problem] == []
    said = (iris.folder / path).read_text()
    how = {"broken": f"{said}[\n", "without its number": said.replace("\nnumber:", "\nelse:"), "removed": None}
    commit_files(iris.folder, {path: how[damage]})
    (found,) = (finding for finding in iris.verify() if finding.problem)
    assert found.path == path
    assert (damage == "removed") == ("was removed in" in (found.problem or ""))
    iris.signed()
    if "versions" in path and damage != "removed":
        for reference in ("iris@2", "iris@production"):
            with pytest.raises(IntegrityError, match="the sealed record of iris@2 cannot be read"):
                iris.version(reference)


@pytest.mark.slow
def test_files_that_do_not_have_the_digest_of_their_record_are_named(iris: Registry) -> None:
    path = "models/iris/versions/3.yaml"
    text = (iris.folder / "models/iris/versions/2.yaml").read_text()
    said = text.replace("version: '2'", "version: '3'").replace("number: 2", "number: 3").replace("  a:", "  z:")
    commit_files(iris.folder, {path: said})
    assert ["digest" in (each.problem or "") for each in bad(iris) if each.reference == "iris@3"] == [True]


@pytest.mark.slow
def test_each_store_is_verified_and_a_problem_says_in_which_it_is(iris: Registry, replica: Path) -> None:
    assert bad(iris, 1.0) == []
    counted = Counter()
    list(iris.verify(share=1.0, progress=counted))
    assert counted.bytes == 2 * (3 * MIDDLE + 2 * 4)
    flip_a_bit(file_of(iris, replica, "iris@1", "own"))
    (found,) = bad(iris, 1.0)
    assert (found.reference, found.path, found.store) == ("iris@1", "own", replica.as_uri())
    assert replica.as_uri() in (found.problem or "")
    assert bad(iris, 1.0) == [], "set aside: a copy need not be complete"


@pytest.mark.slow
def test_a_replica_that_is_gone_is_left_out_with_a_warning(iris: Registry, replica: Path) -> None:
    shutil.rmtree(replica)
    with pytest.warns(UserWarning, match=r"left out: the store .*replica is not there"):
        assert bad(iris, 1.0) == []


@pytest.mark.slow
def test_a_manifest_that_is_stored_is_verified_too(registry: Registry, replica_free: Path) -> None:
    registry.save("many", replica_free)
    key = registry.version("many").artifacts["model"].digest.removeprefix("sha256:")
    manifest = store(registry) / "sha256" / key[:2] / key
    assert len(list(registry.verify(share=1.0))) == 1001
    add_store(registry.session, registry.folder.parent / "other")
    list(copying(registry.session, to=registry.folder.parent / "other").run(NO_PROGRESS))
    assert (registry.folder.parent / "other" / manifest.relative_to(store(registry))).read_bytes() == (
        manifest.read_bytes()
    )
    manifest.unlink()
    (found,) = bad(registry)
    assert (found.path, found.store) == ("manifest", store(registry).as_uri())


@pytest.fixture
def replica_free(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1001):
        (folder / str(number)).write_text(str(number))
    return folder


def take(findings: Iterator[VerifiedItem], count: int) -> list[VerifiedItem]:
    return list(islice(findings, count))


@pytest.mark.slow
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_a_run_that_was_interrupted_reads_only_what_is_left(iris: Registry, share: float) -> None:
    everything = Counter()
    first = iris.verify(share=share, progress=everything)
    seen = iter(first)
    take(seen, 4)  # the first version
    seen.close()  # type: ignore[attr-defined] # as Ctrl-C does
    before = everything.bytes
    rest = Counter()
    second = iris.verify(share=share, progress=rest)
    assert (first.before, second.before > 0 or before == 0) == (0, True)
    findings = list(second)
    assert not [each for each in findings if each.problem]
    tokens = {(each.reference if each.path in "ab own" else "", each.path, each.size) for each in findings if each.read}
    assert before + rest.bytes == sum(size for _, _, size in tokens)
    assert iris.verify(share=share).before == 0, "the run was complete"


@pytest.mark.slow
def test_damage_that_an_interrupted_run_found_is_named_again(iris: Registry) -> None:
    flip_a_bit(file_of(iris, store(iris), "iris@1", "own"))
    seen = iter(iris.verify(share=1.0))
    assert [each.path for each in take(seen, 4) if each.problem] == ["own"]
    seen.close()  # type: ignore[attr-defined]
    assert [(each.reference, each.path) for each in bad(iris, 1.0)] == [("iris@1", "own")]


@pytest.mark.slow
def test_another_scope_does_not_take_over_what_a_run_has_read(iris: Registry) -> None:
    seen = iter(iris.verify(share=1.0))
    take(seen, 4)
    seen.close()  # type: ignore[attr-defined]
    assert iris.verify("iris@1", share=1.0).before == 0
    assert bad(iris, 1.0, "iris@1") == []
    assert iris.verify(share=1.0).before == 4
    assert open_store(str(store(iris))).url == store(iris).as_uri()

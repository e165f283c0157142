"""A registry with several stores: where the bytes are, copies out and home, and what is never opened."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gitreg.errors import IntegrityError, InvalidInput, NotFound, Refused, StoreGoneError
from gitreg.progress import NO_PROGRESS
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.stores import add_store, copying, create_store, held, remove_store
from tests.blobs.helpers import contents, flip_a_bit
from tests.registry.support import commit_files

pytestmark = pytest.mark.slow

BIG = (32 << 20) + 1


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(os.urandom(2 << 20))
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")
    return folder


@pytest.fixture
def iris(registry: Registry, model: Path) -> Registry:
    registry.save("iris", model)
    return registry


def store(registry: Registry) -> Path:
    return registry.folder / ".git/gitreg/store"


def copy(registry: Registry, *references: str, to: Path | None = None, source: Path | None = None) -> int:
    """Copy, to a place that is made for it, and give how many files were copied; nothing may be wrong."""
    if to is not None:
        create_store(str(to))
    done = list(copying(registry.session, references, to=to, source=source).run(NO_PROGRESS))
    assert [each.problem for each in done] == [None] * len(done)
    return sum(each.files for each in done)


def states(registry: Registry) -> dict[str, list[str]]:
    return {row[0].reference: [each.state for each in row] for row in held(registry.session)}


@pytest.mark.slow
def test_where_the_bytes_are_is_shown_for_each_version_and_store(iris: Registry, model: Path, tmp_path: Path) -> None:
    assert states(iris) == {"iris@1": ["whole"]}
    add_store(iris.session, tmp_path / "replica")
    assert states(iris) == {"iris@1": ["whole", "absent"]}
    assert copy(iris, "iris@1", to=tmp_path / "replica") == 3
    (model / "more").write_bytes(os.urandom(2 << 20))
    iris.save("iris", model)
    assert states(iris) == {"iris@1": ["whole", "whole"], "iris@2": ["whole", "part"]}
    (row,) = held(iris.session, ["iris@2"])
    assert row[1].row() == {
        "reference": "iris@2", "store": str(tmp_path / "replica"), "state": "part", "held": 1, "files": 4,
    }  # fmt: skip
    shutil.rmtree(tmp_path / "replica")
    with pytest.warns(UserWarning, match="is not there"):
        assert states(iris)["iris@1"] == ["whole", "unreachable"]
    commit_files(iris.folder, {"gitreg.yaml": (iris.folder / "gitreg.yaml").read_text().replace("replica\n", "else\n")})
    assert states(iris)["iris@1"] == ["whole", "not approved"]


@pytest.mark.parametrize("told", ["", "s3:/models/iris", "ada@machine:/srv/weights", "memory:"])
def test_what_is_neither_a_folder_nor_a_url_is_no_store(iris: Registry, tmp_path: Path, told: str) -> None:
    with pytest.raises(InvalidInput, match="neither a folder nor a URL"):
        add_store(iris.session, told)
    with pytest.raises(InvalidInput, match="neither a folder nor a URL"):
        Registry.init(tmp_path / "other", store=told)
    assert not (tmp_path / "other").exists()
    with pytest.raises(InvalidInput, match="store 'machine:/srv' is") as caught:
        add_store(iris.session, "ada:secret@machine:/srv")
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_a_copy_on_a_disk_brings_everything_home(iris: Registry, model: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    assert copy(iris, to=disk) == 3
    assert not (disk / "claims").exists(), "nobody keeps weights there"
    assert copy(iris, to=disk) == 0
    shutil.rmtree(store(iris))
    with Registry.open(iris.folder) as again:
        assert copy(again, source=disk) == 3
        again.load("iris", tmp_path / "out")
    assert contents(store(iris)).keys() >= contents(disk).keys()
    assert contents(tmp_path / "out") == contents(model)


@pytest.mark.slow
def test_a_store_that_the_registry_names_gets_its_claim(iris: Registry, tmp_path: Path) -> None:
    add_store(iris.session, tmp_path / "replica")
    shutil.rmtree(tmp_path / "replica" / "claims")
    copy(iris, to=tmp_path / "replica")
    (claim,) = (tmp_path / "replica" / "claims").iterdir()
    assert str(iris.session.branch.repository.common_dir) in claim.read_text()
    assert not (store(iris) / "claims").exists()


def test_copying_asks_for_a_place_and_a_source_that_is_there(iris: Registry, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        copying(iris.session)
    with pytest.raises(NotFound, match="nowhere"):
        copying(iris.session, source=tmp_path / "nowhere")
    with pytest.raises(NotFound):
        copying(iris.session, ["iris@9"], to=tmp_path / "disk")
    assert not (tmp_path / "disk").exists()


@pytest.mark.slow
def test_what_is_damaged_is_named_and_all_else_is_copied(iris: Registry, model: Path, tmp_path: Path) -> None:
    (model / "weights").write_bytes(os.urandom(2 << 20))
    iris.save("iris", model)
    flip_a_bit(next((store(iris) / "sha256").glob("*/*")))
    create_store(str(tmp_path / "disk"))
    done = list(copying(iris.session, to=tmp_path / "disk").run(NO_PROGRESS))
    (failed,) = [each for each in done if each.problem]
    assert "weights" in (failed.problem or "")
    assert sum(each.files for each in done) == 5


@pytest.mark.slow
def test_what_is_damaged_in_the_primary_is_loaded_from_a_replica(iris: Registry, model: Path, tmp_path: Path) -> None:
    add_store(iris.session, tmp_path / "replica")
    copy(iris, to=tmp_path / "replica")
    flip_a_bit(next((store(iris) / "sha256").glob("*/*")))
    with pytest.warns(UserWarning, match="is damaged; read from another store"):
        iris.load("iris", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(model)
    flip_a_bit(next((tmp_path / "replica" / "sha256").glob("*/*")))
    with pytest.raises(IntegrityError, match="weights"):
        iris.load("iris", tmp_path / "again")


@pytest.mark.slow
def test_a_primary_that_is_gone_does_not_stop_a_load(user: Path, model: Path, tmp_path: Path) -> None:
    made, _ = Registry.init(tmp_path / "shared", store=str(tmp_path / "store"))
    with made as registry:
        registry.save("iris", model)
        add_store(registry.session, tmp_path / "replica")
        copy(registry, to=tmp_path / "replica")
        shutil.rmtree(tmp_path / "store")
        with pytest.warns(UserWarning, match=r"is not there \(is it mounted\?\); read from another store"):
            assert contents(registry.load("iris")) == contents(model)
        with pytest.warns(UserWarning, match="is not there"):
            assert states(registry) == {"iris@1": ["unreachable", "whole"]}


@pytest.mark.slow
def test_doctor_says_that_a_replica_has_what_is_lost_and_copies_it_back(
    iris: Registry, model: Path, tmp_path: Path
) -> None:
    add_store(iris.session, tmp_path / "replica")
    copy(iris, to=tmp_path / "replica")
    shutil.rmtree(store(iris) / "sha256")
    (problem,) = iris.doctor()
    assert (problem.where, problem.row()["repairable"]) == ("iris@1:weights", True)
    assert f"{(tmp_path / 'replica').as_uri()} holds them" in problem.what
    assert iris.repair([problem]) == [problem]
    assert iris.doctor() == []
    shutil.rmtree(store(iris) / "packs")
    flip_a_bit(next((tmp_path / "replica" / "packs").glob("*/*")))
    assert iris.repair(iris.doctor()) == [], "no whole copy, no repair"
    assert {problem.where for problem in iris.doctor()} == {"iris@1:a", "iris@1:b"}
    shutil.rmtree(tmp_path / "replica")
    assert (tmp_path / "replica").as_uri() in {problem.where for problem in iris.doctor()}


@pytest.mark.slow
def test_trust_approves_all_that_is_named_and_nothing_is_opened_before(
    user: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = Registry.init(tmp_path / "shared", store=str(tmp_path / "store"))
    with made as registry:
        registry.save("iris", model)
        add_store(registry.session, tmp_path / "replica")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody else"))
    with Registry.open(tmp_path / "shared") as registry:
        assert states(registry) == {"iris@1": ["not approved", "not approved"]}
        with pytest.warns(UserWarning, match="no weights were looked for"):
            assert registry.doctor() == []
        with pytest.raises(Refused, match="not trusted on this machine"):
            registry.load("iris")
        with pytest.raises(Refused, match="not trusted on this machine"):
            copying(registry.session, to=tmp_path / "disk")
        assert registry.session.trust() == [str(tmp_path / "store"), str(tmp_path / "replica")]
        assert states(registry) == {"iris@1": ["whole", "absent"]}


@pytest.mark.slow
def test_a_replica_that_is_not_trusted_is_left_out_with_a_warning(
    iris: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_store(iris.session, tmp_path / "replica")
    copy(iris, to=tmp_path / "replica")
    shutil.rmtree(store(iris))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody else"))
    with Registry.open(iris.folder) as registry:
        with (
            pytest.warns(UserWarning, match="left out: .*replica, which is not trusted"),
            pytest.raises(StoreGoneError),
        ):
            registry.load("iris")
        registry.session.trust()
        with pytest.warns(UserWarning, match="nothing was saved in this clone yet; read from another store"):
            registry.load("iris")


@pytest.mark.slow
def test_a_folder_inside_the_repository_is_named_from_its_top(iris: Registry) -> None:
    add_store(iris.session, iris.folder / ".git" / "copies")
    assert iris.session.snapshot().settings.replicas == (".git/copies",)
    assert copy(iris, to=iris.folder / ".git" / "copies") == 3
    remove_store(iris.session, iris.folder / ".git" / "copies")
    assert iris.session.snapshot().settings.replicas == ()
    with pytest.raises(NotFound):
        remove_store(iris.session, iris.folder / ".git" / "copies")


@pytest.mark.parametrize("how", ["path", "url"])
def test_the_primary_is_no_copy_of_itself(iris: Registry, how: str) -> None:
    with pytest.raises(Refused, match="saves to"):
        add_store(iris.session, store(iris) if how == "path" else store(iris).as_uri())
    with pytest.raises(InvalidInput):
        add_store(iris.session, "gopher://x")


@pytest.mark.slow
def test_with_chunking_none_big_files_lie_as_they_are_and_both_kinds_load(registry: Registry, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(os.urandom(BIG))
    registry.save("cut", weights)
    assert list((store(registry) / "recipes").glob("*/*"))
    settings = (registry.folder / "gitreg.yaml").read_text()
    commit_files(registry.folder, {"gitreg.yaml": settings + "chunking: none\n"})
    weights.write_bytes(os.urandom(BIG))
    version = registry.save("plain", weights)
    files = version.artifacts["model"].files
    assert files is not None
    digest = files["weights"].sha256
    assert (store(registry) / "sha256" / digest[:2] / digest).read_bytes() == weights.read_bytes()
    assert len(list((store(registry) / "recipes").glob("*/*"))) == 1
    assert copy(registry, to=tmp_path / "disk") == 2
    for name in ("cut", "plain"):
        found = registry.load(name) / "weights"
        assert found.stat().st_size == BIG
    assert (registry.load("plain") / "weights").read_bytes() == weights.read_bytes()
    assert not [finding for finding in registry.verify(share=1.0) if finding.problem]
    assert contents(tmp_path / "disk") == contents(store(registry))


def test_a_password_in_a_stores_address_is_never_shown_and_never_opened(registry: Registry) -> None:
    folder = registry.folder
    settings = (folder / "gitreg.yaml").read_text()
    (folder / "gitreg.yaml").write_text(settings + "replicas:\n- s3://key:s3cr3t@bucket/x\n- az://c/x?sig=s3cr3t\n")
    subprocess.run(["git", "commit", "-qam", "Two replicas"], cwd=folder, check=True)
    with pytest.raises(InvalidInput) as refused:
        registry.session.trust()
    said = [str(refused.value), *(f"{named.url} {named.error}" for named in registry.session.named_stores())]
    assert "s3cr3t" not in " ".join(said)
    assert [named.opened for named in registry.session.named_stores()[1:]] == [None, None]

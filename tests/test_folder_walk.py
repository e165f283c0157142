"""The files of a folder, and which links in it are followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.errors import InvalidInput
from gitreg.folder_walk import walk

COMMIT = "c5f93f70c5b1d4f0e1a06a2b7a3d0b1f0f0f0f0f"


def texts(folder: Path) -> dict[str, str]:
    return {file.path: Path(file.source).read_text() for file in walk(folder)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "team" / "model"
    (folder / "step-100").mkdir(parents=True)
    (folder / "weights.bin").write_text("weights")
    (folder / "step-100" / "state.bin").write_text("state")
    (folder.parent / "vocabulary.txt").write_text("words")
    (folder.parent / ".env").write_text("TOKEN=secret")
    return folder


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A snapshot as `huggingface_hub.snapshot_download` makes it."""
    repository = tmp_path / "hub" / "models--google-bert--bert-base-uncased"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    (repository / "blobs").mkdir()
    snapshot = repository / "snapshots" / COMMIT
    (snapshot / "onnx").mkdir(parents=True)
    for path, text in {"config.json": "{}", "model.safetensors": "weights", "onnx/model.onnx": "graph"}.items():
        blob = repository / "blobs" / text.encode().hex()
        blob.write_text(text)
        link = snapshot / path
        link.symlink_to(os.path.relpath(blob, link.parent))
    return snapshot


def test_a_link_to_a_file_of_the_folder_is_that_file_under_its_own_name(folder: Path) -> None:
    (folder / "step-100" / "best.bin").symlink_to("../weights.bin")
    assert texts(folder) == {"weights.bin": "weights", "step-100/state.bin": "state", "step-100/best.bin": "weights"}


def test_a_link_to_a_folder_of_the_folder_is_walked_and_one_behind_it_is_refused(folder: Path) -> None:
    (folder / "latest").symlink_to("step-100")
    assert texts(folder)["latest/state.bin"] == "state"
    (folder / "step-100" / "up").symlink_to("..")
    with pytest.raises(InvalidInput, match="is a symbolic link to a folder, in a folder that is reached by a link"):
        texts(folder)


def test_a_link_to_the_folder_itself_has_an_end(folder: Path) -> None:
    (folder / "self").symlink_to(".")
    with pytest.raises(InvalidInput, match="reached by a link"):
        texts(folder)


def test_a_snapshot_of_a_hugging_face_cache_is_the_files_that_its_links_lead_to(snapshot: Path) -> None:
    assert texts(snapshot) == {"config.json": "{}", "model.safetensors": "weights", "onnx/model.onnx": "graph"}
    assert texts(snapshot / "onnx") == {"model.onnx": "graph"}


def test_a_link_to_a_snapshot_stands_for_it(snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "bert").symlink_to(snapshot)
    assert texts(tmp_path / "bert")["model.safetensors"] == "weights"


def test_a_snapshot_reaches_no_other_repository_of_the_cache(snapshot: Path) -> None:
    other = snapshot.parents[2] / "models--team--private" / "blobs"
    other.mkdir(parents=True)
    (other / "aa").write_text("private")
    (snapshot / "more.bin").symlink_to(other / "aa")
    with pytest.raises(InvalidInput, match=r"more\.bin' is a symbolic link out of the folder"):
        texts(snapshot)


def test_a_folder_that_only_looks_like_a_snapshot_reaches_nothing(snapshot: Path) -> None:
    blobs = snapshot.parents[1] / "blobs"
    blobs.rename(blobs.with_name("moved"))
    for link in (snapshot / "config.json", snapshot / "model.safetensors", snapshot / "onnx" / "model.onnx"):
        target = blobs.with_name("moved") / Path(os.readlink(link)).name
        link.unlink()
        link.symlink_to(target)
    with pytest.raises(InvalidInput, match="out of the folder"):
        texts(snapshot)


def test_a_link_to_a_file_of_the_git_work_tree_is_followed_and_no_hidden_one(folder: Path) -> None:
    (folder / "vocabulary.txt").symlink_to("../vocabulary.txt")
    with pytest.raises(InvalidInput, match="out of the folder"):
        texts(folder)
    git = folder.parent / ".git"
    git.mkdir()
    (git / "config").write_text("password")
    assert texts(folder)["vocabulary.txt"] == "words"
    for secret in ("../.env", "../.git/config"):
        (folder / "link").symlink_to(secret)
        with pytest.raises(InvalidInput, match="link' is a symbolic link out of the folder"):
            texts(folder)
        (folder / "link").unlink()


def test_no_link_leads_to_a_folder_outside_even_in_one_work_tree(folder: Path) -> None:
    (folder.parent / ".git").mkdir()
    (folder / "all").symlink_to("..")
    with pytest.raises(InvalidInput, match="all' is a symbolic link out of the folder"):
        texts(folder)


@pytest.mark.parametrize("target", ["/etc/hostname", "../../elsewhere", "step-100/../../../elsewhere"])
def test_a_link_out_of_the_folder_is_refused_with_the_command_that_copies_it(
    folder: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parents[1] / "elsewhere").write_text("x")
    (folder / "link").symlink_to(target)
    monkeypatch.chdir(folder.parent)
    with pytest.raises(InvalidInput, match="link' is a symbolic link out of the folder") as caught:
        texts(Path("model"))
    assert "`cp -RL model model-copy`" in str(caught.value.hint)


def test_a_link_out_of_the_folder_by_way_of_another_link_is_refused(folder: Path) -> None:
    (folder.parents[1] / "elsewhere").write_text("x")
    (folder.parent / "hop").symlink_to(folder.parents[1])
    (folder / "link").symlink_to("../hop/elsewhere")
    with pytest.raises(InvalidInput, match="link' is a symbolic link out of the folder"):
        texts(folder)


@pytest.mark.parametrize("target", ["gone", "link", "/nowhere/at/all"])
def test_a_link_that_leads_nowhere_is_refused(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    with pytest.raises(InvalidInput, match=r"link' is a symbolic link to '.*', which is not there"):
        texts(folder)


def test_a_link_to_a_pipe_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "step-100" / "link").symlink_to("../pipe")
    with pytest.raises(InvalidInput, match="pipe' is no regular file"):
        texts(folder)

"""Files and folders that are copied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.errors import InvalidInput, NotFound
from gitreg.materializers import read, write


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "inner").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"weights")
    (folder / "inner" / ".hidden").write_text("x")
    return folder


def _saved(value: Path, files: Path) -> Path:
    assert write(value, files) == "path"
    found = read(files, "path")
    assert isinstance(found, Path)
    return found


def test_a_file_is_copied_under_its_name(model: Path, files: Path) -> None:
    copy = _saved(model / "weights.bin", files)
    assert copy == files / "weights.bin"
    assert copy.read_bytes() == b"weights"


def test_a_folder_is_copied_with_all_that_it_holds(model: Path, files: Path) -> None:
    copy = _saved(model, files)
    assert copy == files / "model"
    found = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert found == {"weights.bin", "inner/.hidden"}


def test_an_executable_stays_one(model: Path, files: Path) -> None:
    (model / "weights.bin").chmod(0o755)
    assert os.access(_saved(model, files) / "weights.bin", os.X_OK)


def test_the_folder_one_is_in_can_be_saved(model: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model / "inner")
    assert _saved(Path(".."), files) == files / "model"


def test_a_link_to_a_file_inside_is_copied_as_that_file(model: Path, files: Path) -> None:
    (model / "inner" / "link").symlink_to("../weights.bin")
    copy = _saved(model, files) / "inner" / "link"
    assert not copy.is_symlink()
    assert copy.read_bytes() == b"weights"


def test_a_path_that_is_itself_a_link_gives_what_it_leads_to_under_its_own_name(model: Path, files: Path) -> None:
    link = model.parent / "latest"
    link.symlink_to(model)
    assert (_saved(link, files) / "weights.bin").read_bytes() == b"weights"
    assert (files / "latest").is_dir()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/etc/hostname", "is a symbolic link out of the folder"),
        ("..", "is a symbolic link out of the folder"),
        (".", "is a symbolic link to a folder, in a folder that is reached by a link"),
        ("nothing", "is a symbolic link to 'nothing', which is not there"),
    ],
)
def test_any_other_link_is_refused_with_its_path(target: str, words: str, model: Path, files: Path) -> None:
    (model / "link").symlink_to(target)
    with pytest.raises(InvalidInput, match=words) as raised:
        write(model, files)
    assert str(model / "link") in raised.value.message
    assert not list(files.iterdir())


def test_a_link_that_leads_to_itself_is_refused(model: Path, files: Path) -> None:
    (model / "link").symlink_to("link")
    with pytest.raises(InvalidInput):
        write(model, files)


def test_a_pipe_is_refused_and_not_waited_for(model: Path, files: Path) -> None:
    os.mkfifo(model / "pipe")
    with pytest.raises(InvalidInput, match="pipe' is no regular file"):
        write(model, files)


def test_a_path_that_is_not_there_is_an_error(files: Path) -> None:
    with pytest.raises(NotFound, match="is not there"):
        write(Path("nothing/here"), files)


def test_a_folder_without_files_is_refused(tmp_path: Path, files: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    with pytest.raises(InvalidInput, match="holds no files"):
        write(tmp_path / "empty", files)


def test_a_folder_is_not_copied_into_itself(tmp_path: Path, files: Path) -> None:
    with pytest.raises(InvalidInput, match="that it is being copied to"):
        write(tmp_path, files)


def test_no_path_and_two_paths_are_told_in_words(files: Path) -> None:
    with pytest.raises(InvalidInput, match="one file or folder, and there are 0"):
        read(files, "path")
    (files / "a").touch()
    (files / "b").touch()
    with pytest.raises(InvalidInput, match="there are 2"):
        read(files, "path")

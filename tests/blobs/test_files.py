from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.blobs.files import check_path, check_paths, collect
from gitreg.errors import InvalidInput, NotFound


def paths_of(*sources: Path) -> list[str]:
    return [file.path for file in collect(sources)]


def test_one_file_goes_by_its_name(model: Path) -> None:
    [file] = collect([model / "run.sh"])
    assert (file.path, file.size, file.executable) == ("run.sh", 10, True)


def test_a_folder_gives_its_files_sorted_hidden_ones_too_and_no_empty_folders(model: Path) -> None:
    (model / "nothing" / "in" / "it").mkdir(parents=True)
    assert paths_of(model) == ["1_Pooling/.config.json", "empty", "model.safetensors", "run.sh"]


def test_several_sources_go_by_their_names(model: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert paths_of(model / "1_Pooling", tmp_path / "notes.txt") == ["1_Pooling/.config.json", "notes.txt"]


def test_a_relative_source_goes_by_its_real_name(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model / "1_Pooling")
    assert paths_of(Path(), Path("../empty")) == ["1_Pooling/.config.json", "empty"]


def test_two_sources_of_one_name_are_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "run.sh").touch()
    with pytest.raises(InvalidInput, match=r"two files would be called 'run\.sh'"):
        collect([model / "run.sh", tmp_path / "run.sh"])


def test_a_source_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere is not there"):
        collect([tmp_path / "nowhere"])


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(InvalidInput, match="holds no files"):
        collect([tmp_path / "a"])
    with pytest.raises(InvalidInput, match="nothing to save"):
        collect([])


def test_a_source_that_is_a_link_is_followed_and_goes_by_its_own_name(model: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(model)
    (tmp_path / "best.bin").symlink_to("latest/model.safetensors")
    assert paths_of(tmp_path / "latest") == paths_of(model)
    [file] = collect([tmp_path / "best.bin"])
    assert (file.path, file.source) == ("best.bin", os.path.realpath(model / "model.safetensors"))


def test_links_inside_a_folder_are_files_of_the_artifact(model: Path) -> None:
    (model / "1_Pooling" / "link").symlink_to("../run.sh")
    [file] = [file for file in collect([model]) if file.path == "1_Pooling/link"]
    assert (file.size, file.executable) == (10, True)


@pytest.mark.parametrize("target", ["gone", "link"])
def test_a_source_that_is_a_link_to_nowhere_is_not_found(tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(NotFound, match=f"link is a symbolic link to '{target}', which is not there"):
        collect([tmp_path / "link"])


def test_a_pipe_and_a_socket_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    for name in ("pipe", "socket"):
        with pytest.raises(InvalidInput, match=f"{name}' is no regular file"):
            collect([Path(name)])


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / os.fsdecode(b"caf\xe9")).touch()
    with pytest.raises(InvalidInput, match=r"caf\\xe9' is not UTF-8"):
        collect([tmp_path / "m"])


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "..", "../x", "a/../x", "a/..", ".", "./a", "a/./b", "a//b", "a/", "a\\b", "C:x",
        "a/b:stream", "con", "a/NUL.txt", "Com1.tar.gz", "aux /x", "lpt¹", "end.", "end ", "end./x", "a\nb", "a\x00b",
        "a\x7fb", "a\u2028b",
        "a\x85b", "\udce9", ".git/hooks/post-commit", "a/.GIT/config", "git~1/hooks/pre-push", ".g\u200cit", "x/.git",
        "a/.gitreg-0123456789abcdef.partial",
    ],
)  # fmt: skip
def test_a_path_that_climbs_out_or_means_something_else_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_path(path)
    assert caught.value.hint
    caught.value.message.encode()  # the message itself can be printed


@pytest.mark.parametrize(
    "path",
    [
        "a",
        ".hidden",
        ".gitignore",
        ".github/x",
        "a.git/b",
        "git",
        "a/b c/d",
        "...x",
        "ünï/çødé",
        "com10",
        "console",
        "nul_",
    ],
)
def test_an_ordinary_path_is_accepted(path: str) -> None:
    check_path(path)


@pytest.mark.parametrize(
    "paths",
    [
        ["a", "a"], ["a", "A"], ["é", "e\u0301"], ["a", "a/b"], ["a/b", "a"], ["A", "a/b"], ["a/x", "A/y"],
        ["s/a/x", "s/A/y"], ["fine", "../x"],
    ],
)  # fmt: skip
def test_paths_that_cannot_stand_side_by_side_are_refused(paths: list[str]) -> None:
    with pytest.raises(InvalidInput):
        check_paths(paths)


def test_files_of_one_folder_stand_side_by_side() -> None:
    check_paths(["a/b/c", "a/b/d", "a/e", "f", "a.b", "a-b"])


@given(st.text())
def test_an_accepted_path_stays_in_its_folder(path: str) -> None:
    try:
        check_path(path)
    except InvalidInput:
        return
    assert os.path.normpath(os.path.join("/root", path)) == f"/root/{path}"


@pytest.mark.slow
def test_folders_lie_as_deep_in_one_another_as_the_system_lets_them(tmp_path: Path) -> None:
    """Deeper than Python calls itself."""
    deep = tmp_path / "deep" / ("d/" * 1100)
    subprocess.run(["mkdir", "-p", deep], check=True)
    (deep / "file").touch()
    try:
        assert paths_of(tmp_path / "deep") == ["d/" * 1100 + "file"]
    finally:
        subprocess.run(["rm", "-r", tmp_path / "deep"], check=True)  # as pytest cannot

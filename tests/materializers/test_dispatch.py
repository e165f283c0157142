"""Writing and reading by whichever materializer it takes, and pickle for who asks for it."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gitreg.errors import InvalidInput, NotFound, Refused
from gitreg.materializers import Materializer, lookup, read, write
from tests.materializers.helpers import python, refused

np: Any = pytest.importorskip("numpy")


class Thing:
    """Of no type that a materializer takes."""

    def __init__(self, size: int) -> None:
        self.size = size


class Unpicklable(Thing):
    def __reduce__(self) -> str:
        raise RuntimeError("it holds a\nsocket")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def test_an_unknown_type_is_refused_with_its_name_and_what_to_do() -> None:
    error = refused(Thing(1), "no materializer takes tests.materializers.test_dispatch.Thing")
    assert error.hint == "save a path, write a materializer for it, or say unsafe_pickle=True"


def test_it_is_pickled_and_unpickled_when_both_say_so(files: Path) -> None:
    assert write(Thing(3), files, unsafe_pickle=True) == "pickle"
    back = read(files, "pickle", unsafe_pickle=True)
    assert isinstance(back, Thing)
    assert back.size == 3


def test_a_pickle_is_not_loaded_unless_the_loader_says_so_too(files: Path) -> None:
    write(Thing(3), files, unsafe_pickle=True)
    with pytest.raises(Refused, match="runs whatever code its maker put there") as raised:
        read(files, "pickle")
    assert raised.value.hint == "load it with unsafe_pickle=True if you trust who made it"


def test_nothing_is_pickled_that_a_safe_format_takes(files: Path) -> None:
    assert write({"a": 1}, files, unsafe_pickle=True) == "json"


def test_what_the_safe_format_refuses_is_pickled_by_who_says_so(files: Path) -> None:
    assert write({"a": (1, 2)}, files, unsafe_pickle=True) == "pickle"
    assert [path.name for path in files.iterdir()] == ["object.pkl"]
    assert read(files, "pickle", unsafe_pickle=True) == {"a": (1, 2)}


def test_what_cannot_be_pickled_is_told_in_words(files: Path) -> None:
    with pytest.raises(InvalidInput, match="Unpicklable cannot be pickled: it holds a socket"):
        write(Unpicklable(1), files, unsafe_pickle=True)
    assert not list(files.iterdir())


def test_a_damaged_pickle_is_told_in_words(files: Path) -> None:
    (files / "object.pkl").write_bytes(b"\x80\x05")
    with pytest.raises(InvalidInput, match="the files are not what pickle writes"):
        read(files, "pickle", unsafe_pickle=True)


def test_a_folder_with_something_in_it_is_refused_and_left_alone(files: Path) -> None:
    (files / "mine").write_text("x")
    with pytest.raises(InvalidInput, match="is not empty"):
        write([1], files)
    assert (files / "mine").read_text() == "x"


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is no folder"):
        write([1], tmp_path / "nowhere")


def test_a_missing_file_is_told_in_words(files: Path) -> None:
    with pytest.raises(InvalidInput, match=r"the files are not what numpy.array writes: .*No such file"):
        read(files, "numpy.array")


def test_a_missing_library_is_told_with_how_to_install_it(files: Path) -> None:
    write(np.ones(2), files)
    code = f"""
import sys
sys.modules["numpy"] = None
from pathlib import Path
from typing import Any
from gitreg.errors import InvalidInput
from gitreg.materializers import read
try:
    read(Path({str(files)!r}), "numpy.array")
except InvalidInput as error:
    print(error.message, error.hint, sep="|")
"""
    assert python(code).strip() == "numpy.array needs numpy, which is not installed|pip install numpy"


def test_a_library_too_old_to_read_safely_is_refused_unless_the_loader_trusts_the_files(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Picky(Materializer):
        name = "picky"
        types = ()
        safe_from: ClassVar[tuple[tuple[str, str], ...]] = (("not-installed", "9"), ("numpy", "999.1"))

        def write(self, value: object, folder: Path) -> None: ...

        def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
            return trusted

    monkeypatch.setitem(lookup._OURS, "picky", Picky())
    with pytest.raises(Refused, match=r"numpy .* can be made to run code") as raised:
        read(files, "picky")
    assert raised.value.hint == "pip install 'numpy>=999.1'"
    assert read(files, "picky", unsafe_pickle=True) is True
    Picky.safe_from = (("numpy", "1.9.30"),)
    assert read(files, "picky") is False


@pytest.mark.slow
def test_the_files_of_one_materializer_are_not_those_of_another(files: Path) -> None:
    write("text", files)
    for name in lookup.names():
        if name not in (
            "text",
            "path",
            "keras",
            "sentence-transformers",
            "transformers",
        ):  # slow to import, where installed
            with pytest.raises((InvalidInput, Refused)):
                read(files, name)


def test_a_pickle_of_what_lies_in_a_module_names_it(files: Path) -> None:
    write(Thing(1), files, unsafe_pickle=True)
    assert __name__.encode() in (files / "object.pkl").read_bytes()
    assert pickle.loads((files / "object.pkl").read_bytes()).__class__ is sys.modules[__name__].Thing

"""The private names of dulwich in use: each behaves as gitreg needs it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dulwich.client import GitClient
from dulwich.file import GitFile, _GitFile
from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob
from dulwich.pack import Pack
from dulwich.refs import DiskRefsContainer, Ref, locked_ref
from dulwich.repo import Repo

import gitreg

PUBLIC = {"_replace", "_asdict", "_fields"}  # of named tuples
HOME = Path(gitreg.__file__).parent / "git" / "dulwich_internals.py"
USED = {"_GitFile", "_buffer", "_closed", "_file", "_lookup_in_packs", "_negotiate_receive_pack_capabilities"}


def private_names(path: Path) -> set[str]:
    """Return the private names that a module takes from dulwich, or from objects other than itself."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name):
                names.add(name)
            case ast.ImportFrom(module=module) if module and module.startswith("dulwich"):
                names.update(alias.name for alias in node.names)
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def test_one_module_names_what_is_private_in_dulwich() -> None:
    assert private_names(HOME) == USED
    others = {path: private_names(path) - PUBLIC for path in HOME.parent.rglob("*.py") if path != HOME}
    assert {path: names for path, names in others.items() if names} == {}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DiskObjectStore]:
    (tmp_path / "pack").mkdir()
    with closing(DiskObjectStore(str(tmp_path))) as store:
        yield store


def test_packs_are_looked_through_until_one_has_the_object(store: DiskObjectStore) -> None:
    for text in (b"one", b"two"):
        store.add_objects([(Blob.from_string(text), None)])
    wanted = Blob.from_string(b"two").id
    asked: list[Pack] = []

    def find(pack: Pack) -> tuple[int, bytes]:
        asked.append(pack)
        return pack.get_raw(wanted)

    assert store._lookup_in_packs(find) == (Blob.type_num, b"two")
    assert 1 <= len(asked) <= 2
    wanted = Blob.from_string(b"three").id
    with pytest.raises(KeyError):
        store._lookup_in_packs(find)
    assert {pack.name() for pack in store.packs} <= {pack.name() for pack in asked}


def test_a_packs_bytes_are_there_without_reading_them_all(store: DiskObjectStore) -> None:
    store.add_objects([(Blob.from_string(b"one"), None)])
    [pack] = store.packs
    buffer = pack.data._buffer()
    assert bytes(buffer[:4]) == b"PACK"
    assert bytes(buffer[:]) == Path(pack.data.path).read_bytes()


def test_a_client_negotiates_by_a_method_that_can_be_wrapped_in_an_instance() -> None:
    class Client(GitClient):
        def archive(self, *_: Any, **__: Any) -> None: ...
        def get_url(self, path: str | bytes) -> str:
            return ""

        def fetch_pack(self, *_: Any, **__: Any) -> Any: ...
        def send_pack(self, *_: Any, **__: Any) -> Any: ...
        def get_refs(self, *_: Any, **__: Any) -> Any: ...

    negotiated, agent = Client()._negotiate_receive_pack_capabilities({b"report-status", b"never-heard-of", b"agent=x"})
    assert b"report-status" in negotiated
    assert b"never-heard-of" not in negotiated
    assert agent == b"x"


def test_a_lock_file_is_of_the_class_that_annotations_name(tmp_path: Path) -> None:
    with GitFile(str(tmp_path / "index"), "wb") as file:
        assert isinstance(file, _GitFile)
        file.write(b"x")
    assert (tmp_path / "index").read_bytes() == b"x"


def test_a_lock_file_that_counts_as_closed_is_left_alone(tmp_path: Path) -> None:
    file = GitFile(str(tmp_path / "index"), "wb")
    assert file._closed is False
    file._closed = True
    file.abort()
    assert (tmp_path / "index.lock").exists()
    file._closed = False
    file.abort()
    assert not (tmp_path / "index.lock").exists()


def test_a_locked_ref_names_its_lock_file(tmp_path: Path) -> None:
    with closing(Repo.init(str(tmp_path))) as repo:
        assert isinstance(repo.refs, DiskRefsContainer)
        with locked_ref(repo.refs, Ref(b"refs/heads/main")) as lock:
            assert isinstance(lock._file, _GitFile)

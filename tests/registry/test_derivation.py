"""Whatever goes wrong while a file is read is that file's problem, and nobody else's."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from gitreg.documents import types
from gitreg.documents.layout import Key
from gitreg.documents.types import AnnotationDocument
from gitreg.registry.state.index_builder import derive_as_parsed
from tests.registry.support import World, pointer

NOTE = b"format: 1\nkind: annotation\ntags: [a]  # so that the parser reads it\n"


class _Broken(AnnotationDocument):
    """A class with a fault: such a one is not known, and the next one is not foreseen."""

    raised: Exception = KeyError("version")

    @classmethod
    def from_data(cls, _: Any) -> NoReturn:
        raise cls.raised


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> type[_Broken]:
    monkeypatch.setitem(types.DOCUMENTS, "annotation", _Broken)
    return _Broken


@pytest.mark.usefixtures("broken")
def test_debug_shows_where_it_came_from(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="gitreg")
    derive_as_parsed(Key("annotation", "iris", "1"), NOTE)
    assert "models/iris/annotations/1.yaml cannot be read" in caplog.text
    assert "in from_data" in caplog.text


@pytest.mark.usefixtures("broken")
def test_an_exception_that_nobody_foresaw_is_the_files_problem() -> None:
    world = World()
    world.save("iris")
    world.save("iris")
    world.put(Key("alias", "iris", "best"), pointer("alias", "2"))
    world.put(Key("annotation", "iris", "1"), NOTE)
    (entry,) = world.snapshot.unreadable()
    assert entry.problem == "models/iris/annotations/1.yaml cannot be read: KeyError: 'version'"
    assert world.names() == [(1, "1"), (2, "2")]
    first = world.snapshot.find_version("iris", "1")
    assert first is not None
    assert first.yanked  # it may say so
    assert first.withdrawal.startswith("is hidden: its annotation cannot be read")
    world.put(Key("annotation", "iris", "1"), None)  # and the past is no trouble either
    assert world.snapshot.unreadable() == []


def test_what_is_no_fault_of_the_file_passes(broken: type[_Broken], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broken, "raised", MemoryError())
    with pytest.raises(MemoryError):
        derive_as_parsed(Key("annotation", "iris", "1"), NOTE)

"""Metadata as typed JSON, and two versions side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from gitreg.documents.yaml import dumps, loads
from gitreg.errors import InvalidInput
from gitreg.registry.query.diff import compare, flatten
from gitreg.registry.state.references import resolve
from gitreg.registry.writing.metadata import to_json
from tests.documents.test_yaml import VALUES, same
from tests.registry.support import World


class Scalar:
    """As numpy's scalars are: no dimension, and a Python value inside."""

    ndim = 0

    def __init__(self, value: Any) -> None:
        self._value = value

    def item(self) -> Any:
        return self._value


@given(VALUES)
def test_json_passes_as_it_is_and_comes_back_from_a_file(value: Any) -> None:
    try:
        kept = to_json({"k": value})
    except InvalidInput as error:
        assert "metadata" in str(error)  # noqa: PT017
        return
    assert same(kept, {"k": value})
    assert same(loads(dumps(kept), "x"), kept)
    json.dumps(kept, allow_nan=False)


def test_tuples_and_scalars_become_plain() -> None:
    assert to_json({"a": (1, Scalar(2.5)), "b": {"c": Scalar(True)}}) == {"a": [1, 2.5], "b": {"c": True}}


@pytest.mark.parametrize(
    ("metadata", "names"),
    [({"a": {"b": [1, object()]}}, "metadata.a.b[1]"), ({"a": float("nan")}, "metadata.a"), ({"x": b"1"}, "metadata.x"),
     ({1: 2}, "1"), ({"a": {"": 1}}, "metadata.a"), ({"s": {1, 2}}, "metadata.s"), ({"n": 10**99}, "metadata.n"),
     ({"a": Scalar(float("inf"))}, "metadata.a"), ({"a\nb": 1}, "a\\nb"), ({"s": "\ud800"}, "metadata.s")],
)  # fmt: skip
def test_what_json_cannot_say_is_an_error_that_names_the_key(metadata: Any, names: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        to_json(metadata)
    assert names in str(caught.value)


def test_metadata_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    with pytest.raises(InvalidInput, match="holds itself"):
        to_json(loop)


def test_two_versions_side_by_side(world: World) -> None:
    world.save(metadata={"accuracy": 0.5, "p": {"depth": 2}, "flag": True}, tags=("a",), content="a")
    world.save(metadata={"accuracy": 0.75, "p": {"depth": 2}, "flag": 1}, content="bb")
    told = compare(resolve(world.snapshot, "iris@1"), resolve(world.snapshot, "iris@2"), None)
    assert told["metadata"] == {"accuracy": {"from": 0.5, "to": 0.75, "delta": 0.25}, "flag": {"from": True, "to": 1}}
    assert told["fields"] == {"tags": {"from": ["a"], "to": []}}
    assert told["files"] == [{"artifact": "model", "path": "m.bin", "change": "changed", "from": 1, "to": 2}]
    assert told["size"] == {"from": 1, "to": 2, "delta": 1}
    assert flatten({"a": {"b": {}, "c": 1}}) == {"a.b": {}, "a.c": 1}

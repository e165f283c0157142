"""A mapping that is made at the first look, and is then like any other."""

from __future__ import annotations

from gitreg.documents.deferred import Deferred


def test_it_is_made_once_and_not_before_somebody_looks() -> None:
    made: list[int] = []

    def make() -> dict[str, int]:
        made.append(1)
        return {"a": 1, "b": 2}

    deferred = Deferred(make)
    assert made == []
    assert (deferred["a"], len(deferred), list(deferred), "b" in deferred, deferred.get("c")) == (
        1, 2, ["a", "b"], True, None,
    )  # fmt: skip
    assert (list(deferred.keys()), list(deferred.values()), list(deferred.items())) == (
        ["a", "b"], [1, 2], [("a", 1), ("b", 2)],
    )  # fmt: skip
    assert made == [1]


def test_it_equals_the_mapping_that_it_is() -> None:
    deferred = Deferred(lambda: {"a": {"b": 1}})
    assert deferred == {"a": {"b": 1}} == deferred
    assert {"x": deferred} == {"x": {"a": {"b": 1}}}
    assert deferred != {"a": {"b": 2}}
    assert repr(deferred) == "{'a': {'b': 1}}"

"""Verdicts are found once, kept by hash, and lost without harm."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gitreg.contents import Finding
from gitreg.registry.state.content_verdicts import (
    ScanCache,
    as_recorded,
    contents_row,
    read_summary,
    recorded,
    summarised,
)
from gitreg.registry.weights.trusted_code import CodeTrust

SHA256 = "a" * 64
CODE = Finding("code", "a script")


def test_what_was_looked_at_is_not_looked_at_again(tmp_path: Path) -> None:
    verdicts = ScanCache(tmp_path)
    assert verdicts.look(SHA256, io.BytesIO(b"#!/bin/sh\n")) == CODE
    closed = io.BytesIO()
    closed.close()
    assert verdicts.look(SHA256, closed) == CODE
    verdicts.close()
    again = ScanCache(tmp_path)
    assert again.find_all([SHA256, "b" * 64]) == {SHA256: CODE}
    again.close()


def test_a_damaged_file_of_verdicts_is_as_none(tmp_path: Path) -> None:
    verdicts = ScanCache(tmp_path)
    verdicts.keep({SHA256: CODE})
    verdicts.close()
    (file,) = tmp_path.glob("verdicts-*")
    file.write_bytes(b"nonsense" * 1000)
    verdicts = ScanCache(tmp_path)
    assert verdicts.look(SHA256, io.BytesIO(b"text")).verdict == "data"
    assert verdicts.find(SHA256) is not None
    verdicts.close()


def test_a_record_names_what_is_not_data_and_past_a_thousand_files_the_worst() -> None:
    found = {"a": Finding("data", "text"), "b": Finding("opaque", "HDF5"), "c": CODE}
    few = recorded(found)
    assert few == {"b": {"verdict": "opaque", "why": "HDF5"}, "c": {"verdict": "code", "why": "a script"}}
    assert as_recorded(few, ["a", "c"]) == {"c": CODE}
    many = recorded(found | {f"{number}": Finding("data", "text") for number in range(1000)})
    assert many == {"*": {"verdict": "code", "why": "c: a script"}}
    assert as_recorded(many, ["a"])["a"].verdict == "code"
    assert contents_row(1, many) == {"verdict": "code", "files": many}
    assert contents_row(1, {}) == {"verdict": "data", "files": {}}
    assert contents_row(None, {}) is None


def test_the_verdicts_on_a_set_are_kept_as_one() -> None:
    found = {"a": Finding("data", "text"), "c": CODE}
    assert summarised(found).verdict == "code"
    assert read_summary(summarised(found)) == {"c": CODE}
    assert read_summary(summarised({"a": found["a"]})) == {}


@pytest.mark.parametrize(
    "why",
    [
        "nonsense",
        "[1]",
        "5",
        '{"a": 5}',
        '{"a": ["code"]}',
        '{"a": {"b": 1}}',
        "{}",
        '{"a": ["data", "x"]}',
        "[" * 9999,
    ],
)
def test_a_damaged_verdict_on_a_set_is_as_none(why: str) -> None:
    assert read_summary(Finding("code", why)) is None


def test_what_a_record_says_that_no_rule_knows_counts_as_code() -> None:
    assert as_recorded({"a": {"verdict": "fine"}}, ["a"])["a"].rank == CODE.rank
    assert as_recorded({"a": {}}, ["a"])["a"].verdict == "code"


def test_a_registry_is_trusted_by_place_and_id_together(tmp_path: Path) -> None:
    trust = CodeTrust(tmp_path / "code.json")
    trust.add("/one", "a" * 32, ["legacy/*"])
    assert trust.find("/one", "b" * 32) is None
    assert trust.find("/two", "a" * 32) is None
    found = trust.find("/one", "a" * 32)
    assert found is not None
    assert (found.covers("legacy/iris"), found.covers("iris")) == (True, False)
    trust.add("/one", "a" * 32)
    found = trust.find("/one", "a" * 32)
    assert found is not None
    assert found.covers("iris")
    assert trust.remove("/one")
    assert not trust.remove("/one")


def test_a_damaged_file_of_trust_trusts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "code.json"
    for said in (
        "",
        "[" * 9999,
        "{}",
        '["/one"]',
        '[{"place": "/one", "registry": 1}]',
        '[{"place": "/one", "models": [1]}]',
    ):
        path.write_text(said)
        assert CodeTrust(path).find("/one", None) is None

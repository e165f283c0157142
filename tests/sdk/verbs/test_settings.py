"""The settings of a registry, set by name or edited as text: one commit each, held against the rules before."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gitreg.errors import InvalidDocument, InvalidInput, NotFound, Refused
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.settings import read_text, set_value, values, write_text
from gitreg.sdk.verbs.stores import add_store
from tests.registry.support import git

pytestmark = pytest.mark.slow

BOB_ALONE = b"policies:\n  settings:\n    promoters: [bob@example.com]\n"
A_POLICY = b"policies:\n  production:\n    promoters: [bob@example.com]\n"
FILE = "gitreg.yaml"


def count(registry: Registry) -> int:
    return int(git(registry.folder, "rev-list", "--count", "main"))


def test_each_setting_is_shown_and_set_in_one_commit(one: Registry, tmp_path: Path) -> None:
    assert values(one.session) == {
        "description": None,
        "remote": "origin",
        "store": str(tmp_path / "store"),
        "stages": ["staging", "production"],
    }
    before = count(one)
    set_value(one.session, "description", ["Models of the team"])
    set_value(one.session, "stages", ["canary", "staging", "production"])
    set_value(one.session, "store", [str(tmp_path / "other")])
    assert count(one) == before + 3
    assert git(one.folder, "rev-parse", "main") == git(tmp_path / "hub.git", "rev-parse", "main")
    assert values(one.session) == {
        "description": "Models of the team",
        "remote": "origin",
        "store": str(tmp_path / "other"),
        "stages": ["canary", "staging", "production"],
    }
    set_value(one.session, "description", ["Models of the team"])
    set_value(one.session, "remote", ["origin"])
    set_value(one.session, "store", [str(tmp_path / "other")])
    assert count(one) == before + 3


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("colour", ["red"], "no setting"),
        ("policies", ["{}"], "no setting"),
        ("description", ["two", "words"], "has one value, not 2"),
        ("stages", ["production"], "no stage that gitreg.yaml declares"),
        ("stages", ["staging", "staging"], "staging is named twice"),
        ("stages", ["latest", "staging"], "cannot be a stage"),
        ("stages", ["settings", "staging"], "no stage may be called settings"),
        ("store", ["s3:/bucket"], "neither a folder nor a URL"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_changes_nothing(
    one: Registry, weights: Path, name: str, given: list[str], message: str
) -> None:
    one.save("iris", weights, stage="staging")
    before = values(one.session), count(one)
    with pytest.raises(InvalidInput, match=message):
        set_value(one.session, name, given)
    assert (values(one.session), count(one)) == before


def test_a_file_is_edited_as_text_and_its_comments_stay(one: Registry) -> None:
    one.register_model("iris")
    before = read_text(one.session, FILE)
    write_text(one.session, FILE, before, before + b"chunking: none  # small models\n")
    assert one.session.snapshot().settings.chunking == "none"
    assert b"# small models" in read_text(one.session, FILE)
    assert read_text(one.session, "models/iris/README.md") == b""
    write_text(one.session, "models/iris/README.md", b"", b"# Iris\n")
    assert read_text(one.session, "models/iris/README.md") == b"# Iris\n"


@pytest.mark.parametrize(
    "addition", [b"stages: 7\n", b"- no mapping\n", b"\xff\n", b"policies: {production: {gates: [{x: 1}]}}\n"]
)
def test_text_that_is_not_valid_is_refused(one: Registry, addition: bytes) -> None:
    before, commits = read_text(one.session, FILE), count(one)
    with pytest.raises((InvalidInput, InvalidDocument), match=r"gitreg\.yaml"):
        write_text(one.session, FILE, before, before + addition)
    assert (read_text(one.session, FILE), count(one)) == (before, commits)


@pytest.mark.parametrize(("field", "value"), [("store", "s3://elsewhere/x"), ("remote", "upstream")])
def test_another_store_or_remote_is_set_by_its_command_and_not_as_text(one: Registry, field: str, value: str) -> None:
    before, commits = read_text(one.session, FILE), count(one)
    edited = re.sub(rf"(?m)^{field}: .*$", f"{field}: {value}", before.decode()).encode()
    assert edited != before
    with pytest.raises(Refused, match=f"names another {field}: {value}") as caught:
        write_text(one.session, FILE, before, edited)
    assert f"gitreg {field} set" in (caught.value.hint or "")
    assert count(one) == commits


def test_text_that_somebody_else_changed_meanwhile_is_not_overwritten(one: Registry) -> None:
    before = read_text(one.session, FILE)
    set_value(one.session, "description", ["Theirs"])
    with pytest.raises(Refused, match="changed by somebody else meanwhile"):
        write_text(one.session, FILE, before, before + b"description: Mine\n")


def test_sealed_records_and_pointers_are_not_edited_as_text(one: Registry, weights: Path) -> None:
    one.save("iris", weights, stage="staging")
    for path in ("models/iris/versions/1.yaml", "models/iris/stages/staging.yaml"):
        with pytest.raises(Refused, match="not edited as text"):
            read_text(one.session, path)
    for path in ("models/wine/README.md", "models/iris/notes.txt", "../secret", "models/wine/model.yaml"):
        with pytest.raises(NotFound, match="no file of the registry"):
            read_text(one.session, path)


def test_a_settings_policy_decides_over_each_change_of_a_judged_setting(one: Registry, tmp_path: Path) -> None:
    before = read_text(one.session, FILE)
    write_text(one.session, FILE, before, before + BOB_ALONE)
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "new.git")
    git(one.folder, "remote", "add", "team", "../new.git")
    commits = count(one)
    text = read_text(one.session, FILE)
    session = one.session
    changes: list[Callable[[], object]] = [
        partial(set_value, session, "stages", ["canary"]),
        partial(set_value, session, "remote", ["team"]),
        partial(set_value, session, "store", [str(tmp_path / "mine")]),
        partial(add_store, session, tmp_path / "mine"),
        partial(write_text, session, FILE, text, before),
    ]
    for change in changes:
        with pytest.raises(Refused, match=r"gitreg.yaml changes who may do what: .*promoters"):
            change()
    assert count(one) == commits
    assert git(tmp_path / "new.git", "for-each-ref") == ""
    set_value(one.session, "description", ["is not judged"])


def test_protected_settings_are_proposed_only(one: Registry) -> None:
    before = read_text(one.session, FILE)
    write_text(one.session, FILE, before, before + b"policies:\n  settings:\n    protected: true\n")
    with pytest.raises(Refused, match="by pull request only"):
        set_value(one.session, "stages", ["canary"])
    one.session.proposing = True
    outcome = set_value(one.session, "stages", ["canary", "staging", "production"])
    assert outcome.proposal is not None
    assert values(one.session)["stages"] == ["staging", "production"]


def test_policies_without_one_for_settings_are_named_in_a_warning(one: Registry) -> None:
    before = read_text(one.session, FILE)
    write_text(one.session, FILE, before, before + A_POLICY)
    with pytest.warns(UserWarning, match="no settings policy: nobody is asked"):
        set_value(one.session, "stages", ["canary", "staging", "production"])

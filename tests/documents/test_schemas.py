"""The schemas: two validators that agree, and documents that survive a read and a write."""

from __future__ import annotations

import copy
import json
from importlib.resources import files
from pathlib import Path
from textwrap import dedent
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from gitreg.documents.files import read_data, write
from gitreg.documents.layout import Key
from gitreg.documents.schemas import check, schema
from gitreg.documents.types import DOCUMENTS
from gitreg.documents.yaml import dumps, loads
from gitreg.errors import InvalidDocument
from tests.documents.test_yaml import VALUES

SHA = "5" * 64
SOUND: dict[str, dict[str, Any]] = {
    "registry": {
        "format": 1,
        "kind": "registry",
        "description": "ours",
        "branch": "main",
        "prefix": "models",
        "store": "s3://b",
        "stages": ["staging", "production"],
        "policies": {"production": {"from": ["staging"]}},
        "people": {
            "ada@example.com": ["ssh-ed25519 AAAA ada"],
            "bob@example.com": {"emails": ["bob@home.example.com"], "keys": ["ssh-ed25519 BBBB bob"]},
        },
        "mirrors": {"stages": "refs/heads/stages"},
    },
    "model": {
        "format": 1,
        "kind": "model",
        "name": "iris",
        "created_at": "2026-11-22T10:00:00.123Z",
        "description": "d",
        "license": "MIT",
        "tags": ["a"],
        "metadata": {"k": [1, {"x": None}]},
    },
    "model_version": {
        "format": 1,
        "kind": "model_version",
        "model": "iris",
        "version": "7",
        "number": 7,
        "created_at": "2026-11-22T10:00:00+02:00",
        "created_by": "Ada <a@b>",
        "tags": ["t"],
        "metadata": {"accuracy": 0.95},
        "source": {"repository": "x", "commit": "3f", "dirty": False},
        "run": {"pipeline": "p"},
        "inputs": ["a@1"],
        "artifacts": {
            "model": {
                "type": "model",
                "size": 1,
                "digest": f"sha256:{SHA}",
                "files": {"a/b": {"size": 1, "sha256": SHA, "executable": True}},
            }
        },
    },
    "annotation": {
        "format": 1,
        "kind": "annotation",
        "description": "d",
        "tags": ["x"],
        "metadata": {"a": 1},
        "archived": True,
        "yanked": True,
        "yank_reason": "r",
        "deleted": True,
    },
    "stage": {
        "format": 1,
        "kind": "stage",
        "version": "7",
        "digest": f"sha256:{SHA}",
        "previous": "6",
        "rolled_back_from": "8",
        "reason": "r",
    },
    "alias": {"format": 1, "kind": "alias", "version": "7", "digest": f"sha256:{SHA}"},
    "approval": {
        "format": 1,
        "kind": "approval",
        "model": "iris",
        "version": "7",
        "stage": "production",
        "digest": f"sha256:{SHA}",
        "who": "bob@example.com",
        "when": "2026-11-22T10:00:00.123Z",
        "reason": "r",
        "signature": "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n",
    },
}
KEYS = {
    "registry": Key("registry"),
    "model": Key("model", "iris"),
    "model_version": Key("model_version", "iris", "7"),
    "annotation": Key("annotation", "iris", "7"),
    "stage": Key("stage", "iris", "production"),
    "alias": Key("alias", "iris", "champion"),
    "approval": Key("approval", "iris", "7/production/bob@example.com"),
}


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    kind = draw(st.sampled_from(sorted(SOUND)))
    data = copy.deepcopy(SOUND[kind])
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(places(data)))
        if not place:
            continue
        parent = data
        for step in place[:-1]:
            parent = parent[step]
        if draw(st.booleans()):
            odd: st.SearchStrategy[Any] = st.sampled_from(
                [0, 1, -1, 1.0, 10**20, "", "x", True, [], {}, None, ["", "a"], ["a", "a"], "refs/x"]
            )
            parent[place[-1]] = draw(odd | VALUES)
        elif draw(st.booleans()) or isinstance(parent, list):
            del parent[place[-1]]
        else:
            parent[draw(st.text(max_size=5))] = draw(VALUES)
    return kind, data


@given(mutated())
def test_the_fast_validator_and_the_one_that_explains_agree(case: tuple[str, Any]) -> None:
    kind, data = case
    valid = Draft7Validator(schema(kind)).is_valid(data)
    try:
        check(kind, data, "f.yaml")
    except InvalidDocument as error:
        assert not valid
        assert len(str(error)) < 700  # noqa: PT017
        return
    assert valid


@given(mutated())
def test_what_is_read_is_written_as_it_was(case: tuple[str, Any]) -> None:
    kind, data = case
    try:
        check(kind, data, "f.yaml")
    except InvalidDocument:
        return
    said = DOCUMENTS[kind].from_data(data).to_data()
    check(kind, said, "f.yaml")
    assert DOCUMENTS[kind].from_data(said) == DOCUMENTS[kind].from_data(data)
    lost = {key for key in data if key not in said and data[key] not in ([], {}, False)}
    assert not lost


@pytest.mark.parametrize("kind", sorted(SOUND))
def test_a_schema_is_sound_and_its_document_has_its_fields_in_order(kind: str) -> None:
    Draft7Validator.check_schema(schema(kind))
    fastjsonschema.compile(schema(kind))
    check(kind, SOUND[kind], "f.yaml")
    document = DOCUMENTS[kind].from_data(SOUND[kind])
    assert not document.extra
    assert document.to_data() == SOUND[kind]
    known = [name for name in schema(kind)["properties"] if name in SOUND[kind]]
    assert list(document.to_data()) == [name for name in document.to_data() if name in known]
    assert loads(write(KEYS[kind], document), "f.yaml") == SOUND[kind]
    assert read_data(KEYS[kind], dumps(SOUND[kind])) == SOUND[kind]


@pytest.mark.parametrize("kind", sorted(SOUND))
def test_unknown_fields_survive_a_read_and_a_write(kind: str) -> None:
    data = SOUND[kind] | {"x-team": {"by": ["hand"]}}
    if kind == "model_version":
        data = copy.deepcopy(data)
        data["artifacts"]["model"]["signed"] = "yes"
        data["artifacts"]["model"]["files"]["a/b"]["mtime"] = 3
    document = DOCUMENTS[kind].from_data(read_data(KEYS[kind], dumps(data)))
    assert loads(write(KEYS[kind], document), "f.yaml") == data


@pytest.mark.parametrize("kind", sorted(SOUND))
def test_a_newer_format_is_refused_politely(kind: str) -> None:
    with pytest.raises(InvalidDocument, match="is 2; this gitreg reads format 1") as caught:
        read_data(KEYS[kind], dumps(SOUND[kind] | {"format": 2, "kind": "something new"}))
    assert caught.value.pointer == "/format"
    assert caught.value.hint == "upgrade gitreg"


@pytest.mark.parametrize(
    ("kind", "change", "pointer"),
    [
        ("stage", {"kind": "alias"}, "/kind"),
        ("stage", {"format": 0}, "/format"),
        ("stage", {"format": "1"}, "/format"),
        ("stage", {"version": 7.5}, "/version"),
        ("stage", {"digest": "sha256:xyz"}, "/digest"),
        ("model", {"name": "tulip"}, "/name"),
        ("model", {"tags": ["ok", ""]}, "/tags/1"),
        ("model_version", {"model": "tulip"}, "/model"),
        ("model_version", {"version": "8"}, "/version"),
        ("model_version", {"number": 0}, "/number"),
        ("model_version", {"number": 10**15}, "/number"),
        ("model_version", {"number": True}, "/number"),
        ("model_version", {"created_at": "yesterday"}, "/created_at"),
        ("registry", {"stages": ["a", "a"]}, "/stages"),
        ("registry", {"mirrors": {"stages": "heads/x"}}, "/mirrors/stages"),
        ("registry", {"policies": {"production": []}}, "/policies/production"),
        ("registry", {"people": {"ada": ["cert-authority ssh-ed25519 AAAA"]}}, "/people/ada/0"),
        ("registry", {"people": {"ada": ["ssh-ed25519 AAAA\nmallory ssh-ed25519 BBBB"]}}, "/people/ada/0"),
        ("registry", {"people": {"ada": []}}, "/people/ada"),
        ("registry", {"people": {"ada": {"emails": ["a@b"]}}}, "/people/ada"),
        ("registry", {"people": {"ada": {"keys": ["nonsense"]}}}, "/people/ada/keys/0"),
        ("registry", {"id": "0" * 31}, "/id"),
        ("registry", {"id": "A" * 32}, "/id"),
        ("approval", {"version": "8"}, "/version"),
        ("approval", {"stage": "staging"}, "/stage"),
        ("approval", {"who": "ada@example.com"}, "/who"),
        ("approval", {"model": "tulip"}, "/model"),
        ("approval", {"when": "soon"}, "/when"),
        ("approval", {"signature": "bob"}, "/signature"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_place(kind: str, change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_data(KEYS[kind], dumps(SOUND[kind] | change))
    assert (caught.value.where, caught.value.pointer) == (KEYS[kind].path, pointer)


@pytest.mark.parametrize("content", [b"", b"[]", b"text", b"7", b"format: 1"])
def test_what_is_no_document_at_all_is_named(content: bytes) -> None:
    with pytest.raises(InvalidDocument):
        read_data(Key("stage", "iris", "production"), content)


def test_a_document_that_breaks_its_schema_is_not_written() -> None:
    with pytest.raises(InvalidDocument, match="/number"):
        write(KEYS["model_version"], DOCUMENTS["model_version"].from_data(SOUND["model_version"] | {"number": -1}))


def schema_folder() -> Path:
    packaged = Path(str(files("gitreg"))) / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "schemas"


def test_every_schema_in_the_folder_has_its_document() -> None:
    found = {path.name.removesuffix(".schema.json") for path in schema_folder().glob("*.schema.json")}
    assert found == {*DOCUMENTS, "batch"}  # what `gitreg save --batch` reads is no file of a registry


def documented_policies() -> dict[str, Any]:
    text = (Path(__file__).parents[2] / "schemas" / "README.md").read_text()
    example = text.partition("### Policies\n\n")[2].partition("\n\n")[0]
    policies: dict[str, Any] = loads(dedent(example).encode(), "README.md")
    return policies


def test_the_schema_of_gitreg_yaml_checks_policies_for_editors_while_reading_leaves_them_to_who_asks() -> None:
    for_editors = Draft7Validator(json.loads((schema_folder() / "registry.schema.json").read_text()))
    data = SOUND["registry"] | documented_policies()
    for_editors.validate(data)
    data["policies"]["production"]["gates"][0] = {"metrics": "accuracy", "at_least": 0.9}
    (error, *_) = for_editors.iter_errors(data)
    assert list(error.absolute_path) == ["policies", "production", "gates", 0]
    assert "'metrics' was unexpected" in error.message
    assert read_data(KEYS["registry"], dumps(data)) == data
    with pytest.raises(
        InvalidDocument, match=r"^gitreg.yaml at /policies/production/gates/0/metrics: there is no field"
    ):
        check("policies", {"policies": data["policies"]}, "gitreg.yaml")


@pytest.mark.parametrize(
    ("kind", "change", "message", "hint"),
    [
        ("stage", {"reason": 7}, "at /reason: is 7, not a text", "write a text"),
        ("registry", {"chunking": "contents"}, "at /chunking: is 'contents'", "did you mean 'content'? the known ones"),
        ("registry", {"people": {"ada": {"emails": ["a@b"]}}}, "at /people/ada: has no keys", "public SSH keys"),
        ("registry", {"people": {"ada": {"keys": ["ssh-rsa A"], "email": "x"}}},
         "at /people/ada/email: there is no field 'email'", "did you mean 'emails'? the known ones are emails, keys"),
        ("registry", {"people": {"ada": []}}, "at /people/ada: is empty", "at least one"),
    ],
)  # fmt: skip
def test_an_error_says_what_is_wrong_and_what_to_write(
    kind: str, change: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_data(KEYS[kind], dumps(SOUND[kind] | change))
    assert caught.value.message == f"{KEYS[kind].path} {message}"
    assert hint in (caught.value.hint or "")

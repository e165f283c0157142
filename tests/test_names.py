"""Names, slugs and references, held against the real git and against one another."""

from __future__ import annotations

import subprocess
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitreg.errors import GitregError, InvalidInput
from gitreg.names import (
    Reference,
    as_number,
    check_alias,
    check_artifact,
    check_model,
    check_stage,
    check_version,
    fold,
    is_number,
    name_and_version,
    parse_reference,
    slug,
    unslug,
)

AWKWARD = st.sampled_from(
    [
        "a.lock",
        "a.LOCK",
        "..",
        ".",
        "con",
        "CON.txt",
        "com¹",
        "lpt9.x",
        "-x",
        "@",
        "@{",
        "a@b",
        "model.yaml",
        "versions",
        "README.md",
        "%41",
        "%",
        "a..b",
        "...",
        "a.",
        " a",
        "é",
        "e\u0301",
        "²",
        "~",
        "^",
        "a:b",
        "\\",
        "*?[",
        ".lock",
    ]
)
NAMES = st.lists(st.text(max_size=12) | AWKWARD, min_size=1, max_size=3).map("/".join)


def accepted(name: str) -> bool:
    try:
        check_model(name)
    except InvalidInput:
        return False
    return True


@given(NAMES)
def test_a_slug_spells_its_name(name: str) -> None:
    assert unslug(slug(name)) == unicodedata.normalize("NFC", name)


@given(NAMES, NAMES)
@example("a%2Eb", "a.b")
@example("con", "%63on")
def test_two_different_names_never_have_one_slug(one: str, other: str) -> None:
    same = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    assert (slug(one) == slug(other)) == same


@given(NAMES)
def test_a_slug_is_plain_and_hides_nothing(name: str) -> None:
    spelled = slug(name)
    assert spelled.isascii()
    assert "@" not in spelled
    for part in spelled.split("/"):
        assert ".." not in part
        assert not part.startswith((".", "-"))
        assert not part.endswith(".")
        assert not part.lower().endswith(".lock")
        assert part.lower().split(".")[0] not in ("con", "prn", "aux", "nul", "com1", "lpt9")
        assert part.lower() not in (
            "versions",
            "annotations",
            "stages",
            "aliases",
            "approvals",
            "model.yaml",
            "readme.md",
        )


@settings(max_examples=4)
@given(st.lists(st.tuples(NAMES, NAMES), min_size=25, max_size=25))
def test_git_takes_every_slug_of_an_accepted_name_for_a_ref(pairs: list[tuple[str, str]]) -> None:
    for model, version in pairs:
        if not accepted(model) or "/" in version or not version:
            continue
        ref = f"refs/tags/models/{slug(model)}@{slug(version)}"
        done = subprocess.run(["git", "check-ref-format", ref], check=False)
        assert done.returncode == 0, ref


@pytest.mark.parametrize(
    "name", ["iris", "Iris classifier", "team/iris", "modèle", "模型", "iris.v2", "a+b_c-d", "%", "7", "x" * 200]
)
def test_a_model_may_be_called_as_in_mlflow_and_nested(name: str) -> None:
    assert check_model(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        ".",
        "..",
        "a/../b",
        "a//b",
        "/a",
        "a/",
        "a/ /b",
        "a:b",
        "a\\b",
        "a\nb",
        "a\0b",
        "x" * 256,
        "é" * 100,
        "\ud800",
        "a\u2028b",
    ],
)
def test_a_model_may_not_be_called_what_is_no_name_or_a_path(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_model(name)


def test_a_name_that_is_no_text_is_refused_in_words() -> None:
    with pytest.raises(InvalidInput, match="is text, not int"):
        check_model(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["alpha", "1.2.3", "v1", "2026-11-22", "rc 1", "_", "1e5x", "été", "model", "a@b"])
def test_a_version_may_have_a_name(name: str) -> None:
    assert check_version(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "7",
        " 7 ",
        "+7",
        "-7",
        "1_000",
        "²",
        "٣",
        "½",
        "latest",
        "LATEST",
        "archived",
        "draft",
        "draft:x",
        "sha256:abcdef",
        ".",
        "..",
        "a/b",
        "a\\b",
        "a\tb",
        "a\x7fb",
        "x" * 256,
        "production",
        "champion",
    ],
)
def test_a_version_may_not_be_named_what_means_something_else(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_version(name, stages=("staging", "production"), aliases=("champion",))


@pytest.mark.parametrize("name", ["champion", "a-b_c", "V", "v1x", "_", "-", "x1"])
def test_an_alias_is_made_of_letters_digits_underscore_and_dash(name: str) -> None:
    assert check_alias(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a.b",
        "é",
        "latest",
        "Latest",
        "v1",
        "V22",
        "7",
        "production",
        "draft",
        "archived",
        "a/b",
        "x" * 300,
        "a\n",
    ],
)
def test_an_alias_is_never_mistaken_for_a_version_or_a_stage(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_alias(name, stages=("production",))


@pytest.mark.parametrize("name", ["latest", "archived", "Draft", "7", "", "a b", "é", ".a", "-a", "a/b"])
def test_a_stage_has_a_plain_name(name: str) -> None:
    assert check_stage("prod.eu-1") == "prod.eu-1"
    with pytest.raises(InvalidInput):
        check_stage(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a\\b", "a\0"])
def test_an_artifact_cannot_climb_out_of_its_folder(name: str) -> None:
    assert check_artifact("my data") == "my data"
    with pytest.raises(InvalidInput):
        check_artifact(name)


@given(st.integers(min_value=0) | st.integers(max_value=-1))
def test_every_whole_number_is_seen_as_one(number: int) -> None:
    assert is_number(str(number))
    assert is_number(f"{number:_}")
    assert as_number(str(number)) == (number if 0 <= number < 10**15 else None)


@pytest.mark.parametrize("text", ["²", "٣", "+7", "7 ", "", "7" * 16, "7" * 5000, "1_0"])
def test_only_plain_digits_are_a_versions_number(text: str) -> None:
    assert as_number(text) is None


@pytest.mark.parametrize(("one", "other"), [("Iris", "iris"), ("É", "e\u0301"), ("straße", "STRASSE")])
def test_names_that_are_one_file_on_macos_or_windows_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("text", "model", "selector"),
    [
        ("iris", "iris", None),
        ("iris@latest", "iris", None),
        ("iris@7", "iris", "7"),
        ("iris@1.0.5", "iris", "1.0.5"),
        ("team/iris@production", "team/iris", "production"),
        ("a/b@champion", "a/b", "champion"),
        ("iris@sha256:" + "a" * 64, "iris", "sha256:" + "a" * 64),
        ("iris@sha256:abcdef", "iris", "sha256:abcdef"),
        ("models:/iris/7", "iris", "7"),
        ("models:/iris@champion", "iris", "champion"),
        ("models:/iris/latest", "iris", None),
        ("models:/iris", "iris", None),
        ("models:/my model/3", "my model", "3"),
        ("models://iris/7", "iris", "7"),
        ("e\u0301@e\u0301", "é", "é"),
    ],
)
def test_a_reference_is_read(text: str, model: str, selector: str | None) -> None:
    assert parse_reference(text) == Reference(model, selector)


@pytest.mark.parametrize(
    "text",
    ["", "@", "@7", "iris@", "models:/", "models:/@x", "iris@sha256:xyz", "iris@sha256:abc", "a//b@7", "iris\n@7"],
)
def test_what_is_no_reference_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_reference(text)
    assert caught.value.hint


@given(NAMES, st.text(max_size=10))
def test_reading_a_reference_never_raises_anything_else(model: str, selector: str) -> None:
    try:
        reference = parse_reference(f"{model}@{selector}")
    except GitregError:
        return
    assert parse_reference(str(reference)) == reference


def test_an_at_sign_is_followed_by_a_version() -> None:
    assert name_and_version("iris") == ("iris", None)
    assert name_and_version("team/iris@1.0") == ("team/iris", "1.0")
    with pytest.raises(InvalidInput, match="'iris@' names no version"):
        name_and_version("iris@")

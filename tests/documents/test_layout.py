"""Paths, to and from what they mean."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitreg.documents.layout import Key, parse_path
from tests.test_names import AWKWARD, NAMES, accepted

SINGLE = (st.text(min_size=1, max_size=12) | AWKWARD | st.sampled_from(["model", "model.yaml", "README.md"])).filter(
    lambda name: "/" not in name
)


@given(NAMES.filter(accepted), st.sampled_from(["model_version", "annotation", "stage", "alias"]), SINGLE)
@example("iris", "model_version", "model")
@example("a/versions", "alias", "README.md")
def test_a_path_says_what_its_file_is_about(model: str, kind: str, name: str) -> None:
    import unicodedata

    model, name = unicodedata.normalize("NFC", model), unicodedata.normalize("NFC", name)
    approval = Key("approval", model, f"{name}/production/{name}")
    of_settings = Key("approval", "", f"settings/{'0' * 64}/{name}")
    assert parse_path(of_settings.path) == of_settings
    for key in (Key(kind, model, name), Key("model", model), Key("card", model), approval):
        assert parse_path(key.path) == key


@given(NAMES.filter(accepted), NAMES.filter(accepted), SINGLE)
def test_files_of_two_models_never_meet(one: str, other: str, name: str) -> None:
    kinds = ("model_version", "annotation", "stage", "alias")
    paths = {
        model: {Key(kind, model, name).path for kind in kinds}
        | {Key("model", model).path, Key("approval", model, f"{name}/stages/{name}").path}
        for model in (one, other)
    }
    if Key("model", one).path != Key("model", other).path:
        assert not paths[one] & paths[other]
        assert not any(a.startswith(f"{b}/") for a in paths[one] for b in paths[other])


@given(
    st.text(max_size=40) | st.lists(NAMES | st.sampled_from(["models", "versions", "a.yaml"]), max_size=5).map("/".join)
)
def test_a_path_that_is_read_is_the_one_that_gitreg_would_write(path: str) -> None:
    key = parse_path(path)
    assert key is None or key.path == path


@pytest.mark.parametrize(
    "path",
    ["", "models", "models/iris", "models/my model/model.yaml", "models/iris/versions/7.yml", "models/iris/notes.txt",
     "models/iris/versions/a/7.yaml", "models/%ff/model.yaml", "models/%41/model.yaml", "models/iris/versions/.yaml",
     "models/iris/approvals/7/bob.yaml", "models/iris/approvals/7/production/a/b.yaml",
     "models/iris/approvals/7/production/.yaml", "models/iris/approvals/7/production/a%2Fb.yaml",
     "Models/iris/model.yaml", "sub/gitreg.yaml", "models/é/model.yaml", "models/iris/Versions/7.yaml"],
)  # fmt: skip
def test_a_foreign_path_means_nothing(path: str) -> None:
    assert parse_path(path) is None

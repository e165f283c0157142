"""The files of a record, which are written without the YAML emitter, are written as it writes them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitreg.documents import yaml

A, B = "3f2a" * 16, "0123456789" * 6 + "0123"
ODD_PATHS = [
    "1", "1.0", "1e5", "1.e", "0x1f", "0b1", "0o7", "1_000", "1_0.5", "yes", "no", "on", "y", "null", "true", "False",
    "a", "a.b", "1.bin", "1e5.bin", "0x1f.bin", "1_0.bin", "000/00000.bin", "1/2", "1e5/2", "2026-11-22", "2026/11/22",
    "2026-11-22T10:00:00Z", "a b", "a:b", "a: b", "a #b", "-a", "- a", ".inf", ".nan", ".gitattributes", "...", "---",
    "---/a", ".../a", "=", "<<", "~", "é", "🙂", "'", '"', "a'b", "", "_", "_1", "_1.b", "1_.b", "a\nb", "a\n", "a/",
    "/", "x" * 99, "x" * 100 + ".b", "x/" * 50, "x/" * 64, "x/" * 65, "model.safetensors", "e.e", "1e.e", "0b.b",
    "12e03.e", "9.inf", "a.INF", "9.nan", "1:30", "1:30.5", "190:20:30", "0.1e", "0.0e-1/a", "Infinity", "NaN.nan",
    "1_.e-1", "1_.e-1/a", "0_.e-1", "_.e-1", "1.e-1", "falsey", "false.", "Makefile", "LICENSE", "_____",
    "______", "n.o", "on/off",
]  # fmt: skip
PATHS = st.sampled_from(ODD_PATHS) | st.text("019abeoxEX_./-+:", max_size=9) | st.text(max_size=5)
DIGESTS = st.sampled_from(
    [A, B, "0" * 64, "1e" + "0" * 62, "0b" + "1" * 62, "0" * 62 + "e1", "e" * 64, "b" * 64, "0" * 63 + "a", A[1:], ""]
) | st.text("0123456789be", min_size=64, max_size=64)
SIZES = st.sampled_from([0, 7, 10**17, 10**30, -1, True, 1.5, "7", None])
ENTRIES = (
    st.builds(lambda size, sha256: {"size": size, "sha256": sha256}, SIZES, DIGESTS)
    | st.sampled_from([{"size": 1, "sha256": A, "executable": flag} for flag in (True, False, 1, None, "true")])
    | st.sampled_from([{"sha256": A, "size": 1}, {"size": 1}, {}, {"size": 1, "sha256": A, "more": 1}])
    | st.sampled_from([{"size": 1, "sha256": A, "executable": True, "more": [1]}, None, [], "x"])
)
GOOD = st.fixed_dictionaries({"size": st.integers(0, 10**12), "sha256": st.just(A)})
ARTIFACT = st.fixed_dictionaries(
    {"type": st.sampled_from(["model", "data"])},
    optional={
        "materializer": st.sampled_from(["x", "files-of-artifact-0", "a\nb", "a\n    files: files-of-artifact-0\n"]),
        "files": st.dictionaries(PATHS, GOOD, max_size=4) | st.dictionaries(PATHS, ENTRIES, max_size=3) | st.none(),
        "more": st.just({"files": "files-of-artifact-0"}),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"format": st.just(1)},
    optional={
        "metadata": st.sampled_from([{"a": {"files": "files-of-artifact-0"}}, {"files": "x"}, {}]),
        "artifacts": st.dictionaries(PATHS, ARTIFACT, max_size=3) | st.sampled_from([None, [], "x"]),
        "after": st.just("all"),
    },
)


@pytest.mark.slow
@given(data=DOCUMENTS)
@example(data={"artifacts": {"m": {"files": {path: {"size": 1, "sha256": A} for path in ODD_PATHS}}}})
@settings(max_examples=500)
def test_a_document_is_written_as_the_emitter_writes_it(data: dict[str, Any]) -> None:
    assert yaml.dumps(data) == yaml._emit(data)


@pytest.mark.parametrize("path", ODD_PATHS)
@pytest.mark.parametrize("digest", [A, B, "1e" + "0" * 62, "0b" + "1" * 62])
def test_each_path_and_digest_is_quoted_as_the_emitter_quotes_it(path: str, digest: str) -> None:
    data = {"artifacts": {"model": {"files": {path: {"size": 1, "sha256": digest}}}}}
    assert yaml.dumps(data) == yaml._emit(data)


@pytest.mark.slow
@given(path=st.from_regex(yaml._PLAIN_PATH, fullmatch=True) | st.text("01_.eE-/abx", min_size=1, max_size=8))
@settings(max_examples=300)
def test_no_path_that_is_written_as_it_is_would_be_quoted_by_the_emitter(path: str) -> None:
    assert not yaml._PLAIN_PATH.fullmatch(path) or yaml._emit({path: 1}) == f"{path}: 1\n".encode()


@given(digest=st.builds(str.__add__, st.text("0123456789be", min_size=63, max_size=63), st.sampled_from("acdf")))
def test_no_digest_that_is_written_as_it_is_would_be_quoted_by_the_emitter(digest: str) -> None:
    assert yaml._PLAIN_SHA256.fullmatch(digest)
    assert yaml._emit({"sha256": digest}) == f"sha256: {digest}\n".encode()


def test_the_emitter_is_not_asked_about_a_list_of_usual_files(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    dump = pyyaml.dump

    def watch(data: Any, **options: Any) -> Any:
        text = dump(data, **options)
        asked.append(text)
        return text

    monkeypatch.setattr(pyyaml, "dump", watch)
    usual = ["model.safetensors", "config.json", "1_Pooling/config.json", "000/00000.bin", "bin/run.sh"]
    data = {"artifacts": {"model": {"files": {path: {"size": 1, "sha256": A} for path in usual}}}}
    written = yaml.dumps(data).decode()
    assert not re.search(r"sha256", "".join(asked))
    assert written.count(A) == len(usual)


def test_words_that_stand_for_a_list_may_be_said_elsewhere() -> None:
    said = {"a": {"files": "files-of-artifact-0"}}
    data = {"metadata": said, "artifacts": {"model": {"files": {"a.bin": {"size": 1, "sha256": A}}}}}
    assert yaml.dumps(data) == yaml._emit(data)
    assert yaml.loads(yaml.dumps(data), "x") == data

"""What is recognised at sight is sound, and reads as the whole way reads it: nothing that is not gets through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitreg.documents.fast_yaml import read, recognise
from gitreg.documents.files import read_data
from gitreg.documents.layout import Key
from gitreg.documents.yaml import MAX_NODES, dumps

RECORD = Key("model_version", "team/iris", "7")
ANNOTATION = Key("annotation", "team/iris", "7")
STAGE = Key("stage", "team/iris", "production")
ALIAS = Key("alias", "team/iris", "champion")
ARTIFACT = Key("artifact", "trainer.output", "12")
RUN = Key("run", "train", "2026-11-22-a1b2")

A, B = "3f2a" * 16, "0123456789" * 6 + "0123"
ODD = [
    "", "~", "null", "Null", "true", "FALSE", "yes", "1", "-1", "+1", "007", "1.", ".5", "1e5", "1e999",
    "1.5E-3", "0x1F",
    "0o17", "0b1", "1_000", "1:30", ".inf", "-.inf", ".nan", "1.2.3", "2026-11-22", "2026-13-99", "3f2a",
    "2026-11-23-030656-6315", "2026-11-22-1",
    "12e4", "9" * 200,
    "-", "- a", "a: b", "a:b", "a:", ":a", "a #b", "a#b", "#a", "it's", "'", "''", "'a'", "'a''b'",
    '"a"', "a 'b' c", "*a",
    "&a", "!a", "!!str 1", "|", ">", "%a", "@a", "`a", "[]", "{}", "[a, b]", "{a: b}", "? a", "<<", "=", "---",
    "...", " a",
    "a ", "a\tb", "\ta", "a\x85b", "a\u2028b", "a\u00a0b", "\u00a0", "\ufeffa", "\x07", "\x7f", "naïve", "模型",
    "🙂", "a\nb", "a\r",
    "x" * 2000, f"sha256:{A}", A, B,
]  # fmt: skip
TEXTS = st.sampled_from([word for word in ODD if word]) | st.text(min_size=1, max_size=8)
SCALARS = (
    TEXTS | st.just("") | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
KEYS = st.sampled_from(["accuracy", "a.b", "null", "1", "a b", "é", "a:b", "-", "'"]) | TEXTS
METADATA = st.dictionaries(
    KEYS,
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(KEYS, SCALARS | st.lists(SCALARS), max_size=3),
    max_size=4,
)
SIZES = st.sampled_from([0, 7, 10**17, 10**30, -1, True, 1.5])
DIGESTS = st.sampled_from([A, B, "0" * 64, "1e" + "0" * 62, "0" * 62 + "e1", A[1:], A.upper()])
FILES = st.dictionaries(
    st.sampled_from(["m.bin", "1_Pooling/config.json", "1", "a b", ".x"]) | TEXTS,
    st.builds(lambda size, sha: {"size": size, "sha256": sha}, SIZES, DIGESTS)
    | st.just({"size": 1, "sha256": A, "executable": True}),
    max_size=3,
)
SCANS = st.sampled_from([1, 2, 0, -1, 10**30, True, "1"])
VERDICTS = st.fixed_dictionaries(
    {"verdict": st.sampled_from(["limited", "opaque", "code", "data", "odd"])},
    optional={"why": st.sampled_from(["pickle that names posix.system", "a.zip: b.pkl: too long"]) | TEXTS},
)
CONTENTS = st.dictionaries(st.sampled_from(["m.bin", "*", "1", "a b", ".x", "'*'", "**"]) | TEXTS, VERDICTS, max_size=3)
ARTIFACTS = st.dictionaries(
    st.sampled_from(["model", "tokenizer", "con"]) | TEXTS,
    st.builds(
        lambda kind, size, files: {"type": kind, "size": size, "digest": f"sha256:{A}"} | files,
        st.sampled_from(["model", "data", "deployment", "other"]),
        SIZES,
        st.fixed_dictionaries(
            {}, optional={"artifact": TEXTS, "materializer": TEXTS, "scan": SCANS, "contents": CONTENTS, "files": FILES}
        ),
    ),
    max_size=2,
)
LISTS = st.lists(TEXTS, max_size=3)
ABOUT = {"description": TEXTS, "tags": LISTS, "metadata": METADATA}
RECORDS = st.fixed_dictionaries(
    {
        "format": st.just(1),
        "kind": st.just("model_version"),
        "model": st.just("team/iris"),
        "version": st.just("7"),
        "number": st.sampled_from([7, 1, 0, 10**15]),
        "created_at": st.sampled_from(
            ["2026-11-22T10:00:00.123Z", "2026-02-30T10:00:00Z", "2026-11-22T10:00:00+01:00", "x"]
        ),
    },
    optional={
        "created_by": TEXTS,
        **ABOUT,
        "source": st.fixed_dictionaries(
            {}, optional={"repository": TEXTS, "commit": TEXTS, "dirty": st.booleans() | TEXTS}
        ),
        "run": METADATA,
        "inputs": LISTS,
        "links": LISTS,
        "artifacts": ARTIFACTS,
    },
)
TIMES = st.sampled_from(["2026-11-22T10:00:00.123Z", "2026-02-30T10:00:00Z", "2026-11-22T10:00:00+01:00", "x"])
SAVED = st.fixed_dictionaries(
    {
        "format": st.just(1),
        "kind": st.just("artifact"),
        "artifact": st.just("trainer.output"),
        "version": st.sampled_from(["12", "12", "13"]),
        "number": st.sampled_from([7, 1, 0, 10**15]),
        "id": DIGESTS.map(lambda digest: digest[:32]) | st.sampled_from(["1" * 32, "0" * 30 + "e1", "0b" * 16]),
        "created_at": TIMES,
    },
    optional={"created_by": TEXTS},
).flatmap(
    lambda head: st.fixed_dictionaries({"type": st.sampled_from(["model", "data", "x"])}).flatmap(
        lambda kind: st.fixed_dictionaries(
            {}, optional={"materializer": TEXTS, "metadata": METADATA, "run": METADATA}
        ).flatmap(
            lambda more: st.fixed_dictionaries(
                {"size": SIZES, "digest": DIGESTS.map("sha256:{}".format)},
                optional={"scan": SCANS, "contents": CONTENTS, "files": FILES},
            ).map(lambda tail: head | kind | more | tail)
        )
    )
)
USED = st.dictionaries(KEYS, TEXTS, max_size=2)
DURATIONS = st.sampled_from([0, 0.051, 12, 3.5, 1e-05, 1e22, -1])
STEPS = st.dictionaries(
    st.sampled_from(["trainer", "load_2", "a b", "1"]) | KEYS,
    st.fixed_dictionaries(
        {"status": st.sampled_from(["completed", "failed", "odd"])},
        optional={
            "started_at": TIMES,
            "duration": DURATIONS,
            "cached": st.booleans(),
            "key": DIGESTS,
            "parameters": METADATA,
            "inputs": USED,
            "outputs": USED,
            "version": TEXTS,
        },
    ),
    max_size=3,
)
RUNS = st.fixed_dictionaries(
    {
        "format": st.just(1),
        "kind": st.just("run"),
        "pipeline": st.just("train"),
        "run": st.just("2026-11-22-a1b2"),
        "status": st.sampled_from(["completed", "failed", "odd"]),
        "started_at": TIMES,
    },
    optional={
        "ended_at": TIMES,
        "duration": DURATIONS,
        "command": st.lists(TEXTS | st.sampled_from(["", "-c", "--lr=1e-3", "--", "---", "-.inf"]), max_size=3),
        "environment": METADATA,
        "parameters": METADATA,
        "steps": STEPS,
        "inputs": LISTS,
        "versions": LISTS,
    },
)
FLAGS = st.booleans()
ANNOTATIONS = st.fixed_dictionaries(
    {"format": st.just(1), "kind": st.just("annotation")},
    optional={
        **ABOUT,
        "archived": FLAGS,
        "yanked": FLAGS,
        "yank_reason": TEXTS,
        "deleted": FLAGS,
        "links": LISTS,
        "artifacts": ARTIFACTS,
    },
)
POINTERS = st.fixed_dictionaries(
    {"format": st.just(1), "kind": st.sampled_from(["stage", "alias"]), "version": TEXTS},
    optional={"digest": DIGESTS.map("sha256:{}".format), "previous": TEXTS, "rolled_back_from": TEXTS, "reason": TEXTS},
)

FULL: dict[str, Any] = {
    "format": 1,
    "kind": "model_version",
    "model": "team/iris",
    "version": "7",
    "number": 7,
    "created_at": "2026-11-22T10:00:00.123Z",
    "created_by": "Gräfin Ada <ada@example.com>",
    "description": "Trained on week 7: better, isn't it?",
    "tags": ["nightly", "2026-11-22", "candidate"],
    "metadata": {
        "accuracy": 0.95, "epochs": 12, "note": "", "best": None, "final": True, "loss": -1.5e-07,
        "framework": "sklearn",
        "params": {"max_depth": 2, "kind": "tree"}, "labels": ["setosa", "virginica"],
    },
    "source": {"repository": "https://example.com/team/code.git", "commit": "3f2a" * 10, "dirty": False},
    "run": {"pipeline": "train", "run": "2026-11-22-train-4", "step": "svc_trainer"},
    "inputs": ["iris_data@12", "base@3"],
    "links": ["trainer.output@12", "notes@1"],
    "artifacts": {
        "trainer.output": {
            "type": "model", "size": 5, "digest": f"sha256:{A}", "artifact": "trainer.output@12",
            "materializer": "sklearn", "files": {"model.skops": {"size": 5, "sha256": A}},
        },
        "model": {
            "type": "model", "size": 12, "digest": f"sha256:{A}", "scan": 1,
            "contents": {
                "run.sh": {"verdict": "code", "why": "program"},
                "model.safetensors": {"verdict": "opaque", "why": "a.zip: it's, unknown"},
            },
            "files": {
                "model.safetensors": {"size": 5, "sha256": A}, "run.sh": {"size": 7, "sha256": B, "executable": True},
            },
        },
        "tokenizer": {"type": "data", "size": 5, "digest": f"sha256:{A}",
            "files": {"run.sh": {"size": 5, "sha256": A}}},
        "huge": {
            "type": "model", "size": 12, "digest": f"sha256:{A}", "scan": 1,
            "contents": {"*": {"verdict": "limited", "why": "m/1.pkl: pickle of known types"}},
        },
    },
}  # fmt: skip
SAID: dict[str, dict[str, Any]] = {
    "record": FULL,
    "smallest record": dict(list(FULL.items())[:6]),
    "annotation": {
        "format": 1, "kind": "annotation", "description": "Good", "tags": ["reviewed"], "metadata": {"by": "Grace"},
        "archived": True, "yanked": True, "yank_reason": "wrong data", "deleted": True, "links": ["predictions@3"],
        "artifacts": {
            "predictions": {"type": "data", "size": 5, "digest": f"sha256:{A}", "artifact": "predictions@3"},
        },
    },
    "artifact": {
        "format": 1, "kind": "artifact", "artifact": "trainer.output", "version": "12", "number": 12, "id": A[:32],
        "created_at": "2026-11-22T10:00:00.123Z", "created_by": "Ada <ada@example.com>", "type": "data",
        "materializer": "pandas.dataframe", "metadata": {"rows": 150, "split": {"test": 0.2}},
        "run": {"pipeline": "train", "run": "2026-11-22-a1b2", "step": "trainer"}, "size": 12,
        "digest": f"sha256:{A}", "scan": 1, "contents": {"1/x.sh": {"verdict": "code"}},
        "files": {"data.parquet": {"size": 5, "sha256": A}, "1/x.sh": {"size": 7, "sha256": B, "executable": True}},
    },
    "run": {
        "format": 1, "kind": "run", "pipeline": "train", "run": "2026-11-22-a1b2", "status": "completed",
        "created_by": "Ada <ada@example.com>", "started_at": "2026-11-22T10:00:00.123Z",
        "ended_at": "2026-11-22T10:01:00.123Z", "duration": 60.012,
        "command": ["python", "train.py", "--lr", "0.1", ""],
        "source": {"repository": "https://example.com/code.git", "commit": "3f2a" * 10, "dirty": True},
        "environment": {"python": "3.11.7", "platform": "Linux-6.1-x86_64",
            "packages": {"a.b": "1.10", "numpy": "2.0.1"}},
        "parameters": {"epochs": 3, "layers": [1, 2], "adam": {"lr": 0.1}},
        "steps": {
            "load": {"status": "completed", "started_at": "2026-11-22T10:00:00.123Z", "duration": 0.5,
                "outputs": {"load.output_0": "load.output_0@3", "labels": "labels@4"}, "version": "iris@7"},
            "train": {"status": "completed", "started_at": "2026-11-22T10:00:01.123Z", "duration": 59.0, "cached": True,
                "key": A, "parameters": {"gamma": 0.1, "sizes": [1, "2"]}, "inputs": {"data": "load.output_0@3"},
                "outputs": {"model": "model@7"}, "version": "iris@7"},
        },
        "inputs": ["base@3"], "versions": ["iris@7", "other@named"],
    },
    "stage": {
        "format": 1, "kind": "stage", "version": "7", "digest": f"sha256:{A}", "previous": "6", "rolled_back_from": "8",
        "reason": "it was better",
    },
    "alias": {"format": 1, "kind": "alias", "version": "named", "digest": f"sha256:{A}"},
}  # fmt: skip
TEXT_OF = {name: dumps(data).decode() for name, data in SAID.items()}
KEY_OF = {
    "model_version": RECORD,
    "annotation": ANNOTATION,
    "stage": STAGE,
    "alias": ALIAS,
    "artifact": ARTIFACT,
    "run": RUN,
}


def exact(data: Any) -> str:
    """A spelling that tells 1 from 1.0 and True, and one order of keys from another."""
    return json.dumps(data, default=dict)


def agree(key: Key, content: bytes) -> bool:
    """Compare the fast reader with the full one; return False where the fast one declines."""
    found = recognise(key, content)
    if found is None:
        return False
    data = read_data(key, content)  # raises where it is not sound
    assert exact(read(found.string)) == exact(data)
    if key.kind == "model_version":
        assert int(found["number"]) == data["number"]
    if key.kind == "annotation":
        assert (found["yanked"] == "true", found["deleted"] == "true") == (
            data.get("yanked", False), data.get("deleted", False),
        )  # fmt: skip
    return True


@pytest.mark.parametrize("name", SAID)
def test_what_gitreg_writes_is_recognised(name: str) -> None:
    assert agree(KEY_OF[SAID[name]["kind"]], dumps(SAID[name]))


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """A sound text after changes: words put into others' places, lines doubled, moved, cut, indented anew."""
    text = draw(st.sampled_from(list(TEXT_OF.values())))
    for _ in range(draw(st.integers(1, 3))):
        lines = text.split("\n")
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = draw(st.integers(0, len(line)))
        how = draw(st.sampled_from(["value", "key", "insert", "double", "move", "drop", "indent", "split"]))
        if how == "value":
            head, between, _ = line.partition(": ")
            lines[at] = head + (between or ": ") + draw(TEXTS)
        elif how == "key":
            lines[at] = line[: len(line) - len(line.lstrip())] + draw(TEXTS) + ":" + line.partition(":")[2]
        elif how == "insert":
            lines[at] = line[:cut] + draw(TEXTS) + line[cut:]
        elif how == "double":
            lines.insert(at, line)
        elif how == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
        elif how == "drop":
            del lines[at]
        elif how == "indent":
            lines[at] = " " * draw(st.integers(0, 8)) + line.lstrip()
        else:
            lines[at : at + 1] = [line[:cut], line[cut:]]
        text = "\n".join(lines)
    return text


WRITTEN = (RECORDS | ANNOTATIONS | POINTERS | SAVED | RUNS).map(
    lambda data: (KEY_OF[str(data["kind"])], dumps(data).decode())
)
FILES_OF_REGISTRIES = WRITTEN | st.tuples(st.sampled_from(list(KEY_OF.values())), spoilt())


@given(FILES_OF_REGISTRIES)
@example((RECORD, TEXT_OF["record"].replace("  epochs: 12", "  accuracy: 12")))
@example((RECORD, TEXT_OF["record"].replace("    kind: tree", "    max_depth: 3")))
@example((RECORD, TEXT_OF["record"].replace("      run.sh:", "      model.safetensors:", 1)))
@example((RECORD, TEXT_OF["record"].replace("  tokenizer:", "  model:")))
@example((RECORD, TEXT_OF["record"].replace("version: '7'", "version: 7")))
@example((RECORD, TEXT_OF["record"].replace("      model.safetensors:", "      run.sh:", 1)))
@example((RECORD, TEXT_OF["record"].replace("scan: 1", "scan: 0")))
@example((ARTIFACT, TEXT_OF["artifact"].replace("  1/x.sh:", "  data.parquet:")))
@example(
    (ARTIFACT, TEXT_OF["artifact"].replace("    verdict: code", "    verdict: code\n  1/x.sh:\n    verdict: data"))
)
@example((ARTIFACT, TEXT_OF["artifact"].replace("  split:", "  rows:")))
@example((RUN, TEXT_OF["run"].replace("      sizes:", "      gamma:")))
@example((RUN, TEXT_OF["run"].replace("      labels:", "      load.output_0:")))
@example((RUN, TEXT_OF["run"].replace("  train:\n", "  load:\n")))
@example((RUN, TEXT_OF["run"].replace("    numpy:", "    a.b:")))
@example((RECORD, TEXT_OF["record"].replace("\n", "\r\n")))
@example((RECORD, "\ufeff" + TEXT_OF["record"]))
def test_the_fast_reader_reads_as_the_full_one_wherever_it_does_not_decline(file: tuple[Key, str]) -> None:
    key, text = file
    agree(key, text.encode("utf-8", "surrogatepass"))


@pytest.mark.slow
@settings(max_examples=4_000)
@given(FILES_OF_REGISTRIES)
def test_the_fast_reader_reads_as_the_full_one_over_many_texts(file: tuple[Key, str]) -> None:
    key, text = file
    agree(key, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("word", ODD)
def test_an_odd_word_in_any_place_is_read_as_yaml_reads_it_or_left_to_it(word: str) -> None:
    for name, text in TEXT_OF.items():
        lines = text.split("\n")
        for at, line in enumerate(lines):
            head, between, _ = line.rpartition("- " if line.lstrip().startswith("- ") else ": ")
            if between:
                changed = [*lines[:at], head + between + word, *lines[at + 1 :]]
                agree(KEY_OF[SAID[name]["kind"]], "\n".join(changed).encode())


@pytest.mark.parametrize(
    "key",
    [
        RECORD._replace(name="8"),
        RECORD._replace(model="iris"),
        ANNOTATION._replace(model="a:b"),
        ANNOTATION._replace(name="a/b"),
        ALIAS._replace(name="7"),
        ALIAS._replace(name="archived"),
        ARTIFACT._replace(name="13"),
        ARTIFACT._replace(model="trainer"),
        RUN._replace(name="another"),
        RUN._replace(model="a@b"),
        Key("model", "team/iris"),
        Key("registry"),
    ],
)
def test_what_the_path_contradicts_is_not_recognised(key: Key) -> None:
    for text in TEXT_OF.values():
        assert recognise(key, text.encode()) is None


@pytest.mark.slow
def test_a_text_of_more_values_than_are_read_is_not_recognised() -> None:
    many = {**FULL, "metadata": {f"k{number}": 1 for number in range(MAX_NODES)}}
    assert recognise(RECORD, dumps(many)) is None


def test_what_is_not_utf_8_is_not_recognised() -> None:
    assert recognise(RECORD, dumps(FULL).replace(b"better", b"\xff")) is None

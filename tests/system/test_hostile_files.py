"""Bombs and broken files committed by hand: the rest of the registry is read, and doctor says file and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.measuring import measured
from tests.system.world import PROGRAMS, Person, commit_by_hand, record_path

pytestmark = pytest.mark.slow

BILLION = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)
RECORD = "format: 1\nkind: model_version\nmodel: bad\nversion: '{}'\nnumber: {}\ncreated_at: 2026-11-22T10:00:00.000Z\n"
BROKEN = {
    "billion laughs": (BILLION, "anchor"),
    "brackets": ("[" * 200_000, "nested deeper"),
    "braces": ("{a: " * 200_000, "nested deeper"),
    "long number": (RECORD + "metadata:\n  n: " + "9" * 5_000 + "\n", "/metadata/n"),
    "duplicate key": (RECORD + "metadata:\n  n: 1\n  n: 2\n", "/metadata/n"),
    "wrong type": (RECORD + "tags: 7\n", "/tags"),
    "newer format": (RECORD.replace("format: 1", "format: 2"), "/format"),
    "not utf-8": ("\udcff\udcfe", "UTF-8"),
    "tag": (RECORD + "description: !!python/object/apply:os.system ['touch pwned']\n", "/description"),
    "not yaml": ("a: [", "not YAML"),
    "empty": ("", ""),
    "huge": ("#" * 5_000_000, "long"),
    "many nodes": ("- 1\n" * 200_000, "values"),
}


@pytest.fixture
def attacked(registry: Person, weights: Path) -> Person:
    """A registry with a good model and, committed by hand, every broken record that we know."""
    registry.gitreg("save", "iris", weights, "--stage", "production")
    files: dict[str, bytes | str | None] = {"models/bad/model.yaml": "format: 1\nkind: model\nname: bad\n"}
    for number, (text, _) in enumerate(BROKEN.values(), 1):
        content = text.replace("'{}'", f"'{number}'").replace("{}", str(number), 1) if RECORD[:20] in text else text
        files[record_path("bad", str(number))] = content.encode("utf-8", "surrogateescape")
    commit_by_hand(registry, "main", files)
    return registry


def test_every_reading_command_goes_on_and_doctor_names_each_file_and_place(attacked: Person, tmp_path: Path) -> None:
    for command in (
        ["list"],
        ["list", "iris"],
        ["show", "iris@production"],
        ["log", "-n", "1"],
        ["model", "show", "bad"],
    ):
        attacked.gitreg(*command)
    attacked.gitreg("load", "iris@production", tmp_path / "out")
    attacked.gitreg("verify", "--deep", "iris")
    ended = attacked.gitreg("show", "bad@1", code=1)
    assert "models/bad/versions/1.yaml" in ended.err
    problems = {problem["where"]: problem["what"] for problem in attacked.doctor_says()}
    for number, (name, (_, expected)) in enumerate(BROKEN.items(), 1):
        where = record_path("bad", str(number))
        found = [f"{key} {what}" for key, what in problems.items() if key.startswith(where)]
        assert len(found) == 1, f"{name}: {found}"
        assert expected in found[0], f"{name}: {found[0]}"
        assert "\n" not in found[0]
    assert not list(tmp_path.rglob("pwned"))


def test_writing_goes_on_beside_broken_files_and_gives_no_number_twice(attacked: Person, weights: Path) -> None:
    attacked.gitreg("promote", "iris@1", "staging")
    attacked.gitreg("save", "iris", weights)
    saved = attacked.gitreg("save", "bad", weights, "--json").data
    assert saved["version"]["number"] == len(BROKEN) + 1


@pytest.mark.parametrize("name", ["billion laughs", "brackets", "huge", "many nodes", "long number"])
def test_a_bomb_is_named_for_a_few_times_the_usual_time_and_200_mb(registry: Person, name: str) -> None:
    text, _ = BROKEN[name]
    usual = measured([PROGRAMS / "gitreg", "doctor"], cwd=registry.here, env=registry.env)
    commit_by_hand(registry, "main", {record_path("bad", "1"): text, "models/bad/model.yaml": "format: 1\nname: bad\n"})
    done = measured([PROGRAMS / "gitreg", "doctor"], cwd=registry.here, env=registry.env)
    assert done.code == 6
    assert "models/bad/versions/1.yaml" in done.out
    assert done.peak < 200 * 1024  # KiB
    assert done.cpu < 6 * usual.cpu, "processor time, the start of Python and of git with it"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("store: [", "not YAML"),
        ("[" * 200_000, "nested deeper"),
        ("format: 1\nkind: registry\nbranch: main\nprefix: models\nstages: 7\n", "/stages"),
        ("format: 1\nkind: registry\nbranch: main\nbranch: other\n", "/branch"),
        ("", "gitreg.yaml"),
    ],
)
def test_a_malformed_gitreg_yaml_is_one_line_with_its_place_and_the_registry_is_read_and_not_written_to(
    registry: Person, weights: Path, text: str, place: str
) -> None:
    registry.gitreg("save", "iris", weights)
    head = commit_by_hand(registry, "main", {"gitreg.yaml": text})
    warned = registry.gitreg("list").err
    assert "gitreg.yaml" in warned
    assert place in warned
    assert len(warned.splitlines()) == 1
    registry.gitreg("show", "iris@1")
    ended = registry.gitreg("promote", "iris@1", "production", code=1)
    assert "gitreg.yaml" in ended.err
    assert place in ended.err
    assert registry.git("rev-parse", "main") == head
    assert any(p["where"] == "gitreg.yaml" and place in f"{p['where']} {p['what']}" for p in registry.doctor_says())


def test_a_registry_of_a_newer_format_is_refused_politely(registry: Person, weights: Path) -> None:
    registry.gitreg("save", "iris", weights)
    commit_by_hand(registry, "main", {"gitreg.yaml": "format: 99\nkind: registry\n"})
    for command in (("list",), ("show", "iris@1"), ("promote", "iris@1", "production")):
        ended = registry.gitreg(*command, code=1)
        assert "/format: is 99" in ended.err
        assert "upgrade gitreg" in ended.err


def test_a_broken_annotation_or_pointer_hides_neither_model_nor_version(registry: Person, weights: Path) -> None:
    registry.gitreg("save", "iris", weights, "--stage", "production")
    registry.gitreg("save", "other", weights)
    commit_by_hand(
        registry,
        "main",
        {
            "models/iris/annotations/1.yaml": "tags: {",
            "models/iris/stages/production.yaml": "version: [",
            "models/iris/aliases/best.yaml": "x: *y",
        },
    )
    assert "annotations/1.yaml" in registry.gitreg("show", "iris@1").err
    assert registry.gitreg("list", "--json").data["total"] == 2
    assert "stages/production.yaml" in registry.gitreg("show", "iris@production", code=1).err
    wheres = " ".join(problem["where"] for problem in registry.doctor_says())
    for file in ("annotations/1.yaml", "stages/production.yaml", "aliases/best.yaml"):
        assert f"models/iris/{file}" in wheres


def test_a_foreign_tag_and_an_odd_committer_disturb_nobody(registry: Person, weights: Path) -> None:
    registry.gitreg("save", "iris", weights)
    registry.git("tag", "v1.0")
    registry.git("tag", "models/not-a-version")
    registry.git("tag", "models/iris@99", "HEAD")
    tree = registry.git("rev-parse", "HEAD^{tree}")
    parent = registry.git("rev-parse", "HEAD")
    odd = f"tree {tree}\nparent {parent}\nauthor <> 1 +0000\ncommitter \x1b[31mX <x 99999999999 +9999\n\nodd\n"
    commit = registry.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=odd)
    registry.git("update-ref", "refs/heads/main", commit)
    for command in (["list"], ["show", "iris"], ["log"], ["log", "--json"]):
        assert "\x1b" not in registry.gitreg(*command).out
    wheres = [problem["where"] for problem in registry.doctor_says()]
    assert "refs/tags/models/not-a-version" in wheres
    assert "refs/tags/models/iris@99" in wheres
    assert registry.gitreg("save", "iris", weights, "--json").data["version"]["number"] == 100


def test_one_bad_file_stops_nothing(registry: Person, weights: Path, tmp_path: Path) -> None:
    registry.gitreg("save", "iris", weights, "--stage", "production")
    registry.gitreg("artifact", "save", "data", weights)
    file = "artifacts/data/2.yaml"
    sound = (registry.here / "artifacts/data/1.yaml").read_text().replace("number: 1", "number: 2")
    commit_by_hand(registry, "main", {file: sound.replace("version: '1'\n", "")})
    for command in (["list"], ["show", "iris@production"], ["log", "-n", "1"], ["artifact", "list"]):
        registry.gitreg(*command)
    (problem,) = registry.doctor_says()
    assert (problem["where"], problem["what"]) == (file, "at /version: is missing")
    registry.gitreg("annotate", "iris@1", "--tag", "seen")
    # What was removed is read all the same by who begins with the whole history, whichever way it comes here.
    commit_by_hand(registry, "main", {file: None})
    registry.git("clone", "-q", registry.here, tmp_path / "clone")
    registry.git("clone", "-q", "--depth", "1", f"file://{registry.here}", tmp_path / "shallow")
    by_url = registry.with_env(GITREG_REGISTRY=f"file://{registry.here}")
    for reader in (registry, registry.at(tmp_path / "clone"), registry.at(tmp_path / "shallow"), by_url):
        assert reader.gitreg("show", "iris@production", "--json").data["version"] == "1"
        assert reader.gitreg("artifact", "show", "data", "--json").data["version"] == "1"
    assert not registry.doctor_says()

"""Several processes at once: nobody's work is lost, nobody sees a lock, and one history comes of it."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.system.world import Person, assert_sound, write

pytestmark = pytest.mark.slow

SAVE = """
import sys; from gitreg import Registry
with Registry.open(".") as registry:
    for number in range(int(sys.argv[2])):
        registry.save("iris", sys.argv[1], metadata={"worker": sys.argv[3], "turn": number})
"""

PROMOTE = """
import sys; from gitreg import Registry
with Registry.open(".") as registry:
    for version in sys.argv[1:]:
        registry.promote(f"iris@{version}", "production", force=True)
"""


def all_at_once(person: Person, code: str, arguments: list[list[str]]) -> None:
    started = [person.start(sys.executable, "-c", code, *each) for each in arguments]
    for process in started:
        out, err = process.communicate(timeout=280)
        assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("kind", ["checked out", "bare"])
def test_eight_processes_saving_10_versions_each_make_80_in_one_line(ada: Person, tmp_path: Path, kind: str) -> None:
    where = tmp_path / "registry"
    if kind == "bare":
        ada.git("init", "-q", "--bare", "-b", "main", where)
    registry = ada.at(where)
    ada.gitreg("init", where)
    weights = write(tmp_path / "weights", {"model.bin": b"weights"})
    all_at_once(registry, SAVE, [[str(weights), "10", str(worker)] for worker in range(8)])
    rows = registry.gitreg("list", "iris", "--size", "500", "--json").data["items"]
    assert [row["number"] for row in rows] == list(range(80, 0, -1))
    made = {(row["metadata"]["worker"], row["metadata"]["turn"]) for row in rows}
    assert made == {(str(worker), turn) for worker in range(8) for turn in range(10)}
    for worker in range(8):
        turns = [row["metadata"]["turn"] for row in rows if row["metadata"]["worker"] == str(worker)]
        assert turns == list(range(9, -1, -1)), "each process's own order is kept"
    assert registry.git("rev-list", "--count", "main") == "81"
    assert registry.git("rev-list", "--merges", "--count", "main") == "0"
    assert len(registry.git("tag", "--list", "models/iris@*").splitlines()) == 80
    if kind != "bare":
        assert registry.git("status", "--porcelain") == ""
    assert_sound(registry)


def test_sixteen_forced_promotions_from_four_processes_leave_one_occupant_and_one_history(
    registry: Person, weights: Path
) -> None:
    write(weights, {"model.bin": b"one"})
    all_at_once(registry, SAVE, [[str(weights), "16", "0"]])
    queues = [[str(4 * turn + worker + 1) for turn in range(4)] for worker in range(4)]
    all_at_once(registry, PROMOTE, queues)
    rows = registry.gitreg("log", "iris@production", "--json").data
    assert len(rows) == 16
    assert sorted(int(row["version"]) for row in rows) == list(range(1, 17))
    assert rows[-1]["from"] is None
    for later, earlier in pairwise(rows):
        assert later["from"] == earlier["version"]
    versions = registry.gitreg("list", "iris", "--json").data["items"]
    assert [row["version"] for row in versions if row["stage"] == "production"] == [rows[0]["version"]]
    assert sum(row["archived"] for row in versions) == 15
    assert_sound(registry)


def test_processes_promoting_without_force_agree_on_one_winner(registry: Person, weights: Path) -> None:
    all_at_once(registry, SAVE, [[str(weights), "4", "0"]])
    started = [registry.start("gitreg", "promote", f"iris@{n}", "production") for n in range(1, 5)]
    ended = [(process, *process.communicate(timeout=60)) for process in started]
    assert sorted(process.returncode for process, _, _ in ended) == [0, 4, 4, 4]
    [winner] = [number for number, (process, _, _) in enumerate(ended, 1) if process.returncode == 0]
    for process, _, err in ended:
        assert process.returncode == 0 or f"production is held by iris@{winner}" in err
    assert_sound(registry)


def test_two_who_ask_for_the_same_name_get_one_version_and_one_refusal(registry: Person, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, {"model.bin": name})
    started = [registry.start("gitreg", "save", "iris@1.0", tmp_path / name) for name in ("a", "b")]
    for process in started:
        process.communicate(timeout=60)
    assert sorted(process.returncode for process in started) == [0, 4]
    assert len(registry.gitreg("list", "iris", "--json").data["items"]) == 1
    assert_sound(registry)


def test_two_loading_the_same_version_into_one_cache_both_get_it_whole(registry: Person, tmp_path: Path) -> None:
    weights = write(tmp_path / "weights", {f"part-{n}.bin": bytes([n]) * 1_000_000 for n in range(20)})
    registry.gitreg("save", "iris", weights)
    started = [registry.start("gitreg", "load", "iris") for _ in range(4)]
    folders = {process.communicate(timeout=60)[0].strip() for process in started}
    assert [process.returncode for process in started] == [0] * 4
    [folder] = folders
    for file in weights.iterdir():
        assert (Path(folder) / file.name).read_bytes() == file.read_bytes()

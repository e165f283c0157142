"""Many clones of one registry around one Git server: no number twice, none lost, everybody is served in time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.servers.buckets import Servers
from tests.servers.gitremotes import make_far
from tests.system.world import PROGRAMS, Person, assert_sound, write

pytestmark = pytest.mark.slow

CLONES, SAVES = 6, 2

SAVE = """
import json, sys, time
from gitreg import Registry
model, weights, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
waits = []
with Registry.open(".") as registry:
    for number in range(count):
        begun = time.monotonic()
        registry.save(model, weights, metadata={"number": number, "by": sys.argv[4]})
        waits.append(time.monotonic() - begun)
print(json.dumps(waits))
"""
PROMOTE = """
import sys
from gitreg import Registry
with Registry.open(".") as registry:
    for number in range(int(sys.argv[1])):
        registry.promote("base@1" if number % 2 else "base@2", "production", force=True)
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", ["folder", "http", "ssh"])
def test_clones_that_write_at_once_lose_nothing_and_wait_in_turns(
    ada: Person, tmp_path: Path, servers: Servers, way: str
) -> None:
    far = make_far(("git", way), tmp_path, ada.env, servers)
    person = ada.with_env(**far.env)
    person.git("init", "-q", "-b", "main", tmp_path / "first")
    first = person.at(tmp_path / "first")
    first.git("remote", "add", "origin", far.url)
    first.gitreg("init", "--remote", "origin", "--store", tmp_path / "store")
    write(tmp_path / "weights", {"model.bin": b"weights"})
    for number in range(2):
        first.gitreg("save", "base", tmp_path / "weights", "--metadata", f"number={number}")
    clones = []
    for number in range(CLONES):
        person.gitreg("clone", far.url, tmp_path / f"clone-{number}")
        clones.append(person.at(tmp_path / f"clone-{number}"))
    program = (sys.executable, "-c")
    savers = [
        clone.start(*program, SAVE, "iris" if number < CLONES - 2 else f"own-{number}", str(tmp_path / "weights"),
                    str(SAVES), str(number))
        for number, clone in enumerate(clones)
    ]  # fmt: skip
    promoter = first.start(*program, PROMOTE, "4")
    waits: list[float] = []
    for process in [*savers, promoter]:
        out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        waits += json.loads(out) if out else []
    assert len(waits) == CLONES * SAVES
    for clone in (first, *clones):
        clone.gitreg("pull")
        rows = clone.gitreg("list", "iris", "--json", "--size", "1000").data
        assert [row["number"] for row in rows["items"]] == list(range(SAVES * (CLONES - 2), 0, -1))
        assert len(clone.gitreg("log", "base@production", "--json").data) == 4
        shared = {
            line
            for line in clone.git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
            if "refs/gitreg/" not in line and "refs/remotes/" not in line
        }
        assert shared == {f"{oid} {name}" for name, oid in far.refs().items()}
    assert_sound(first)
    assert_sound(clones[0])


def test_a_remote_that_is_spoken_to_by_a_program_is_left_out_and_the_rest_looked_at(registry: Person) -> None:
    registry.git("init", "-q", "--bare", "-b", "main", registry.here.parent / "hub.git")
    registry.git("remote", "add", "origin", registry.here.parent / "hub.git")
    registry.gitreg("save", "iris", write(registry.here.parent / "weights", {"model.bin": b"weights"}))
    registry.gitreg("remote", "set", "origin")
    (registry.here / "models" / "iris" / "versions" / "1.yaml").write_text("- nothing\n")
    registry.git("commit", "-qam", "By hand")
    registry.git("remote", "set-url", "origin", "ext::false")
    ended = registry.run(PROGRAMS / "gitreg", "doctor")
    assert ended.code == 6
    assert "models/iris/versions/1.yaml" in ended.out
    assert "origin was not looked at" in ended.err

"""One handle, used by several threads of which some write: every read sees one commit, and nothing crashes or hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.system.world import Person, write

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("GITREG_TEST_THREADS_SECONDS", "8"))
"""For how long the threads work; minutes of it are worth their time after a change of what they share."""

STORY = """
    import faulthandler, itertools, json, random, sys, threading, time, traceback, warnings
    faulthandler.enable()
    faulthandler.dump_traceback_later(float(sys.argv[2]) + 120, exit=True)  # a hang
    import gitreg

    registry = gitreg.Registry.open(sys.argv[1])
    end = time.monotonic() + float(sys.argv[2])
    beside = sys.argv[3:]
    failed, done = [], {}

    def steadily(work):
        def run():
            for number in itertools.count():
                if time.monotonic() > end or failed:
                    return
                try:
                    work(number)
                    done[work.__name__] = done.get(work.__name__, 0) + 1
                except BaseException:
                    failed.append(f"{work.__name__}: {traceback.format_exc()}")
        return run

    def save(number):
        registry.save("iris", sys.argv[1] + "/w", metadata={"n": f"{threading.get_ident()}-{number}"})

    def promote(number):
        registry.promote(f"iris@{number % 3 + 1}", "production", force=True, reason="again")

    def annotate(number):
        registry.annotate("iris@1", metadata={"n": number})

    def show(number):
        version = registry.version("iris@1")
        assert version.record.version == "1", version
        registry.version("iris@production")
        registry.model("iris")

    def lists(number):
        snapshot = registry.session.snapshot()
        versions = snapshot.versions("iris")
        numbers = sorted(version.number for version in versions)
        assert numbers == list(range(1, len(numbers) + 1)), numbers
        assert len(snapshot.versions("iris")) == len(numbers)
        assert sum(version.stage == "production" for version in versions) == 1
        registry.list_versions("iris", size=20)
        registry.list_models()

    def history(number):
        times = [row for row in itertools.islice(registry.log("iris"), 30)]
        assert times
        registry.lineage("iris@1")
        registry.diff("iris@1", "iris@2")

    def load(number):
        folder = registry.load("iris@1", f"{sys.argv[1]}/loaded/{threading.get_ident()}-{number}")
        assert (folder / "w.bin").read_text() == "w"

    def past(number):
        count, commit = beside[number % len(beside)].split(":")
        then = registry.session.snapshot(commit)
        assert len(then.versions("iris")) == int(count), (count, commit)

    work = [save, save, promote, annotate, show, show, lists, lists, history, load, load, past, past, past]
    threads = [threading.Thread(target=steadily(each)) for each in work]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    registry.close()
    print(json.dumps(done))
    if failed:
        sys.exit("\\n".join(failed))
"""


def test_a_handle_is_used_by_many_threads_while_some_of_them_write(registry: Person, tmp_path: Path) -> None:
    write(registry.here, {"w/w.bin": "w"})
    for number in range(1, 5):
        registry.gitreg("save", "iris", "w", "--metadata", f"n={number}")
    registry.gitreg("promote", "iris@1", "production")
    before = registry.git("rev-parse", "HEAD")
    beside = [f"4:{before}"]
    for name in ("a", "b"):  # commits beside the branch, each with more versions than the other
        registry.git("branch", name)
        other = tmp_path / name
        registry.git("worktree", "add", "-q", "--detach", other, name)
        files = "models/iris/versions"
        for number in range(5, 6 + (name == "b")):
            record = (other / files / "4.yaml").read_text().replace("'4'", f"'{number}'")
            write(other, {f"{files}/{number}.yaml": record.replace("number: 4", f"number: {number}")})
        registry.at(other).git("add", ".")
        registry.at(other).git("commit", "-qm", "beside")
        beside.append(f"{5 + (name == 'b')}:{registry.at(other).git('rev-parse', 'HEAD')}")
        registry.git("worktree", "remove", "--force", other)
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", textwrap.dedent(STORY), str(registry.here)]
    done = subprocess.run(
        [*command, str(SECONDS), *beside],
        env=registry.env, capture_output=True, text=True, check=False, timeout=SECONDS + 300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-8000:]
    print(done.stdout)
    assert registry.doctor_says() == []

"""``gitreg run``, ``runs``, ``artifact``, ``seal``, ``discard`` and ``list --drafts``, as people type them."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from gitreg.cli.commands.run import _pipeline_of
from tests.system.world import PROGRAMS, Person, write

TRAIN = """
import sys, time, gitreg
gitreg.save_artifact([1, 2], "data")
with gitreg.run() as run:
    run.model.log_metadata({"loss": 0.5})
    run.model.set_stage("staging", force=True)
print("trained")
if sys.argv[1:] == ["fail"]:
    sys.exit(3)
if sys.argv[1:] == ["wait"]:
    time.sleep(60)
"""


@pytest.fixture
def trainer(writer: Person) -> Person:
    write(writer.here.parent / "code", {"train.py": TRAIN})
    return writer


def train(trainer: Person, *how: str, word: str = "", code: int = 0) -> str:
    ended = trainer.run(
        PROGRAMS / "gitreg", "run", "--model", "iris", *how, "--", sys.executable, "../code/train.py", *word.split()
    )
    assert ended.code == code, ended.err
    return ended.out


@pytest.mark.slow
def test_a_command_is_run_and_what_it_saves_is_one_version(trainer: Person) -> None:
    assert train(trainer, "-p", "epochs=3", "--name", "first") == "trained\n"
    shown = trainer.gitreg("show", "iris@staging", "--json").data
    assert (shown["version"], shown["metadata"]) == ("3", {"loss": 0.5})
    (run,) = trainer.gitreg("runs", "list", "--json").data
    assert (run["pipeline"], run["run"], run["status"], run["versions"]) == ("train", "first", "completed", ["iris@3"])
    said = trainer.gitreg("runs", "show", "train/first", "--json").data
    assert (said["parameters"], said["command"][1:]) == ({"epochs": 3}, ["../code/train.py"])
    table = trainer.gitreg("runs", "show", "first").out
    assert "completed" in table
    assert "epochs" in table
    assert "3 events" not in trainer.gitreg("log", "iris").out
    again = trainer.gitreg("run", "--model", "iris", "--", sys.executable, "../code/train.py")
    assert (again.out, again.err.splitlines()[-1]) == ("trained\n", "Made iris@4")


IN_CONTEXT = """
from gitreg import Model, get_step_context, pipeline, step

context = get_step_context()
context.model.log_metadata({"loss": 0.5})
print(context.pipeline_name, context.run_name, context.model.name)

@step
def again() -> int:
    return get_step_context().model.name == "iris"

@pipeline(model=Model("iris"))
def body():
    again()

body()
print(get_step_context().model.name)
"""


@pytest.mark.slow
def test_a_plain_script_has_the_context_that_the_help_promises(writer: Person) -> None:
    script = write(writer.here.parent / "code", {"script.py": IN_CONTEXT}) / "script.py"
    run = PROGRAMS / "gitreg", "run", "--name", "first"
    ended = writer.run(*run, "--model", "iris", "--", sys.executable, script)
    assert (ended.code, ended.out) == (0, "script first iris\niris\n"), ended.err
    assert writer.gitreg("show", "iris", "--json").data["metadata"] == {"loss": 0.5}
    ended = writer.run(*run[:2], "--", sys.executable, script)
    assert "works on no model" in ended.err
    ended = writer.run(sys.executable, script)
    assert "no step of a run is under way here" in ended.err


@pytest.mark.slow
def test_a_command_that_fails_leaves_a_draft_and_its_exit_code(trainer: Person) -> None:
    train(trainer, "--name", "bad", word="fail", code=3)
    (draft,) = trainer.gitreg("list", "--drafts", "--json").data
    assert (draft["run"], draft["status"], draft["stage"], draft["artifacts"]) == (
        "train/bad",
        "failed",
        "staging",
        ["data"],
    )
    assert "train/bad" in trainer.gitreg("list", "--drafts").out
    assert Path(trainer.gitreg("load", "iris@draft").out.strip()).is_dir()
    for asked in (
        ("annotate", "iris@draft", "--tag", "x"),
        ("promote", "iris@draft", "staging"),
        ("verify", "iris@draft"),
    ):
        said = trainer.gitreg(*asked, code=3).err
        assert "iris@draft is a draft" in said
        assert "gitreg seal" in said
    assert "Sealed train/bad: iris@3" in trainer.gitreg("seal", "bad").out
    assert trainer.gitreg("show", "iris@staging", "--json").data["version"] == "3"
    trainer.gitreg("list", "--drafts", code=3)
    trainer.gitreg("seal", "bad", code=3)
    assert trainer.gitreg("runs", "list", "--json").data[0]["status"] == "failed"
    trainer.gitreg("run", "--", "no-such-program", code=3)


@pytest.mark.slow
def test_a_killed_run_is_resumed_under_its_name(trainer: Person) -> None:
    process = trainer.start(
        PROGRAMS / "gitreg",
        "run",
        "--model",
        "iris",
        "--name",
        "night",
        "--",
        sys.executable,
        "../code/train.py",
        "wait",
    )
    for _ in range(200):
        ended = trainer.run(PROGRAMS / "gitreg", "list", "--drafts", "--json")
        if ended.code == 0 and ended.data[0]["stage"]:
            break
        time.sleep(0.05)
    assert ended.data[0]["status"] == "running"
    trainer.gitreg("discard", "night", code=5)
    assert "under way" in trainer.gitreg("seal", "night", code=5).err
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (draft,) = trainer.gitreg("list", "--drafts", "--json").data
    assert draft["status"] == "died"
    train(trainer, "--name", "night")
    assert trainer.gitreg("show", "iris@staging", "--json").data["version"] == "3"
    assert trainer.git("for-each-ref", "refs/drafts") == ""
    assert "sound" in trainer.gitreg("doctor").out


@pytest.mark.slow
def test_artifacts_are_saved_shown_linked_and_loaded_by_hand(writer: Person) -> None:
    write(writer.here.parent / "table", {"a.csv": "1,2\n", "b/c.csv": "3\n"})
    assert (
        writer.gitreg("artifact", "save", "table@may", "../table", "--metadata", "rows=2").out
        == "Saved the artifact table@may (2 files, 6 B)\n"
    )
    shown = writer.gitreg("artifact", "show", "table", "--json").data
    assert (shown["version"], shown["metadata"], sorted(shown["files"])) == ("may", {"rows": 2}, ["a.csv", "b/c.csv"])
    assert "table@may" in writer.gitreg("artifact", "show", shown["id"][:8]).out
    assert writer.gitreg("artifact", "list", "--json").data[0]["artifact"] == "table"
    assert "may" in writer.gitreg("artifact", "list", "table").out
    assert "Linked table@may to iris@1" in writer.gitreg("artifact", "link", "table", "iris@1").out
    assert "iris@1 already has table" in writer.gitreg("artifact", "link", "table", "iris@1").out
    assert "table" in writer.gitreg("show", "iris@1", "--json").data["artifacts"]
    writer.gitreg("artifact", "load", "table@1", "mine")
    assert (writer.here / "mine" / "b" / "c.csv").read_text() == "3\n"
    writer.gitreg("artifact", "save", "table@may", "../table/a.csv", code=4)
    writer.gitreg("artifact", "show", "nothing", code=3)
    writer.gitreg("artifact", "list", "nothing", code=3)
    assert "2 files" not in writer.gitreg("verify", "table").err
    assert "sound" in writer.gitreg("doctor").out


@pytest.mark.slow
def test_a_draft_is_not_lost_to_doctor_and_one_that_cannot_be_read_is_told(trainer: Person) -> None:
    train(trainer, "--name", "bad", word="fail", code=3)
    out = trainer.run(PROGRAMS / "gitreg", "doctor").out
    assert "refs/drafts/train@bad" in out
    assert "gitreg seal" in out
    tree = trainer.git("mktree", stdin="")
    commit = trainer.git("commit-tree", tree, "-m", "x")
    trainer.git("update-ref", "refs/drafts/train@broken", commit)
    ended = trainer.run(PROGRAMS / "gitreg", "doctor")
    assert "refs/drafts/train@broken" in ended.out


@pytest.mark.slow
def test_an_artifact_that_was_edited_or_removed_is_told(writer: Person) -> None:
    for name in ("kept", "gone"):
        write(writer.here.parent / name, {"a.csv": name})
        writer.gitreg("artifact", "save", name, f"../{name}")
        writer.gitreg("artifact", "link", name, "iris@1")
    path = writer.here / "artifacts" / "kept" / "1.yaml"
    path.write_text(path.read_text().replace("type: data", "type: model"))
    (writer.here / "artifacts" / "gone" / "1.yaml").unlink()
    writer.git("commit", "-qam", "By hand")
    ended = writer.run(PROGRAMS / "gitreg", "doctor")
    assert ended.code != 0
    assert "artifacts/kept/1.yaml" in ended.out
    assert "written once and was edited" in " ".join(ended.out.split())
    assert "gone@1" in ended.out


@pytest.mark.slow
def test_an_artifact_whose_record_cannot_be_read_is_said_to_be_there(writer: Person) -> None:
    write(writer.here.parent / "data", {"a.csv": "a"})
    writer.gitreg("artifact", "save", "data", "../data")
    path = writer.here / "artifacts" / "data" / "1.yaml"
    path.write_text("artifact: [\n")
    writer.git("commit", "-qam", "By hand")
    for asked in ("data@1", "data"):
        said = writer.gitreg("artifact", "show", asked, code=1).err
        assert "artifacts/data/1.yaml" in said
        assert "no artifact" not in said


@pytest.mark.parametrize(
    ("command", "pipeline"),
    [
        (("python", "code/train.py", "--lr", "0.1"), "train"),
        (("python", "-u", "-m", "pkg.train", "x.csv"), "pkg.train"),
        (("sh", "-c", "python train.py; sleep 1.5"), "sh"),
        (("torchrun", "--nproc", "2", "train.py"), "train"),
        (("./train.sh",), "train"),
        (("true",), "true"),
    ],
)
def test_a_run_is_named_after_its_script_its_module_or_its_program(command: tuple[str, ...], pipeline: str) -> None:
    assert _pipeline_of(command) == pipeline


@pytest.mark.slow
def test_what_is_mistyped_is_told_in_the_words_that_were_typed(writer: Person) -> None:
    assert "no file 'nofile.pkl'" in writer.gitreg("scan", "nofile.pkl", code=3).err
    assert "--parameter 'epochs'" in writer.gitreg("run", "-p", "epochs", "--", "true", code=2).err
    assert "--nme" in writer.gitreg("run", "--nme", "x", "--", "true", code=2).err
    ended = writer.run(PROGRAMS / "gitreg", "run", "--", "false")
    assert (ended.code, ended.err) == (1, "false ended with 1\n"), "nothing was saved, so there is no draft to look at"


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_hears_of_what_ends_gitreg(trainer: Person, sent: signal.Signals) -> None:
    command = [sys.executable, "-u", "../code/train.py", "wait"]
    before = signal.signal(sent, signal.SIG_DFL)  # under nohup it is ignored, by all that these tests start
    process = trainer.start(PROGRAMS / "gitreg", "run", "--model", "iris", "--name", "ended", "--", *command)
    signal.signal(sent, before)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "trained\n"
        process.send_signal(sent)
        assert process.wait(timeout=30) == 128 + sent
    (draft,) = trainer.gitreg("list", "--drafts", "--json").data
    assert draft["status"] == "failed"

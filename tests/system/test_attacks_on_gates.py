"""Somebody who may push tries to get a version past its gates, with gitreg and with plain git against server hooks."""

from __future__ import annotations

import json
import os
import pickle
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Person, assert_in_words, make_person, write

pytestmark = pytest.mark.slow

POINTER = "format: 1\nkind: stage\nversion: '{}'\n"
ANNOTATION = "format: 1\nkind: annotation\n"
STAGING = "models/iris/stages/staging.yaml"
PRODUCTION = "models/iris/stages/production.yaml"


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    """Ada in her clone of a registry with iris@1 (accuracy 0.5), on a server with hooks."""
    ada = begin(tmp_path, make_person(tmp_path))
    ada.at(server(ada)).gitreg("hooks", "install", "--server")
    return ada


def begin(tmp_path: Path, ada: Person) -> Person:
    ada.git("init", "-q", "--bare", "-b", "main", tmp_path / "hub.git")
    ada.git("init", "-q", "-b", "main", tmp_path / "ada")
    ada = ada.at(tmp_path / "ada")
    ada.git("remote", "add", "origin", tmp_path / "hub.git")
    ada.gitreg("init", "--remote", "origin", "--store", tmp_path / "store")
    ada.gitreg("save", "iris", write(tmp_path / "w", {"m.bin": "1"}), "--metadata", "accuracy=0.5")
    return ada


def with_gates(ada: Person, *gates: str, settings: str = "") -> None:
    """Publish a policy for production, as whoever keeps the registry does."""
    listed = "".join(f"    - {gate}\n" for gate in gates)
    said = (ada.here / "gitreg.yaml").read_text()
    write(ada.here, {"gitreg.yaml": f"{said}{settings}policies:\n  production:\n    gates:\n{listed}"})
    ada.git("commit", "-qam", "Policy")
    ada.at(server(ada)).git("config", "gitreg.settings", "allow")
    ada.gitreg("push")


def server(ada: Person) -> Path:
    return ada.here.parent / "hub.git"


def commit(person: Person, files: dict[str, str | None]) -> None:
    for name, content in files.items():
        if content is None:
            (person.here / name).unlink()
        else:
            write(person.here, {name: content})
    person.git("add", "-A")
    person.git("commit", "-q", "--allow-empty", "-m", "by hand")


def refused(person: Person) -> str:
    """Push with plain git, which the server must refuse, and give what it says on one line."""
    pushed = person.run("git", "push", "-q", "origin", "main")
    assert pushed.code == 1, pushed
    assert "Traceback" not in pushed.err
    return " ".join(pushed.err.replace("remote: ", " ").replace("\x1b[K", "").split())


def days_ago(days: float) -> str:
    return f"@{int(time.time() - days * 86400)} +0000"


def dated(person: Person, days: float) -> Person:
    """The same person, whose Git says that all this was days ago."""
    return person.with_env(GIT_COMMITTER_DATE=days_ago(days), GIT_AUTHOR_DATE=days_ago(days))


SOAK = "{soak: {stage: staging, hours: 48}}"


@pytest.fixture
def quiet(tmp_path: Path) -> Person:
    """Ada, in whose registry nothing has happened for ten days; on its server hooks came only now."""
    ada = make_person(tmp_path)
    there = begin(tmp_path, dated(ada, 10))
    with_gates(there, SOAK)
    there.at(server(there)).gitreg("hooks", "install", "--server")
    return ada.at(there.here)


def test_a_backdated_commit_soaks_nothing(quiet: Person) -> None:
    (first,) = receipts(quiet)
    assert (first["ref"], first["by"]) == ("refs/heads/main", "hooks install")
    commit(dated(quiet, 9), {STAGING: POINTER.format("1")})
    quiet.git("push", "-q", "origin", "main")
    assert [line["by"] for line in receipts(quiet)] == ["hooks install", "post-receive"]
    assert receipts(quiet)[-1]["commit"] == quiet.git("rev-parse", "main")
    commit(quiet, {STAGING: None, PRODUCTION: POINTER.format("1")})
    assert "it was in staging for 0 hours; 48 are needed, as seen here since" in refused(quiet)
    quiet.git("reset", "-q", "--hard", "HEAD~1")
    there = quiet.at(server(quiet))
    (soak,) = [row for row in there.gitreg("why", "iris@1", "production", "--json", code=4).data["results"]
               if row["name"] == "soak"]  # fmt: skip
    assert soak["facts"]["clock"] == "receipts"
    # Nor does it change what the registry said then.
    past = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5 * 86400)),)
    assert there.gitreg("show", "iris@1", "--at", *past, "--json").data["stage"] is None
    # Both in one push, after the same time in staging: nothing of it was seen before.
    quiet.git("reset", "-q", "--hard", "HEAD~1")
    there.git("update-ref", "refs/heads/main", quiet.git("rev-parse", "main"))
    commit(dated(quiet, 8), {STAGING: POINTER.format("1")})
    commit(quiet, {STAGING: None, PRODUCTION: POINTER.format("1")})
    assert "it was in staging for 0 hours" in refused(quiet)


@pytest.mark.parametrize("hook", ["update", "pre-receive"])
def test_nor_where_one_hook_stands_alone_and_nobody_notes_when_pushes_come(quiet: Person, hook: str) -> None:
    hub = server(quiet)
    quiet.at(hub).gitreg("hooks", "uninstall")
    (hub / "gitreg/receipts.jsonl").unlink()
    shim = write(hub / "hooks", {hook: (Path(__file__).parents[2] / "hooks" / hook).read_text()}) / hook
    shim.chmod(0o755)
    commit(dated(quiet, 9), {STAGING: POINTER.format("1")})
    quiet.git("push", "-q", "origin", "main")
    commit(quiet, {STAGING: None, PRODUCTION: POINTER.format("1")})
    assert "it was in staging for 0 hours; 48 are needed, as seen here since" in refused(quiet)
    assert [line["by"] for line in receipts(quiet)] == [hook, hook]
    assert "it was in staging for 0 hours" in refused(quiet)
    assert len(receipts(quiet)) == 2, "nothing has moved since"


def receipts(ada: Person) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (server(ada) / "gitreg/receipts.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("days", "says"), [(11, "in a commit dated {}, before its parent ("), (-1, "in a commit dated {}, which is yet")]
)
def test_a_stage_moves_in_no_commit_dated_before_its_parent_or_ahead(quiet: Person, days: int, says: str) -> None:
    commit(dated(quiet, days), {STAGING: POINTER.format("1")})
    when = quiet.git("log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ")
    told = f"{STAGING} moves {says.format(when)}"
    assert told in refused(quiet)
    checked = quiet.gitreg("check", "--base", "origin/main", code=4)
    assert says.format(when) in checked.out + checked.err
    quiet.git("commit", "-q", "--amend", "--no-edit")
    quiet.git("push", "-q", "origin", "main")


def test_gitreg_dates_no_commit_before_its_parent(quiet: Person) -> None:
    commit(dated(quiet, 5), {"notes.txt": "x"})
    quiet.git("push", "-q", "origin", "main")
    dated(quiet, 5.5).gitreg("promote", "iris@1", "staging")
    last, parent = quiet.git("log", "-2", "--format=%ct").split()
    assert last == parent


def test_damaged_receipts_are_told(quiet: Person) -> None:
    commit(quiet, {"notes.txt": "x"})
    quiet.git("push", "-q", "origin", "main")
    path = server(quiet) / "gitreg/receipts.jsonl"
    with path.open("a") as file:
        file.write('{"ref": "refs/heads/main", "comm')
    commit(quiet, {"notes.txt": "y"})
    quiet.git("push", "-q", "origin", "main")
    (problem,) = quiet.at(server(quiet)).doctor_says()
    assert problem["where"].endswith("gitreg/receipts.jsonl line 3")
    assert problem["what"] == "is no receipt, and counts for nothing"
    assert json.loads(path.read_text().splitlines()[3])["commit"] == quiet.git("rev-parse", "main")


def test_sync_writes_a_receipt_where_the_branch_has_moved(quiet: Person) -> None:
    path = quiet.here / ".git/gitreg/receipts.jsonl"
    for _ in range(2):
        quiet.gitreg("sync")
        (line,) = path.read_text().splitlines()
    assert json.loads(line)["by"] == "sync"
    quiet.gitreg("promote", "iris@1", "staging")
    quiet.gitreg("sync")
    assert json.loads(path.read_text().splitlines()[1])["commit"] == quiet.git("rev-parse", "main")
    # It says that all this is there by now, not that it came now.
    shown = quiet.gitreg("show", "iris@1", "--at", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 5 * 86400)))
    assert "iris@1" in shown.out


def test_a_metric_annotated_later_passes_no_gate(ada: Person) -> None:
    with_gates(ada, "{metric: accuracy, at_least: 0.9}", "{metadata: [dataset]}", "{artifacts: [docs]}")
    ada.gitreg("annotate", "iris@1", "--metadata", "accuracy=0.99", "--metadata", "dataset=v3")
    ada.gitreg("artifact", "save", "docs", write(ada.here.parent / "d", {"a.md": "x"}))
    ada.gitreg("artifact", "link", "docs@1", "iris@1")
    for command in (["promote", "iris@1", "production"], ["promote", "iris@1", "production", "--force"]):
        assert_in_words(ada.gitreg(*command, code=4))
    told = ada.gitreg("why", "iris@1", "production", code=4).out
    assert "accuracy is 0.5, at least 0.9 is needed; an annotation says 0.99 (see later: true)" in told
    assert "metadata lacks dataset in the sealed record; an annotation has dataset (see later: true)" in told
    assert "the artifact docs is missing; docs was linked later (see later: true)" in told
    commit(ada, {PRODUCTION: POINTER.format("1")})
    assert "an annotation says 0.99" in refused(ada)


def test_what_was_annotated_later_counts_where_the_gate_says_so(ada: Person) -> None:
    with_gates(ada, "{metric: accuracy, at_least: 0.9, later: true}")
    assert "0.5" in ada.gitreg("promote", "iris@1", "production", code=4).err
    ada.gitreg("annotate", "iris@1", "--metadata", "accuracy=0.99")
    ada.gitreg("promote", "iris@1", "production")


class Shell:
    """Something whose pickle runs a program when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("true",)


RECORD = "models/iris/versions/{}.yaml"


def with_record(ada: Person, old: int, new: int, change: Callable[[str], str]) -> dict[str, str | None]:
    """Return a record that somebody wrote by hand, of the files of another one, and who it lets take production."""
    said = (ada.here / RECORD.format(old)).read_text()
    said = re.sub(
        "^version: .*$",
        f"version: '{new}'",
        re.sub("^number: .*$", f"number: {new}", said, flags=re.MULTILINE),
        flags=re.MULTILINE,
    )
    return {RECORD.format(new): change(said), PRODUCTION: POINTER.format(new)}


def checked(ada: Person, code: int) -> str:
    ended = ada.gitreg("check", "--base", "origin/main", code=code)
    return ended.out.replace("\\", "")


def test_a_content_gate_asks_the_record_and_check_reads_the_bytes(ada: Person) -> None:
    with_gates(ada, "{content: {at_most: limited}}")
    ada.gitreg("save", "iris", write(ada.here.parent / "evil", {"m.pkl": pickle.dumps(Shell())}))
    said = "content: code (model: m.pkl: pickle that names posix.system), "
    assert (
        f"iris@2 may not enter production: {said}as recorded; at most limited is allowed"
        in ada.gitreg("promote", "iris@2", "production", code=4).err
    )
    commit(ada, {PRODUCTION: POINTER.format(2)})
    assert f"{said}as recorded" in refused(ada)
    ada.git("reset", "-q", "--hard", "origin/main")
    # A record that calls it data gets past a server, which reads no bytes; check does.
    commit(ada, with_record(ada, 2, 3, lambda said: re.sub("    contents:\n(      .*\n)+", "", said)))
    assert "contents" not in (ada.here / RECORD.format(3)).read_text()
    assert f"{said}as read here" in checked(ada, 4)
    ada.git("reset", "-q", "--hard", "origin/main")
    # Where neither says anything, as for a record of an older gitreg, nobody is let in.
    commit(ada, with_record(ada, 1, 3, lambda said: said.replace("    scan: 1\n", "")))
    assert "the record does not say what the files of the artifact model are" in refused(ada)
    assert "data (model: m.bin: text), as read here" in checked(ada, 0)
    ada.git("reset", "-q", "--hard", "origin/main")
    ada.gitreg("promote", "iris@1", "production")
    assert "data (model: plain data), as recorded" in ada.gitreg("why", "iris@1", "production").out

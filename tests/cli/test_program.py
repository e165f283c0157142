"""The real program: how it ends, what it says on which stream, and to whom."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from tests.system.world import PROGRAMS, Person, assert_in_words, store_of, write

ESCAPE = "\x1b"


@pytest.mark.slow
def test_a_card_is_written_whole_or_not_at_all(writer: Person) -> None:
    page = writer.here.parent / "page.html"
    page.write_text("the one before")
    assert "/dev/full: No space left on device" in writer.gitreg("card", "iris", "--out", "/dev/full", code=1).err
    # bytecode, too, would be written cut off
    small = ("sh", "-c", f"ulimit -f 1; PYTHONDONTWRITEBYTECODE=1 exec {PROGRAMS}/gitreg card iris --out {page}")
    ended = writer.run(*small)
    assert_in_words(ended)
    assert "cannot write the card" in ended.err
    assert [page.read_text(), *(p.name for p in page.parent.glob(".gitreg-*"))] == ["the one before"]
    writer.gitreg("card", "iris", "--out", page)
    assert "</html>" in page.read_text()


@pytest.mark.parametrize(
    ("code", "command"),
    [
        (2, ["frobnicate"]),
        (2, ["promote"]),
        (2, ["list", "--frobnicate"]),
        (2, ["list", "-o", "xml"]),
        (2, ["list", "iris", "colour=red"]),
        (2, ["list", "iris", "metadata.accuracy=about:0.9"]),
        (2, ["list", "--page", "x"]),
        (2, ["show", "@"]),
        (2, ["promote", "iris@1", "frobnicated"]),
        (2, ["promote", "iris@1", "latest"]),
        (2, ["save", "iris@7", "."]),
        (2, ["--repo", "#", "list"]),
        (3, ["show", "nobody"]),
        (3, ["show", "iris@99"]),
        (3, ["show", "iris@staging"]),
        (3, ["load", "iris", "--file", "nothing*"]),
        (3, ["log", "nobody"]),
        (3, ["save", "iris", "nowhere"]),
        (3, ["--repo", "/", "list"]),
        (4, ["promote", "iris@1", "production"]),
        (4, ["model", "register", "iris"]),
        (4, ["model", "version", "delete", "iris", "1.1"]),
        (4, ["show", "iris@archived"]),
    ],
)
def test_a_failure_has_its_exit_code_and_one_line_for_the_error_and_one_for_the_remedy(
    reader: Person, code: int, command: list[str]
) -> None:
    assert reader.gitreg(*command, code=code).out == ""


def test_what_the_machine_refuses_is_1_and_damage_is_6(writer: Person, tmp_path: Path) -> None:
    write(tmp_path, {"file": "x"})
    assert "file" in writer.gitreg("load", "iris", tmp_path / "file" / "below", code=1).err
    for pack in (store_of(writer.here) / "packs").glob("*/*"):
        pack.unlink()
    elsewhere = replace(writer, env=writer.env | {"GITREG_CACHE": str(tmp_path / "empty")})
    elsewhere.gitreg("load", "iris", code=6)
    writer.gitreg("verify", code=6)


@pytest.mark.slow
def test_somebody_who_holds_the_branch_for_good_is_a_conflict(writer: Person) -> None:
    lock = writer.here / ".git" / "index.lock"
    lock.touch()
    ended = writer.run("sh", "-c", "timeout 90 gitreg promote iris@1 staging")
    lock.unlink()
    assert ended.code == 5, ended
    assert_in_words(ended)
    writer.gitreg("promote", "iris@1", "staging")


@pytest.mark.slow
def test_ctrl_c_is_130_and_says_so_and_leaves_nothing(writer: Person) -> None:
    head = writer.git("rev-parse", "HEAD")
    with FileLock(writer.here / ".git" / "gitreg" / "lock"):
        process = writer.start("gitreg", "promote", "iris@1", "staging")
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "\ninterrupted\n")
    assert writer.git("rev-parse", "HEAD") == head


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["--debug show nobody", "show --debug nobody", "show nobody --debug", "alias set nobody x --debug",
     "alias --debug delete nobody x", "model show nobody --debug", "model --debug show nobody",
     "model version --debug list nobody", "model version show nobody 1 --debug"],
)  # fmt: skip
def test_debug_stands_anywhere_and_shows_where_it_failed_and_ends_the_same(reader: Person, command: str) -> None:
    ended = reader.run("gitreg", *command.split())
    assert ended.code == 3, ended
    assert "Traceback" in ended.err
    assert "error: there is no model 'nobody'" in ended.err


def test_a_word_that_only_looks_like_debug_is_no_option(reader: Person) -> None:
    ended = reader.gitreg("model", "show", "--", "--debug", code=3)
    assert "'--debug'" in ended.err


@pytest.mark.slow
def test_python_m_gitreg_and_git_reg_are_the_same_program(reader: Person) -> None:
    expected = reader.gitreg("list", "--json").out
    assert reader.run(sys.executable, "-m", "gitreg", "list", "--json").out == expected
    assert reader.run("git", "reg", "list", "--json").out == expected
    assert reader.run("git", "-C", reader.here, "reg", "show", "iris@1").code == 0
    failed = reader.run("git", "reg", "show", "nobody")
    assert failed.code == 3
    assert_in_words(failed)
    assert "git reg" in reader.run("git", "reg", "-h").out


@pytest.mark.slow
def test_a_reader_of_a_pipe_who_has_seen_enough_is_no_error(reader: Person) -> None:
    for command in ("gitreg list --json", "gitreg log", "gitreg load iris", "gitreg --help"):
        ended = reader.run("bash", "-c", f"set -o pipefail; {command} | true")
        assert (ended.code, ended.err) == (0, ""), command
    assert reader.run("bash", "-c", 'cat "$(gitreg load iris)/model.bin"').out == "better weights"


@pytest.mark.parametrize(("output", "reason"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on")])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_cannot_be_written_is_an_error_of_what_only_prints(
    reader: Person, output: str, reason: str, unbuffered: str
) -> None:
    for command in ("list", "list -o csv", "cat iris@1:model.bin", "--help", "save iris gitreg.yaml --dry-run"):
        ended = reader.with_env(PYTHONUNBUFFERED=unbuffered).run("bash", "-c", f"gitreg {command} {output}")
        assert ended.code == 1, command
        assert f"standard output cannot be written: {reason}" in ended.err
        assert_in_words(ended)


@pytest.mark.slow
@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_what_was_done_is_done_where_standard_output_cannot_be_written(writer: Person, output: str) -> None:
    commands = (
        "promote iris@1 production --force",
        "init ../new",
        "trust --code",
        "cache prune",
        "annotate iris@1 --tag x --json",
        "artifact save data gitreg.yaml",
        "hooks install",
        "hooks uninstall --json",
    )
    for command in commands:
        ended = writer.run("bash", "-c", f"gitreg {command} {output}")
        assert (ended.code, "is done, but standard output cannot be written" in ended.err) == (0, True), ended
    assert writer.gitreg("show", "iris@production", "--json").data["tags"] == ["a", "x"]
    ended = writer.run("bash", "-c", f"gitreg annotate iris@1 --tag y {output} 2>&-")
    assert (ended.code, ended.err) == (0, "")
    assert writer.gitreg("show", "iris@1", "--json").data["tags"] == ["a", "x", "y"]


@pytest.mark.slow
def test_a_standard_error_that_cannot_be_written_changes_no_exit_code(reader: Person) -> None:
    for error in ("2>&-", "2>/dev/full"):
        assert reader.run("bash", "-c", f"gitreg show nobody {error}").code == 3


@pytest.mark.slow
@pytest.mark.parametrize("module", ["click", "gitreg.cli.main", "gitreg.cli.commands.list"])
def test_an_interrupt_while_the_program_is_loaded_is_no_traceback(reader: Person, tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Impatient:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Impatient())\n"
    )
    ended = reader.with_env(PYTHONPATH=str(tmp_path)).run(PROGRAMS / "gitreg", "list")
    assert (ended.code, ended.err.strip()) in ((-signal.SIGINT, ""), (130, "interrupted"))


def test_the_registry_is_found_from_below_by_option_and_by_environment(reader: Person, tmp_path: Path) -> None:
    expected = reader.gitreg("list", "--json").out
    assert reader.at(reader.here / "models").gitreg("list", "--json").out == expected
    elsewhere = reader.at(tmp_path)
    assert elsewhere.gitreg("--repo", reader.here, "list", "--json").out == expected
    assert elsewhere.with_env(GITREG_REGISTRY=str(reader.here)).gitreg("list", "--json").out == expected


# -- the terminal ------------------------------------------------------------------------------------------------------


def on_a_terminal(person: Person, columns: int, *command: str, **env: str) -> str:
    """Run a program on a terminal of that width, and give what it shows."""
    leader, follower = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": "50", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, cwd=person.here, env=person.env | size | env, stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)
    shown = b""
    while process.poll() is None or select.select([leader], [], [], 0.1)[0]:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                data = os.read(leader, 65536)
            except OSError:  # the other side is closed
                break
            shown += data
    process.wait()
    os.close(leader)
    return shown.decode().replace("\r\n", "\n")


@pytest.fixture
def hostile(writer: Person) -> Person:
    """A model whose every text tries to colour or to move."""
    nasty = "[red]x[/red] \x1b[31mred\x1b[0m \x1b]0;title\x07 \u202e \rover :smile:\nsecond " + "long " * 40
    writer.gitreg("model", "register", "nasty", "--description", nasty, "--tag", "[bold]\x1b[1mtag")
    weights = write(writer.here.parent / "nasty", {"[red]file[/red].bin": "x"})
    writer.gitreg("save", "nasty", weights, "--metadata", f"text={nasty}", "--metadata", "[red]key=1", "-m", nasty)
    writer.gitreg("promote", "nasty@1", "production", "--reason", nasty)
    return writer


@pytest.mark.slow
@pytest.mark.parametrize("columns", [30, 40])
def test_a_narrow_terminal_has_fewer_columns_and_is_told_which(reader: Person, columns: int) -> None:
    shown = on_a_terminal(reader, columns, "gitreg", "list", "iris", NO_COLOR="1")
    *table, told = shown.splitlines()
    assert all(len(line) <= columns for line in table)
    assert table[0].split() == ["version", "stage", "size"] if columns == 30 else "version" in table[0].split()
    assert [line.split()[:2] for line in table[2:]] == [["1.1", "production"], ["1", "archived"]]
    assert told.startswith("too narrow for ")
    assert "created" not in table[0]
    wide = on_a_terminal(reader, 200, "gitreg", "list", "iris", NO_COLOR="1")
    assert "too narrow" not in wide
    assert "created" in wide


@pytest.mark.slow
def test_a_warning_has_colour_on_a_terminal_and_none_where_no_color_asks_for_it(writer: Person) -> None:
    (writer.here / "models" / "iris" / "aliases" / "champion.yaml").write_text("format: 1\nkind: alias\nodd\n")
    writer.git("commit", "-qam", "break it")
    command = ("gitreg", "show", "iris@1")
    assert "\x1b[35m\x1b[1mwarning:\x1b[0m" in on_a_terminal(writer, 100, *command)
    plain = on_a_terminal(writer, 100, *command, NO_COLOR="1")
    assert "warning: " in plain
    assert ESCAPE not in plain


@pytest.mark.slow
def test_what_others_wrote_by_hand_does_not_act_on_the_terminal(writer: Person) -> None:
    nasty = r"\e]0;title\a\x9b31m\u202e"
    (writer.here / "models" / "iris" / "annotations").mkdir(exist_ok=True)
    (writer.here / "models" / "iris" / "annotations" / "1.yaml").write_text(
        f'format: 1\nkind: annotation\ndescription: "{nasty}"\nmetadata: {{"{nasty}": {{"{nasty}": "{nasty}"}}}}\n'
    )
    writer.git("add", ".")
    writer.git("commit", "-qm", "by hand \x1b]0;title\x07\x9b31m")
    for command in ("show iris@1", "show iris@1 --json", "show iris@1 -o yaml", "show iris@1 -o csv", "log",
                    "log --json", "diff iris@1 iris@1.1", "diff iris@1 iris@1.1 -o csv", "list iris"):  # fmt: skip
        shown = on_a_terminal(writer, 100, "gitreg", *command.split(), NO_COLOR="1")
        assert len(shown) > 100, shown
        assert "error: " not in shown, shown
        assert not set(shown) & set("\x1b\x07\x9b\u202e"), (command, shown)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 200])
def test_hostile_text_neither_colours_nor_moves_and_tables_fit(hostile: Person, columns: int) -> None:
    for command in (["list"], ["list", "nasty"], ["show", "nasty"], ["log"], ["log", "nasty@production"],
                    ["diff", "nasty", "iris"], ["model", "show", "nasty"]):  # fmt: skip
        shown = on_a_terminal(hostile, columns, "gitreg", *command)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        assert "\x1b[31mred" not in shown, command
        assert "\x07" not in shown
        assert "\r" not in plain, command
        assert ESCAPE not in plain, command
        assert "\u202e" not in plain, command
        assert "error" not in plain.splitlines()[0], plain
        too_wide = [line for line in plain.splitlines() if len(line) > columns]
        assert not too_wide or command == ["log"], (command, too_wide)
    assert "[red]" in on_a_terminal(hostile, columns, "gitreg", "show", "nasty"), "markup is text"


@pytest.mark.slow
def test_a_terminal_has_colour_and_no_color_and_a_pipe_have_none(reader: Person) -> None:
    assert ESCAPE in on_a_terminal(reader, 100, "gitreg", "list")
    for command in (["list"], ["list", "iris"], ["show", "nobody"], ["log"]):
        assert ESCAPE not in on_a_terminal(reader, 100, "gitreg", *command, NO_COLOR="1"), command
        ended = reader.run("gitreg", *command)
        assert ESCAPE not in ended.out + ended.err


def test_the_programs_are_installed_beside_python() -> None:
    assert (PROGRAMS / "gitreg").is_file()
    assert (PROGRAMS / "git-reg").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    ["load iris s3://bucket/x", "load iris https://bob:SECRET@host/m", "load iris bob:SECRET@host:m",
     "save iris https://bob:SECRET@host/m", "init https://bob:SECRET@host/x.git", "init git@github.com:x/y.git", "init s3://bucket/x"],
)  # fmt: skip
def test_a_url_is_no_path_of_this_machine_and_no_folder_is_made_of_it(reader: Person, line: str) -> None:
    before = sorted(reader.here.iterdir())
    err = reader.gitreg(*line.split(), code=2).err
    assert "a URL was given where a path on this machine is needed" in err
    hints = {"init": "`gitreg clone URL`", "load": "load, then copy", "save": "fetch it first"}
    assert hints[line.partition(" ")[0]] in err
    assert "SECRET" not in err
    assert sorted(reader.here.iterdir()) == before


@pytest.mark.slow
def test_a_folder_whose_name_looks_like_a_url_is_loaded_into(writer: Person) -> None:
    (writer.here / "s3:" / "bucket").mkdir(parents=True)
    writer.gitreg("load", "iris", "s3://bucket")
    assert list((writer.here / "s3:" / "bucket").iterdir())

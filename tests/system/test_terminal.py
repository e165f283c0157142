"""The view at a real terminal: progress, tables of its width, ages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from gitreg.cli.table import cells
from tests.system.terminal import at_a_terminal, plain, run_at_a_terminal
from tests.system.world import Person, write

COPYING = """
import sys, time
from gitreg.cli.progress import show_progress, shown
from gitreg.progress import counting
show_progress()
with shown("Copying", 40_000_000) as work:
    work.advance(10_000_000)
    time.sleep(float(sys.argv[1]))
    work.advance(5_000_000)
    for _ in counting(range(3), "Indexing", 3, "commits"):
        time.sleep(0.3)
        work.advance(5_000_000)
print("done")
"""


def copying(person: Person, seconds: float, columns: int = 80) -> str:
    return run_at_a_terminal(person, [sys.executable, "-c", COPYING, str(seconds)], columns=columns)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 120])
def test_what_takes_longer_than_a_second_shows_total_rate_and_time_left(registry: Person, columns: int) -> None:
    shown = plain(copying(registry, 1.4, columns))
    for part in ("Copying", "10.0 MB of 40.0 MB", "25.0 MB of 40.0 MB, ", "/s ", " left", "Indexing", "of 3 commits"):
        assert part in shown, shown
    assert shown.rstrip().endswith("done")


@pytest.mark.slow
def test_what_is_done_within_a_second_shows_nothing(registry: Person, tmp_path: Path) -> None:
    assert copying(registry, 0) == "done\r\n"
    weights = write(tmp_path / "weights", {"b.bin": b"1"})
    assert at_a_terminal(registry, "save", "iris", weights, out=False) == ""


@pytest.mark.slow
def test_a_dumb_terminal_and_a_pipe_show_no_progress(registry: Person) -> None:
    assert copying(registry.with_env(TERM="dumb"), 1.2) == "done\r\n"
    piped = registry.run(sys.executable, "-c", COPYING, "1.2")
    assert (piped.out, piped.err) == ("done\n", "")


LONG = "team/classifier-of-very-long-names-for-all-documents-in-the-archive-large"


@pytest.fixture
def filled(registry: Person, tmp_path: Path) -> Person:
    """A registry with a version of twenty numbers, four of a long name in wide characters, and a plain one."""
    weights = str(write(tmp_path / "weights", {"m.bin": "weights"}))
    many = {f"metric_{number:02d}": 7.0 if number % 3 else number / 7 for number in range(20)}
    savings: list[dict[str, object]] = [{"model": "one", "paths": [weights]}]
    savings += [{"model": "many", "paths": [weights], "metadata": many | {"metric_05": n}} for n in (1, 2)]
    savings += [
        {"model": LONG, "paths": [weights], "tags": ["nightly", "模型测试"], "metadata": {"auc": n / 9, "loss": n / 3}}
        for n in range(4)
    ]
    registry.gitreg("save", "--batch", write(tmp_path / "batch", {"b.yaml": yaml.safe_dump(savings)}) / "b.yaml")
    registry.gitreg("promote", f"{LONG}@3", "staging")
    return registry


def table(person: Person, *arguments: str, columns: int) -> list[str]:
    shown = plain(at_a_terminal(person, *arguments, columns=columns)).splitlines()
    assert max(map(cells, shown)) <= columns or shown[-1].startswith("too narrow")
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 100, 120])
def test_no_row_of_a_listing_is_folded(filled: Person, columns: int) -> None:
    for arguments, rows in {("one",): 1, ("many",): 2, (LONG,): 4, (): 3, ("size=gt:0",): 7}.items():
        shown = [line for line in table(filled, "list", *arguments, columns=columns) if not line.startswith("too")]
        assert len(shown) == 2 + rows, shown


@pytest.mark.slow
def test_a_narrow_listing_keeps_the_numbers_and_tells_how_to_see_the_rest(filled: Person) -> None:
    narrow = table(filled, "list", LONG, columns=60)
    assert narrow[0].split() == ["version", "stage", "auc", "loss", "size", "age"]
    assert narrow[-1] == "too narrow for tags and created: -o csv, or widen"
    assert table(filled, "list", LONG, columns=100)[0].split()[-3:] == ["created", "(UTC)", "age"]
    across = table(filled, "list", "size=gt:0", columns=80)
    assert any(line.startswith("team/") and "…" in line and "-large" in line for line in across)


@pytest.mark.slow
def test_numbers_that_are_asked_for_or_vary_come_first(filled: Person) -> None:
    asked = table(filled, "list", "many", "metadata.metric_19=gt:0", "--sort", "metadata.metric_18", columns=80)[0]
    assert asked.split()[1:4] == ["metric_19", "metric_18", "metric_05"]


@pytest.mark.slow
def test_a_terminal_shows_ages_and_the_time_zone_and_a_pipe_shows_dates(filled: Person) -> None:
    tokyo = filled.with_env(TZ="Asia/Tokyo")
    assert "created (JST)" in tokyo.gitreg("list", "one").out
    assert " ago" not in tokyo.gitreg("list", "one").out
    assert " s ago" in table(tokyo, "list", "one", columns=80)[-1]
    assert " JST (" in "\n".join(table(tokyo, "show", "one", columns=120))
    assert " JST by Ada" in tokyo.gitreg("show", "one").out


POLICY = """\
people:
  bob:
    keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPFMzlbYvfcrlGBhsvM4NGqvkmnRQ2QGxmvvmOHh4ORO]
policies:
  production:
    gates:
      - {metric: auc, at_least: 0.2}
      - {metric: loss, at_most: 0.5}
      - {approvals: {count: 1}}
"""


@pytest.mark.slow
def test_a_version_is_shown_with_who_put_it_where_and_what_each_gate_says(filled: Person) -> None:
    filled.gitreg("promote", f"{LONG}@2", "production", "--reason", "best on the held-out set")
    with (filled.here / "gitreg.yaml").open("a") as file:
        file.write(POLICY)
    filled.git("commit", "-qam", "A policy")
    held = plain(at_a_terminal(filled, "show", f"{LONG}@2", columns=140))
    assert "production since 20" in held
    assert " s ago) by Ada Lovelace: best on the held-out set" in held
    assert f"{LONG}@3 in staging" in held
    for line in ("failed        metric: auc", "passed        metric: loss", "waiting       approvals: 0 of 1"):
        assert line in held, held
    assert "Policy of production, now" in plain(at_a_terminal(filled, "show", LONG, columns=80))
    store = filled.here / ".git" / "gitreg" / "store"
    assert f"weights  in {store}\n" in filled.gitreg("show", "one").out
    assert "gitreg load one@1 FOLDER" in filled.gitreg("show", "one").out


@pytest.mark.slow
def test_a_policy_that_cannot_be_read_hides_no_version(filled: Person) -> None:
    with (filled.here / "gitreg.yaml").open("a") as file:
        file.write(POLICY.replace("{approvals: {count: 1}}", "{approve: {}}"))
    filled.git("commit", "-qam", "A wrong policy")
    shown = filled.gitreg("show", f"{LONG}@3")
    assert "no policy can be asked: gitreg.yaml at /policies" in shown.err
    assert "m.bin" in shown.out


@pytest.mark.slow
def test_long_output_goes_through_the_pager_of_the_user_and_one_who_quits_is_no_error(filled: Person) -> None:
    upper = filled.with_env(PAGER="tr a-z A-Z")
    for arguments in (["list"], ["log"], ["show", "one"], ["diff", "many@1", "many@2"], ["lineage", "one"]):
        assert plain(at_a_terminal(upper, *arguments)).isupper(), arguments
    assert "CREATED" not in upper.gitreg("show", "one").out
    assert "version" in plain(at_a_terminal(upper.with_env(GIT_PAGER="cat"), "list", "one"))
    assert "version" in plain(at_a_terminal(upper.with_env(TERM="dumb"), "list", "one"))
    first = plain(at_a_terminal(filled.with_env(PAGER="head -1"), "log"))
    assert first.count("\n") == 1
    assert "version" in plain(at_a_terminal(filled.with_env(PAGER="no-such-pager-anywhere"), "list", "one"))
    narrow = plain(at_a_terminal(upper, "list", "many"))
    assert "TOO NARROW FOR" in narrow, "notes stand below the text, in the pager"


@pytest.mark.slow
def test_colours_are_shown_and_left_out_as_the_variables_of_all_programs_say(filled: Person) -> None:
    def coloured(**env: str) -> bool:
        return "\x1b[" in at_a_terminal(filled.with_env(**env), "list", LONG)

    assert coloured()
    assert "\x1b[33m" not in at_a_terminal(filled, "list", LONG), "yellow cannot be read on white"
    for env in ({"NO_COLOR": "1"}, {"CLICOLOR": "0"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}):
        assert not coloured(**env), env
    for env in ({"FORCE_COLOR": "1"}, {"CLICOLOR_FORCE": "1"}, {"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}):
        assert "\x1b[" in filled.with_env(**env).gitreg("list", LONG).out, env
    assert "\x1b[" not in filled.with_env(FORCE_COLOR="0").gitreg("list", LONG).out

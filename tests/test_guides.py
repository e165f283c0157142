"""README.md and the guides run as they are printed; the guides are reached by ``gitreg help``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitreg import errors, guides
from gitreg.errors import GitregError
from tests.guides import PAGES, UnexpectedFailure, masked, outputs, rewritten, strays


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_prints_what_it_says(page: str, tmp_path: Path) -> None:
    for step, printed in outputs(PAGES[page].read_text(), tmp_path):
        if step.language in ("console", "session"):
            assert masked(printed) == masked(step.expected), f"{page}: {step.code}"


def test_each_guide_has_a_file_a_title_and_at_most_200_lines() -> None:
    folder = Path(guides.__file__).parent
    assert sorted(path.stem for path in folder.glob("*.md")) == sorted(guides.TOPICS)
    for topic in guides.TOPICS:
        lines = guides.source(topic).splitlines()
        assert lines[0] == f"# {guides.title(topic)}"
        assert len(lines) <= 200, topic
        prose = re.sub(r"^```.*?^```", "", guides.source(topic), flags=re.DOTALL | re.MULTILINE).splitlines()
        assert max(len(line) for line in prose if not line.startswith("|")) <= 120, topic


def test_a_guide_names_only_guides_and_commands_that_exist() -> None:
    from gitreg.cli.main import COMMANDS

    for page, path in PAGES.items():
        for name in re.findall(r"gitreg help ([a-z-]+)", path.read_text()):
            assert name in {*guides.TOPICS, *COMMANDS}, f"{page} names {name}"


def test_a_guide_that_is_called_like_a_command_ends_by_naming_the_commands_help() -> None:
    from gitreg.cli.main import COMMANDS

    for topic in COMMANDS.keys() & set(guides.TOPICS):
        assert f"`gitreg {topic} --help`" in guides.source(topic).splitlines()[-1]


@pytest.mark.parametrize("page", PAGES)
def test_the_commits_in_a_history_are_those_that_the_results_above_it_name(page: str) -> None:
    assert strays(PAGES[page].read_text()) == []


@pytest.mark.parametrize("log", ["$ git log --oneline\n0123456 Save", "$ gitreg log iris\nAda   Save   0123456789"])
def test_a_commit_of_another_run_is_found(log: str) -> None:
    assert strays(f"```console\n$ gitreg save iris f\nSaved iris@1  0123456789\n{log}\n```\n") == []
    assert strays(f"```console\n$ gitreg save iris f\nSaved iris@1  abcdef0123\n{log}\n```\n") != []


@pytest.mark.slow
def test_an_output_that_changed_is_found_and_rewritten(tmp_path: Path) -> None:
    page = "```console\n$ echo one\ntwo\n$ echo 0123456789\nabcdef0123\n```\n```python\n>>> 1 + 1\n3\n```\n"
    tops = [tmp_path / name for name in "abc"]
    for top in tops:
        top.mkdir()
    expected = "```console\n$ echo one\none\n$ echo 0123456789\n0123456789\n```\n```python\n>>> 1 + 1\n2\n```\n"
    assert rewritten(page, tops[0]) == expected, "as a whole, so that ids and times are those of one run"
    masked_alone = expected.replace("\n0123456789", "\nabcdef0123")
    assert rewritten(masked_alone, tops[1]) == masked_alone
    assert rewritten(masked_alone, tops[2], always=True) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["```console\n$ false\n```\n", "```console\n$ false\n$ echo on\non\n```\n", "```python\n1 / 0\n```\n"]
)
def test_a_failure_that_the_page_does_not_show_is_an_error(page: str, tmp_path: Path) -> None:
    with pytest.raises(UnexpectedFailure):
        list(outputs(page, tmp_path))


@pytest.mark.slow
def test_folder_variables_and_exit_codes_go_from_one_command_to_the_next(tmp_path: Path) -> None:
    page = (
        "```console\n$ mkdir a\n$ cd a\n$ export WORD=b\n$ cat > f <<END\n> $WORD\n> END\n$ cat f\nb\n$ (exit 3)\n"
        "$ echo $?\n3\n```\n```text g\nc\n```\n```python\nx = open('g').read()\n```\n"
        "```python\n>>> for word in [x]:\n...     print(word, end='')\n...\nc\n```\n"
    )
    for step, printed in outputs(page, tmp_path):
        assert step.language in ("file", "python") or printed == step.expected


def test_the_guide_to_exit_codes_has_every_kind_of_error_with_its_code() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (\d+) \|", guides.source("exit-codes"), re.MULTILINE)
    shown = {kind: int(code) for kinds, code in rows for kind in re.findall(r"\w+", kinds)}
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, GitregError)]
    of_the_program = {"os_error": 1, "internal": 1, "usage": 2, "interrupted": 130}
    assert shown == {each.kind: each.exit_code for each in classes} | of_the_program

"""`gitreg edit` with a real editor, and `gitreg config`, as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.world import Person, make_person, write

pytestmark = pytest.mark.slow


@pytest.fixture
def writer(tmp_path: Path) -> Person:
    """A person in a project whose registry lies on a branch of its own."""
    person = make_person(tmp_path).at(write(tmp_path / "project", {"train.py": "print()\n"}))
    person.git("init", "-q", "-b", "main")
    person.git("add", ".")
    person.git("commit", "-qm", "The project")
    person.gitreg("init")
    return person.with_env(TERM="dumb", TMPDIR=str(tmp_path))


def typing(person: Person, line: str) -> Person:
    """A person whose editor adds a line."""
    program = person.home / "an editor"
    program.write_text(f'#!/bin/sh\necho "{line}" >>"$1"\n')
    program.chmod(0o755)
    return person.with_env(EDITOR=f"'{program}'")


def test_the_file_of_the_registrys_branch_is_edited_from_the_projects_own(writer: Person) -> None:
    ended = typing(writer, "description: Ours").gitreg("edit")
    assert "+description: Ours" in ended.out
    assert "Edited gitreg.yaml" in ended.out
    assert "description: Ours" in writer.git("show", "registry:gitreg.yaml")
    assert writer.gitreg("config", "get", "description").out == "Ours\n"
    assert writer.git("status", "--porcelain") == ""
    assert writer.git("log", "--format=%s", "main") == "The project"


def test_what_was_written_is_kept_where_it_cannot_be_committed(writer: Person, tmp_path: Path) -> None:
    ended = typing(writer, "stages: 7").gitreg("edit", code=2)
    assert "gitreg.yaml" in ended.err
    kept = ended.err.rpartition("what you wrote is kept in ")[2].strip()
    assert Path(kept).is_relative_to(tmp_path)
    assert Path(kept).read_text().endswith("stages: 7\n")
    assert "stages: 7" not in writer.git("show", "registry:gitreg.yaml")
    assert "nothing was committed" in ended.err


def test_an_emptied_file_is_said_to_be_empty_and_to_need_no_commit(writer: Person) -> None:
    before = writer.git("rev-parse", "registry")
    ended = writer.with_env(EDITOR="truncate -s 0").gitreg("edit", code=2)
    assert "gitreg.yaml is empty, not a mapping" in ended.err
    assert "nothing was committed" in ended.err
    assert "commit it" not in ended.err
    assert writer.git("rev-parse", "registry") == before


def test_an_editor_that_changes_nothing_or_fails_commits_nothing(writer: Person) -> None:
    before = writer.git("rev-parse", "registry")
    assert "as it was" in writer.with_env(EDITOR="true").gitreg("edit").err
    assert "ended with 1" in writer.with_env(EDITOR="false").gitreg("edit", code=1).err
    assert "the editor left no gitreg.yaml" in writer.with_env(EDITOR="rm").gitreg("edit", code=1).err
    writer.git("config", "core.editor", "touch ran; true")
    assert "set EDITOR" in writer.gitreg("edit", code=2).err
    assert "set EDITOR" in writer.with_env(EDITOR="", VISUAL="", GIT_EDITOR="").gitreg("edit", code=2).err
    assert "as it was" in writer.with_env(EDITOR="true", VISUAL="").gitreg("edit").err
    assert not (writer.here / "ran").exists(), "a repository names no program"
    assert writer.git("rev-parse", "registry") == before


def test_settings_are_listed_set_and_got(writer: Person) -> None:
    writer.gitreg("config", "set", "stages", "canary", "production")
    assert writer.gitreg("config", "get", "stages").out == "canary\nproduction\n"
    assert writer.gitreg("config", "get", "remote").out == ""
    assert writer.gitreg("config", "list", "--json").data["stages"] == ["canary", "production"]
    assert "stages  canary, production" in writer.gitreg("config", "list").out
    assert "`gitreg edit`" in writer.gitreg("config", "get", "policies", code=2).err

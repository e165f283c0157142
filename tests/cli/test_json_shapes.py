"""JSON for programs: every command prints the shape that the guide describes, and nothing else."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from gitreg import guides
from gitreg.cli import main
from tests.cli.test_json_errors import WITH_JSON, commands
from tests.system.world import PROGRAMS, Person, make_person, write

WITHOUT = {
    "cat": "prints the bytes of a file",
    "completion": "prints a script for a shell",
    "demo": "is a show for people",
    "help": "prints texts for people",
    "protect": "prints a script that a person shall read and run",
    "run": "prints what the command that it runs prints",
}
"""The commands that have no --json, and why; those of `hook` are called by git."""

SESSION = """
version
env
init registry --store store
! git init -q --bare -b main bare && git -C registry remote add origin ../bare
save iris weights
list
list MODEL | list iris
show iris@1
model list
model show iris
model version list iris
model version show iris 1
model version update iris 1 --description first
model register other
model update other --license mit
model delete other
save | save iris more --stage staging
save | save iris more --dry-run
promote iris@1 production
promote iris@2 production --force
4 why REF STAGE | why iris@1 production
why iris@1
rollback iris production
archive iris@2
alias set iris@1 champion
alias list
alias delete iris champion
annotate iris@1 --metadata a=1
yank iris@2
unyank iris@2
log
log iris
log MODEL@STAGE | log iris@production
diff iris@1 iris@2
load iris@1
scan weights
lineage iris@1
card iris@1 --out card.html
artifact save data more
artifact list
artifact show data
artifact load data out
artifact link data iris@1
! gitreg run --model iris --name good -- gitreg artifact save made more
! ! gitreg run --model iris --name bad -- sh -c 'gitreg artifact save lost weights; exit 3'
runs list
runs show good
list --drafts
seal bad
runs show bad
! ! gitreg run --model iris --name worse -- sh -c 'gitreg artifact save lost weights; exit 3'
discard worse
remote set origin
remote list
clone bare twin
push
pull
sync
check --base HEAD
ci github --out ci.yml
verify
doctor
model version delete iris 2
! rm -rf more && mkdir more && echo further > more/file
save iris more
delete iris@5
gc --grace 0s
model version undelete iris 2
undelete iris@5
cache list
cache verify
cache prune --all
store status
store create further
store add further
store copy --to further
store remove further
store set further
config list
config get stages
config set description new
edit
hooks install
hooks list
hooks uninstall
trust --stores
trust
trust --code
trust --no-code
! printf 'people:\\n  ada@example.com: ["%s"]\\n' "$(cut -d' ' -f1-2 key.pub)" >> registry/gitreg.yaml
! git -C registry commit -qam People
! GIT_AUTHOR_EMAIL=bob@example.com GIT_COMMITTER_EMAIL=bob@example.com gitreg save of-bob weights --local
approve of-bob@1 production --key key --local
"""
"""Each command of the guide's table: after an exit code, if it is not 0, the words of the table, the command line."""


class Shape(NamedTuple):
    """The keys of an object; those of some are objects themselves, or lists of objects."""

    needed: list[str]
    optional: list[str]
    nested: dict[str, str]


def table() -> dict[str, str]:
    """Return what each command prints, by the words of the guide."""
    rows = re.findall(r"^\| (`[^|]*) \| ([^|]*) \|$", guides.source("json").partition("## Shapes")[2], re.MULTILINE)
    return {words: shape for cell, shape in rows for words in re.findall(r"`([^`]+)`", cell)}


def shapes() -> dict[str, Shape]:
    """Return the objects that the guide describes, by their names."""
    found: dict[str, Shape] = {}
    text = guides.source("json").partition("## Shapes")[2].replace("\n  ", " ")
    for name, line in re.findall(r"^- \*([a-z ]+)\*: (.*)$", text, re.MULTILINE):
        first, *others = [re.sub(r"\([^*)]*\)", "", clause).partition(": ")[0] for clause in line.split(";")]
        keys = re.findall(r"the fields of \*([a-z ]+)\*|`([a-z_]+)`", first)
        needed = [key for base, word in keys for key in (found[base].needed if base else [word])]
        optional = [key for clause in others for key in re.findall(r"`([a-z_]+)`", clause)]
        found[name] = Shape(needed, optional, dict(re.findall(r"`([a-z_]+)` \(([^)]*\*)\)", line)))
    return found


SHAPES = shapes()


def check(data: Any, shape: str, where: str) -> None:
    """Compare data with a shape as the guide words it: ``*x*``, ``a list of *x*``, ``a page of *x*``."""
    kind, _, name = shape.rstrip("*").rpartition("*")
    if kind == "a page of ":
        assert list(data) == ["items", "total", "page", "pages", "size"], where
        data = data["items"]
    if kind.startswith(("a page", "a list")):
        assert isinstance(data, list), where
        for item in data:
            check(item, f"*{name}*", where)
        return
    needed, optional, nested = SHAPES[name]
    if kind == "one field of ":
        assert len(data) == 1, where
        assert set(data) < set(needed), where
        return
    assert sorted(set(data) - set(optional)) == sorted(needed), where
    for key, inner in nested.items():
        if key in data:
            check(data[key], inner, f"{where}: {key}")


def test_every_command_has_json_or_a_reason_to_have_none() -> None:
    without = {name for name, _ in commands(main.cli)} - set(WITH_JSON)
    assert {name for name in without if not name.startswith("hook ")} == set(WITHOUT)


def test_the_guide_has_a_line_for_every_command_with_json_and_an_entry_for_every_object() -> None:
    assert {next(each for each in _prefixes(words) if each in WITH_JSON) for words in table()} == set(WITH_JSON)
    named = {name for text in table().values() for name in re.findall(r"\*([a-z ]+)\*", text)}
    assert named <= set(SHAPES)
    nested = {
        name for shape in SHAPES.values() for text in shape.nested.values() for name in re.findall(r"\*(.*)\*", text)
    }
    assert set(SHAPES) == named | nested


def test_every_listing_and_whatever_shows_one_thing_takes_fields() -> None:
    """Lists of what was done, as those of `hooks install` and `trust`, are no listings."""
    for words, shape in table().items():
        name = next(each for each in _prefixes(words) if each in WITH_JSON)
        reads = shape.startswith(("a page", "a list")) or name.endswith("show")
        if reads and name not in ("trust", "hooks install", "hooks uninstall", "remote show"):
            assert any("--fields" in parameter.opts for parameter in WITH_JSON[name].params), name


@pytest.mark.slow
def test_every_command_prints_the_shape_of_the_guide_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    person = _prepared(tmp_path_factory)
    expected = table()
    run: set[str] = set()
    for code, words, line in _session():
        if not words:
            ended = person.run("sh", "-c", line)
            assert ended.code == code, (line, ended)
            continue
        ended = person.run(PROGRAMS / "gitreg", *shlex.split(line), "--json")
        assert ended.code == code, (line, ended)
        found = words if words in expected else next(each for each in _prefixes(words) if each in expected)
        data = json.loads(ended.out)
        check(data, expected[found], line)
        assert data != [], f"{line} shows no item whose keys could be compared"
        run.add(found)
    assert run == set(expected)


def _session() -> Iterator[tuple[int, str, str]]:
    """Yield exit code, words of the table and line of each command; a line of the shell has no words."""
    for each in SESSION.strip().splitlines():
        code, rest = (int(each[0]), each[2:]) if each[0].isdigit() else (0, each)
        if rest.startswith("! "):
            yield code, "", rest[2:]
        else:
            words, bar, line = rest.partition(" | ")
            yield code, words, line if bar else words


def _prefixes(words: str) -> Iterator[str]:
    parts = words.split()
    return (" ".join(parts[:end]) for end in range(len(parts), 0, -1))


def _prepared(factory: pytest.TempPathFactory) -> Person:
    """Return a person in a folder with files to save and a key to sign with; commands find the registry there."""
    top = factory.mktemp("json")
    person = make_person(top).with_env(GITREG_REGISTRY=str(top / "registry"), GIT_EDITOR="sed -i s/new/newer/")
    person.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", top / "key")
    write(top / "weights", {"m.bin": "first"})
    write(top / "more", {"m.bin": "second"})
    return person

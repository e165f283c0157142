"""Results of writes: one sentence in the past tense, with what a person wants to know."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

import gitreg
from gitreg.cli.sentences import _SENTENCES
from tests.system.world import Person, write

SESSION = """\
$ save iris ../more --metadata loss=0.4 --tag old --stage staging
Saved iris@3 (3 files, 9 B) as staging
$ save iris@3 ../more
= iris@3 is already saved with these files
$ promote iris@3 production --reason better --force
Promoted iris@3 from staging to production, in the place of iris@1.1
$ promote iris production
= iris@3 is already in production
$ rollback iris production
Rolled production of iris back to 1.1 (was 3)
$ archive iris@1.1
Archived iris@1.1; iris has no production now
$ archive iris@1.1
= iris@1.1 is already archived
$ alias set iris@3 champion
Set the alias champion of iris to 3 (was 1.1)
$ alias set iris@3 champion
= champion already means iris@3
$ alias set iris@3 next
Set the alias next of iris to 3
$ alias delete iris next
Deleted the alias next of iris (was 3)
$ alias delete iris next
= iris has no alias next
$ annotate iris@3 --tag good --metadata loss=0.5 --metadata auc=0.91 --description "Much better"
Annotated iris@3: description Much better, +tag good, loss 0.4 -> 0.5, auc 0.91
$ annotate iris@3 --tag good
= iris@3 says all that already
$ model version update iris 3 --remove-tag good --stage staging
Promoted iris@3 to staging; -tag good
$ promote iris@3 production
Promoted iris@3 from staging to production
$ model version update iris 3 --stage staging --tag late
Promoted iris@3 from production to staging; iris has no production now; +tag late
$ yank iris@3 --reason "wrong labels"
Yanked iris@3
$ yank iris@3 --reason "wrong labels"
= iris@3 is already yanked
$ unyank iris@3
Unyanked iris@3
$ unyank iris@3
= iris@3 is not yanked
$ model version delete iris 3 --force
Deleted iris@3; iris has no staging and no champion now
$ model version undelete iris 3
Undeleted iris@3
$ model version undelete iris 3
= iris@3 is not deleted
$ model register bert --license MIT
Registered bert
$ model update bert --license Apache-2.0 --tag nlp
Updated bert: license MIT -> Apache-2.0, +tag nlp
$ model update bert --tag nlp
= The card of bert says all that already
$ model delete iris --force
Deleted the model iris with 3 versions
$ config set description "Our models"
Set description to Our models
$ config set description "All models"
Set description to All models (was Our models)
$ config set description "All models"
= description is already All models
$ config set stages test staging production
Set stages to test, staging, production (was staging, production)
$ config set description ""
Removed description (was All models)
$ store add ../disk
Added the store ../disk
$ store add ../disk
= ../disk is already a store of this registry
$ store remove ../disk
Removed the store ../disk
$ store set ../next --copy
Moved the weights to ../next
$ store set ../next
= The weights already go to ../next
"""


@pytest.mark.slow
def test_every_write_says_in_the_past_tense_what_it_did(writer: Person) -> None:
    write(writer.here.parent / "more", {"m": "more", "n": "m", "o": "more"})
    for part in SESSION.split("$ ")[1:]:
        command, expected = part.rstrip("\n").split("\n")
        shown = writer.gitreg(*shlex.split(command)).out.split("\n")[0]
        shown = shown.replace(f"{writer.here.parent}/", "../")
        if expected.startswith("= "):
            assert shown == expected.removeprefix("= "), command
        else:
            text, _, commit = shown.partition("  ")
            assert text == expected, command
            assert re.fullmatch("[0-9a-f]{10}", commit), command


def test_no_operation_lacks_its_sentence() -> None:
    folder = Path(gitreg.__file__).parent
    texts = "".join(
        path.read_text() for name in ("registry/operations", "sdk/verbs") for path in (folder / name).glob("*.py")
    )
    written = {*re.findall(r'\("Operation", "([a-z-]+)"\)', texts), "annotate", "archive", "yank", "unyank", "undelete"}
    assert len(written) > 15
    assert written == _SENTENCES.keys()


@pytest.mark.slow
def test_a_clone_a_pull_and_a_push_count_what_came_and_went(writer: Person) -> None:
    hub = writer.here.parent / "hub.git"
    subprocess.run(["git", "init", "-q", "-b", "main", "--bare", str(hub)], check=True)
    writer.git("remote", "add", "origin", str(hub))
    writer.gitreg("store", "set", writer.here.parent / "disk", "--copy")
    assert writer.gitreg("remote", "set", "origin").out.startswith("Set remote to origin  ")
    bob = writer.at(writer.here.parent / "bob")
    cloned = writer.gitreg("clone", hub, bob.here).out
    assert cloned.startswith(f"Cloned into {bob.here} (2 models, 2 versions); weights come from ")
    assert bob.gitreg("pull").out.startswith("Nothing to pull: origin/main has nothing new  ")
    for number in range(4):
        writer.gitreg("annotate", "iris@1", "--metadata", f"n={number}", "--local")
    pushed = "4 commits to origin/main: Annotate iris@1, Annotate iris@1, Annotate iris@1 and 1 more commit"
    assert writer.gitreg("push").out.startswith(f"Pushed {pushed}  ")
    assert writer.gitreg("push").out.startswith("Nothing to push: ")
    assert bob.gitreg("pull").out.startswith(f"Pulled {pushed.replace(' to ', ' of ')}  ")


@pytest.mark.slow
def test_quiet_writes_print_the_version_alone(writer: Person) -> None:
    write(writer.here.parent / "more", {"m": "more"})
    assert writer.gitreg("-q", "save", "iris", "../more").out == "iris@3\n"
    assert writer.gitreg("promote", "iris@3", "staging", "-q").out == "iris@3\n"
    assert writer.gitreg("promote", "iris@3", "staging", "-q").out == "iris@3\n"
    assert writer.gitreg("alias", "delete", "iris", "champion", "-q").out == ""
    assert writer.gitreg("artifact", "save", "data", "../more", "-q").out == "data@1\n"
    assert writer.gitreg("clone", "-q", writer.here, writer.here.parent / "bob").out == ""


@pytest.mark.slow
def test_show_has_the_sealed_value_beside_one_that_an_annotation_changed(writer: Person) -> None:
    more = write(writer.here.parent / "noted", {"model.bin": "noted"})
    writer.gitreg("save", "noted", more, "--metadata", "ndcg=0.5", "--metadata", "auc=0.9")
    writer.gitreg("annotate", "noted@1", "--metadata", "ndcg=0.1")
    shown = writer.gitreg("show", "noted@1").out
    assert re.search(r"^ndcg +0\.1 \(sealed: 0\.5\)$", shown, re.MULTILINE), shown
    assert re.search(r"^auc +0\.9$", shown, re.MULTILINE), shown


@pytest.mark.slow
def test_a_model_that_was_deleted_is_named_as_such_with_the_versions_to_undelete(writer: Person) -> None:
    writer.gitreg("model", "delete", "iris", "--force")
    for line in ("show iris@1", "list iris", "load iris"):
        err = writer.gitreg(*line.split(), code=3).err
        assert "iris was deleted, with the versions 1, 1.1" in err
        assert "`gitreg undelete iris@1.1`" in err
    assert "name the version: iris@N; deleted: 1, 1.1" in writer.gitreg("undelete", "iris", code=2).err
    writer.gitreg("undelete", "iris@1.1")
    writer.gitreg("show", "iris@1.1")

"""People with keys of their own approve and promote; somebody tries to get past them."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitreg.documents.yaml import loads
from gitreg.errors import Refused
from gitreg.sdk.registry import Registry
from tests.system.world import Person, assert_sound, make_person, write

AS = Callable[[str], Person]
POLICY = """\
policies:
  production:
    from: [staging]
    promoters: [ada@example.com]
    overridable: [from]
    gates:
    - metric: accuracy
      at_least: 0.9
    - approvals: {count: 1, by: [ada@example.com, bob@example.com]}
"""


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Person:
    where = tmp_path_factory.mktemp("policies")
    ada = make_person(where)
    keys = {}
    for who in ("ada", "bob", "eve"):
        ada.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", ada.home / who)
        keys[who] = (ada.home / f"{who}.pub").read_text().strip()
    ada.gitreg("init", where / "registry")
    there = ada.at(where / "registry")
    weights = write(where / "weights", {"m.bin": "1"})
    there.gitreg("save", "iris", weights, "--metadata", "accuracy=0.95")
    there.gitreg("promote", "iris@1", "staging")
    known = "".join(f"  {who}@example.com: ['{keys[who]}']\n" for who in ("ada", "bob"))
    commit(there, {"gitreg.yaml": f"{(there.here / 'gitreg.yaml').read_text()}{POLICY}people:\n{known}"})
    return there


@pytest.fixture
def people(_prepared: Person, tmp_path: Path) -> AS:
    """Ada, Bob and Eve, each with a key; they share a registry whose policy knows the keys of Ada and Bob."""
    shutil.copytree(_prepared.here, tmp_path / "registry", symlinks=True)
    there = replace(_prepared, here=tmp_path / "registry", env=_prepared.env | {"GITREG_CACHE": str(tmp_path / "c")})

    def person(who: str) -> Person:
        name, email = who.title(), f"{who}@example.com"
        return there.with_env(
            GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email, GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=email
        )

    return person


def commit(person: Person, files: dict[str, str | None], message: str = "by hand") -> None:
    """Commit files with plain git."""
    for name, content in files.items():
        if content is None:
            (person.here / name).unlink()
        else:
            write(person.here, {name: content})
    person.git("add", "-A")
    person.git("commit", "-q", "-m", message)


def approve(person: Person, key: str, reference: str = "iris@1", code: int = 0, stage: str = "production") -> str:
    return person.gitreg("approve", reference, stage, "--key", person.home / key, code=code).err


def path(version: str = "1", stage: str = "production", who: str = "bob") -> str:
    return f"models/iris/approvals/{version}/{stage}/{who}%40example.com.yaml"


@pytest.mark.slow
def test_a_version_is_approved_explained_and_promoted(people: AS) -> None:
    ada, bob = people("ada"), people("bob")
    refused = ada.gitreg("promote", "iris@1", "production", code=4).err
    assert "approvals: 0 of 1 approvals; they can come from" in refused
    why = ada.gitreg("why", "iris@1", "production", code=4)
    assert "✓ metric: accuracy is 0.95, at least 0.9" in why.out
    assert "✗ approvals" in why.out
    approve(bob, "bob")
    assert approve(bob, "bob") == ""  # once more is nothing to do
    assert bob.git("rev-list", "--count", "HEAD", "--", path()) == "1"
    assert "bob@example.com may not promote" in bob.gitreg("promote", "iris@1", "production", code=4).err
    told = ada.gitreg("why", "iris@1", "production", "--json").data
    assert (told["reference"], told["allowed"], told["overridden"]) == ("iris@1", True, [])
    assert told["results"][-1] == {
        "name": "approvals", "kind": "approvals", "outcome": "passed",
        "sentence": "1 of 1 approvals (bob@example.com); author not proven: the record is unsigned",
        "facts": {
            "count": 1, "counted": ["bob@example.com"], "by": ["ada@example.com", "bob@example.com"],
            "author": "unsigned",
        },
    }  # fmt: skip
    ada.gitreg("promote", "iris@1", "production")
    everything = ada.gitreg("why", "iris", "--json").data
    assert [row["stage"] for row in everything] == ["staging", "production"]
    assert ada.gitreg("log", "-n", "2", "--json").data[1]["events"] == [
        {"event": "approved", "model": "iris", "version": "1", "stage": "production"}
    ]
    assert_sound(ada)


BY_MODEL = """\
policies:
  production:
  - models: [rank*]
    gates: [{metric: ndcg, at_least: %s}]
  - gates: [{metric: auc, at_least: 0.8}]
"""


@pytest.mark.slow
def test_models_with_metrics_of_their_own_have_policies_of_their_own(ada: Person, tmp_path: Path) -> None:
    ada.gitreg("init", tmp_path / "models")
    ada = ada.at(tmp_path / "models")
    settings = (ada.here / "gitreg.yaml").read_text()
    for number, (model, metric) in enumerate(
        [("iris", "auc=0.9"), *(("ranker", f"ndcg={at}") for at in (0.5, 0.6, 0.2))]
    ):
        ada.gitreg("save", model, write(tmp_path / f"{number}", {"m.bin": str(number)}), "--metadata", metric)
    commit(ada, {"gitreg.yaml": settings + BY_MODEL % 0.4})
    ada.gitreg("promote", "iris@1", "production")
    ada.gitreg("promote", "ranker@1", "production")
    ada.gitreg("promote", "ranker@2", "production", "--force")
    ada.gitreg("rollback", "ranker", "production")
    assert "✓ metric: ndcg is 0.6, at least 0.4" in ada.gitreg("why", "ranker@2", "production").out
    assert "✓ metric: auc is 0.9, at least 0.8" in ada.gitreg("why", "iris@1", "production").out
    ada.gitreg("verify")
    ada.git("switch", "-q", "-c", "proposal")
    commit(ada, {"gitreg.yaml": settings + BY_MODEL % 0.1})
    assert "production of rank\\* weakens: ndcg at\\_least 0.4 → 0.1" in ada.gitreg("check", "--base", "main").out
    moved = "format: 1\nkind: stage\nversion: '3'\n"
    commit(ada, {"models/ranker/stages/production.yaml": moved})
    refused = ada.gitreg("check", "--base", "main", code=4).out
    assert "ndcg is 0.2, at least 0.4 is needed" in refused


@pytest.mark.slow
def test_an_approval_can_be_checked_with_jq_and_openssh_alone(people: AS) -> None:
    bob = people("bob")
    approve(bob, "bob")
    document = loads((bob.here / path()).read_bytes(), path())
    write(
        bob.here.parent,
        {"signature": document.pop("signature"), "allowed": f"bob {(bob.home / 'bob.pub').read_text()}"},
    )
    payload = json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n"
    done = bob.at(bob.here.parent).run(
        "ssh-keygen", "-Y", "verify", "-n", "gitreg", "-I", "bob", "-f", "allowed", "-s", "signature", stdin=payload
    )
    assert done.code == 0, done.err


@pytest.mark.slow
def test_who_does_not_count_is_told_at_once(people: AS) -> None:
    assert "nobody approves their own" in approve(people("ada"), "ada", code=4)
    assert "none of `people`" in approve(people("eve"), "eve", code=4)
    assert "none that gitreg.yaml names for bob@example.com" in approve(people("bob"), "eve", code=4)
    assert people("ada").git("ls-files", "models/iris/approvals") == ""


def attempts(people: AS) -> dict[str, tuple[dict[str, str | None], str]]:
    """What Eve commits by hand, and what is then said of it."""
    ada, bob = people("ada"), people("bob")
    ada.gitreg("save", "iris", write(ada.here.parent / "other", {"m.bin": "2"}), "--metadata", "accuracy=0.99")
    approve(bob, "bob", "iris@2")
    approve(bob, "bob", stage="staging")
    second = (bob.here / path("2")).read_text()
    staging = (bob.here / path(stage="staging")).read_text()
    document = loads(second.encode(), "")
    digest = loads((bob.here / "models/iris/stages/staging.yaml").read_bytes(), "")["digest"]
    renamed = second.replace("version: '2'", "version: '1'")
    return {
        "copied from another version": ({path(): second}, "cannot be read"),
        "copied, and its version edited": ({path(): renamed}, "is for another record"),
        "copied, its version and digest edited": (
            {path(): renamed.replace(document["digest"], digest)}, "not signed by a key of theirs"
        ),
        "copied from another stage, and edited": (
            {path(): staging.replace("stage: staging", "stage: production")}, "not signed by a key of theirs"
        ),
        "in another's name": (
            {path(who="ada"): staging.replace("stage: staging", "stage: production").replace("bob@", "ada@")},
            "ada@example.com, who made iris@1, does not count",
        ),
        "of nobody that is known": (
            {path(who="eve"): staging.replace("stage: staging", "stage: production").replace("bob@", "eve@")},
            "eve@example.com does not count",
        ),
        "a signature that is none": (
            {path(): staging.replace("stage: staging", "stage: production").split("signature:")[0]
             + "signature: |\n  -----BEGIN SSH SIGNATURE-----\n  AAAA\n  -----END SSH SIGNATURE-----\n"},
            "not signed by a key of theirs",
        ),
        "no YAML": ({path(): "a: [\n"}, "cannot be read"),
    }  # fmt: skip


@pytest.mark.slow
def test_a_forged_approval_does_not_count_and_the_explanation_says_why(people: AS) -> None:
    eve = people("eve")
    with Registry.open(eve.here) as registry:
        for what, (files, says) in attempts(people).items():
            commit(eve, files, message=what)
            (result,) = [each for each in registry.why("iris@1", "production").results if each.name == "approvals"]
            assert says in result.sentence, f"{what}: {result.sentence}"
            assert "0 of 1 approvals" in result.sentence, what
            with pytest.raises(Refused):
                registry.promote("iris@1", "production", force=True)
            commit(eve, dict.fromkeys(files))


def settings(person: Person) -> str:
    return (person.here / "gitreg.yaml").read_text()


@pytest.mark.slow
def test_an_approval_of_another_registry_counts_not(people: AS) -> None:
    ada, bob = people("ada"), people("bob")
    approve(bob, "bob")
    ours = settings(ada)
    said = (bob.here / path()).read_text()
    commit(ada, {path(): None})
    told = re.search("^id: (.*)$", ours, re.MULTILINE)
    assert told is not None
    assert f"registry: {told[1]}\n" in said
    # The same repository, begun as another registry: the record and Bob's key are the same.
    shutil.copytree(ada.here, ada.here.parent / "other", symlinks=True)
    theirs = ada.at(ada.here.parent / "other")
    write(theirs.here, {"gitreg.yaml": ours.replace(told[1], "f" * 32)})
    theirs.git("commit", "-qam", "Begin again", "--no-verify")
    orphan = theirs.git("commit-tree", "-m", "Begin", "HEAD^{tree}")
    theirs.git("reset", "-q", "--hard", orphan)
    commit(theirs, {path(): said})
    told_there = theirs.gitreg("why", "iris@1", "production", code=4).out
    assert "0 of 1 approvals; that of bob@example.com is for another registry" in told_there
    # And one that names no registry, from before there were ids.
    edited = re.sub("^registry: .*\n", "", said, flags=re.MULTILINE)
    commit(ada, {path(): edited})
    assert "that of bob@example.com names no registry" in ada.gitreg("why", "iris@1", "production", code=4).out


@pytest.mark.slow
def test_nor_an_expired_one(people: AS) -> None:
    ada, bob = people("ada"), people("bob")
    for wrong in ("2020-01-01", "0d", "soon"):
        bob.gitreg("approve", "iris@1", "production", "--key", bob.home / "bob", "--until", wrong, code=2)
    soon = datetime.fromtimestamp(time.time() + 5, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    bob.gitreg("approve", "iris@1", "production", "--key", bob.home / "bob", "--until", soon)
    said = (bob.here / path()).read_text()
    assert f"until: {soon}" in said.replace("'", "")
    while time.time() <= datetime.fromisoformat(soon).timestamp() + 1:
        time.sleep(0.2)
    assert f"that of bob@example.com expired at {soon}" in ada.gitreg("promote", "iris@1", "production", code=4).err
    # Its date is signed, too.
    commit(bob, {path(): said.replace(soon, "2099-01-01T00:00:00Z")})
    assert "not signed by a key of theirs" in ada.gitreg("why", "iris@1", "production", code=4).out
    bob.gitreg("approve", "iris@1", "production", "--key", bob.home / "bob", "--until", "14d")
    ada.gitreg("promote", "iris@1", "production")
    commit(bob, {path(): said.replace(soon, "2026-99-99T00:00:00Z")})
    assert "is no time" in ada.gitreg("why", "iris@1", "production", code=4).out


@pytest.mark.slow
def test_two_emails_are_one_person(people: AS) -> None:
    ada, bob = people("ada"), people("bob")
    key = (ada.home / "bob.pub").read_text().strip()
    known = settings(ada).replace(
        f"  bob@example.com: ['{key}']", f"  bob@example.com:\n    emails: [bob@work.example]\n    keys: ['{key}']"
    )
    commit(ada, {"gitreg.yaml": known.replace("promoters: [ada@", "promoters: [bob@")})
    at_work = bob.with_env(
        GIT_AUTHOR_NAME="B.", GIT_AUTHOR_EMAIL="Bob@Work.example", GIT_COMMITTER_NAME="B.",
        GIT_COMMITTER_EMAIL="Bob@Work.example",
    )  # fmt: skip
    at_work.gitreg("save", "iris", write(bob.here.parent / "w", {"m.bin": "9"}), "--metadata", "accuracy=1")
    at_work.gitreg("promote", "iris@2", "staging", "--force")
    assert "nobody approves their own" in approve(bob, "bob", "iris@2", code=4)
    # Neither does it where somebody else has committed what he made, or he what another made.
    by_robot = bob.with_env(GIT_COMMITTER_NAME="Robot", GIT_COMMITTER_EMAIL="robot@example.com")
    by_robot.gitreg("save", "iris", write(bob.here.parent / "w", {"m.bin": "8"}), "--metadata", "accuracy=1")
    assert "nobody approves their own" in approve(bob, "bob", "iris@3", code=4)
    approve(at_work, "bob", "iris@1")
    assert (bob.here / path()).exists()
    # Who promotes is the author, by whichever e-mail, here as for `check`.
    ada.gitreg("promote", "iris@1", "staging", "--force")
    robot = at_work.with_env(GIT_COMMITTER_NAME="Robot", GIT_COMMITTER_EMAIL="robot@example.com")
    base = bob.git("rev-parse", "HEAD")
    robot.gitreg("promote", "iris@1", "production")
    moves = ada.gitreg("check", "--base", base, "--json").data["moves"]
    (move,) = [each for each in moves if each["name"] == "production"]
    (asked,) = [row for row in move["decision"]["results"] if row["name"] == "promoters"]
    assert (asked["outcome"], asked["facts"]["promoter"]) == ("passed", "Bob@Work.example")


@pytest.mark.slow
def test_an_author_whom_a_signature_has_to_prove(people: AS) -> None:
    ada, bob = people("ada"), people("bob")
    asks = settings(ada).replace("approvals: {count: 1, by", "approvals: {count: 1, author: signed, by")
    commit(ada, {"gitreg.yaml": asks})
    approve(bob, "bob")
    assert "author not proven: the record is unsigned" in ada.gitreg("promote", "iris@1", "production", code=4).err
    signs = ada.with_env(
        GIT_CONFIG_COUNT="3", GIT_CONFIG_KEY_0="gpg.format", GIT_CONFIG_VALUE_0="ssh",
        GIT_CONFIG_KEY_1="commit.gpgSign", GIT_CONFIG_VALUE_1="true",
        GIT_CONFIG_KEY_2="user.signingKey", GIT_CONFIG_VALUE_2=str(ada.home / "bob"),
    )  # fmt: skip
    # Ada commits with Bob's key: the author is who signed, too.
    signs.gitreg("save", "iris", write(ada.here.parent / "w", {"m.bin": "7"}), "--metadata", "accuracy=1")
    ada.gitreg("promote", "iris@2", "staging", "--force")
    assert "nobody approves their own" in approve(bob, "bob", "iris@2", code=4)
    mine = signs.with_env(GIT_CONFIG_VALUE_2=str(ada.home / "ada"))
    mine.gitreg("save", "iris", write(ada.here.parent / "w", {"m.bin": "6"}), "--metadata", "accuracy=1")
    ada.gitreg("promote", "iris@3", "staging", "--force")
    approve(bob, "bob", "iris@3")
    ada.gitreg("promote", "iris@3", "production")


@pytest.mark.slow
def test_who_merges_a_version_did_not_make_it_and_who_made_it_does_not_approve_it(people: AS) -> None:
    ada, bob = people("ada"), people("bob")
    said = (bob.here / "models/iris/versions/1.yaml").read_text()
    made = re.sub("^created_by: .*\n", "", said, flags=re.MULTILINE).replace("version: '1'", "version: '2'")
    bob.git("checkout", "-q", "-b", "side")
    commit(bob, {"models/iris/versions/2.yaml": made.replace("number: 1", "number: 2")})
    bob.git("checkout", "-q", "main")
    ada.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    assert "bob@example.com made iris@2" in approve(bob, "bob", "iris@2", code=4)
    approve(ada, "ada", "iris@2")


@pytest.mark.slow
def test_an_approval_does_not_outlive_its_key_nor_an_edit_of_the_record(people: AS) -> None:
    ada, bob = people("ada"), people("bob")
    approve(bob, "bob")
    said = settings(ada)
    theirs = (ada.home / "bob.pub").read_text().strip()
    other = (ada.home / "eve.pub").read_text().strip()
    commit(ada, {"gitreg.yaml": said.replace(theirs, other)})
    assert "not signed by a key of theirs" in ada.gitreg("why", "iris@1", "production", code=4).out
    commit(ada, {"gitreg.yaml": said})
    ada.gitreg("why", "iris@1", "production")
    record = (ada.here / "models/iris/versions/1.yaml").read_text()
    commit(ada, {"models/iris/versions/1.yaml": record.replace("0.95", "0.99")})
    for command in (["why", "iris@1", "production"], ["promote", "iris@1", "production", "--force"]):
        assert "was edited" in ada.gitreg(*command, code=6).err


@pytest.mark.slow
def test_without_ssh_keygen_an_approval_is_not_evaluated_and_opens_nothing(people: AS, tmp_path: Path) -> None:
    ada, bob = people("ada"), people("bob")
    approve(bob, "bob")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").symlink_to(shutil.which("git") or "")
    bare = ada.with_env(PATH=str(tools))
    ended = bare.gitreg("why", "iris@1", "production", code=4)
    assert "? approvals: 0 of 1 approvals; the signature of bob@example.com cannot be checked here" in ended.out
    bare.gitreg("promote", "iris@1", "production", code=4)


@pytest.mark.slow
def test_a_seal_counts_for_the_version_that_it_was_made_for(people: AS) -> None:
    ada = people("ada")
    said = settings(ada)
    asks = said.replace(
        "approvals: {count: 1, by: [ada@example.com, bob@example.com]}", "signature: {by: [bob@example.com]}"
    )
    commit(ada, {"gitreg.yaml": asks})

    def sealed(who: str, number: int) -> str:
        signs = ada.with_env(
            GIT_CONFIG_COUNT="3", GIT_CONFIG_KEY_0="gpg.format", GIT_CONFIG_VALUE_0="ssh",
            GIT_CONFIG_KEY_1="tag.gpgSign", GIT_CONFIG_VALUE_1="true",
            GIT_CONFIG_KEY_2="user.signingKey", GIT_CONFIG_VALUE_2=str(ada.home / who),
        )  # fmt: skip
        signs.gitreg("save", "iris", write(ada.here.parent / "w", {"m.bin": f"{number}"}), "--metadata", "accuracy=1")
        return f"iris@{number}"

    assert "signature: unsigned; a signature by" in ada.gitreg("why", "iris@1", "production", code=4).out
    for who, says in {"bob": "✓ signature: signed by bob@example.com", "ada": "signed by ada@example.com; a",
                      "eve": "by a key of nobody in people"}.items():  # fmt: skip
        reference = sealed(who, {"bob": 2, "ada": 3, "eve": 4}[who])
        assert says in ada.gitreg("why", reference, "production", code=4).out  # it is not in staging
    ada.git("update-ref", "refs/tags/models/iris@1", "refs/tags/models/iris@2")
    assert (
        "its tag was made for something else (models/iris@2)" in ada.gitreg("why", "iris@1", "production", code=4).out
    )


@pytest.mark.slow
def test_what_is_misspelled_is_told_with_its_place(people: AS) -> None:
    ada = people("ada")
    said = settings(ada)
    commit(ada, {"gitreg.yaml": said.replace("at_least", "atleast")})
    for command in (["why", "iris@1", "production"], ["promote", "iris@1", "staging", "--force"]):
        code = 0 if command[0] == "promote" else 1  # it is in staging already
        ended = ada.gitreg(*command, code=code)
        assert code == 0 or "gitreg.yaml at /policies/production/gates/0/atleast: there is no field" in ended.err
    assert any("atleast" in problem["what"] + problem["where"] for problem in ada.doctor_says())

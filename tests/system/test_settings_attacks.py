"""Somebody with plain git tries to get past a server's hooks by what gitreg.yaml says, or by what a push hides."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.system.hooked import (
    HOOKS,
    POINTER,
    POLICY,
    STAGE,
    Server,
    commit,
    in_turns,
    key,
    keys,
    named,
    settings,
    with_policy,
)
from tests.system.world import Person, write

pytestmark = pytest.mark.slow

FIELDS = {
    "branch": lambda said: said.replace("branch: main", "branch: other"),
    "prefix": lambda said: said.replace("prefix: models", "prefix: other"),
    "id": lambda said: re.sub("^id: .*$", f"id: {'f' * 32}", said, flags=re.MULTILINE),
}


@in_turns("field", FIELDS)
def test_no_push_turns_the_guard_off(server: Server, field: str) -> None:
    with_policy(server)
    eve = server.eve
    commit(eve, settings(eve, FIELDS[field]))
    server.refused(f"gitreg.yaml at /{field}: cannot change once there are versions")
    commit(eve, {STAGE: POINTER.format(2, "x")})
    eve.git("revert", "--no-edit", "HEAD~1")  # and back again, all in one push
    server.refused(f"gitreg.yaml at /{field}: cannot change once there are versions")
    eve.git("tag", "-f", "-a", "-m", "x", "models/iris@1", "main")
    server.refused(f"gitreg.yaml at /{field}: cannot", "main", "+refs/tags/models/iris@1")


def test_two_commits_of_one_push_hide_no_entry(server: Server) -> None:
    with_policy(server)
    eve = server.eve
    commit(eve, {STAGE: POINTER.format(2, "in")})
    commit(eve, {STAGE: POINTER.format(1, "and out again")})
    server.refused("iris@2 may not enter production: metric: accuracy")
    commit(eve, {STAGE: POINTER.format(2, "back") + "rolled_back_from: '1'\n"})
    server.refused("iris@2 may not enter production")
    eve.git("reset", "-q", "--hard", "origin/main")
    commit(eve, {"models/iris/README.md": "# Iris\n"})
    commit(eve, {"models/iris/README.md": "# Irises\n"})
    server.accepted()


def test_a_merge_is_judged_by_what_it_brings(server: Server) -> None:
    with_policy(server)
    eve = server.eve
    eve.git("checkout", "-q", "-b", "side")
    commit(eve, {STAGE: POINTER.format(2, "in")})
    eve.git("checkout", "-q", "main")
    eve.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    commit(eve, {"models/iris/README.md": "# Iris\n"})
    server.refused("iris@2 may not enter production")


def test_a_rollback_to_an_unjudged_holder_is_judged(server: Server) -> None:
    eve = server.eve
    with_policy(server, "policies:\n  staging: {gates: [{metric: accuracy, at_least: 0.9}]}\n")
    commit(eve, {STAGE: POINTER.format(2, "nobody asks")})
    commit(eve, {STAGE: POINTER.format(1, "and back")})
    server.accepted()
    commit(eve, {STAGE: POINTER.format(2, "back") + "rolled_back_from: '1'\n"})
    server.accepted()  # its entry met the policy of its time, which asked nothing
    hook = next(each for each in HOOKS if (server.hub / "hooks" / each).exists())
    aside = (server.hub / "hooks" / hook).rename(server.hub / f"{hook}.aside")
    guarded = settings(eve, lambda said: said.replace("  staging:", "  production:"))
    commit(eve, guarded)
    commit(eve, {STAGE: POINTER.format(1, "by the policy")})
    commit(eve, {STAGE: POINTER.format(2, "past it, while no hook looked")})
    commit(eve, {STAGE: POINTER.format(1, "again")})
    server.accepted()
    aside.rename(server.hub / "hooks" / hook)
    commit(eve, {STAGE: POINTER.format(2, "back") + "rolled_back_from: '1'\n"})
    server.refused("iris@2 may not enter production: metric: accuracy")
    eve.git("reset", "-q", "--hard", "HEAD~1")
    assert eve.gitreg("rollback", "iris", "production", "--local", code=4).err.count("iris@2 may not enter") == 1


GUARDED = """\
policies:
  settings: {promoters: [ada@example.com]}
  production: {gates: [{metric: accuracy, at_least: 0.9}]}
"""
WEAKENINGS: dict[str, Callable[[str], str]] = {
    "no policies": lambda said: said[: said.index("policies:")],
    "a lower bound": lambda said: said.replace("0.9", "0.1"),
    "a promoter of one's own": lambda said: said.replace("[ada@example.com]", "[ada@example.com, eve@example.com]"),
    "people": lambda said: f"{said}people:\n  eve@example.com: [ssh-ed25519 AAAA]\n",
    "another store": lambda said: re.sub("^store: .*$", "store: /tmp/elsewhere", said, flags=re.MULTILINE),
    "no remote": lambda said: said.replace("remote: origin\n", ""),
    "other mirrors": lambda said: f"{said}mirrors:\n  stages: refs/others\n",
    "other stages": lambda said: said.replace("- staging\n", "- canary\n"),
}


@in_turns("what", WEAKENINGS)
def test_the_old_file_judges_settings(server: Server, what: str) -> None:
    with_policy(server, GUARDED)
    eve = server.eve
    change = settings(eve, WEAKENINGS[what])
    commit(eve, change)
    server.refused("gitreg.yaml changes who may do what: promoters: eve@example.com may not change that")
    eve.git("reset", "-q", "--hard", "origin/main")
    commit(eve.with_env(**named("ada")), change)
    server.accepted()


def test_deleting_policies_is_refused_or_told(server: Server) -> None:
    with_policy(server)
    eve = server.eve
    free = commit(eve, settings(eve, lambda said: said.replace(POLICY, "description: free for all\n")))
    says = "gitreg.yaml changes who may do what, and no settings policy says who may do that"
    server.refused(says)
    commit(eve, {STAGE: POINTER.format(2, "now nobody asks")})
    commit(eve, settings(eve, lambda said: said + POLICY))
    server.refused(says)
    eve.git("reset", "-q", "--hard", free)
    said = eve.gitreg("check", "--base", "origin/main").out
    assert "### Changes to who may do what" in said
    assert "- production loses: accuracy" in said
    assert "no settings policy: nobody is asked" in said
    (row,) = eve.gitreg("check", "--base", "origin/main", "--json").data["authority"]
    assert row == {
        "where": "production", "change": "loses", "rules": ["accuracy"], "sentence": "production loses: accuracy",
    }  # fmt: skip
    eve.at(server.hub).git("config", "gitreg.settings", "allow")
    server.accepted()
    commit(eve, settings(eve, lambda said: said + POLICY))
    server.accepted()  # where nothing is guarded, anybody may begin


def test_what_nobody_is_asked_for_stays_free(server: Server) -> None:
    with_policy(server, GUARDED)
    eve = server.eve
    commit(eve, settings(eve, lambda said: said.replace("policies:", "description: ours\npolicies:") + "# by Eve\n"))
    server.accepted()


def test_settings_change_by_approval_of_another_person_only(server: Server) -> None:
    people = keys(server, "ada", "bob", "eve")
    gate = "{approvals: {count: 1, by: [ada@example.com, bob@example.com]}}"
    with_policy(server, f"{POLICY}  settings: {{gates: [{gate}]}}\n{people}")
    eve = server.eve
    proposed = commit(eve, settings(eve, WEAKENINGS["a lower bound"]))
    server.refused("gitreg.yaml changes who may do what: approvals: 0 of 1 approvals")
    eve.git("reset", "-q", "--hard", "origin/main")
    bob, change = eve.with_env(**named("bob")), ("approve", "--settings", "--head", proposed)
    eve.gitreg(*change, "--key", key(server, "eve"), code=4)  # whose change it is
    bob.gitreg(*change, "--key", key(server, "eve"), code=4)  # whose key is another's
    bob.gitreg("approve", "--settings", "--head", "HEAD", "--key", key(server, "bob"), code=2)
    bob.gitreg("approve", "iris@1", "--settings", code=2)
    bob.gitreg("approve", "iris@1", code=2)
    bob.gitreg(*change, "--key", key(server, "bob"))
    approval = next((eve.here / "approvals/settings").glob("*/bob*.yaml"))
    assert "subject: settings" in approval.read_text()
    # Another change is not what was approved, nor is the same one from another file.
    other = eve.with_env(**named("eve"))
    commit(other, settings(eve, lambda said: said.replace("0.9", "0.2")))
    server.refused("approvals: 0 of 1 approvals")
    eve.git("reset", "-q", "--hard", "origin/main")
    forged = approval.read_text().replace("bob@example.com", "ada@example.com")
    name = approval.relative_to(eve.here).as_posix()
    weaker = settings(eve, WEAKENINGS["a lower bound"])
    commit(
        eve, {name.replace("bob", "ada"): forged, name: approval.read_text().replace("when: 2", "when: 3"), **weaker}
    )
    server.refused("approvals: 0 of 1 approvals; that of ada@example.com is not signed by a key of theirs")
    eve.git("reset", "-q", "--hard", "origin/main")
    eve.git("cherry-pick", proposed)
    server.accepted()


def test_settings_change_by_a_signed_commit_only(server: Server) -> None:
    people = keys(server, "ada", "eve")
    with_policy(server, f"{POLICY}  settings: {{gates: [{{signature: {{by: [ada@example.com]}}}}]}}\n{people}")
    eve = server.eve
    change = settings(eve, WEAKENINGS["a lower bound"])
    signing = ("-c", "gpg.format=ssh", "-c", "commit.gpgSign=true", "-c")
    for who in (None, "eve"):
        write(eve.here, change)
        how = (*signing, f"user.signingKey={key(server, who)}") if who else ()
        eve.git(*how, "commit", "-qam", "mine")
        server.refused("gitreg.yaml changes who may do what: signature: its commit is")
        eve.git("reset", "-q", "--hard", "origin/main")
    write(eve.here, change)
    eve.git(*signing, f"user.signingKey={key(server, 'ada')}", "commit", "-qam", "Ada's")
    server.accepted()


def test_a_signed_commit_changes_only_the_settings_that_it_was_made_upon(server: Server) -> None:
    people = keys(server, "ada", "eve")
    with_policy(server, f"{POLICY}  settings: {{gates: [{{signature: {{by: [ada@example.com]}}}}]}}\n{people}")
    eve, signed = server.eve, ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key(server, 'ada')}")
    write(eve.here, settings(eve, lambda said: said.replace("- staging\n", "- staging\n- canary\n")))
    eve.git(*signed, "commit", "-S", "-qam", "Ada's, which nobody merged")
    former = eve.git("rev-parse", "HEAD")
    eve.git("reset", "-q", "--hard", "origin/main")
    write(eve.here, settings(eve, lambda said: said.replace("at_least: 0.9", "at_least: 0.99")))
    eve.git(*signed, "commit", "-S", "-qam", "Ada's, since then")
    server.accepted()

    def merge(*parents: str) -> str:
        eve.git("checkout", "-q", "--detach", "main")
        eve.git("checkout", "-q", former, "--", "gitreg.yaml")
        lines = [part for parent in parents for part in ("-p", parent)]
        return eve.git("commit-tree", *lines, "-m", "Merge", eve.git("write-tree"))

    server.refused("signature: its commit was made upon another gitreg.yaml", f"{merge('main', former)}:main")
    eve.git("checkout", "-q", "-f", "main")
    back = commit(eve, {"gitreg.yaml": eve.git("show", f"{former}~1:gitreg.yaml") + "\n"})  # as Ada's began with
    eve.git("reset", "-q", "--hard", "origin/main")
    led = merge("main", merge(back, former))
    server.refused("signature: its commit was made upon another gitreg.yaml", f"{led}:main")


def test_an_approval_of_settings_is_for_one_registry_and_one_change(server: Server, tmp_path: Path) -> None:
    gate = "{approvals: {count: 1, by: [bob@example.com]}}"
    with_policy(server, f"{POLICY}  settings: {{gates: [{gate}]}}\n{keys(server, 'bob')}")
    eve = server.eve
    other = eve.at(tmp_path / "other")
    eve.git("clone", "-q", server.hub, other.here)
    other.git("remote", "set-url", "origin", tmp_path / "gone.git")
    commit(other, settings(other, FIELDS["id"]))
    other.git("checkout", "-q", "--orphan", "begun-anew")
    other.git("commit", "-q", "-m", "another registry of the same content")
    other.git("branch", "-M", "main")
    there = commit(other, settings(other, WEAKENINGS["a lower bound"]))
    other.git("checkout", "-q", "-B", "proposal")
    other.git("branch", "-f", "main", "HEAD~1")
    bob, how = other.with_env(**named("bob")), ("--key", key(server, "bob"), "--local")
    bob.gitreg("approve", "--settings", *how)
    approval = next(iter(bob.git("ls-tree", "-r", "--name-only", "main", "approvals").split()))
    # Here it is told of which registry it is, whatever it is called.
    eve.git("fetch", "-q", other.here, "proposal")
    said = eve.with_env(**named("bob")).gitreg("approve", "--settings", "--head", there, *how, code=4).err
    assert "is the gitreg.yaml of another registry: its id is ffffffff" in said
    change = settings(eve, WEAKENINGS["a lower bound"])
    old, new = ((eve.here / "gitreg.yaml").read_text(), change["gitreg.yaml"])
    name = f"approvals/settings/{sha256(new.encode()).hexdigest()}/{Path(approval).name}"
    forged = bob.git("show", f"main:{approval}") + "\n"
    for field, text in (("base", old), ("digest", new)):
        forged = re.sub(
            f"^{field}: .*$", f"{field}: sha256:{sha256(text.encode()).hexdigest()}", forged, flags=re.MULTILINE
        )
    commit(eve, {name: forged, **change})
    server.refused("approvals: 0 of 1 approvals; that of bob@example.com is for another registry")
    commit(eve, {name: forged.replace("f" * 32, eve.git("show", "main:gitreg.yaml").split("id: ")[1][:32])})
    eve.git("reset", "-q", "--soft", "origin/main")
    eve.git("commit", "-q", "-m", "and its id forged, too")
    server.refused("that of bob@example.com is not signed by a key of theirs")
    eve.git("reset", "-q", "--hard", "origin/main")
    # Nor does one count once the file before has become another.
    proposed = commit(eve, change)
    eve.git("reset", "-q", "--hard", "origin/main")
    eve.with_env(**named("bob")).gitreg("approve", "--settings", "--head", proposed, "--key", key(server, "bob"))
    commit(eve, settings(eve, lambda said: said.replace("policies:", "description: ours\npolicies:")))
    server.accepted()
    commit(eve, change)
    server.refused("that of bob@example.com is for another change of gitreg.yaml (sha256:")


def test_clients_say_that_nobody_is_asked_and_the_server_says_what_helps(server: Server) -> None:
    eve = server.eve
    eve.gitreg("hooks", "install")
    says = "warning: gitreg.yaml changes who may do what; no settings policy: nobody is asked"
    write(eve.here, settings(eve, lambda said: said + POLICY))
    assert "nobody is asked" not in eve.run("git", "commit", "-qam", "Policy").err  # where nobody was to be asked
    server.accepted()
    write(eve.here, settings(eve, lambda said: f"{said}  settings: {{promoters: [ada@example.com]}}\n"))
    committed = eve.run("git", "commit", "-qam", "Who may change that")
    assert (committed.code, says in committed.err) == (0, True), committed.err
    assert says in eve.run("git", "push", "-q", "--dry-run", "origin", "main").err
    server.refused("on the server: git config gitreg.settings allow, until this is pushed")
    eve.at(server.hub).git("config", "gitreg.settings", "allow")
    server.accepted()
    eve.at(server.hub).git("config", "--unset", "gitreg.settings")
    server.eve.git("commit", "-q", "--allow-empty", "-m", "x")
    server.accepted()


def test_what_moves_twice_in_a_proposal_is_refused(server: Server) -> None:
    with_policy(server)
    eve = server.eve
    start = eve.git("rev-parse", "HEAD")
    twice: dict[str, Callable[[int], object]] = {
        STAGE: lambda number: commit(eve, {STAGE: POINTER.format(2 - number % 2, number)}),
        "gitreg.yaml at /policies:": lambda number: commit(
            eve, settings(eve, lambda said: re.sub("at_least: .*", f"at_least: 0.5{number}", said))
        ),
    }
    for where, change in twice.items():
        change(0)
        assert "moves twice" not in eve.gitreg("check", "--base", start, code=4 if where == STAGE else 0).out
        change(1)
        assert f"{where} moves twice in this proposal" in problems(eve, start)
        eve.git("reset", "-q", "--hard", start)
    commit(eve, settings(eve, lambda said: said.replace("- staging\n", "- staging\n- aliases\n")))
    assert "gitreg.yaml at /stages: no stage may be called aliases" in problems(eve, start)


def problems(eve: Person, base: str) -> str:
    found = eve.gitreg("check", "--base", base, "--json", code=4).data["problems"]
    return "\n".join(f"{each['where']} {each['what']}" for each in found)


def test_an_entry_by_a_merge_is_told_by_the_commit_that_it_brings(server: Server) -> None:
    with_policy(server, "policies:\n  production: {promoters: [ada@example.com]}\n")
    eve = server.eve
    eve.git("checkout", "-q", "-b", "side")
    commit(eve.with_env(**named("ada")), {STAGE: POINTER.format(2, "by Ada")})
    eve.git("checkout", "-q", "main")
    eve.git("merge", "-q", "--no-ff", "-m", "Merge", "side")  # as a host merges for her
    server.accepted()
    eve.gitreg("verify", "iris@production")


ALIASES = """\
policies:
  aliases:
    promoters: [ada@example.com]
    overridable: [metric]
    gates: [{metric: accuracy, at_least: 0.9}]
"""


def alias(name: str, number: int) -> dict[str, str]:
    return {f"models/iris/aliases/{name}.yaml": f"format: 1\nkind: alias\nversion: '{number}'\n"}


def test_an_alias_keeps_its_policy(server: Server) -> None:
    with_policy(server, ALIASES)
    eve, ada = server.eve, server.eve.with_env(**named("ada"))
    commit(eve, alias("champion", 1))
    says = "iris@1 may not be called champion: promoters: eve@example.com may not set aliases"
    server.refused(says)
    assert says in problems(eve, "origin/main").replace("models/iris/aliases/champion.yaml ", "")
    eve.gitreg("alias", "delete", "iris", "champion", "--local")  # it comes and goes in one push
    server.refused(says)
    eve.git("reset", "-q", "--hard", "origin/main")
    commit(ada, alias("champion", 2))
    server.refused("iris@2 may not be called champion: metric: accuracy is 0.5")
    eve.git("commit", "-q", "--amend", "-m", "by hand\n\nGitreg-Overridden: promoters\n")  # which nobody may override
    eve.git("commit", "-q", "--amend", "--reset-author", "--no-edit")
    server.refused("promoters: eve@example.com may not set aliases")
    eve.git("reset", "-q", "--hard", "origin/main")
    eve.gitreg("alias", "set", "iris@1", "champion", code=4)
    ada.gitreg("alias", "set", "iris@2", "champion", code=4)
    assert "may not be called champion" in ada.gitreg("why", "iris@2", "--alias", "champion", code=4).err
    assert ada.gitreg("why", "iris@1", "--alias", "champion", "--json").data["stage"] == "aliases"
    ada.gitreg("why", "iris@1", "production", "--alias", "champion", code=2)
    ada.gitreg("alias", "set", "iris@2", "champion", "--force")
    assert "Gitreg-Overridden: metric" in eve.git("log", "-1", "--format=%B")
    eve.gitreg("alias", "delete", "iris", "champion")  # nobody is asked


def test_an_alias_gets_past_no_stages_policy(server: Server) -> None:
    with_policy(server)
    eve = server.eve
    eve.git("rm", "-q", STAGE)
    eve.git("commit", "-q", "-m", "production is free")
    server.accepted()
    for name in ("production", "Staging"):
        commit(eve, alias(name, 2))
        server.refused(f"models/iris/aliases/{name}.yaml is an alias that is called like a stage")
        eve.git("reset", "-q", "--hard", "origin/main")
    commit(eve, alias("3", 2))
    server.refused("alias '3' would be mistaken for a version")
    eve.git("reset", "-q", "--hard", "origin/main")
    head = commit(eve, alias("production", 2))
    eve.git("push", "-q", server.hub, "main", "--receive-pack=git -c core.hooksPath=/dev/null receive-pack")
    assert eve.at(server.hub).git("rev-parse", "main") == head
    eve.gitreg("show", "iris@production", code=3)  # nor where it stands
    (problem,) = [each for each in eve.doctor_says() if each["where"] == "models/iris/aliases/production.yaml"]
    assert problem["what"] == "is an alias that is called like a stage; it is not followed"


def test_a_version_gets_past_no_policy_by_its_name(server: Server) -> None:
    with_policy(server, f"{POLICY}  aliases: {{promoters: [ada@example.com]}}\n")
    eve = server.eve
    eve.with_env(**named("ada")).gitreg("alias", "set", "iris@1", "champion")
    record = (eve.here / "models/iris/versions/2.yaml").read_text().replace("number: 2", "number: 3")
    for name, says in (
        ("production", "is a version that is called like a stage; only its number means it"),
        ("Staging", "is a version that is called like a stage; only its number means it"),
        ("champion", "is misnamed: 'champion' is an alias of this model and cannot name a version"),
        ("latest", "is misnamed: 'latest' is a word of gitreg's and cannot name a version"),
    ):
        called = {f"models/iris/versions/{name}.yaml": record.replace("version: '2'", f"version: {name}")}
        commit(eve, called)
        server.refused(f"models/iris/versions/{name}.yaml {says}")
        eve.git("reset", "-q", "--hard", "origin/main")
    # Nor does a stage become one that a version is called already.
    commit(eve, {"models/iris/versions/canary.yaml": record.replace("version: '2'", "version: canary")})
    server.accepted()
    eve.at(server.hub).git("config", "gitreg.settings", "allow")
    commit(eve, settings(eve, lambda said: said.replace("- staging\n", "- staging\n- canary\n")))
    server.refused("models/iris/versions/canary.yaml is a version that is called like a stage")
    # Where one stands, the stage is meant.
    commit(eve, {"models/iris/versions/canary.yaml": record.replace("version: '2'", "version: canary")} | {"x": ""})
    eve.git("push", "-q", server.hub, "main", "--receive-pack=git -c core.hooksPath=/dev/null receive-pack")
    eve.gitreg("show", "iris@canary", code=3)
    eve.gitreg("show", "iris@3")
    problems = {each["where"]: each["what"] for each in eve.doctor_says()}
    assert "called like a stage; only its number" in problems["models/iris/versions/canary.yaml"]


def test_an_approval_for_aliases_counts_for_each_of_them_and_for_no_stage(server: Server) -> None:
    gates = "{gates: [{approvals: {by: [bob@example.com]}}]}"
    with_policy(server, f"policies:\n  aliases: {gates}\n  staging: {gates}\n{keys(server, 'bob')}")
    eve, bob = server.eve, server.eve.with_env(**named("bob"))
    commit(eve, alias("champion", 2))
    server.refused("iris@2 may not be called champion: approvals: 0 of 1")
    eve.git("reset", "-q", "--hard", "origin/main")
    bob.gitreg("approve", "iris@2", "aliases", "--key", key(server, "bob"))
    commit(eve, alias("champion", 2))
    server.accepted()
    commit(eve, {STAGE.replace("production", "staging"): POINTER.format(2, "x")})
    server.refused("iris@2 may not enter staging: approvals: 0 of 1")

"""Somebody with plain git pushes approvals that are none to a server with hooks, to get a version into production."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gitreg.policy.approval import NAMESPACE, statement
from tests.system.hooked import POINTER, STAGE, Server, commit, key, keys, named, settings, with_policy
from tests.system.world import Person, write

pytestmark = pytest.mark.slow

PEOPLE = ("ada", "bob", "cy")
GATE = "{approvals: {by: [ada@example.com, bob@example.com, cy@example.com]}}"
POLICY = f"policies:\n  production: {{gates: [{GATE}]}}\n"
ENTRY = {STAGE: POINTER.format(2, "let in")}
ID = re.compile("^id: (.*)$", re.MULTILINE)


def path(who: str, version: int = 2, stage: str = "production") -> str:
    return f"models/iris/approvals/{version}/{stage}/{who}%40example.com.yaml"


def approval(server: Server, who: str, signed_by: str | None = None, **other: Any) -> str:
    """Return an approval of iris@2 that a key has signed, whatever gitreg would say of it."""
    eve = server.eve
    (id_,) = ID.findall(eve.git("show", "HEAD:gitreg.yaml"))
    version = other.get("version", "2")
    record = eve.git("show", f"HEAD:models/iris/versions/{version}.yaml") + "\n"
    digest = eve.run("sha256sum", stdin=record).out.split()[0]
    said = {
        "format": 1, "kind": "approval", "registry": id_, "model": "iris", "version": version, "stage": "production",
        "digest": f"sha256:{digest}", "who": f"{who}@example.com", "when": "2026-11-22T10:00:00.123Z", **other,
    }  # fmt: skip
    said = {field: value for field, value in said.items() if value is not None}
    sign = ("ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", key(server, signed_by or who))
    signature = eve.run(*sign, stdin=statement(said).decode()).out
    assert signature.startswith("-----BEGIN SSH SIGNATURE-----")
    return json.dumps({**said, "signature": signature})


def refuses(server: Server, says: str, *approvals: tuple[str, str], **changes: str) -> None:
    """Push an entry with approvals, and hold that it is declined."""
    commit(server.eve, {**ENTRY, **dict(approvals), **changes})
    server.refused(says)
    server.eve.git("reset", "-q", "--hard", "origin/main")


def test_an_approval_is_by_its_persons_key_for_its_version_stage_and_registry(server: Server) -> None:
    with_policy(server, POLICY + keys(server, *PEOPLE))
    keys(server, "eve")  # whom nobody knows
    none = "iris@2 may not enter production: approvals: 0 of 1 approvals; "
    refuses(server, f"{none}they can come from")
    others_key = approval(server, "bob", signed_by="eve")
    refuses(server, f"{none}that of bob@example.com is not signed by a key of theirs", (path("bob"), others_key))
    copied = approval(server, "bob").replace("bob@", "cy@")
    refuses(server, f"{none}that of cy@example.com is not signed by a key of theirs", (path("cy"), copied))
    refuses(server, "that of eve@example.com does not count here", (path("eve"), approval(server, "eve")))
    for field, value, says in (
        ("registry", "f" * 32, "that of bob@example.com is for another registry"),
        ("registry", None, "that of bob@example.com names no registry"),
        ("digest", f"sha256:{'0' * 64}", "that of bob@example.com is for another record (sha256:000000000000...)"),
        ("until", "2026-01-01T00:00:00Z", "that of bob@example.com expired at 2026-01-01T00:00:00Z"),
        ("stage", "staging", "at /stage: is 'staging', but the file's path says 'production'"),
        ("version", "1", "at /version: is '1', but the file's path says '2'"),
    ):
        signed = approval(server, "bob", **{field: value})
        refuses(server, says, (path("bob"), signed))
        if field in ("stage", "version", "until"):  # what was signed is not what it says now
            edited = json.loads(approval(server, "bob")) | {"signature": json.loads(signed)["signature"]}
            refuses(server, f"{none}that of bob@example.com is not signed by", (path("bob"), json.dumps(edited)))
    # The key has to be one that the file before knows: a push brings none of its own.
    known = settings(server.eve, lambda said: said + f"  eve@example.com: ['{public(server, 'eve')}']\n")
    weaker = {name: said.replace("cy@example.com]", "cy@example.com, eve@example.com]") for name, said in known.items()}
    commit(server.eve, {**ENTRY, path("eve"): approval(server, "eve"), **weaker})
    server.refused("that of eve@example.com does not count here")
    server.eve.git("reset", "-q", "--hard", "origin/main")
    commit(server.eve, {**ENTRY, path("bob"): approval(server, "bob", until="2099-01-01T00:00:00Z")})
    server.accepted()


def public(server: Server, who: str) -> str:
    return key(server, who).with_suffix(".key.pub").read_text().strip()


def test_an_author_approves_under_none_of_their_emails_and_keys(server: Server) -> None:
    known = keys(server, *PEOPLE)
    for who in PEOPLE:
        mine = f"{{emails: [{who}@home.example], keys: ['{public(server, who)}']}}"
        known = known.replace(f"['{public(server, who)}']", mine)
    with_policy(server, POLICY + known)
    own = "0 of 1 approvals; that of {}@example.com, who made iris@{}, does not count"
    refuses(server, own.format("ada", 2), (path("ada"), approval(server, "ada")))
    at_home = {name: said.replace("cy@example.com", "CY@home.example") for name, said in named("cy").items()}
    save(server.eve.with_env(**at_home), "3")
    entry = {STAGE: POINTER.format(3, "mine")}
    commit(server.eve, {**entry, path("cy", 3): approval(server, "cy", version="3")})
    server.refused(own.format("cy", 3))
    server.eve.git("reset", "-q", "--hard", "origin/main")
    # Nor does who only commits what another made, or lends a key for it.
    by_bob = {name: said for name, said in named("bob").items() if "COMMITTER" in name}
    save(server.eve.with_env(**by_bob), "4")
    entry = {STAGE: POINTER.format(4, "mine")}
    commit(server.eve, {**entry, path("bob", 4): approval(server, "bob", version="4")})
    server.refused(own.format("bob", 4))
    server.eve.git("reset", "-q", "--hard", "origin/main")
    commit(server.eve, {**entry, path("cy", 4): approval(server, "cy", version="4")})
    server.accepted()


def save(person: Person, content: str) -> None:
    person.gitreg("save", "iris", write(person.here.parent / "w", {"m.bin": content}))


def test_an_unproven_author_lets_nobody_in_where_a_signature_is_asked_for(server: Server) -> None:
    with_policy(server, POLICY.replace("{by", "{author: signed, by") + keys(server, *PEOPLE))
    refuses(server, "author not proven: the record is unsigned", (path("bob"), approval(server, "bob")))
    eve = server.eve
    for number, (signer, says) in enumerate(
        [("eve", "author not proven: the record is"), ("bob", "who made iris@4")], 3
    ):
        if signer == "eve":
            keys(server, "eve")
        save(signing(server, signer), signer)
        entry = {STAGE: POINTER.format(number, "signed")}
        commit(eve, {**entry, path("bob", number): approval(server, "bob", version=str(number))})
        server.refused(says)
        eve.git("reset", "-q", "--hard", "origin/main")
    commit(eve, {**entry, path("cy", 4): approval(server, "cy", version="4")})
    server.accepted()


def signing(server: Server, who: str) -> Person:
    """Return Eve, whose Git signs commits with a key."""
    said = {"gpg.format": "ssh", "commit.gpgSign": "true", "user.signingKey": str(key(server, who))}
    env = {"GIT_CONFIG_COUNT": str(len(said))}
    for place, (name, value) in enumerate(said.items()):
        env |= {f"GIT_CONFIG_KEY_{place}": name, f"GIT_CONFIG_VALUE_{place}": value}
    return server.eve.with_env(**env)

"""No program runs because a repository's own configuration names it; the user's own configuration may name it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.system.world import PROGRAMS, Person, make_person, without_git, write

pytestmark = pytest.mark.slow

COMMANDS = (
    ("doctor",), ("check",), ("list", "--fetch"), ("pull",), ("sync",), ("save", "iris", "more"), ("push",),
    ("clone", "{url}", "../cloned"),
)  # fmt: skip
TOLD = "of this repository: only your own configuration names programs"


class Attack:
    """A clone whose configuration somebody else has written, and a program that tells when it is run."""

    def __init__(self, where: Path) -> None:
        ada = make_person(where)
        self.hub = where / "hub.git"
        ada.git("init", "-q", "--bare", "-b", "main", self.hub)
        ada.git("-C", self.hub, "config", "receive.certNonceSeed", "seed")  # it asks for signed pushes
        self.mine = ada.at(write(where / "mine", {"more/w.bin": "more", "w/w.bin": "w"}))
        self.mine.git("init", "-q", "-b", "main")
        self.mine.git("remote", "add", "origin", self.hub)
        self.mine.gitreg("init", "--remote", "origin", "--store-in-remote-folder")
        self.mine.gitreg("save", "iris", "w")
        write(where / "spare.git/objects", {"info/x": ""})
        ada.git("init", "-q", "--bare", where / "spare.git")
        write(self.mine.here, {".git/objects/info/alternates": f"{where}/spare.git/objects\n"})
        self.ran = where / "ran"
        self.evil = where / "evil"
        self.evil.write_text(f'#!/bin/sh\necho "$0 $*" >>{self.ran}\nexit 1\n')
        self.evil.chmod(0o755)

    def configure(self, settings: dict[str, str]) -> None:
        for key, value in settings.items():
            self.mine.git("config", "--add", key, value.format(evil=self.evil, hub=self.hub))

    def run(self, person: Person, *command: str) -> tuple[int, str]:
        url = person.git("config", "remote.origin.url") if command[0] == "clone" else ""
        ended = person.run(PROGRAMS / "gitreg", *(word.format(url=url) for word in command))
        assert "Traceback" not in ended.err
        assert not self.ran.exists(), f"{command}: {self.ran.read_text()}"
        return ended.code, ended.err


@pytest.fixture
def attack(tmp_path: Path) -> Attack:
    return Attack(tmp_path)


PACKS = {"remote.origin.uploadpack": "{evil}", "remote.origin.receivepack": "{evil}"}
REWRITTEN = {
    "protocol.ext.allow": "always",
    "url.ext::{evil} .insteadOf": "{hub}",
    "url.ext::{evil} /.pushInsteadOf": "",
}
HARMLESS = {"push.recurseSubmodules": "on-demand", "core.fsmonitor": "{evil}"}
"""What gitreg has never used."""
REST = {
    "protocol.allow": "always",
    "credential.helper": "!{evil}",
    "core.askPass": "{evil}",
    "core.gitProxy": "{evil}",
    "core.sshCommand": "{evil}",
    "core.alternateRefsCommand": "{evil}",
    "gpg.program": "{evil}",
    **HARMLESS,
}
FOLDERS = {
    "packs": PACKS,
    "another url": REWRITTEN,
    "a helper": {"remote.origin.vcs": "ext", "protocol.ext.allow": "always"},
    "all": {**PACKS, **REWRITTEN, "remote.origin.vcs": "ext", **REST},
}


@pytest.mark.parametrize("named", FOLDERS)
def test_no_program_of_a_repository_runs_and_its_remote_is_used_all_the_same(attack: Attack, named: str) -> None:
    settings = {key.format(evil=attack.evil): value for key, value in FOLDERS[named].items()}
    if named != "another url":  # included, it is the repository's own all the same
        attack.configure(settings)
    else:
        attack.mine.git("config", "include.path", "included")
        for key, value in settings.items():
            attack.mine.git("config", "--file", ".git/included", "--add", key, value.format(hub=attack.hub))
    for command in COMMANDS:
        code, err = attack.run(attack.mine, *command)
        assert code == (6 if command == ("doctor",) else 0), err
        if command[0] in ("list", "pull", "sync", "save", "push"):
            assert err.count(TOLD) == 1
    assert {row["where"] for row in attack.mine.doctor_says()} == settings.keys() - {*HARMLESS}
    tags = attack.mine.git("-C", attack.hub, "for-each-ref", "--format=%(refname)", "refs/tags")
    assert tags.split() == ["refs/tags/models/iris@1", "refs/tags/models/iris@2"]


@pytest.mark.parametrize("there_is_git", [True, False])
@pytest.mark.parametrize("url", ["ext::{evil} %S", "fd::17", "evil::x", "evil://x"])
def test_a_remote_that_a_program_speaks_to_is_refused_without_the_users_leave(
    attack: Attack, url: str, there_is_git: bool
) -> None:
    (attack.evil.parent / "git-remote-evil").symlink_to(attack.evil)
    mine = attack.mine.with_env(PATH=f"{attack.evil.parent}:{attack.mine.env['PATH']}")
    attack.configure({"protocol.allow": "always", "protocol.ext.allow": "always", "protocol.evil.allow": "always"})
    mine.git("config", "remote.origin.url", url.format(evil=attack.evil))
    asking = mine if there_is_git else without_git(attack.evil.parent, mine)
    for command in (command for command in COMMANDS if command[0] != "clone"):
        code, err = attack.run(asking, *command)
        if command != ("check",):
            assert code == (6 if command == ("doctor",) else 4), err  # doctor goes on, and names what is configured
            assert "is spoken to by a program" in err
    code, err = attack.run(mine, "clone", url.format(evil=attack.evil), "../cloned")
    assert code == 4, err


@pytest.mark.parametrize("there_is_git", [True, False])
@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("ssh://127.0.0.1:1/x", {"core.sshCommand": "{evil}"}),
        ("git://127.0.0.1:1/x", {"core.gitProxy": "{evil}"}),
        ("http://127.0.0.1:{port}/x", {"credential.helper": "!{evil}", "core.askPass": "{evil}"}),
        ("http://127.0.0.1:{port}/x", {"credential.http://127.0.0.1:{port}.helper": "!{evil}"}),
    ],
)
def test_no_program_of_a_repository_runs_where_another_machine_is_asked(
    attack: Attack, url: str, settings: dict[str, str], there_is_git: bool
) -> None:
    mine = attack.mine.with_env(GIT_TERMINAL_PROMPT="0")
    asking = mine if there_is_git else without_git(attack.evil.parent, mine)
    with _asking_for_a_login() as port:
        attack.configure({key.format(port=port): value for key, value in settings.items()})
        mine.git("config", "remote.origin.url", url.format(port=port))
        for command in COMMANDS[:-1]:
            code, err = attack.run(asking, *command)
            assert code != 0 or command == ("check",), err


def test_a_program_that_the_user_names_is_used(attack: Attack) -> None:
    mine = attack.mine
    mine.git("config", "--global", "core.sshCommand", attack.evil)
    mine.git("config", "core.sshCommand", "false")
    mine.git("config", "remote.origin.url", "ssh://127.0.0.1:1/x")
    mine.gitreg("pull", code=1)
    assert "127.0.0.1" in attack.ran.read_text()
    attack.ran.unlink()
    mine.git("config", "remote.origin.url", f"ext::{attack.evil} leave")
    mine.gitreg("pull", code=4)
    assert not attack.ran.exists()
    mine.git("config", "--global", "protocol.ext.allow", "always")
    mine.gitreg("pull", code=1)
    assert "leave" in attack.ran.read_text()


def test_a_push_that_is_signed_runs_no_program_of_the_repository(attack: Attack) -> None:
    attack.configure({"push.gpgSign": "if-asked", "gpg.program": "{evil}"})
    code, err = attack.run(attack.mine, "save", "iris", "more")
    assert code == 4, err  # the user's own gpg has no key, so git goes no further


def test_the_users_own_addresses_and_helpers_stay(attack: Attack) -> None:
    mine = attack.mine
    mine.git("config", "remote.origin.url", "models:hub")
    mine.git("config", "--global", f"url.{attack.hub}.insteadOf", "models:hub")
    mine.git("config", "url./nowhere.insteadOf", "models:")
    mine.gitreg("save", "iris", "more")
    assert "models/iris@2" in mine.git("-C", attack.hub, "tag")


@contextmanager
def _asking_for_a_login() -> Iterator[int]:
    """Serve nothing but the question for a password; yields the port."""

    class Asking(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - http.server's own name

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Asking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()

"""A server with hooks of gitreg's, and somebody who pushes to it with plain git."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.system.world import Ended, Person, write

POLICY = """\
policies:
  production:
    gates:
    - metric: accuracy
      at_least: 0.9
"""
STAGE = "models/iris/stages/production.yaml"
POINTER = "format: 1\nkind: stage\nversion: '{}'\nreason: {}\n"
HOOKS = ("pre-receive", "update")


class Server(NamedTuple):
    """A registry on a server with hooks: iris@1 (accuracy 0.95) is in production, iris@2 (0.5) is not."""

    hub: Path
    eve: Person

    def push(self, *refspecs: str) -> Ended:
        return self.eve.run("git", "push", "--atomic", "origin", *(refspecs or ("main",)))

    def refused(self, says: str, *refspecs: str) -> None:
        """Push, and hold that it is declined in words and that nothing has moved."""
        before = self.refs()
        pushed = self.push(*refspecs)
        assert pushed.code == 1, pushed
        assert says in re.sub(r"\s*\nremote: +", " ", pushed.err.replace("\x1b[K", "")), pushed.err
        assert "Traceback" not in pushed.err
        assert self.refs() == before

    def accepted(self, *refspecs: str) -> None:
        pushed = self.push(*refspecs)
        assert pushed.code == 0, pushed.err

    def refs(self) -> str:
        return self.eve.at(self.hub).git("for-each-ref")


def in_turns(name: str, cases: Iterable[str]) -> pytest.MarkDecorator:
    """Each case at one of the hooks: they lead to the same rules, and the cases differ in what is pushed alone."""
    return pytest.mark.parametrize(("server", name), list(zip(cycle(HOOKS), cases, strict=False)), indirect=["server"])


def named(who: str) -> dict[str, str]:
    name, email = who.title(), f"{who}@example.com"
    return {
        f"GIT_{role}_{what}": said
        for role in ("AUTHOR", "COMMITTER")
        for what, said in (("NAME", name), ("EMAIL", email))
    }


def commit(eve: Person, files: dict[str, str], message: str = "by hand") -> str:
    write(eve.here, files)
    eve.git("add", "-A")
    eve.git("commit", "-q", "-m", message)
    return eve.git("rev-parse", "HEAD")


def settings(eve: Person, change: Callable[[str], str] = lambda said: said) -> dict[str, str]:
    return {"gitreg.yaml": change((eve.here / "gitreg.yaml").read_text())}


def with_policy(server: Server, policy: str = POLICY) -> None:
    commit(server.eve, settings(server.eve, lambda said: said + policy))
    server.accepted()


def key(server: Server, who: str) -> Path:
    return server.hub.parent / f"{who}.key"


def keys(server: Server, *names: str) -> str:
    """Make keys in the home that all share, and return ``people`` of them."""
    said = "people:\n"
    for who in names:
        file = key(server, who)
        server.eve.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", file)
        said += f"  {who}@example.com: ['{file.with_name(f'{file.name}.pub').read_text().strip()}']\n"
    return said

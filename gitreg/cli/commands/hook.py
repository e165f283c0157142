"""``gitreg hook``: the commands that the shims in hooks/ call.

Each command imports its hook only when it runs: git waits for them, and those of a clone need twice as many modules as
post-receive.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from gitreg import hooks
from gitreg.cli.group import Group
from gitreg.cli.text import one_line
from gitreg.errors import InvalidInput, NotFound, Refused
from gitreg.git import RefUpdate, Repository
from gitreg.registry.discovery.location import locate
from gitreg.sdk.environment import Environment

if TYPE_CHECKING:
    from gitreg.registry.rules.problem import Problem

_ZEROS = frozenset("0")


@click.group("hook", cls=Group, hidden=True)
def command() -> None:
    """Run by git's hooks, in the repository that they are of; `gitreg hooks install` puts those there."""


@command.command("pre-commit")
def pre_commit() -> None:
    """Refuse a commit whose registry files are wrong, or change what is sealed."""
    with _repository() as (repository, _):
        _refuse(hooks.client_hooks.pre_commit(repository), "commit")


@command.command("pre-push")
@click.argument("remote", required=False)
@click.argument("url", required=False)
def pre_push(remote: str | None, url: str | None) -> None:
    """Refuse a push of versions whose weights are in no store.

    What is pushed is said on standard input as git says it, or by the pre-commit framework's variables.
    """
    with _repository() as (repository, environment):
        updates = _pushed(sys.stdin.read(), repository, environment)
        name = remote or environment.env.get("PRE_COMMIT_REMOTE_NAME") or url or "origin"
        _refuse(hooks.client_hooks.pre_push(repository, environment, name, updates), "push")


@command.command("post-merge")
@click.argument("squash", required=False, expose_value=False)
def post_merge() -> None:
    """Move the refs of stages and aliases to what was merged."""
    with _repository() as (repository, environment):
        try:
            start = locate(environment.folder, env=environment.env)
        except NotFound:
            return  # nothing of a registry was merged
        with start.repository:
            hooks.client_hooks.post_merge(repository, environment, start)


@command.command("pre-receive")
def pre_receive() -> None:
    """Refuse a push that would break a registry of this server."""
    with _repository() as (repository, environment):
        _refuse(hooks.server_hooks.pre_receive(repository, environment, _received(sys.stdin.read())), "push")


@command.command("update")
@click.argument("ref")
@click.argument("old")
@click.argument("new")
def update(ref: str, old: str, new: str) -> None:
    """Refuse a move of one ref that would break a registry of this server."""
    with _repository() as (repository, environment):
        _refuse(
            hooks.server_hooks.pre_receive(repository, environment, [_update(ref, old, new)], one_by_one=True), "push"
        )


@command.command("post-receive")
def post_receive() -> None:
    """Make the tags and refs that follow from what was pushed."""
    with _repository() as (repository, environment):
        for ref in hooks.server_hooks.post_receive(repository, environment, _received(sys.stdin.read())):
            click.echo(f"gitreg: {one_line(ref)}", err=True)


@contextmanager
def _repository() -> Iterator[tuple[Repository, Environment]]:
    """Open the repository whose hook this is."""
    environment = Environment.of_this_process()
    with Repository.discover(environment.folder, env=environment.env) as repository:
        yield repository, environment


def _refuse(problems: Iterable[Problem], operation: str) -> None:
    found = list(dict.fromkeys(problems))
    for problem in found:
        click.echo(f"gitreg: {one_line(problem.where)} {one_line(problem.what)}", err=True)
        click.echo(f"gitreg:   {one_line(problem.remedy)}", err=True)
    if found:
        count = f"{len(found)} problem{'' if len(found) == 1 else 's'}"
        raise Refused(f"this {operation} is refused: {count}, named above", hint="nothing has changed")


def _received(text: str) -> list[RefUpdate]:
    """Read what git tells pre-receive and post-receive: ``<old> <new> <ref>`` on each line."""
    updates = []
    for line in text.splitlines():
        old, _, rest = line.partition(" ")
        new, _, ref = rest.partition(" ")
        updates.append(_update(ref, old, new))
    return updates


def _pushed(text: str, repository: Repository, environment: Environment) -> list[RefUpdate]:
    """Read what git tells pre-push: ``<local ref> <new> <remote ref> <old>`` on each line.

    The pre-commit framework keeps it to itself and says in the environment what the first line was about; of a push of
    a whole history no commits, only the branch.
    """
    env = environment.env
    if not text.strip() and env.get("PRE_COMMIT_REMOTE_BRANCH"):
        new = env.get("PRE_COMMIT_TO_REF") or repository.resolve(env.get("PRE_COMMIT_LOCAL_BRANCH", "HEAD")) or ""
        return [_update(env["PRE_COMMIT_REMOTE_BRANCH"], env.get("PRE_COMMIT_FROM_REF", "0"), new)]
    updates = []
    for line in text.splitlines():
        fields = line.rsplit(" ", 3)
        if len(fields) != 4:
            raise InvalidInput(f"{line!r} is not what git tells pre-push", hint="see githooks(5)")
        updates.append(_update(fields[2], fields[3], fields[1]))
    return updates


def _update(ref: str, old: str, new: str) -> RefUpdate:
    return RefUpdate(ref, None if set(new) <= _ZEROS else new, None if set(old) <= _ZEROS else old)

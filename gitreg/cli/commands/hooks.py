"""``gitreg hooks``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from gitreg.cli.click_completion import complete_fields
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.group import Group
from gitreg.cli.options import listing_options, open_registry, output_option
from gitreg.cli.output import emit, print_done
from gitreg.cli.results import after_the_work
from gitreg.git import Repository
from gitreg.git.program import without_repository
from gitreg.hooks.install import OF_A_CLONE, OF_A_SERVER, HookPlacement, installed
from gitreg.hooks.install import install as install_hooks
from gitreg.hooks.install import uninstall as uninstall_hooks
from gitreg.hooks.server_hooks import write_first_receipts
from gitreg.sdk.environment import Environment

_COLUMNS = ("name", "path", "what")


@click.group("hooks", cls=Group, default="list")
def command() -> None:
    """Install git hooks: before a commit, before a push, and on a server of your own."""


@command.command("list", examples=["gitreg hooks", "gitreg hooks --json"], guides=["hooks"])
@listing_options(complete_fields(_COLUMNS))
def list_(output: str) -> None:
    """List the hooks of gitreg that are installed."""
    _report(installed(_repository()), output)


@command.command(
    "install",
    examples=[
        "gitreg hooks install",
        "gitreg --repo ../host/shop.git hooks install --server",
    ],
    guides=["hooks"],
)
@click.option("--server", is_flag=True, help="Install the hooks of a server: pushes have to keep the rules.")
@output_option
def install(server: bool, output: str) -> None:
    """Install gitreg's hooks; an existing hook is kept and runs first.

    In a clone: pre-commit (files are sound, sealed records stay), pre-push (weights are in the store) and
    post-merge (refs follow). On a server: pre-receive (sealed records, tags made once, forward only,
    files are sound, the policy) and post-receive (tags and refs follow).
    """
    repository = _repository()
    placed = list(install_hooks(repository, OF_A_SERVER if server else OF_A_CLONE, program=_program()))
    if server:
        write_first_receipts(repository, Environment.of_this_process())
    _report(placed, output)


@command.command(
    "uninstall",
    examples=[
        "gitreg hooks uninstall",
    ],
    guides=["hooks"],
)
@output_option
def uninstall(output: str) -> None:
    """Remove gitreg's hooks and restore those that were there before."""
    _report(uninstall_hooks(_repository()), output)


def _repository() -> Repository:
    """Open the repository that is meant; a server's may be empty yet."""
    ctx = click.get_current_context()
    environment = Environment.of_this_process()
    repo = ctx.ensure_object(GlobalOptions).repo
    if repo is not None and "#" in repo:
        return open_registry().session.branch.repository
    env = without_repository(environment.env) if repo else environment.env
    repository = Repository.discover(environment.folder / (repo or "."), env=env)
    ctx.call_on_close(repository.close)
    return repository


def _program() -> str | None:
    """Return the path of this program: git's hooks may have another PATH."""
    path = Path(os.path.abspath(shutil.which(sys.argv[0]) or sys.argv[0]))
    return str(path) if path.name in ("gitreg", "git-reg") and os.access(path, os.X_OK) else None


def _report(placed: Iterable[HookPlacement], output: str) -> None:
    rows = [each._asdict() for each in placed]
    with after_the_work():
        if output != "table":
            emit(rows, output, rows=rows, columns=_COLUMNS, name="{name}")
        elif not rows:
            print_done("There are no hooks of gitreg")
        else:
            for row in rows:
                print_done(f"{row['name']}: {row['what']}")

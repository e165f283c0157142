"""``gitreg clone``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete_path
from gitreg.cli.command import Command
from gitreg.cli.options import output_option
from gitreg.cli.output import emit, print_done
from gitreg.cli.progress import show_progress
from gitreg.cli.results import after_the_work
from gitreg.errors import Refused
from gitreg.registry.state.store_urls import is_private
from gitreg.sdk import verbs
from gitreg.sdk.session import Session
from gitreg.units import counted


def _weights(session: Session) -> str:
    """Return the place of the weights for the message; empty where a warning has told that they are in no reach."""
    if is_private(session.snapshot().settings.store):
        return ""
    trusted = not isinstance(session.named_stores()[0].error, Refused)
    return f"; weights come from {session.store_url}{'' if trusted else ', once you trust it: `gitreg trust --stores`'}"


@click.command(
    "clone",
    cls=Command,
    examples=[
        "gitreg clone https://github.com/acme/shop.git",
        "gitreg clone https://github.com/acme/shop.git ../copy",
    ],
    exit_codes={3: "there is no registry at the URL"},
    guides=["team"],
)
@click.argument("url", metavar="URL", shell_complete=complete_path)
@click.argument("path", required=False, type=click.Path(file_okay=False))
@output_option
def command(url: str, path: str | None, output: str) -> None:
    """Clone the registry at URL, as `git clone` does, with its stages.

    It is the registry of the default branch, or else the only one on all branches; URL#BRANCH names another one.
    """
    show_progress()
    with verbs.remotes.clone(url, path) as registry, after_the_work():
        if output != "table":
            branch = registry.branch
            data = {"made": True, "folder": str(registry.folder), "branch": branch.name, "root": branch.root}
            emit({**data, "store": registry.store_url, "remote": registry.remote}, output)
            return
        snapshot = registry.snapshot()
        models = snapshot.model_names()
        versions = sum(len(list(snapshot.versions(model))) for model in models)
        holds = f"{counted(len(models), 'model')}, {counted(versions, 'version')}"
        print_done(f"Cloned into {registry.folder} ({holds}){_weights(registry)}")
        if registry.upstream is None:
            print_done("gitreg.yaml declares no remote: what you save stays in this clone")

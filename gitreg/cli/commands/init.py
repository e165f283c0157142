"""``gitreg init``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete, complete_path
from gitreg.cli.options import NamedPath, output_option
from gitreg.cli.output import emit, print_done
from gitreg.cli.results import after_the_work
from gitreg.sdk.registry import Registry


@click.command("init")
@click.argument("path", required=False, type=NamedPath(file_okay=False))
@click.option(
    "--store",
    metavar="URL",
    shell_complete=complete_path,
    help="Where the weights lie.  [default: a folder inside .git]",
)
@click.option(
    "--branch",
    metavar="NAME",
    shell_complete=complete("branches"),
    help="The registry's branch.  [default: main; in a project's repository: registry]",
)
@click.option(
    "--remote",
    metavar="NAME",
    shell_complete=complete("remotes"),
    help="The Git remote that all clones share, as `origin`; it moves first.",
)
@click.option(
    "--store-in-remote-folder", is_flag=True, help="Keep the weights inside of the remote, where that is a folder."
)
@click.option("--prefix", metavar="NAME", help="The folder of the version tags.  [default: models]")
@output_option
def command(
    path: str | None,
    store: str | None,
    branch: str | None,
    remote: str | None,
    store_in_remote_folder: bool,
    prefix: str | None,
    output: str,
) -> None:
    """Make a registry at PATH, or here: a new repository, or a branch of its own inside an existing one.

    With --remote, the weights need a store that all clones reach: --store, or --store-in-remote-folder.
    """
    registry, made = Registry.init(
        path, store=store, branch=branch, prefix=prefix, remote=remote, store_in_remote_folder=store_in_remote_folder
    )
    with registry, after_the_work():
        made_branch = registry.session.branch
        if output != "table":
            data = {"made": made, "folder": str(registry.folder), "branch": made_branch.name, "root": made_branch.root}
            emit({**data, "store": registry.store_url, "remote": registry.session.remote}, output)
            return
        verb = "Made a registry" if made else "There is a registry already"
        inside = f"/{made_branch.root}" if made_branch.root else ""
        print_done(
            f"{verb} in {registry.folder}{inside}, on the branch {made_branch.name}; weights go to {registry.store_url}"
        )
        if remote:
            print_done(f"Published to {remote}")
        if made:
            print_done("Next: gitreg save MODEL PATH")

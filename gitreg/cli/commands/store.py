"""``gitreg store``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitreg.cli.arguments import ReferenceArgument
from gitreg.cli.click_completion import complete, complete_fields, complete_reference
from gitreg.cli.group import Group
from gitreg.cli.options import listing_options, local_option, open_registry, output_option, pr_option
from gitreg.cli.output import emit, note, print_done, print_table
from gitreg.cli.progress import progress
from gitreg.cli.results import report
from gitreg.errors import IntegrityError
from gitreg.sdk import verbs
from gitreg.units import counted, size_text

if TYPE_CHECKING:
    from gitreg.registry.weights.replica_status import CopiedVersion, ReplicaStatus, Replication

_STATUS_COLUMNS = ("reference", "store", "state", "held", "files")
_COPY_COLUMNS = ("reference", "files", "size", "problem")


@click.group("store", cls=Group, default="status")
def command() -> None:
    """Keep weights in several stores."""


@command.command(
    "status",
    examples=[
        "gitreg store status",
        "gitreg store status ranker@production",
    ],
    exit_codes={3: "there is no such version"},
    guides=["stores"],
)
@click.argument("reference", metavar="[REF]", cls=ReferenceArgument, required=False, shell_complete=complete_reference)
@listing_options(complete_fields(_STATUS_COLUMNS))
def status(reference: str | None, output: str) -> None:
    """Show which store has the files of each version.

    For each store: whole, part (how many of its files), absent, not trusted or unreachable.
    """
    registry = open_registry()
    table = verbs.stores.held(registry.session, [] if reference is None else [reference])
    if output != "table":
        rows = [holding.row() for row in table for holding in row]
        emit(rows, output, rows=rows, columns=_STATUS_COLUMNS, name="{reference}")
        return
    stores = [named.url for named in registry.session.named_stores()]
    print_table(["version", *stores], [(row[0].reference, *map(_state, row)) for row in table])


def _state(holding: ReplicaStatus) -> str:
    if holding.state == "part":
        return f"part ({holding.present} of {holding.files} files)"
    return holding.state


@command.command(
    "copy",
    examples=[
        "gitreg store copy --to ../copies",
        "gitreg store copy ranker@production --to ../copies",
    ],
    exit_codes={3: "there is no such version or store", 6: "a file could not be copied whole"},
    guides=["stores"],
)
@click.argument("references", metavar="[REF]...", nargs=-1, shell_complete=complete_reference)
@click.option(
    "--to",
    metavar="URL|PATH",
    shell_complete=complete("stores"),
    help="Store to copy to.  [default: the store that is saved to]",
)
@click.option(
    "--from",
    "source",
    metavar="URL|PATH",
    shell_complete=complete("stores"),
    help="Store to copy from.  [default: those in gitreg.yaml]",
)
@listing_options(complete_fields(_COPY_COLUMNS))
def copy(references: tuple[str, ...], to: str | None, source: str | None, output: str) -> None:
    """Copy missing files from one store to another, verified.

    Without REF, of all versions. A store that is named here is trusted by that. What was copied before an
    interruption is not copied again.
    """
    work = verbs.stores.copying(open_registry().session, references, to=to, source=source)
    with progress("Copying", lambda: work.size) as bar:
        done = list(work.run(bar))
    failed = [each for each in done if each.problem is not None]
    files, size = sum(each.files for each in done), sum(each.size for each in done)
    if output == "table":
        if failed:
            print_table(["version", "problem"], [(each.reference, each.problem) for each in failed])
        print_done(f"Copied {counted(files, 'file')}, {size_text(size)}, to {work.target}")
    else:
        rows = [each.row() for each in done]
        emit(rows, output, rows=rows, columns=_COPY_COLUMNS, name="{reference}")
    if failed:
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise IntegrityError(
            f"{failed[0].reference}: {failed[0].problem}{more}", hint="all else was copied; see `gitreg store status`"
        )


@command.command(
    "create",
    examples=[
        "gitreg store create ../copies",
    ],
    guides=["stores"],
)
@click.argument("url", metavar="URL|PATH", shell_complete=complete("stores"))
@output_option
def create(url: str, output: str) -> None:
    """Make a store at a place that is none yet.

    `gitreg init` and `gitreg store add` do the same for the store that they name. The bucket itself has to be there.
    """
    address, made = verbs.stores.create_store(url)
    if output != "table":
        emit({"store": address, "made": made}, output)
        return
    print_done(f"Made the store {address}" if made else f"{address} is a store already")


@command.command(
    "set",
    examples=[
        "gitreg store set ../bigger --copy",
    ],
    exit_codes={4: "weights are missing there: --copy copies them first"},
    guides=["stores"],
)
@click.argument("url", metavar="URL|PATH", shell_complete=complete("stores"))
@click.option("--copy", "copying", is_flag=True, help="Copy all weights there first, verified.")
@output_option
@local_option
@pr_option
def set_primary(url: str, copying: bool, output: str) -> None:
    """Save to another store from now on, and trust it.

    Clones learn of it at their next pull.

    All weights have to be in it first: those of versions, artifacts, drafts and proposals. What the former store holds
    stays there.
    """
    registry = open_registry()
    former = registry.session.store_url

    def fill(work: Replication) -> list[CopiedVersion]:
        with progress("Copying", lambda: work.size) as bar:
            return list(work.run(bar))

    outcome = verbs.stores.set_store(registry.session, url, fill if copying else None)
    report(registry, outcome, output, nothing=f"The weights already go to {url}")
    if outcome.proposal is not None:
        note(f"before it is merged, once more, for what is saved until then: `gitreg store copy --to {url}`")
    elif output == "table" and outcome.commit:
        print_done(f"What {former} holds stays there; nothing more is saved to it")


@command.command(
    "add",
    examples=[
        "gitreg store add ../copies",
    ],
    guides=["stores"],
)
@click.argument("url", metavar="URL|PATH", shell_complete=complete("stores"))
@output_option
@local_option
def add(url: str, output: str) -> None:
    """Name another store that holds copies, and trust it.

    `gitreg store copy --to` fills it.
    """
    registry = open_registry()
    report(
        registry,
        verbs.stores.add_store(registry.session, url),
        output,
        nothing=f"{url} is already a store of this registry",
    )


@command.command(
    "remove",
    examples=[
        "gitreg store remove ../old-copies",
    ],
    exit_codes={3: "gitreg.yaml names no such store"},
    guides=["stores"],
)
@click.argument("url", metavar="URL|PATH", shell_complete=complete("replicas"))
@output_option
@local_option
def remove(url: str, output: str) -> None:
    """Forget a store of copies; its files stay there."""
    registry = open_registry()
    report(registry, verbs.stores.remove_store(registry.session, url), output)

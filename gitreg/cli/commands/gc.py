"""``gitreg gc``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gitreg.cli.click_completion import complete_fields
from gitreg.cli.command import Command
from gitreg.cli.options import listing_options, open_registry
from gitreg.cli.output import emit, print_line, print_table
from gitreg.cli.results import after_the_work
from gitreg.errors import InvalidInput
from gitreg.units import parse_duration, size_text

if TYPE_CHECKING:
    from gitreg.registry.weights.garbage import Garbage

_GRACE = "14d"
_COLUMNS = ("key", "size", "since", "reason", "model", "version", "registry", "done")


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return parse_duration(str(value))
        except InvalidInput as error:
            self.fail(f"{error.message}: {error.hint}", param, ctx)


@click.command(
    "gc",
    cls=Command,
    examples=[
        "gitreg gc",
        "gitreg gc --apply",
        "gitreg gc --undo",
        "gitreg gc --purge --grace 30d",
    ],
    exit_codes={4: "a registry that uses the store cannot be read"},
    guides=["stores"],
)
@click.option("--apply", is_flag=True, help="Move them to the store's trash.")
@click.option("--undo", is_flag=True, help="Restore everything from the trash.")
@click.option("--purge", is_flag=True, help="Delete what has been in the trash longer than the grace time.")
@click.option(
    "--grace",
    type=_Duration(),
    default=_GRACE,
    show_default=True,
    metavar="DURATION",
    help="Keep what is younger than this (s, m, h, d, w).",
)
@click.option(
    "--release",
    multiple=True,
    metavar="CLAIM",
    help="First drop a claim on the store that was not renewed for 90 days.",
)
@listing_options(complete_fields(_COLUMNS))
def command(apply: bool, undo: bool, purge: bool, grace: float, release: tuple[str, ...], output: str) -> None:
    """Show, or remove, weights that no version refers to, and what interrupted saves left behind."""
    if apply + undo + purge > 1:
        raise InvalidInput("--apply, --undo and --purge exclude one another", hint="choose one of them")
    registry = open_registry()
    if release:
        registry.release_claims(release)
    if undo:
        found, did = registry.return_garbage(), "Returned from the trash"
    elif purge:
        found, did = registry.purge_garbage(grace=grace), "Removed for good"
    else:
        found = registry.collect_garbage(grace=grace, apply=apply)
        did = "Moved to the trash" if apply else ""
    with after_the_work() if did else nullcontext():
        if output != "table":
            rows = [{**asdict(one), "since": _when(one.since), "done": bool(did)} for one in found]
            emit(rows, output, rows=rows, columns=_COLUMNS, name="{key}")
            return
        _print(found)
        if did:
            nothing = "Nothing to return" if undo else "Nothing to remove"
            if apply:
                nothing += "; `gitreg gc` shows what the grace time keeps"
            print_line(f"{did}: {_sum(found)}" if found else nothing)
            return
        thrown, recent = ([one for one in found if one.reason == reason] for reason in ("trash", "recent"))
        rest = [one for one in found if one.reason not in ("trash", "recent")]
        nothing = "Nothing to collect yet" if recent else "Nothing to collect"
        given = "" if grace == parse_duration(_GRACE) else f" --grace {grace:.0f}s"
        print_line(f"`gitreg gc --apply{given}` would take {_sum(rest)}" if rest else nothing)
        if recent:
            first = _when(min(one.since for one in recent) + grace)
            print_line(f"Within the grace time: {_sum(recent)}; the first may go on {first}, with --grace 0s at once")
        if thrown:
            print_line(f"In the trash: {_sum(thrown)}, until `gitreg gc --purge`; `gitreg gc --undo` returns it")


def _print(found: Iterable[Garbage]) -> None:
    """Print a line for each model and reason, the largest first."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for one in found:
        count, size = sums.get(line := (one.model or "", _why(one)), (0, 0))
        sums[line] = (count + 1, size + one.size)
    ordered = sorted(sums.items(), key=lambda item: (-item[1][1], item[0]))
    if ordered:
        cells = [(model, why, count, size_text(size)) for (model, why), (count, size) in ordered]
        print_table(["model", "why", "objects", "size"], cells, right=["objects", "size"])


def _why(one: Garbage) -> str:
    where = f" in {one.registry}" if one.registry else ""
    whose = f"version {one.version} is deleted{where}" if one.version else "no record names it"
    if one.reason == "trash":
        return f"in the trash since {_when(one.since)}: {whose}"
    if one.reason == "recent":
        return f"within the grace time: {whose}"
    if one.reason == "unfinished":
        return "a killed save left it"
    if one.reason == "damaged":
        return "damaged, set aside"
    return whose


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _sum(found: list[Garbage]) -> str:
    count = f"{len(found)} object{'' if len(found) == 1 else 's'}"
    return f"{count}, {size_text(sum(one.size for one in found))}"

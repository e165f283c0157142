"""``gitreg lineage``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitreg.cli.arguments import ReferenceArgument
from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.global_options import is_quiet
from gitreg.cli.options import at_option, fetch_option, format_option, open_registry
from gitreg.cli.output import emit, print_line, print_text
from gitreg.cli.terminal import start_pager
from gitreg.cli.text import one_line
from gitreg.registry.lineage.graphs import label, to_dot, to_mermaid

if TYPE_CHECKING:
    from gitreg.registry.lineage.lineage import Lineage
    from gitreg.registry.lineage.provenance import NodeId

_COLUMNS = ("source.kind", "source.name", "target.kind", "target.name", "how")
"""The columns of CSV, which has a line for each edge."""


@click.command(
    "lineage",
    cls=Command,
    examples=[
        "gitreg lineage ranker@production",
        "gitreg lineage ranker@3 --up --depth 2",
        "gitreg lineage ranker@3 -o mermaid > lineage.mmd",
        "gitreg lineage clicks",
    ],
    exit_codes={3: "there is no such version, artifact or run"},
    guides=["runs"],
)
@click.argument("reference", metavar="REF", cls=ReferenceArgument, shell_complete=complete("lineage_roots"))
@click.option("--up", is_flag=True, help="Show only what it was made from.")
@click.option("--down", is_flag=True, help="Show only what was made from it.")
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Number of steps to follow.  [default: all]")
@at_option
@format_option("tree", "mermaid", "dot", "json", "yaml", "csv", "jsonl")
@fetch_option
def command(reference: str, up: bool, down: bool, depth: int | None, at: str | None, output: str) -> None:
    """Show what a version was made from, and what was made from it.

    REF is a version of a model, NAME[@VERSION] of an artifact, or PIPELINE/RUN.
    """
    found = open_registry().lineage(reference, up=up or not down, down=down or not up, depth=depth, at=at)
    if output in ("json", "jsonl", "yaml"):
        emit(found.to_data(), output)
    elif output == "csv":
        rows = [dict(zip(_COLUMNS, (*edge.source, *edge.target, edge.relation), strict=True)) for edge in found.edges]
        emit(rows, output, rows=rows, columns=_COLUMNS)
    elif output == "tree" and is_quiet():
        for place in found.nodes:
            print_line(place.name)
    elif output == "mermaid":
        print_text(to_mermaid(found))
    elif output == "dot":
        print_text(to_dot(found))
    else:
        start_pager()
        print_text("\n".join(_tree(found)))


def _tree(found: Lineage) -> list[str]:
    """Draw two trees: up and down from the root. What was drawn before is named, and not drawn again."""
    lines = [one_line(label(found.nodes[found.root]))]
    reached = _above(found)
    for title, upwards in (("made from", True), ("made into", False)):
        edges: dict[NodeId, list[tuple[NodeId, str]]] = {}
        for edge in found.edges:
            near, far = (edge.target, edge.source) if upwards else (edge.source, edge.target)
            if (far in reached) == upwards:
                edges.setdefault(near, []).append((far, edge.relation))
        if edges.get(found.root):
            lines.append(title)
            _draw(found, edges, lines)
    return lines


def _above(found: Lineage) -> set[NodeId]:
    """Return the nodes above the root."""
    up: dict[NodeId, list[NodeId]] = {}
    for edge in found.edges:
        up.setdefault(edge.target, []).append(edge.source)
    reached: set[NodeId] = set()
    waiting = [found.root]
    while waiting:
        for source in up.get(waiting.pop(), []):
            if source not in reached:
                reached.add(source)
                waiting.append(source)
    return reached


def _draw(found: Lineage, edges: dict[NodeId, list[tuple[NodeId, str]]], lines: list[str]) -> None:
    """Draw one tree; without recursion, for a model may have been tuned a thousand times over."""
    drawn = {found.root}
    waiting = _branches(edges[found.root], "")
    while waiting:
        place, relation, indent, last = waiting.pop()
        again = place in drawn and edges.get(place)
        more = ", see above" if again else ""
        lines.append(f"{indent}{'└──' if last else '├──'} {relation}: {one_line(label(found.nodes[place]))}{more}")
        if not again:
            drawn.add(place)
            waiting += _branches(edges.get(place, []), indent + ("    " if last else "│   "))


def _branches(below: list[tuple[NodeId, str]], indent: str) -> list[tuple[NodeId, str, str, bool]]:
    """Return the nodes below a node, the last to be drawn first."""
    return [(place, relation, indent, n == 0) for n, (place, relation) in enumerate(reversed(below))]

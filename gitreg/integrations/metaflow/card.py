"""The card of a Metaflow task: the models that it saved and loaded, with their metadata and lineage.

This process writes the card itself, because Metaflow's ``@card`` starts a new Python process for each card.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from gitreg.cards.page import render_step
from gitreg.cards.values import Fact, StepCard, StepModel
from gitreg.registry.lineage.graphs import to_picture
from gitreg.registry.lineage.lineage import Lineage
from gitreg.registry.lineage.provenance import STEP, VERSION, Edge, Node, NodeId
from gitreg.sdk.registry import Registry
from gitreg.units import size_text

if TYPE_CHECKING:
    from gitreg.cards.values import Graph

TYPE = "gitreg_model"
"""The type of the card, as in ``python flow.py card view STEP --type gitreg_model``."""

_MOST = 20  # models in the picture; the list has all
_DEPTH = 6  # edges from a model towards its inputs


@dataclass(frozen=True)
class CardData:
    """The data of a card: the models that a task saved and loaded.

    Parameters
    ----------
    run:
        The pipeline, run and step, as in a record.
    source:
        The code of the run, as in its document: commit and uncommitted changes.
    saved, loaded:
        The references to the models, as :mod:`gitreg.integrations.references` makes them; the loaded ones by name.
    """

    run: Mapping[str, str]
    source: Mapping[str, Any]
    saved: Sequence[Mapping[str, Any]]
    loaded: Mapping[str, Mapping[str, Any]]


def write_card(flow_datastore: Any, pathspec: str, data: CardData, logger: Any) -> None:
    """Write the card of a task that succeeded; an error is only logged."""
    from metaflow.plugins.cards.card_datastore import CardDatastore

    try:
        with Registry.open() as registry:
            page = render_step(step_card(pathspec, data, lineage_of(registry, data)))
        storage = type(flow_datastore._storage_impl)
        cards = storage(CardDatastore.get_storage_root(storage.TYPE))
        place = SimpleNamespace(flow_name=flow_datastore.flow_name, _storage_impl=cards)
        CardDatastore(place, pathspec=pathspec).save_card(uuid.uuid4().hex, TYPE, page)
    except Exception as error:
        logger(f"[@model] the card was not written: {error}", timestamp=False, bad=True)


def step_card(pathspec: str, data: CardData, lineage: Graph | None) -> StepCard:
    """Return the content of a card, all values as strings.

    Parameters
    ----------
    pathspec:
        The task, as Metaflow names it: ``Flow/run/step/task``.
    """
    commit = data.source.get("commit")
    code = f"{commit[:12]}{' and uncommitted changes' if data.source.get('dirty') else ''}" if commit else "not in Git"
    return StepCard(
        " of ".join(part for part in (data.run.get("step"), data.run.get("pipeline")) if part),
        [Fact("Task", pathspec), Fact("Run", _run(data.run)), Fact("Code", code)],
        [_entry(_title(each), each) for each in data.saved],
        [_entry(_title(each) if name == _title(each) else f"{name}: {_title(each)}", each)
         for name, each in data.loaded.items()],
        lineage,
    )  # fmt: skip


def lineage_of(registry: Registry, data: CardData) -> Graph | None:
    """Return the lineage of the task's models towards their inputs; None if no model is published."""
    saved, loaded = (
        [str(each["reference"]) for each in references if each["reference"]][:_MOST]
        for references in (data.saved, data.loaded.values())
    )
    if not saved and not loaded:
        return None
    found = [registry.lineage(reference, down=False, depth=_DEPTH) for reference in (*saved, *loaded)]
    nodes = {place: node for each in found for place, node in each.nodes.items()}
    edges = dict.fromkeys(chain.from_iterable(each.edges for each in found))
    root = found[0].root
    if not saved:  # a run that made nothing is not in the registry
        root = NodeId(STEP, _run(data.run))
        nodes = {root: Node(root), **nodes}
        edges |= dict.fromkeys(Edge(NodeId(VERSION, reference), root, "input") for reference in loaded)
    return to_picture(Lineage(root, nodes, tuple(edges)))


def _entry(title: str, reference: Mapping[str, Any]) -> StepModel:
    facts = [
        Fact("Size", size_text(reference["size"])),
        Fact("Saved at", str(reference["created_at"])),
        Fact("Saved by", _run(reference.get("run") or {})),
    ]
    rows = [(key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in reference["metadata"].items()]  # fmt: skip
    return StepModel(title, str(reference["digest"]), [fact for fact in facts if fact.text], rows)


def _title(reference: Mapping[str, Any]) -> str:
    return str(reference["reference"] or f"{reference['model']}, not published")


def _run(run: Mapping[str, Any]) -> str:
    return "/".join(str(run[part]) for part in ("pipeline", "run", "step") if part in run)

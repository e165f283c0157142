"""The values of a card: plain texts and numbers, without HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Metric(NamedTuple):
    """A metric over the versions of a model.

    Parameters
    ----------
    points:
        Name and value of each version that has the metric, ordered by version number.
    """

    name: str
    points: Sequence[tuple[str, float]]


class TensorInfo(NamedTuple):
    """One tensor of a safetensors file."""

    name: str
    dtype: str
    shape: Sequence[int]


class Artifact(NamedTuple):
    """A set of files.

    Parameters
    ----------
    origin:
        The artifact version, if the files were saved as one.
    files:
        Path, size in bytes and sha256 of each file shown.
    more:
        Number of files not shown.
    contents:
        Path, verdict and reason, as in the record, of each file that is not plain data.
    tensors, more_tensors, parameters:
        Of its safetensors files: the tensors shown, the number of those not shown, and the number of all parameters.
    """

    name: str
    type: str
    size: int
    digest: str
    origin: str | None
    files: Sequence[tuple[str, int, str]]
    more: int = 0
    tensors: Sequence[TensorInfo] = ()
    more_tensors: int = 0
    parameters: int = 0
    contents: Sequence[tuple[str, str, str]] = ()


class StageMove(NamedTuple):
    """One move of the version into or out of a stage."""

    when: str
    who: str
    event: str
    reason: str | None


class CheckResult(NamedTuple):
    """The result of a verification: ``ok`` is None if it was not possible."""

    name: str
    ok: bool | None
    message: str


class Graph(NamedTuple):
    """The lineage graph of a version or of a step.

    Parameters
    ----------
    nodes:
        Kind, short label and full name of each node; the first is the version itself.
    edges:
        Source and target of each edge, as indices of nodes, and its kind.
    more:
        Number of nodes not shown.
    """

    nodes: Sequence[tuple[str, str, str]]
    edges: Sequence[tuple[int, int, str]]
    more: int = 0


@dataclass(frozen=True)
class Card:
    """The card of a version of a model, for people.

    Parameters
    ----------
    facts:
        Short facts by name: stage, aliases, license, tags, author and time, code, run.
    fields:
        The short text fields of the model's card.
    text:
        The model's card in Markdown.
    snippets:
        Code that loads it: title and code of each snippet.
    metadata:
        The values as text, by key.
    generated:
        Time and program that made the card.
    """

    title: str
    description: str | None
    facts: Sequence[tuple[str, str]]
    fields: Sequence[tuple[str, str]] = ()
    text: str | None = None
    snippets: Sequence[tuple[str, str]] = ()
    metadata: Sequence[tuple[str, str]] = ()
    metrics: Sequence[Metric] = ()
    artifacts: Sequence[Artifact] = ()
    history: Sequence[StageMove] = ()
    lineage: Graph | None = None
    checks: Sequence[CheckResult] = ()
    generated: str = ""
    version: str = ""


class StepModel(NamedTuple):
    """A model that a step saved or loaded.

    Parameters
    ----------
    metadata:
        The values as text, by key.
    """

    title: str
    digest: str
    facts: Sequence[tuple[str, str]]
    metadata: Sequence[tuple[str, str]] = ()


class StepCard(NamedTuple):
    """The card of a step: the models that it saved and loaded.

    Parameters
    ----------
    facts:
        Short facts about the step by name: its run, its code.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    saved: Sequence[StepModel] = ()
    loaded: Sequence[StepModel] = ()
    lineage: Graph | None = None

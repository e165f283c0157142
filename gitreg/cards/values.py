"""The values of a card: plain texts and numbers, without HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Badge(NamedTuple):
    """A word on a coloured ground; the word alone says it, too.

    Parameters
    ----------
    tone:
        ``good``, ``warn``, ``bad`` or ``plain``.
    """

    word: str
    tone: str = "plain"


class Fact(NamedTuple):
    """A short fact.

    Parameters
    ----------
    url:
        The page of it; it is a link only if this begins with ``https://`` or ``http://``.
    full:
        The whole text, where ``text`` is a short form of it.
    """

    name: str
    text: str
    url: str | None = None
    full: str | None = None


class GateLine(NamedTuple):
    """The verdict on one rule or gate, or one approval.

    Parameters
    ----------
    depth:
        0, or more for a part of another gate.
    """

    name: str
    verdict: Badge
    sentence: str
    depth: int = 0


class StageGates(NamedTuple):
    """The verdicts of a stage's policy on the version."""

    title: str
    verdict: Badge
    lines: Sequence[GateLine]


class Metric(NamedTuple):
    """A metric of the version, and over the versions of its model.

    Parameters
    ----------
    value:
        That of the version.
    points:
        Name and value of each version that has the metric, ordered by version number.
    other:
        The value of the version that it is compared with; None if that has none.
    better:
        ``higher`` or ``lower``, whichever is better; "" where that is not known.
    """

    name: str
    value: float
    points: Sequence[tuple[str, float]] = ()
    other: float | None = None
    better: str = ""


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
    folders:
        Of many files: the name, the number of files and their size in bytes of each folder.
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
    folders: Sequence[tuple[str, int, int]] = ()


class StageMove(NamedTuple):
    """One move of the version into or out of a stage."""

    when: str
    who: str
    event: str
    reason: str | None


class CheckResult(NamedTuple):
    """The result of a verification.

    Parameters
    ----------
    ok:
        None if it was not possible.
    digest:
        The digest that was verified.
    """

    name: str
    ok: bool | None
    message: str
    digest: str | None = None


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
    badges:
        The stage and whatever else warns a reader.
    standing:
        How it came to its stage, a line each: since when and by whom, and the reason.
    facts:
        Short facts: aliases, license, tags, author and time, code, run.
    gates:
        The verdicts of the policies of stages.
    metrics:
        The numbers that measure the version.
    compared:
        The version that the metrics are compared with, and a remark on it; "" for none.
    fields:
        The short text fields of the model's card.
    text:
        The model's card in Markdown.
    snippets:
        Code that loads it: title and code of each snippet.
    load_warning:
        A sentence before that code; "" for none.
    metadata:
        The other values as text, by key.
    generated:
        The program, the commit and the date that made the card.
    """

    title: str
    description: str | None
    facts: Sequence[Fact]
    badges: Sequence[Badge] = ()
    standing: Sequence[tuple[str, str | None]] = ()
    gates: Sequence[StageGates] = ()
    compared: tuple[str, str] = ("", "")
    fields: Sequence[tuple[str, str]] = ()
    text: str | None = None
    snippets: Sequence[tuple[str, str]] = ()
    load_warning: str = ""
    metadata: Sequence[tuple[str, str]] = ()
    metrics: Sequence[Metric] = ()
    artifacts: Sequence[Artifact] = ()
    history: Sequence[StageMove] = ()
    lineage: Graph | None = None
    checks: Sequence[CheckResult] = ()
    generated: Sequence[Fact] = ()
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
    facts: Sequence[Fact]
    metadata: Sequence[tuple[str, str]] = ()


class StepCard(NamedTuple):
    """The card of a step: the models that it saved and loaded.

    Parameters
    ----------
    facts:
        Short facts about the step by name: its run, its code.
    """

    title: str
    facts: Sequence[Fact]
    saved: Sequence[StepModel] = ()
    loaded: Sequence[StepModel] = ()
    lineage: Graph | None = None

"""What a card is made of: plain values, texts as they are; nothing here is HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Metric(NamedTuple):
    """A number over the versions of a model.

    Parameters
    ----------
    points:
        For each version that has it, by number: the version's name and the value.
    """

    name: str
    points: Sequence[tuple[str, float]]


class Tensor(NamedTuple):
    """One tensor of a safetensors file."""

    name: str
    dtype: str
    shape: Sequence[int]


class Artifact(NamedTuple):
    """A set of files.

    Parameters
    ----------
    origin:
        The artifact version that it is, where it was saved as one.
    files:
        Path, size in bytes and sha256 of each that is shown.
    more:
        How many files are not shown.
    contents:
        Path, verdict and reason of each that is not plain data, as the record says.
    tensors, more_tensors, parameters:
        Of its safetensors files: those that are shown, how many are not, and how many numbers all of them hold.
    """

    name: str
    type: str
    size: int
    digest: str
    origin: str | None
    files: Sequence[tuple[str, int, str]]
    more: int = 0
    tensors: Sequence[Tensor] = ()
    more_tensors: int = 0
    parameters: int = 0
    contents: Sequence[tuple[str, str, str]] = ()


class Held(NamedTuple):
    """One move of the version into or out of a stage."""

    when: str
    who: str
    what: str
    reason: str | None


class Check(NamedTuple):
    """Something that was verified: ``ok`` is None where it could not be."""

    what: str
    ok: bool | None
    said: str


class Graph(NamedTuple):
    """A picture of what was made from what.

    Parameters
    ----------
    nodes:
        Kind, short label and whole name of each; the first is the version itself.
    edges:
        From which node to which, and how.
    more:
        How many nodes are not shown.
    """

    nodes: Sequence[tuple[str, str, str]]
    edges: Sequence[tuple[int, int, str]]
    more: int = 0


@dataclass(frozen=True)
class Card:
    """A version of a model, for people.

    Parameters
    ----------
    facts:
        What is known in a word or two, by name: stage, aliases, license, tags, who made it and when, code, run.
    fields:
        The fields of the model's card that are texts.
    text:
        The model's card in Markdown.
    snippets:
        How to load it: a title and the code.
    metadata:
        By key, the value as a text.
    generated:
        When and by what the card was made.
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
    history: Sequence[Held] = ()
    lineage: Graph | None = None
    checks: Sequence[Check] = ()
    generated: str = ""
    version: str = ""


class Entry(NamedTuple):
    """A model that a step saved or loaded.

    Parameters
    ----------
    metadata:
        By key, the value as a text.
    """

    title: str
    digest: str
    facts: Sequence[tuple[str, str]]
    metadata: Sequence[tuple[str, str]] = ()


class StepCard(NamedTuple):
    """What a step did with models.

    Parameters
    ----------
    facts:
        What is known of the step in a word or two, by name: its run, its code.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    saved: Sequence[Entry] = ()
    loaded: Sequence[Entry] = ()
    lineage: Graph | None = None

"""Words for completion, of the values that are asked for most: models, references, stages; independent of click.

All others are in `gitreg.cli.completion.values`, whose imports cost more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gitreg.cli.text import one_line
from gitreg.errors import GitregError

if TYPE_CHECKING:
    from gitreg.sdk.session import Session

Given = Mapping[str, Any]
"""The parameters that the command line has already, by their names."""
Offer = Callable[["Session", str, Given], Iterable[str]]
"""A function that returns words for the incomplete word; those that begin otherwise are left out."""

_MLFLOW = "models:/"
_ACTIVE = frozenset("$`;&|<>()!\\\"'*?")


def offer(words_for: Offer, registry: str | None, incomplete: str, given: Given) -> list[str]:
    """Return the words that a function finds in the registry; none where there is no registry.

    Words that contain characters special to the terminal or the shell are left out.

    Parameters
    ----------
    registry:
        The value of ``--repo``; None where it was not given.
    """
    from gitreg.sdk.registry import Registry  # not needed for --help

    try:
        with Registry.open(registry) as opened:
            words = dict.fromkeys(words_for(opened.session, incomplete, given))
    except (GitregError, OSError):
        return []  # no errors while the user types
    return [
        word for word in words if word.startswith(incomplete) and word == one_line(word) and _ACTIVE.isdisjoint(word)
    ]


def models(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the models."""
    return session.snapshot().model_names()


def models_and_stages(session: Session, incomplete: str, _: Given) -> Iterable[str]:
    """Return the models, or after an ``@`` the registry's stages."""
    model, at, _rest = incomplete.rpartition("@")
    if not at or not model:
        return models(session, incomplete, {})
    return [f"{model}@{stage}" for stage in stages(session, incomplete, {})]


def references(session: Session, incomplete: str, _: Given) -> Iterable[str]:
    """Yield the models, or after an ``@`` the stages, aliases and versions of the model; also as MLflow spells them."""
    if incomplete.startswith(_MLFLOW):
        bare = incomplete.removeprefix(_MLFLOW)
        yield from (_MLFLOW + each for each in references(session, bare, {}))
        return
    snapshot = session.snapshot()
    model, at, _rest = incomplete.rpartition("@")
    if not at:
        yield from (f"{name}@" for name in snapshot.model_names())
        return
    pointers = [*snapshot.stages(model), *snapshot.aliases(model), "latest"]
    yield from (f"{model}@{name}" for name in (*pointers, *versions_of(session, model)))


def stages(session: Session, _: str, __: Given) -> Iterable[str]:
    """Return the registry's stages."""
    return session.snapshot().settings.stages


def continued(incomplete: str, names: Iterable[str]) -> list[str]:
    """Return the names behind those of the incomplete word that are between commas."""
    before, comma, _ = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in names if name not in before.split(",")]


def versions_of(session: Session, model: str) -> Iterable[str]:
    """Return the versions of a model."""
    snapshot = session.snapshot()
    return (entry.name for entry in snapshot.index.scan(snapshot.seq, "model_version", model))

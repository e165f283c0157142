"""What may stand in a command line: models, versions, stages, aliases. It needs nothing of click."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gitreg.cli.text import one_line

if TYPE_CHECKING:
    from gitreg.registry.snapshot import Snapshot

_ACTIVE = frozenset("$`;&|<>()!\\\"'*?")


def offer_models(snapshot: Snapshot, incomplete: str) -> list[str]:
    """Offer models."""
    return _beginning(incomplete, snapshot.model_names())


def offer_references(snapshot: Snapshot, incomplete: str) -> list[str]:
    """Offer models, and behind an ``@`` what may follow it."""
    model, at, _rest = incomplete.rpartition("@")
    if not at:
        return _beginning(incomplete, [f"{name}@" for name in snapshot.model_names()])
    pointers = [*snapshot.stages(model), *snapshot.aliases(model), "latest"]
    return _beginning(incomplete, [f"{model}@{name}" for name in (*pointers, *_versions(snapshot, model))])


def offer_stages(snapshot: Snapshot, incomplete: str) -> list[str]:
    """Offer the registry's stages."""
    return _beginning(incomplete, snapshot.settings.stages)


def offer_versions(snapshot: Snapshot, incomplete: str, model: str) -> list[str]:
    """Offer the versions of a model."""
    return _beginning(incomplete, _versions(snapshot, model))


def offer(what: Callable[[Snapshot, str], list[str]], registry: str | None, incomplete: str) -> list[str]:
    """Open the registry that is meant and offer its words; none where there is no registry.

    Parameters
    ----------
    registry:
        What was said by ``--repo``; None where nothing was.
    """
    from gitreg.errors import GitregError
    from gitreg.sdk.registry import Registry

    try:
        with Registry.open(registry) as opened:
            return what(opened.snapshot(), incomplete)
    except (GitregError, OSError):
        return []  # a half-written line is no place for errors


def _versions(snapshot: Snapshot, model: str) -> Iterable[str]:
    return (entry.name for entry in snapshot.index.scan(snapshot.seq, "model_version", model))


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    """Keep the words that go on so; what could act on the terminal, or in the shell, is left to be typed."""
    return [
        word for word in words if word.startswith(incomplete) and word == one_line(word) and _ACTIVE.isdisjoint(word)
    ]

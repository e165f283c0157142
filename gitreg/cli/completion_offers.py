"""Words for completion: models, versions, stages, aliases; independent of click."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gitreg.cli.text import one_line
from gitreg.errors import GitregError

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import Snapshot

_ACTIVE = frozenset("$`;&|<>()!\\\"'*?")


def offer_models(snapshot: Snapshot, incomplete: str) -> list[str]:
    """Return the models whose names start with the incomplete word."""
    return _beginning(incomplete, snapshot.model_names())


def offer_references(snapshot: Snapshot, incomplete: str) -> list[str]:
    """Return the models, or after an ``@`` the stages, aliases and versions of the model."""
    model, at, _rest = incomplete.rpartition("@")
    if not at:
        return _beginning(incomplete, [f"{name}@" for name in snapshot.model_names()])
    pointers = [*snapshot.stages(model), *snapshot.aliases(model), "latest"]
    return _beginning(incomplete, [f"{model}@{name}" for name in (*pointers, *_versions(snapshot, model))])


def offer_stages(snapshot: Snapshot, incomplete: str) -> list[str]:
    """Return the registry's stages."""
    return _beginning(incomplete, snapshot.settings.stages)


def offer_versions(snapshot: Snapshot, incomplete: str, model: str) -> list[str]:
    """Return the versions of a model."""
    return _beginning(incomplete, _versions(snapshot, model))


def offer(words_for: Callable[[Snapshot, str], list[str]], registry: str | None, incomplete: str) -> list[str]:
    """Return the words that a function finds in the registry; none where there is no registry.

    Parameters
    ----------
    words_for:
        Returns the words for a snapshot and the incomplete word.
    registry:
        The value of ``--repo``; None where it was not given.
    """
    from gitreg.sdk.registry import Registry  # not needed for --help

    try:
        with Registry.open(registry) as opened:
            return words_for(opened.session.snapshot(), incomplete)
    except (GitregError, OSError):
        return []  # no errors while the user types


def _versions(snapshot: Snapshot, model: str) -> Iterable[str]:
    return (entry.name for entry in snapshot.index.scan(snapshot.seq, "model_version", model))


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    """Return the words that start so, without those that contain characters special to the terminal or the shell."""
    return [
        word for word in words if word.startswith(incomplete) and word == one_line(word) and _ACTIVE.isdisjoint(word)
    ]

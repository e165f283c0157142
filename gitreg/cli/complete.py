"""What the shell offers behind a half-written word: models, versions, stages, aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from gitreg.cli.session import Session
from gitreg.cli.text import one_line

if TYPE_CHECKING:
    from gitreg.registry.snapshot import Snapshot

_ACTIVE = frozenset("$`;&|<>()!\\\"'*?")


def complete_model(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer models."""
    snapshot = _snapshot(ctx)
    return _offer(snapshot.model_names(), incomplete) if snapshot else []


def complete_reference(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer models, and behind an ``@`` what may follow it."""
    snapshot = _snapshot(ctx)
    if snapshot is None:
        return []
    model, at, _rest = incomplete.rpartition("@")
    if not at:
        return _offer([f"{name}@" for name in snapshot.model_names()], incomplete)
    pointers = [*snapshot.stages(model), *snapshot.aliases(model), "latest"]
    versions = [entry.name for entry in snapshot.index.scan(snapshot.seq, "model_version", model)]
    return _offer([f"{model}@{name}" for name in (*pointers, *versions)], incomplete)


def complete_stage(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the registry's stages."""
    snapshot = _snapshot(ctx)
    return _offer(list(snapshot.settings.stages), incomplete) if snapshot else []


def complete_version(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the versions of the model that stands before."""
    snapshot = _snapshot(ctx)
    model = ctx.params.get("model")
    if snapshot is None or not model:
        return []
    return _offer([entry.name for entry in snapshot.index.scan(snapshot.seq, "model_version", model)], incomplete)


def _snapshot(ctx: click.Context) -> Snapshot | None:
    from gitreg.errors import GitregError
    from gitreg.sdk.registry import Registry

    try:
        registry = Registry.open(ctx.ensure_object(Session).repo)
        ctx.call_on_close(registry.close)
        return registry.snapshot()
    except (GitregError, OSError):
        return None  # a half-written line is no place for errors


def _offer(words: list[str], incomplete: str) -> list[CompletionItem]:
    """Offer the words that go on so; what could act on the terminal, or in the shell, is left to be typed."""
    return [
        CompletionItem(word)
        for word in words
        if word.startswith(incomplete) and word == one_line(word) and _ACTIVE.isdisjoint(word)
    ]

"""Completion by click: the words that may continue an incomplete one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from gitreg.cli.completion_offers import offer, offer_models, offer_references, offer_stages, offer_versions
from gitreg.cli.global_options import GlobalOptions

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import Snapshot


def complete_model(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the models."""
    return _items(ctx, offer_models, incomplete)


def complete_reference(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the models, or after an ``@`` the stages, aliases and versions of the model."""
    return _items(ctx, offer_references, incomplete)


def complete_stage(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the registry's stages."""
    return _items(ctx, offer_stages, incomplete)


def complete_version(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the versions of the model in the preceding argument."""
    model = ctx.params.get("model")
    return _items(ctx, partial(offer_versions, model=model), incomplete) if model else []


def _items(
    ctx: click.Context, words_for: Callable[[Snapshot, str], list[str]], incomplete: str
) -> list[CompletionItem]:
    return [CompletionItem(word) for word in offer(words_for, ctx.ensure_object(GlobalOptions).repo, incomplete)]

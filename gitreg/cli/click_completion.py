"""Completion by click: the words that may continue an incomplete one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from gitreg.cli import completion
from gitreg.cli.completion.offers import continued, offer
from gitreg.cli.global_options import GlobalOptions

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete(kind: str) -> Complete:
    """Return the completion of a parameter.

    Parameters
    ----------
    kind:
        The function of `gitreg.cli.completion.values` that has the words.
    """

    def words(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        repo = ctx.ensure_object(GlobalOptions).repo
        found = offer(getattr(completion.values, kind), repo, incomplete, _given(ctx))
        return [CompletionItem(word) for word in found]

    return words


def _given(ctx: click.Context) -> dict[str, Any]:
    """Return the parameters on the command line.

    Behind an option whose value is completed, click has not told the arguments apart.
    """
    given, words = dict(ctx.params), list(ctx.args)
    for parameter in ctx.command.params:
        if isinstance(parameter, click.Argument) and parameter.name and words and not given.get(parameter.name):
            one = parameter.nargs != -1
            given[parameter.name] = words[0] if one else tuple(words)
            words = words[1:] if one else []
    return given


def complete_fields(fields: Sequence[str]) -> Complete:
    """Return the completion of names between commas."""

    def words(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in continued(incomplete, fields) if word.startswith(incomplete)]

    return words


def complete_path(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return that the shell completes the path of a file."""
    return [CompletionItem(incomplete, type="file")]


complete_model = complete("models")
complete_reference = complete("references")
complete_stage = complete("stages")
complete_version = complete("versions")

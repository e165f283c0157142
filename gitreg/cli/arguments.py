"""Arguments that name a version or a pointer: ``MODEL@X`` as one word or as two, wherever only one can be meant."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.usage_errors import WrongLineError
from gitreg.names import is_number

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import Snapshot

_POINTERS = ("stage", "alias")
"""The arguments whose value never has an ``@`` and is never a number."""
_PARTS = (*_POINTERS, "version")
"""The arguments that MODEL@X may give together with MODEL."""


_ON_VERSIONS = {"show": "show", "delete": "delete", "update": "annotate", "version list": "show"}
"""For the subcommands of ``model``: the command that does the same with a version."""


class ReferenceArgument(click.Argument):
    """REF: MODEL, MODEL@X, or MODEL and X as two words where the command would have one word too many."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Return the value and the arguments that are left over, words that belong together joined before."""
        if not ctx.resilient_parsing and isinstance(opts, MutableMapping):
            args = _joined(ctx, opts, args)
            _check_order(ctx, self, opts)
        return super().handle_parse_result(ctx, opts, args)


class ModelArgument(click.Argument):
    """MODEL; before STAGE, ALIAS or VERSION also MODEL@X, which gives both."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Return the value and the arguments that are left over, MODEL@X split before."""
        if not ctx.resilient_parsing and isinstance(opts, MutableMapping):
            _split(ctx, self, opts)
            _check_order(ctx, self, opts)
        return super().handle_parse_result(ctx, opts, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the models, or after an ``@`` what the next argument may be."""
        model, at, rest = incomplete.rpartition("@")
        part = next(iter(_arguments(ctx)[_arguments(ctx).index(self) + 1 :]), None)
        if not at or not model or part is None or part.name not in _PARTS:
            return super().shell_complete(ctx, incomplete)
        ctx.params[self.name] = model
        return [CompletionItem(f"{model}@{item.value}") for item in part.shell_complete(ctx, rest)]


def _arguments(ctx: click.Context) -> list[click.Argument]:
    return [parameter for parameter in ctx.command.params if isinstance(parameter, click.Argument)]


def _joined(ctx: click.Context, opts: MutableMapping[str, Any], left: list[str]) -> list[str]:
    """Join MODEL and X where the words are too many, or X stands for a stage and is a number; return what is left."""
    arguments = _arguments(ctx)
    if any(each.nargs != 1 for each in arguments):
        return left
    words = [opts[each.name] for each in arguments if isinstance(opts.get(each.name), str)] + left
    extra = len(words) - len(arguments)
    if len(words) > 1 and extra <= 0 and is_number(words[1]) and arguments[1].name in _POINTERS:
        extra = 1  # `why ranker 9`: no stage is a number
    if extra <= 0:
        return left
    values: list[str] = []
    model = None
    rest = list(words)
    for each in arguments:
        if not rest:
            break
        word = rest.pop(0)
        if isinstance(each, ReferenceArgument) and "@" not in word:
            if extra and rest and "@" not in rest[0]:
                model = word
                word = f"{word}@{rest.pop(0)}"
                extra -= 1
            elif model is not None:  # `diff ranker 1 2`
                word = f"{model}@{word}"
        values.append(word)
    if extra or rest:
        return left
    for each in arguments:
        opts.pop(each.name, None)
    opts.update((each.name, value) for each, value in zip(arguments, values, strict=False))
    return []


def _split(ctx: click.Context, argument: click.Argument, opts: MutableMapping[str, Any]) -> None:
    arguments = _arguments(ctx)
    word = opts.get(argument.name)
    place = arguments.index(argument) + 1
    if not isinstance(word, str):
        return
    model, at, selector = word.rpartition("@")
    if not at or not model:
        return
    if place == len(arguments) or arguments[place].name not in _PARTS:
        _refuse_version(ctx, word)
        return
    part = arguments[place].name
    given = opts.get(part)
    if isinstance(given, str) and given != selector:
        raise WrongLineError(
            f"`{word} {given}` names the {part} twice",
            ctx,
            _replaced(ctx, {word: model}),
        )
    opts[argument.name], opts[part] = model, selector


def _refuse_version(ctx: click.Context, word: str) -> None:
    """Raise an error where a command on models is given a version, and there is the same command on versions."""
    command = _ON_VERSIONS.get(ctx.command_path.partition(" model ")[2])
    if command is not None:
        arguments = list(ctx.ensure_object(GlobalOptions).arguments)
        raise WrongLineError(f"{word} is a version, not a model", ctx, arguments, command=command)


def _check_order(ctx: click.Context, argument: click.Argument, opts: Mapping[str, Any]) -> None:
    """Raise an error where two words are certainly swapped: the second one is a reference, the first one is not."""
    word = opts.get(argument.name)
    if not isinstance(word, str) or "@" in word:
        return
    for each in _arguments(ctx):
        other = opts.get(each.name)
        if isinstance(other, tuple) and len(other) == 1:
            other = other[0]
        if each is not argument and isinstance(other, str) and _stands_for_the_other(each, word, other):
            first, second = (re.sub(r"\W.*", "", part.make_metavar(ctx).strip("[")) for part in (argument, each))
            raise WrongLineError(f"{first} comes before {second}", ctx, _replaced(ctx, {word: other, other: word}))


def check_model_first(model: str, pointer: str, snapshot: Snapshot) -> None:
    """Raise an error with the right line where a stage or an alias stands before its model, as in ``champion ranker``.

    Raises
    ------
    WrongLineError
        The word in the model's place is none, and the other one is.
    """
    ctx = click.get_current_context()
    if snapshot.find_model(model) is None and snapshot.find_model(pointer) is not None:
        second = next(each.make_metavar(ctx) for each in _arguments(ctx) if each.name in _POINTERS)
        raise WrongLineError(f"MODEL comes before {second}", ctx, _replaced(ctx, {model: pointer, pointer: model}))


def _stands_for_the_other(argument: click.Argument, word: str, other: str) -> bool:
    """Return whether an argument's value is certainly the reference, and the word in the reference's place is not."""
    if argument.name == "paths":  # `save model.bst ranker`
        return os.path.exists(word) and not os.path.exists(other) and os.path.splitext(other)[1] == ""
    if "@" not in other.strip("@"):
        return False
    is_folder = os.path.isdir(word) or os.sep in word or word.startswith(".")
    return argument.name in _POINTERS or (argument.name == "dest" and is_folder)


def _replaced(ctx: click.Context, words: Mapping[str, str]) -> list[str]:
    return [words.get(each, each) for each in ctx.ensure_object(GlobalOptions).arguments]

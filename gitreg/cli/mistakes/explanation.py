"""Wrong command lines in words: the problem, and the line that was probably meant, to be copied."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from typing import NamedTuple

import click

from gitreg.cli.mistakes.line import Line
from gitreg.cli.mistakes.other_tools import (
    BEFORE_THE_COMMAND,
    BEHIND_THE_MODEL,
    COMMANDS,
    FILTERS,
    LEFT_OUT,
    OPTIONS,
    PLACE,
    SUBCOMMANDS,
)
from gitreg.cli.usage_errors import UnknownWordError, WrongLineError
from gitreg.git.urls import hide_login
from gitreg.suggestions import alternatives, nearest


class Explanation(NamedTuple):
    """The problem of a command line, and its remedy."""

    message: str
    hint: str


def explain(error: click.UsageError, line: Line) -> Explanation:
    """Return an error of click's in gitreg's words."""
    ctx = error.ctx
    if ctx is None:  # of the parser, which does not know its command
        words = line.typed[:1] if line.typed and not line.typed[0].startswith("-") else []
        message = error.format_message().rstrip(".")
        if isinstance(error, click.BadOptionUsage):
            message = re.sub(r"^Option '(\S+)' requires an argument$", r"\1 needs a value", message)
        return Explanation(message, f"see `{line.of([*words, '--help'])}`")
    match error:
        case WrongLineError():
            return Explanation(
                error.message, f"did you mean `{error.command_path} {shlex.join(map(hide_login, error.arguments))}`?"
            )
        case UnknownWordError():
            hint = _meant(error.word, error.known, line) or f"see `{ctx.command_path} --help`"
            return Explanation(error.message, hint)
        case click.NoSuchCommand():
            return _no_command(error.command_name, ctx, line)
        case click.NoSuchOption():
            return _no_option(error.option_name, ctx, line)
        case click.MissingParameter():
            return Explanation(f"{ctx.command_path} needs {_missing(error)}", _usage(ctx))
        case click.BadParameter(param=click.Parameter(type=click.Choice() as choice) as parameter):
            return _no_choice(error, parameter, list(map(str, choice.choices)), ctx, line)
        case click.BadParameter(param=click.Argument() as argument):
            return Explanation(f"{(argument.name or '').upper()}: {error.message}", _usage(ctx))
        case click.BadParameter(param=click.Option() as option):
            message = re.sub(r"^('.*') is not a valid integer( range)?$", r"\1 is no whole number", error.message[:-1])
            return Explanation(f"{_long(option)}: {message}", f"see `{ctx.command_path} --help`")
    message = error.format_message().rstrip(".")
    extra = re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", message, re.DOTALL)
    if extra:
        return Explanation(f"{ctx.command_path} takes no further words: {extra[1]}", _usage(ctx))
    return Explanation(message, f"see `{ctx.command_path} --help`")


def _no_command(word: str, ctx: click.Context, line: Line) -> Explanation:
    assert isinstance(ctx.command, click.Group)
    message = f"{ctx.command_path} has no command {word!r}"
    known = ctx.command.list_commands(ctx)
    at = line.typed.index(word)
    rest = line.typed[at + 1 :]
    carried = rest[: next((n for n, each in enumerate(rest) if each.startswith("-")), len(rest))]
    if ctx.parent is None:
        lines = COMMANDS.get(word.lower().replace("_", "-"))
        if lines is not None:
            return Explanation(message, _filled(lines, carried).replace("`gitreg ", f"`{line.program} "))
    else:
        word = _same_in(word, known) or word
        if word in known:
            return Explanation(message, f"did you mean `{line.of([*line.typed[:at], word, *rest])}`?")
    if meant := _meant(word, known, line):
        return Explanation(message, meant)
    if ctx.parent is None:
        return Explanation(message, f"`{ctx.command_path} --help` lists the commands")
    return Explanation(message, f"it has {', '.join(known)}")


def _filled(lines: str, words: Sequence[str]) -> str:
    """Return lines with words in the place of what stands in braces; the last braces of a line take all that are left.

    A line that lacks words keeps the names of those that it needs.
    """

    def fill(line: re.Match[str]) -> str:
        rest = list(words)
        places = re.findall(r"\{.*?\}", line[0])
        text = line[0]
        for n, place in enumerate(places, 1):
            needed = [each for each in re.findall(r"\[.*?\]+(?:\.\.\.)?|\S+", place[1:-1]) if each[0] != "["]
            count = len(rest) if n == len(places) else len(needed)
            taken, rest = rest[:count], rest[count:]
            text = text.replace(place, " ".join([*map(shlex.quote, map(hide_login, taken)), *needed[len(taken) :]]), 1)
        return text.replace(" `", "`")

    return re.sub(r"`.*?`", fill, lines)


def _meant(word: str, known: Sequence[str], line: Line) -> str | None:
    """Return the hint that has the known words near a word, of one the whole line; None if none is near."""
    near = nearest(word, known)
    if not near:
        return None
    corrected = line.corrected(word, near[0]) if len(near) == 1 else None
    return f"did you mean {f'`{corrected}`' if corrected else alternatives(near)}?"


def _same_in(word: str, known: Sequence[str]) -> str | None:
    """Return the command of a group that means the same as another tool's word; None if there is none."""
    return next((each for words in SUBCOMMANDS if word in words for each in words if each in known), None)


def _no_option(name: str, ctx: click.Context, line: Line) -> Explanation:
    message = f"{ctx.command_path} has no option {name}"
    place = next((n for n, word in enumerate(line.typed) if word.partition("=")[0] == name), None)
    meant = OPTIONS.get(name, ())
    if name in BEFORE_THE_COMMAND and ctx.parent is not None and place is not None:
        words, (_, *value) = _without(line.typed, place)
        moved = line.of([BEFORE_THE_COMMAND[name], *value, *words])
        return Explanation(message, f"it stands before the command: `{moved}`")
    names = {each.name for each in ctx.command.params if isinstance(each, click.Argument)}
    if isinstance(meant, str) and not (meant in BEHIND_THE_MODEL and names & {"words", "filters"}):
        right = _rewritten(meant, names, place, line) if place is not None else None
        return Explanation(message, f"{meant}: `{right}`" if right else meant)
    if names & {"words", "filters"} and name.removeprefix("--") in FILTERS and place is not None:
        words, (_, *value) = _without(line.typed, place)
        words.append(f"{name.removeprefix('--')}={value[0] if value else 'VALUE'}")
        return Explanation(message, f"a filter is a word of its own: `{line.of(words)}`")
    parameters = [each for each in ctx.command.params if isinstance(each, click.Option) and not each.hidden]
    options = [each for parameter in parameters for each in parameter.opts]
    chosen = [each for each in meant if each in options][:1] or _near_options(name, options)
    corrected = line.corrected(name, chosen[0]) if len(chosen) == 1 else None
    if chosen:
        return Explanation(message, f"did you mean {f'`{corrected}`' if corrected else alternatives(chosen)}?")
    return Explanation(message, f"it has {', '.join(map(_long, parameters))}" if parameters else _usage(ctx))


def _near_options(name: str, options: Sequence[str]) -> list[str]:
    bare = {each.lstrip("-"): each for each in options if each.startswith("--")}
    return [bare[each] for each in nearest(name.lstrip("-"), bare)]


def _rewritten(meant: str, names: Collection[str | None], place: int, line: Line) -> str | None:
    """Return the line with an option left out, its value a word of its own or behind the ``@`` of the reference.

    Parameters
    ----------
    names:
        The names of the command's arguments.
    place:
        The place of the option in the line.
    """
    if meant == PLACE and "dest" not in names:
        return None
    if meant in LEFT_OUT:
        _, equals, inline = line.typed[place].partition("=")
        return line.of([*line.typed[:place], *([inline] if equals else []), *line.typed[place + 1 :]])
    if meant not in BEHIND_THE_MODEL or "reference" not in names:
        return None
    words, (_, *value) = _without(line.typed, place)
    reference = next((n for n, word in enumerate(words) if n and not word.startswith("-")), None)
    if not value or reference is None or "@" in words[reference]:
        return None
    return line.of([*words[:reference], f"{words[reference]}@{value[0]}", *words[reference + 1 :]])


def _without(words: Sequence[str], place: int) -> tuple[list[str], list[str]]:
    """Return the words without an option and its value, and these two."""
    option, equals, value = words[place].partition("=")
    end = place + (1 if equals else 2)
    return [*words[:place], *words[end:]], [option, *([value] if equals else words[place + 1 : end])]


def _no_choice(
    error: click.BadParameter, parameter: click.Parameter, choices: Sequence[str], ctx: click.Context, line: Line
) -> Explanation:
    given = re.match(r"'(.*)' is not", error.message, re.DOTALL)
    name = _long(parameter) if isinstance(parameter, click.Option) else (parameter.name or "").upper()
    message = f"{name} is {given[1]!r}, none of {', '.join(choices)}" if given else error.format_message()
    meant = _meant(given[1], choices, line) if given else None
    return Explanation(message, meant or f"see `{ctx.command_path} --help`")


def _missing(error: click.MissingParameter) -> str:
    if error.param_hint:
        return error.param_hint if isinstance(error.param_hint, str) else " ".join(error.param_hint)
    assert error.param is not None
    assert error.ctx is not None
    if isinstance(error.param, click.Option):
        return _long(error.param)
    return error.param.make_metavar(error.ctx)


def _long(option: click.Option) -> str:
    return max(option.opts, key=len)


def _usage(ctx: click.Context) -> str:
    """Return the form of a command's line."""
    words = [each.make_metavar(ctx) for each in ctx.command.params if isinstance(each, click.Argument)]
    return f"write `{' '.join([ctx.command_path, *words])}`; see `{ctx.command_path} --help`"

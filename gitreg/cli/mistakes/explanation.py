"""Wrong command lines in words: the problem, and the line that was probably meant, to be copied."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import click

from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.mistakes.line import Line
from gitreg.cli.mistakes.other_tools import (
    BEFORE_THE_COMMAND,
    BEHIND_THE_MODEL,
    COMMANDS,
    FILTERS,
    FURTHER_WORDS,
    LEFT_OUT,
    LOOKING,
    OPTIONS,
    OWN_WORD,
    PLACE,
    SUBCOMMANDS,
    SUBJECTS,
    UNDOING,
)
from gitreg.cli.mistakes.places import Names, filled
from gitreg.cli.usage_errors import UnknownWordError, WrongLineError
from gitreg.git.urls import hide_login
from gitreg.suggestions import alternatives, is_typo, nearest, nearest_commands


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
            return Explanation(error.message, _meant_topic(error, ctx, line) or f"see `{ctx.command_path} --help`")
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
        lines = _of_subject(ctx.info_name or "", _own_words(ctx), ctx, line) if ctx.parent else None
        further = FURTHER_WORDS.get(ctx.info_name or "") if ctx.parent and ctx.parent.parent is None else None
        if lines is None and further is not None:
            lines = _filled(further, _own_words(ctx), ctx, line)
        return Explanation(f"{ctx.command_path} takes no further words: {hide_login(extra[1])}", lines or _usage(ctx))
    return Explanation(message, f"see `{ctx.command_path} --help`")


def _no_command(word: str, ctx: click.Context, line: Line) -> Explanation:
    assert isinstance(ctx.command, click.Group)
    message = f"{ctx.command_path} has no command {hide_login(word)!r}"
    if "://" in word:
        return Explanation(message, "a registry at an address is named before the command: `gitreg --repo URL list`")
    known = ctx.command.list_commands(ctx)
    at = line.typed.index(word)
    rest = line.typed[at + 1 :]
    carried = rest[: next((n for n, each in enumerate(rest) if each.startswith("-")), len(rest))]
    if ctx.info_name == "remote" and word == "add" and len(carried) == 2:
        name, url = (shlex.quote(hide_login(each)) for each in carried)
        git = f"`git remote add {name} {url}`, then `{line.program} remote set {name}`"
        return Explanation(message, f"Git declares it: {git}")
    if ctx.parent is not None:
        word = _same_in(word, known) or word
        if word in known:
            return Explanation(message, f"did you mean `{line.of([*line.typed[:at], word, *rest])}`?")
    if ctx.parent is None or ctx.info_name == "model":  # `gitreg model versions` of other tools
        hint = _of_subject(word, carried, ctx, line)
        lines = COMMANDS.get(word.lower().replace("_", "-"))
        if lines == COMMANDS["tag"] and set(carried) & set(Names.of(ctx.ensure_object(GlobalOptions).repo).stages):
            lines = COMMANDS["assign"]
        if hint is None and lines is not None:
            hint = _filled(lines, carried, ctx, line)
        if hint is not None:
            return Explanation(message, hint)
    undoing = UNDOING.get(re.sub(r"^(un|de|dis)-?", "", word.lower()))
    if undoing is not None and word.lower() not in UNDOING:
        return Explanation(message, _filled(undoing, carried, ctx, line))
    if meant := _meant_command(word, known, ctx, line):
        return Explanation(message, meant)
    if ctx.parent is None:
        return Explanation(message, f"`{ctx.command_path} --help` lists the commands")
    return Explanation(message, f"it has {', '.join(known)}")


def _of_subject(subject: str, words: Sequence[str], ctx: click.Context, line: Line) -> str | None:
    """Return the hint for a form of two words, as in ``stage set``; None where it is none that is known."""
    name = subject.lower()
    actions = SUBJECTS.get(name) or SUBJECTS.get(name.removesuffix("s"))
    if not actions or not words:
        return None
    action, *rest = words
    lines = actions.get(action) or actions.get(_same_in(action, list(actions)) or "")
    return None if lines is None else _filled(lines, rest, ctx, line)


def _filled(lines: str, words: Sequence[str], ctx: click.Context, line: Line) -> str:
    """Return lines with the words of the user where they fit."""
    return filled(lines, words, line.program, Names.of(ctx.ensure_object(GlobalOptions).repo))


def _meant(word: str, known: Sequence[str], line: Line) -> str | None:
    """Return the hint that has the known words near a word, of one the whole line; None if none is near."""
    near = nearest(word, known)
    if not near:
        return None
    corrected = line.corrected(word, near[0]) if len(near) == 1 else None
    return f"did you mean {f'`{corrected}`' if corrected else alternatives(near)}?"


def _meant_topic(error: UnknownWordError, ctx: click.Context, line: Line) -> str | None:
    """Return the hint that has the guides and commands near a word, or the command that another tool calls so."""
    ends = "-" if len(error.word) > 2 else ""  # two letters are near only to what they begin
    starting = [each for each in error.known if error.word and each.startswith(f"{error.word}{ends}")]
    if meant := _meant(error.word, starting or nearest_commands(error.word, error.known), line):
        return meant
    named = re.match(r"`gitreg ([a-z]+)", COMMANDS.get(error.word, "")) if ctx.parent is None else None
    corrected = line.corrected(error.word, named[1]) if named else None
    return f"did you mean `{corrected}`?" if corrected else None


def _meant_command(word: str, known: Sequence[str], ctx: click.Context, line: Line) -> str | None:
    """Return the hint that has the commands near a word; the whole line of one that writes only for a typo."""
    near = nearest_commands(word, known)
    if len(near) == 1 and near[0] not in LOOKING and not is_typo(word.casefold(), near[0]):
        return f"did you mean {near[0]!r}? see `{ctx.command_path} {near[0]} --help`"
    return _meant(word, near, line)


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
    if name in _EMPTIED and any("--description" in each.opts for each in ctx.command.params) and place is not None:
        emptied = line.of([*line.typed[:place], "--description", "", *line.typed[place + 1 :]])
        return Explanation(message, f"an empty one takes it away: `{emptied}`")
    arguments = [each for each in ctx.command.params if isinstance(each, click.Argument)]
    names = {each.name for each in arguments}
    if place is not None and (right := _as_word(name, arguments, place, ctx, line)):
        return Explanation(message, right)
    if isinstance(meant, str) and not (meant in BEHIND_THE_MODEL and names & {"words", "filters"}):
        right = _rewritten(meant, names, place, ctx, line) if place is not None else None
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


_EMPTIED = ("--remove-description", "--rm-description", "--unset-description", "--no-description")
_REMOVES = re.compile(r"--(un|no-|rm|del|remove|drop|clear)")
"""The options that take something away: one that adds is their opposite, however near its name is."""


def _as_word(name: str, arguments: Sequence[click.Argument], place: int, ctx: click.Context, line: Line) -> str | None:
    """Return the hint that has the value of an option as a word, or behind the model's ``@``; None if it is neither."""
    names = [each.name for each in arguments]
    words, (_, *value) = _without(line.typed, place)
    start = len(line.typed) - len(_own_words(ctx))
    argument = {"--out": "dest", "--model-name": "model", "--name": "model"}.get(name, name.removeprefix("--"))
    if not value or names[:1] == ["words"]:
        return None
    if names == ["model", "paths"] and name == "--alias":
        named = str(_parsed(ctx, words[start:]).get("model") or "MODEL").partition("@")[0]
        return f"save it, `{line.of(words)}`, then name it: `{line.of(['alias', 'set', f'{named}@N', value[0]])}`"
    if names == ["model", "paths"] and name in ("--name", "--version"):
        given = _parsed(ctx, words[start:])
        model = given.get("model")
        if isinstance(model, str) and "@" not in model and (name == "--version" or _has_values(given.get("paths"))):
            words[words.index(model, start)] = f"{model}@{value[0]}"
            return f"{BEHIND_THE_MODEL[0]}: `{line.of(words)}`"
    if argument not in names or argument not in OWN_WORD:
        return None
    first = names[0] == argument
    at = start if first else len(words) if place == start else place
    return f"{OWN_WORD[argument]}: `{line.of([*words[:at], value[0], *words[at:]])}`"


def _has_values(value: object) -> bool:
    return isinstance(value, Sequence) and any(isinstance(each, str) for each in value)


def _own_words(ctx: click.Context) -> list[str]:
    """Return the words of a line behind its command."""
    return list(ctx.ensure_object(GlobalOptions).arguments)


def _parsed(ctx: click.Context, words: Sequence[str]) -> Mapping[str, Any]:
    """Return what a command's words give its parameters, as texts; nothing where it lacks one of the options."""
    try:
        return ctx.command.make_parser(ctx).parse_args(list(words))[0]
    except click.UsageError:
        return {}


def _near_options(name: str, options: Sequence[str]) -> list[str]:
    bare = {each.lstrip("-"): each for each in options if each.startswith("--")}
    near = [bare[each] for each in nearest(name.lstrip("-"), bare)]
    return list(filter(_REMOVES.match, near)) if _REMOVES.match(name) else near


def _rewritten(meant: str, names: Collection[str | None], place: int, ctx: click.Context, line: Line) -> str | None:
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
    start = len(line.typed) - len(_own_words(ctx))
    reference = next((n for n, word in enumerate(words) if n >= start and not word.startswith("-")), None)
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
    if given and parameter.name == "shell":
        message = f"there is no completion for {given[1]!r}: {', '.join(choices)}"
    meant = _meant(given[1], choices, line) if given else None
    if given and not meant and parameter.name == "output":
        meant = _folder_of_output(given[1], ctx, line) or _file_of_output(given[1], ctx, line)
    return Explanation(message, meant or f"see `{ctx.command_path} --help`")


def _folder_of_output(value: str, ctx: click.Context, line: Line) -> str | None:
    """Return the hint for ``-o FOLDER`` where a command takes the folder as a word; None where it takes none more."""
    takes_folder = any(each.name == "dest" for each in ctx.command.params)
    if not takes_folder or isinstance(_parsed(ctx, _own_words(ctx)).get("dest"), str):
        return None
    for n, word in enumerate(line.typed):
        if word in (f"--output={value}", f"-o{value}"):
            return f"{PLACE}: `{line.of([*line.typed[:n], value, *line.typed[n + 1 :]])}`"
        if word in ("-o", "--output") and line.typed[n + 1 : n + 2] == (value,):
            return f"{PLACE}: `{line.of([*line.typed[:n], *line.typed[n + 1 :]])}`"
    return None


def _file_of_output(value: str, ctx: click.Context, line: Line) -> str | None:
    """Return the hint for ``-o FILE`` where a command writes a file by ``--out``; None where it does not."""
    if not any("--out" in each.opts for each in ctx.command.params):
        return None
    for n, word in enumerate(line.typed):
        inline = word in (f"--output={value}", f"-o{value}")
        if inline or (word in ("-o", "--output") and line.typed[n + 1 : n + 2] == (value,)):
            rest = line.typed[n + (1 if inline else 2) :]
            return f"-o is a format; did you mean `{line.of([*line.typed[:n], '--out', value, *rest])}`?"
    return None


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

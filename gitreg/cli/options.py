"""Options and arguments that commands share: the registry, the output format, metadata, pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitreg import documents
from gitreg.cli.arguments import ModelArgument, ReferenceArgument
from gitreg.cli.click_completion import Complete, complete, complete_model, complete_reference, complete_stage
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.progress import show_progress
from gitreg.cli.usage_errors import WrongLineError
from gitreg.errors import InvalidInput, NotFound, UnsafeCode
from gitreg.sdk import verbs
from gitreg.units import number_as_written

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry

Function = TypeVar("Function", bound=Callable[..., Any])


class NamedPath(click.Path):
    """A path that may not be empty: "" (of an unset variable perhaps) would mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See click."""
        if value == "":
            self.fail("'' names no path; write . for the current folder", param, ctx)
        return super().convert(value, param, ctx)


def open_registry(*, accept_rewrite: bool = False) -> Registry:
    """Open the registry that --repo, GITREG_REGISTRY or the current folder names; it is closed with the command.

    Parameters
    ----------
    accept_rewrite:
        As for :meth:`gitreg.Registry.open`.
    """
    from gitreg.sdk.registry import Registry

    ctx = click.get_current_context()
    session = ctx.ensure_object(GlobalOptions)
    show_progress()
    registry = Registry.open(session.repo, local=session.local, accept_rewrite=accept_rewrite)
    ctx.call_on_close(registry.close)
    registry.proposing = session.pr
    if session.fetch:
        verbs.remotes.pull(registry.session)
    return registry


def local_option(
    function: Function, about: str = "Do not contact the remote; `gitreg push` publishes later."
) -> Function:
    """Add ``--local``, stored in the session."""
    return _noted(function, "local", about)


def pr_option(function: Function) -> Function:
    """Add ``--pr``, stored in the session."""
    return _noted(function, "pr", "Propose it on a new branch of the remote, for a pull request.")


def fetch_option(function: Function) -> Function:
    """Add ``--fetch``, stored in the session."""
    return _noted(function, "fetch", "Pull from the remote first.")


def unsafe_code_option(function: Function) -> Function:
    """Add ``--unsafe-code``, a parameter of the command; a refusal of unsafe code names the option."""

    @wraps(function)  # keeps the options added so far
    def command(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except UnsafeCode as error:
            raise error.allowed_by("--unsafe-code") from error

    about = "Allow files that can run code when they are loaded."
    return click.option("--unsafe-code", is_flag=True, help=about)(command)  # type: ignore[return-value]


def _noted(function: Function, name: str, about: str) -> Function:
    def note(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            setattr(ctx.ensure_object(GlobalOptions), name, True)

    return click.option(f"--{name}", is_flag=True, expose_value=False, callback=note, help=about)(function)


def output_option(function: Function) -> Function:
    """Add ``-o FORMAT`` and ``--json``; the command has the parameter ``output``."""
    return format_option("table", "json", "yaml", "csv", "jsonl")(function)


def listing_options(complete_fields: Complete) -> Callable[[Function], Function]:
    """Return a decorator that adds ``-o FORMAT``, ``--json`` and ``--fields``.

    The parameter ``output`` is ``columns`` for chosen fields where no format is given, else ``ids`` with ``--quiet``.
    """

    def note(ctx: click.Context, _: click.Parameter, text: str | None) -> None:
        if text is not None:
            fields = tuple(field.strip() for field in text.split(","))
            if not all(fields):
                raise click.BadParameter("write names between commas, as in version,stage,metadata.auc")
            ctx.ensure_object(GlobalOptions).fields = fields

    def add(function: Function) -> Function:
        @wraps(function)  # keeps the options added so far
        def command(*args: Any, output: str, **kwargs: Any) -> Any:
            options = click.get_current_context().ensure_object(GlobalOptions)
            if output == "table" and (options.fields or options.quiet):
                output = "columns" if options.fields else "ids"
            return function(*args, output=output, **kwargs)

        chosen = click.option(
            "--fields",
            metavar="A,B",
            expose_value=False,
            callback=note,
            shell_complete=complete_fields,
            help="Only these fields, in this order: version,metadata.auc.",
        )
        return output_option(chosen(command))  # type: ignore[return-value]

    return add


def format_option(*formats: str) -> Callable[[Function], Function]:
    """Return a decorator that adds ``-o FORMAT`` and ``--json``; the first format is the default."""

    def set_json(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            ctx.params["output"] = "json"

    def add(function: Function) -> Function:
        about = "The same as -o json."
        function = click.option("--json", is_flag=True, expose_value=False, callback=set_json, help=about)(function)
        return click.option(
            "-o",
            "--output",
            type=click.Choice(formats),
            metavar="FORMAT",
            default=formats[0],
            is_eager=True,
            help=f"Print as {', '.join(formats[:-1])} or {formats[-1]}.  [default: {formats[0]}]",
        )(function)

    return add


def at_option(function: Function, about: str = "Show the registry as it was then.") -> Function:
    """Add ``--at``; the command has the parameter ``at``."""
    return click.option("--at", metavar="DATE|COMMIT", shell_complete=complete("moments"), help=about)(function)


def reference_argument(function: Function) -> Function:
    """Add the argument REF."""
    return click.argument("reference", metavar="REF", cls=ReferenceArgument, shell_complete=complete_reference)(
        function
    )


def model_argument(function: Function) -> Function:
    """Add the argument MODEL."""
    return click.argument("model", metavar="MODEL", cls=ModelArgument, shell_complete=complete_model)(function)


def stage_argument(function: Function) -> Function:
    """Add the argument STAGE."""
    return click.argument("stage", metavar="STAGE", shell_complete=complete_stage)(function)


def reason_option(function: Function) -> Function:
    """Add ``--reason``."""
    return click.option("--reason", metavar="TEXT", default="", help="The reason, kept in the history.")(function)


def tag_option(function: Function) -> Function:
    """Add ``--tag``, which may be repeated; the command has the parameter ``tags``."""
    return click.option(
        "-t",
        "--tag",
        "tags",
        metavar="TAG",
        shell_complete=complete("tags"),
        multiple=True,
        help="Tag to add; repeat for more.",
    )(function)


def removal_options(function: Function) -> Function:
    """Add ``--remove-tag`` and ``--remove-metadata``; the parameters are ``remove_tags`` and ``remove_metadata``."""
    for option in (
        click.option(
            "--remove-metadata",
            metavar="KEY",
            shell_complete=complete("metadata_keys"),
            multiple=True,
            help="Metadata to remove; repeat for more.",
        ),
        click.option(
            "--remove-tag",
            "remove_tags",
            metavar="TAG",
            shell_complete=complete("tags"),
            multiple=True,
            help="Tag to remove; repeat for more.",
        ),
    ):
        function = option(function)
    return function


def metadata_option(function: Function) -> Function:
    """Add ``--metadata``, which may be repeated; the command has the parameter ``metadata``, a dict."""

    def read(ctx: click.Context, _: click.Parameter, given: Sequence[str]) -> dict[str, Any]:
        for text in given:
            _check_pair(ctx, text)
        return read_metadata(given)

    return click.option(
        "--metadata",
        metavar="K=V|@FILE",
        shell_complete=complete("metadata"),
        multiple=True,
        callback=read,
        help="Add a value (JSON, else text), or all of a JSON or YAML file; may be repeated.",
    )(function)


def _check_pair(ctx: click.Context, text: str) -> None:
    """Raise an error that has the right line for ``--metadata accuracy 0.9`` and ``--metadata accuracy:0.9``.

    Raises
    ------
    WrongLineError
        The text is a key without a value, and the value is the next word, or it stands after a colon.
    """
    words = list(ctx.ensure_object(GlobalOptions).arguments)
    if "=" in text or text.startswith("@") or text not in words:
        return
    place = words.index(text)
    after = words[place + 1 : place + 2]
    key, colon, value = (part.strip() for part in text.partition(":"))
    if text.lstrip().startswith(("{", "[")):
        raise InvalidInput(
            f"--metadata {text!r} is neither K=V nor @FILE",
            hint="a mapping comes from a file: --metadata @FILE; one value: --metadata accuracy=0.95",
        )
    if colon and key and value:
        right = [*words[:place], f"{key}={value}", *words[place + 1 :]]
    elif after and not after[0].startswith("--"):
        right = [*words[:place], f"{text}={after[0]}", *words[place + 2 :]]
    else:
        return
    raise WrongLineError(f"--metadata {text!r} is neither K=V nor @FILE", ctx, right)


def page_options(function: Function) -> Function:
    """Add ``--sort``, ``--page``, ``--size`` and ``--any``."""
    for option in (
        click.option("--any", "match_any", is_flag=True, help="Show what passes any filter, not all of them."),
        click.option("--size", type=int, default=100, show_default=True, help="Rows per page."),
        click.option("--page", type=int, default=1, show_default=True, help="Page to show."),
        click.option(
            "--sort", metavar="[desc:]FIELD", shell_complete=complete("orders"), help="Sort by FIELD; desc: reverses."
        ),
    ):
        function = option(function)
    return function


def read_metadata(given: Sequence[str], option: str = "--metadata") -> dict[str, Any]:
    """Return the values of ``K=V`` and ``@FILE``; a value replaces that of a file, and a later file an earlier one.

    Parameters
    ----------
    given:
        The texts, as the user wrote them.
    option:
        The name of the option, for messages.

    Raises
    ------
    InvalidInput
        A text has neither form, names a key again or a number that JSON does not have, or a file contains no mapping.
    NotFound
        A file cannot be read.
    """
    out: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for text in given:
        if text.startswith("@"):
            out.update(_read_file(text[1:]))
            continue
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InvalidInput(f"{option} {text!r} is neither K=V nor @FILE", hint=f"write {key or 'accuracy'}=0.95")
        if key in values:
            raise InvalidInput(
                f"{option} {key} is named twice", hint=f"name it once; several values are a list: {key}='[1, 2]'"
            )
        values[key] = _read_value(key, value, option)
    return out | values


def _read_value(key: str, text: str, option: str) -> Any:
    """Return the JSON value of a text, or the text itself where it is no JSON or would not come back as written."""
    if re.fullmatch(r"(?i)[+-]?(nan|inf|infinity)", text):
        raise InvalidInput(
            f"{option} {key} is {text}, which is no number in JSON",
            hint=f"""leave it out; a text is quoted: {key}='"{text}"'""",
        )
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _mapping(pairs, key, option))
    except json.JSONDecodeError:
        return text
    except RecursionError:
        raise InvalidInput(f"{option} {key} is nested too deep", hint="a value has at most 32 levels") from None
    except ValueError:  # Python refuses integers of so many digits
        raise InvalidInput(
            f"{option} {key} is a number of {len(text):,} digits", hint=f"""a text is quoted: {key}='"123"'"""
        ) from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return text if number_as_written(text) is None else value
    return value


def _mapping(pairs: Sequence[tuple[str, Any]], key: str, option: str) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"{option} {key} has {twice!r} twice", hint="name it once")
    return mapping


def _read_file(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            data = documents.yaml.loads(file.read(), path, as_written=True)  # JSON is YAML
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror}", hint="--metadata @FILE names a file") from None
    if not isinstance(data, dict):
        raise InvalidInput(f"{path} holds no mapping of names to values")
    return data

"""``gitreg list``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import at_option, fetch_option, listing_options, open_registry, page_options
from gitreg.cli.output import age_of, emit, emit_page, note_page, print_table, when_text
from gitreg.cli.terminal import is_terminal, start_pager
from gitreg.errors import InvalidInput, NotFound
from gitreg.registry import query
from gitreg.sdk import verbs
from gitreg.units import size_text

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry

_LEAST_KEYS = 3  # keys of metadata for which dates and tags are left out where the terminal is narrow


@click.command(
    "list",
    cls=Command,
    examples=[
        "gitreg list",
        "gitreg list ranker --sort desc:metadata.ndcg",
        "gitreg list stage=production",
        "gitreg list ranker metadata.ndcg=gte:0.4 tag=nightly --any",
        "gitreg list ranker 'ndcg>0.4' --sort -ndcg",
        "gitreg list ranker -o csv > ranker.csv",
    ],
    exit_codes={3: "nothing was found"},
    guides=["versions", "json"],
)
@click.argument("words", metavar="[MODEL] [FILTER...]", nargs=-1, shell_complete=complete("words_of_list"))
@page_options
@click.option("--drafts", is_flag=True, help="The versions that runs are making, or have left.")
@at_option
@listing_options(complete("fields"))
@fetch_option
def command(words: tuple[str, ...], drafts: bool, at: str | None, output: str, **paging: Any) -> None:
    """List models with their latest versions and stages; with MODEL or a FILTER, versions, the newest first.

    A FILTER is FIELD=VALUE or FIELD=OPERATOR:VALUE: stage=production, tag=oneof:a,b, metadata.accuracy=gte:0.9,
    created_at=gte:2026-11-01. The operators are equals, notequals, contains, startswith, endswith, oneof, gt, gte, lt,
    lte, isnull, isnotnull. Short forms: 'ndcg>0.4' for metadata.ndcg=gt:0.4, and --sort -ndcg for
    --sort desc:metadata.ndcg.
    """
    registry = open_registry()
    model = words[0] if words and not query.filters.is_filter(words[0]) else None
    _check_words(registry, words if model is None else words[1:], model)
    if drafts:
        if at is not None:
            raise InvalidInput(
                "--drafts and --at exclude each other: drafts have no history", hint="leave one of them out"
            )
        print_drafts(registry, output, model)
        return
    filters = words[1:] if model is not None else words
    if model is None and not filters:
        _check_order(registry, paging["sort"])
        print_models(registry.list_models(at=at, **paging), output)
    else:
        page = registry.list_versions(model, filters, at=at, **paging)
        print_versions(registry, page, output, model, (*filters, paging["sort"] or ""))


def _check_words(registry: Registry, words: Sequence[str], model: str | None) -> None:
    """Raise an error that has the right line for a version in the place of the model, or a word that is no filter."""
    if model is not None and "@" in model:
        raise InvalidInput(
            f"{model} is no model, but a version of one",
            hint=f"`{shlex.join(['gitreg', 'show', model])}`; all versions: `gitreg list {model.partition('@')[0]}`",
        )
    odd = [word for word in words if not query.filters.is_filter(word)]
    if not odd:
        return
    first, *others = odd
    line = None
    if len(words) == 3 and words[1] in ("=", "==", "!=", "<", "<=", ">", ">="):
        line = ["gitreg", "list", *([model] if model else []), "".join(words)]
    elif len(others) == 1:
        line = ["gitreg", "list", *([model] if model else []), f"{first}={others[0]}"]
    elif model is not None and not others and registry.session.snapshot().has(model, first):
        line = ["gitreg", "show", f"{model}@{first}"]
    if line is not None:
        raise InvalidInput(f"{first!r} is no filter", hint=f"did you mean `{shlex.join(line)}`?")


def _check_order(registry: Registry, sort: str | None) -> None:
    """Raise an error that has the right line where models are to be sorted by a key that only versions have."""
    field = query.filters.parse_sort(sort)[0].removeprefix("metadata.") if sort else None
    if sort is None or field in query.filters.MODEL_FIELDS:
        return
    snapshot = registry.session.snapshot()
    having = [name for name in snapshot.model_names() if field in query.listing.metadata_keys(snapshot, [name])]
    if having and not any(field in each.document.metadata for each in snapshot.models()):
        line = shlex.join(["gitreg", "list", having[0], "--sort", sort])
        raise InvalidInput(f"models have no {field}, but their versions have", hint=f"did you mean `{line}`?")


def print_drafts(registry: Registry, output: str, model: str | None) -> None:
    """Print the versions, of a model or of all, that are not sealed yet.

    Raises
    ------
    NotFound
        There is none; for programs the empty shape is printed before.
    """
    rows = [row for row in verbs.drafts.draft_rows(registry.session) if model in (None, row["model"])]
    if output != "table":
        emit(
            rows,
            output,
            rows=rows,
            columns=("model", "version", "run", "status", "stage", "size", "started_at"),
            name="{run}",
        )
    if not rows:
        raise NotFound("there are no drafts", hint="a run has one while it is running, and keeps it if it fails")
    if output == "table":
        start_pager()
        print_table(
            ["model", "version", "run", "status", "stage", "artifacts", "size", "started", "age"],
            [
                (
                    row["model"],
                    row["version"],
                    row["run"],
                    row["status"],
                    row["stage"],
                    row["artifacts"],
                    size_text(row["size"]),
                    when_text(row["started_at"]),
                    age_of(row["started_at"]),
                )
                for row in rows
            ],
            right=["size"],
            spare=["started", "age", "artifacts", "stage"],
            shorten={"model": "middle", "version": "middle", "run": "middle", "artifacts": "end"},
        )


def print_models(page: Any, output: str, asked: tuple[str, ...] = ()) -> None:
    """Print a page of models that pass the filters asked for.

    Raises
    ------
    NotFound
        There is none; for programs the empty shape is printed before.
    """
    if output != "table":
        emit_page(page, output, query.rows.MODEL_COLUMNS, "{name}")
    if not page.items:
        if asked:
            raise NotFound("no model matches the filters", hint="`gitreg list` without filters shows all")
        raise NotFound("there are no models yet", hint="`gitreg save MODEL PATH` makes one")
    if output != "table":
        return
    start_pager()
    print_table(
        ["model", "versions", "latest", "stages", "tags", "description"],
        [
            (
                row["name"],
                row["versions"],
                row["latest"],
                [f"{stage}={version}" for stage, version in row["stages"].items()],
                row["tags"],
                (row["description"] or "").split("\n")[0],
            )
            for row in page.items
        ],
        right=["versions"],
        spare=["description", "tags", "versions", "stages"],
        shorten={"model": "middle", "latest": "middle", "tags": "end", "description": "end"},
    )
    note_page(page)


def print_versions(registry: Registry, page: Any, output: str, model: str | None, asked: tuple[str, ...] = ()) -> None:
    """Print a page of versions.

    Parameters
    ----------
    asked:
        The filters, and last the order: metadata that they name gets a column.

    Raises
    ------
    NotFound
        There is none; for programs the empty shape is printed before.
    """
    if output != "table":
        emit_page(page, output, query.rows.VERSION_COLUMNS, "{model}@{version}")
    if not page.items:
        if any(asked[:-1]):
            meant = query.listing.likely_filter(registry.session.snapshot(), model, asked[:-1])
            every = f"`{shlex.join(['gitreg', 'list', *([model] if model else [])])}` shows all"
            raise NotFound("no version matches the filters", hint=None if meant else every, correction=meant)
        raise NotFound(f"{model} has no versions yet", hint=f"`gitreg save {model} PATH` makes one")
    if output != "table":
        return
    least, further = _metadata_keys(page.items, asked)
    keys = [*least, *further]
    columns = [*([] if model else ["model"]), "version", "stage", "aliases", "tags", *keys, "size", "created", "age"]
    rows = [
        (
            *([row["model"]] if model is None else []),
            row["version"],
            "yanked" if row["yanked"] else row["stage"],
            row["aliases"],
            row["tags"],
            *(row["metadata"].get(key) for key in keys),
            size_text(row["size"]),
            when_text(row["created_at"]),
            age_of(row["created_at"]),
        )
        for row in page.items
    ]
    start_pager()
    print_table(
        columns,
        rows,
        right=["size", *keys],
        spare=[*reversed(further), "created", "age", "tags", "aliases", "size", *reversed(least)],
        shorten={"model": "middle", "version": "middle", "stage": "end", "aliases": "end", "tags": "end"},
    )
    note_page(page)


def _metadata_keys(rows: list[dict[str, Any]], asked: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the keys of metadata to show, and those to show where they fit.

    First come those that filters and the order name, then numbers that vary, then numbers that do not.
    """
    known = {key for row in rows for key in row["metadata"]}
    fields = [re.sub(r"^(asc:|desc:|-)|[=<>!: ].*$", "", text) for text in asked]
    named = [field.removeprefix("metadata.") for field in fields if field.startswith("metadata.") or field in known]
    values: dict[str, set[Any]] = {}
    for row in rows:
        for key, value in row["metadata"].items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                values.setdefault(key, set()).add(value)
    keys = list(dict.fromkeys([*named, *sorted(values, key=lambda key: len(values[key]) == 1)]))
    least = max(_LEAST_KEYS, len(set(named)))
    return keys[:least], keys[least:] if is_terminal() else []

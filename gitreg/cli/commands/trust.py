"""``gitreg trust``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete, complete_fields
from gitreg.cli.command import Command
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.options import listing_options, open_registry
from gitreg.cli.output import emit, note, print_done, print_line, print_table
from gitreg.cli.results import after_the_work
from gitreg.errors import InvalidInput, NotFound, Refused
from gitreg.sdk import verbs
from gitreg.sdk.environment import Environment

_COLUMNS = ("url", "trusted_for", "trusted")


@click.command(
    "trust",
    cls=Command,
    examples=[
        "gitreg trust",
        "gitreg trust --stores",
        "gitreg trust ../store",
        "gitreg trust https://github.com/acme/shop.git --code",
        "gitreg trust --code --model 'ranker*'",
        "gitreg trust --no-code",
    ],
    guides=["security", "stores"],
)
@click.argument("urls", metavar="[URL]...", shell_complete=complete("stores"), nargs=-1)
@click.option("--stores", is_flag=True, help="Trust the stores that this registry's gitreg.yaml names.")
@click.option("--code", is_flag=True, help="Trust the registry, or those at the URLs, for files that can run code.")
@click.option("--no-code", is_flag=True, help="Take the trust for code back.")
@click.option(
    "--model",
    "models",
    metavar="GLOB",
    shell_complete=complete("models"),
    multiple=True,
    help="With --code: only these models.",
)
@listing_options(complete_fields(_COLUMNS))
def command(
    urls: tuple[str, ...], stores: bool, code: bool, no_code: bool, models: tuple[str, ...], output: str
) -> None:
    """Trust stores and registries on this machine; alone, list what is trusted and what is named but not.

    A store that is not trusted is never contacted. In CI, where a pull request may change gitreg.yaml, name the URLs
    instead of --stores.

    With --code, files of the registry are loaded even where they can run code when they are loaded: pickles that
    name more than known types, scripts, programs (`gitreg scan`). Without, they are refused. `gitreg init` trusts the
    registry that it makes, `gitreg clone` a clone of a URL that is trusted.
    """
    if code and no_code:
        raise InvalidInput("--code and --no-code exclude each other", hint="give one of them")
    if models and not code:
        raise InvalidInput("--model needs --code", hint="add --code")
    if stores and (urls or code or no_code):
        raise InvalidInput("--stores stands alone", hint="it trusts the stores that gitreg.yaml names")
    if code or no_code:
        _trust_code(urls, models, output, trusted=code)
        return
    if not urls and not stores:
        _list(output)
        return
    trusted = verbs.stores.trust_stores(urls) if urls else open_registry().session.trust()
    with after_the_work():
        if output != "table":
            _emit(trusted, "store", True, output)
            return
        for url in trusted:
            print_done(f"Trusted {url}")
        if not trusted:
            print_done("Nothing to trust: the weights lie in the clone's own folder")


def _list(output: str) -> None:
    """Print the stores that the registry names, and all that this user trusts."""
    environment = Environment.of_this_process()
    try:
        named = [each.url for each in open_registry().session.named_stores() if isinstance(each.error, Refused)]
    except NotFound:
        if click.get_current_context().ensure_object(GlobalOptions).repo is not None:
            raise
        named = []
    rows = [{"url": url, "trusted_for": "store", "trusted": True} for url in environment.trusted_stores().urls()]
    rows += [{"url": url, "trusted_for": "store", "trusted": False} for url in named]
    rows += [
        {"url": each.place, "trusted_for": "code", "trusted": True} for each in environment.code_trust().registries()
    ]
    if output != "table":
        emit(rows, output, rows=rows, columns=_COLUMNS, name="{url}")
        return
    if rows:
        cells = [(row["url"], row["trusted_for"], "yes" if row["trusted"] else "no") for row in rows]
        print_table(["url", "for", "trusted"], cells)
    else:
        print_line("Nothing is trusted yet; a registry in its own folder needs no trust")
    if named:
        note("`gitreg trust --stores` trusts the stores that gitreg.yaml names")


def _trust_code(urls: tuple[str, ...], models: tuple[str, ...], output: str, *, trusted: bool) -> None:
    if not urls:
        registry = open_registry()
        places = [registry.session.code_place]
        if trusted:
            registry.session.trust_code(models)
        elif not registry.session.environment.code_trust().remove(registry.session.code_place):
            places = []
    else:
        places = verbs.trust_code.trust_code(urls, models) if trusted else verbs.trust_code.distrust_code(urls)
    with after_the_work():
        if output != "table":
            _emit(places, "code", trusted, output)
            return
        for place in places:
            print_done(f"Trusted for code: {place}" if trusted else f"No more trusted for code: {place}")
        if not places:
            print_done("Nothing to take back: it was not trusted for code")


def _emit(places: list[str], purpose: str, trusted: bool, output: str) -> None:
    rows = [{"url": place, "trusted_for": purpose, "trusted": trusted} for place in places]
    emit(rows, output, rows=rows, columns=_COLUMNS, name="{url}")

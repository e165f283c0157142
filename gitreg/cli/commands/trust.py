"""``gitreg trust``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import open_registry, output_option
from gitreg.cli.output import emit, print_done
from gitreg.cli.results import after_the_work
from gitreg.errors import InvalidInput
from gitreg.sdk import verbs


@click.command(
    "trust",
    cls=Command,
    examples=[
        "gitreg trust",
        "gitreg trust https://github.com/acme/shop.git --code",
        "gitreg trust --code --model 'ranker*'",
        "gitreg trust --no-code",
    ],
    guides=["security", "stores"],
)
@click.argument("urls", metavar="[URL]...", shell_complete=complete("stores"), nargs=-1)
@click.option("--code", is_flag=True, help="Trust the registry, or those at the URLs, for files that can run code.")
@click.option("--no-code", is_flag=True, help="Take that back.")
@click.option(
    "--model",
    "models",
    metavar="GLOB",
    shell_complete=complete("models"),
    multiple=True,
    help="With --code: only these models.",
)
@output_option
def command(urls: tuple[str, ...], code: bool, no_code: bool, models: tuple[str, ...], output: str) -> None:
    """Trust the stores that this registry's gitreg.yaml names; none is opened before.

    With URLs, exactly these: what CI runs, where a pull request may say what it likes of stores.

    With --code, files of the registry are loaded even where they can run code when they are loaded: pickles that
    name more than known types, scripts, programs (`gitreg scan`). Without, they are refused. `gitreg init` trusts the
    registry that it makes, `gitreg clone` a clone of a URL that is trusted.
    """
    if code and no_code:
        raise InvalidInput("--code and --no-code exclude each other", hint="give one of them")
    if models and not code:
        raise InvalidInput("--model needs --code", hint="add --code")
    if code or no_code:
        _trust_code(urls, models, output, trusted=code)
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
    emit(rows, output, rows=rows, columns=("url", "trusted_for", "trusted"))

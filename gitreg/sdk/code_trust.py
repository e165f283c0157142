"""Trusting registries for files that can run code, on the user's word."""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.registry.code_trust import place_of
from gitreg.registry.mirrors import is_address
from gitreg.sdk.ambient import Ambient
from gitreg.sdk.opened import OpenRegistry
from gitreg.sdk.registry import Registry


def trust_code(urls: Sequence[str], models: Sequence[str] = ()) -> list[str]:
    """Trust registries by their URLs or folders, and return their places.

    Parameters
    ----------
    models:
        Patterns of the models that are meant; none means all.

    Raises
    ------
    NotFound
        There is no registry at one of them.
    """
    return [_trust(url, models) for url in urls]


def _trust(url: str, models: Sequence[str]) -> str:
    with Registry.open(url) as registry:
        registry.trust_code(models)
        return registry.code_place


def distrust_code(urls: Sequence[str]) -> list[str]:
    """Trust registries no more, by their URLs or folders, and return the places of those that were trusted."""
    trust = Ambient.of_this_process().code_trust()
    return [place for place in map(_place, urls) if trust.remove(place)]


def _place(url: str) -> str:
    if is_address(url):  # it need not be there any more
        return place_of(url)
    with Registry.open(url) as registry:
        return registry.code_place


def follow(registry: OpenRegistry, url: str) -> None:
    """Trust a new clone for code as the URL is trusted that it was made from."""
    trust = registry.ambient.code_trust()
    trusted = trust.find(place_of(url), registry.snapshot().settings.id)
    if trusted is not None:
        registry.trust_code(trusted.models)

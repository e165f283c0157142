"""Trust in registries for files that can run code, set by the user."""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.registry.discovery.mirrors import is_address
from gitreg.registry.weights.trusted_code import place_of
from gitreg.sdk.environment import Environment
from gitreg.sdk.session import Session
from gitreg.sdk.verbs.find import open_session


def trust_code(urls: Sequence[str], models: Sequence[str] = ()) -> list[str]:
    """Trust registries, by their URLs or folders, for files that can run code; return their locations.

    Parameters
    ----------
    models:
        Patterns of the names of trusted models; an empty list means all.

    Raises
    ------
    NotFound
        There is no registry at one of the URLs or folders.
    """
    return [_trust(url, models) for url in urls]


def _trust(url: str, models: Sequence[str]) -> str:
    with open_session(url) as session:
        session.trust_code(models)
        return session.code_place


def distrust_code(urls: Sequence[str]) -> list[str]:
    """Remove registries, by URL or folder, from those trusted for code; return the locations that were removed."""
    trust = Environment.of_this_process().code_trust()
    return [place for place in map(_place, urls) if trust.remove(place)]


def _place(url: str) -> str:
    if is_address(url):  # the registry may no longer exist
        return place_of(url)
    with open_session(url) as session:
        return session.code_place


def follow(session: Session, url: str) -> None:
    """Trust a new clone for code if the URL that it was cloned from is trusted, for the same models."""
    trust = session.environment.code_trust()
    trusted = trust.find(place_of(url), session.snapshot().settings.id)
    if trusted is not None:
        session.trust_code(trusted.models)

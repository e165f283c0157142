"""The registries that this user trusts for code: files that can run code are loaded from them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from gitreg.git.urls import hide_password
from gitreg.registry.weights.json_lists import read_list, write_list


class TrustedRegistry(NamedTuple):
    """A registry that is trusted for code.

    Parameters
    ----------
    place:
        The common Git folder of a clone, or the URL of a mirrored registry.
    registry:
        The registry's id; both have to match, so that neither a copied id nor a copied URL is enough.
    models:
        Patterns of the trusted models (``legacy/*``); an empty tuple means all.
    """

    place: str
    registry: str | None
    models: tuple[str, ...] = ()

    def covers(self, model: str) -> bool:
        """Return whether the trust covers a model, or an artifact, of this name."""
        return not self.models or any(model == pattern or fnmatchcase(model, pattern) for pattern in self.models)


def place_of(url: str) -> str:
    """Return the place of a registry named by ``URL`` or ``URL#BRANCH``: the URL, without password."""
    return hide_password(url.partition("#")[0])


class CodeTrust:
    """The list of registries that this user trusts for code, in a JSON file.

    Parameters
    ----------
    path:
        The JSON file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, place: str, registry: str | None) -> TrustedRegistry | None:
        """Return the entry of a registry at a place; None where it is not trusted."""
        for each in self.registries():
            if (each.place, each.registry) == (place, registry):
                return each
        return None

    def add(self, place: str, registry: str | None, models: Sequence[str] = ()) -> None:
        """Add a registry at a place; an earlier entry of that place is replaced."""
        new = TrustedRegistry(place, registry, tuple(models))
        self._write([*(each for each in self.registries() if each.place != place), new])

    def remove(self, place: str) -> bool:
        """Remove all entries of a place; return whether there were any."""
        known = self.registries()
        rest = [each for each in known if each.place != place]
        if len(rest) == len(known):
            return False
        self._write(rest)
        return True

    def registries(self) -> list[TrustedRegistry]:
        """Return the trusted registries."""
        return [found for each in read_list(self._path) if (found := _read(each)) is not None]

    def _write(self, trusted: Sequence[TrustedRegistry]) -> None:
        rows = [
            {"place": each.place, "registry": each.registry, **({"models": list(each.models)} if each.models else {})}
            for each in trusted
        ]
        write_list(self._path, rows)


def _read(parsed: Any) -> TrustedRegistry | None:
    """Return an entry parsed from JSON; None for a damaged one, which trusts nothing."""
    if not isinstance(parsed, dict) or not isinstance(parsed.get("place"), str):
        return None
    registry, models = parsed.get("registry"), parsed.get("models", [])
    if not (registry is None or isinstance(registry, str)) or not isinstance(models, list):
        return None
    if not all(isinstance(model, str) for model in models):
        return None
    return TrustedRegistry(parsed["place"], registry, tuple(models))

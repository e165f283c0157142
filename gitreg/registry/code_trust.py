"""The registries whose files this user loads even where they can run code, in a file of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from gitreg.git.remote import hide_password
from gitreg.registry.user_lists import read_list, write_list


class TrustedRegistry(NamedTuple):
    """A registry that is trusted for code.

    Parameters
    ----------
    place:
        The common Git folder of a clone, or the URL of a mirror.
    registry:
        Its id; both have to fit, so that neither a copied id nor a copied URL is enough.
    models:
        Patterns of the models that are meant (``legacy/*``); none means all.
    """

    place: str
    registry: str | None
    models: tuple[str, ...] = ()

    def covers(self, model: str) -> bool:
        """Return whether a model, or an artifact by its name, is meant."""
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)


def place_of(url: str) -> str:
    """Return the place of a registry that is named by ``URL`` or ``URL#BRANCH``: as it is kept, so without password."""
    return hide_password(url.partition("#")[0])


class CodeTrust:
    """The registries that this user trusts for code.

    Parameters
    ----------
    path:
        The JSON file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, place: str, registry: str | None) -> TrustedRegistry | None:
        """Return what is trusted of a registry at a place; None where nothing is."""
        for each in self._all():
            if (each.place, each.registry) == (place, registry):
                return each
        return None

    def add(self, place: str, registry: str | None, models: Sequence[str] = ()) -> None:
        """Trust a registry at a place, in place of what was said of it before."""
        new = TrustedRegistry(place, registry, tuple(models))
        self._write([*(each for each in self._all() if each.place != place), new])

    def remove(self, place: str) -> bool:
        """Trust whatever is at a place no more; return whether it was trusted."""
        known = self._all()
        rest = [each for each in known if each.place != place]
        if len(rest) == len(known):
            return False
        self._write(rest)
        return True

    def _all(self) -> list[TrustedRegistry]:
        return [found for each in read_list(self._path) if (found := _read(each)) is not None]

    def _write(self, trusted: Sequence[TrustedRegistry]) -> None:
        said = [
            {"place": each.place, "registry": each.registry, **({"models": list(each.models)} if each.models else {})}
            for each in trusted
        ]
        write_list(self._path, said)


def _read(said: Any) -> TrustedRegistry | None:
    """Return an entry; None for one that is damaged, which trusts nothing."""
    if not isinstance(said, dict) or not isinstance(said.get("place"), str):
        return None
    registry, models = said.get("registry"), said.get("models", [])
    if not (registry is None or isinstance(registry, str)) or not isinstance(models, list):
        return None
    if not all(isinstance(model, str) for model in models):
        return None
    return TrustedRegistry(said["place"], registry, tuple(models))

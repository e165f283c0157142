"""The registries whose files this user loads even where they can run code, in a file of the user's own."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple


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
        with suppress(OSError, ValueError):
            said = json.loads(self._path.read_text())
            return [found for each in said if (found := _read(each)) is not None] if isinstance(said, list) else []
        return []

    def _write(self, trusted: Sequence[TrustedRegistry]) -> None:
        said = [
            {"place": each.place, "registry": each.registry, **({"models": list(each.models)} if each.models else {})}
            for each in trusted
        ]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        aside.write_text(json.dumps(said, indent=1) + "\n")
        os.replace(aside, self._path)


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

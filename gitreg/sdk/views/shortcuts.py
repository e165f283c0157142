"""Loading in one call: the registry is opened for it and closed again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.sdk.registry import Registry, opened
from gitreg.sdk.session import PathLike


def load(
    registry: PathLike,
    reference: str | None = None,
    /,
    *,
    dest: PathLike | None = None,
    artifact: str | None = None,
    file: str | None = None,
    at: str | None = None,
    unsafe_code: bool = False,
) -> Path:
    """Return the folder with the files of a version, verified, in one call.

        folder = gitreg.load("https://example.com/team/models.git", "iris@production")
        folder = gitreg.load("iris@production")

    Files are fetched once and kept in the cache; a registry at a URL is kept there as a mirror, which is refreshed by
    each call.

    Parameters
    ----------
    registry:
        The folder or URL of the registry, as :meth:`gitreg.Registry.open` takes it. Without it, the registry is that of
        the active run, else that of GITREG_REGISTRY, else that of the current folder.
    reference:
        The version; if it is the only argument, it comes first.
    dest, artifact, file, at, unsafe_code:
        As for :meth:`gitreg.Registry.load`.

    Returns
    -------
    pathlib.Path:
        A read-only folder of the cache, or `dest`.

    Raises
    ------
    GitregError
        As :meth:`gitreg.Registry.open` and :meth:`gitreg.Registry.load` raise it.

    Examples
    --------
    >>> folder = gitreg.load(".", "iris@production")
    >>> sorted(path.name for path in folder.iterdir())
    ['model.bst']
    """
    with _registry_and_reference(registry, reference) as (found, wanted):
        return found.load(wanted, dest, artifact=artifact, file=file, at=at, unsafe_code=unsafe_code)


def load_object(
    registry: PathLike,
    reference: str | None = None,
    /,
    *,
    artifact: str | None = None,
    unsafe_pickle: bool = False,
    expected: type | None = None,
) -> Any:
    """Return the object that a version was saved from, in one call.

        estimator = gitreg.load_object("https://example.com/team/models.git", "iris@production")

    Parameters
    ----------
    registry, reference:
        As for :func:`gitreg.load`.
    artifact, unsafe_pickle, expected:
        As for :meth:`gitreg.Registry.load_object`.

    Returns
    -------
    Any:
        An object of the type that was saved, equal to it.

    Raises
    ------
    GitregError
        As :meth:`gitreg.Registry.open` and :meth:`gitreg.Registry.load_object` raise it.

    Examples
    --------
    >>> registry.save("taste", {"weights": [0.1, 0.7]}).reference
    'taste@1'
    >>> gitreg.load_object(".", "taste")
    {'weights': [0.1, 0.7]}
    """
    with _registry_and_reference(registry, reference) as (found, wanted):
        return found.load_object(wanted, artifact=artifact, unsafe_pickle=unsafe_pickle, expected=expected)


@contextmanager
def _registry_and_reference(registry: PathLike, reference: str | None) -> Iterator[tuple[Registry, str]]:
    """Yield the open registry and the reference that one or two arguments name."""
    if reference is not None:
        with Registry.open(registry) as found:
            yield found, reference
        return
    only = os.fspath(registry)
    if "://" in only or only.endswith(".git"):
        raise InvalidInput(f"{only} names a registry and no version", hint="name both: load(URL, 'iris@production')")
    with opened(None) as found:
        yield found, only

"""The argument ``load`` of ``@model``: its type and its parser."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from gitreg.errors import InvalidInput

Load = str | Sequence[str | tuple[str, str | os.PathLike[str] | None]] | None
"""The values of ``load``: ``"name"``, ``["a", "b"]`` or ``[("name", "path")]``."""


def names_and_paths(wanted: Load) -> list[tuple[str, str | os.PathLike[str] | None]]:
    """Return ``load`` as pairs of a name and a path; the path is None if only the name is given.

    Raises
    ------
    InvalidInput
        The value is neither a name nor a list of names and ``(name, path)``.
    """
    if wanted is None:
        return []
    each_one = [wanted] if isinstance(wanted, str) else wanted
    found: list[tuple[str, str | os.PathLike[str] | None]] = []
    for each in each_one if isinstance(each_one, list | tuple) else [each_one]:
        pair: Any = (each, None) if isinstance(each, str) else each
        is_pair = isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
        if not is_pair or not isinstance(pair[1], str | os.PathLike | None):
            raise InvalidInput(
                f"@model(load=...) holds {each!r}",
                hint='name artifacts or versions: load="name", load=["a", "iris@production"], load=[("name", "path")]',
            )
        found.append((pair[0], pair[1]))
    return found

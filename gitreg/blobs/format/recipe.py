"""A recipe: the ordered list of chunks that make up a big file or pack.

::

    gitreg-recipe 1
    <sha256>  <size>
    ...
    end <sha256 of all the lines above>
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from gitreg.errors import GitregError, InvalidDocument

_FIRST = "gitreg-recipe 1"
_LINE = re.compile(r"([0-9a-f]{64})  ([1-9][0-9]{0,7})")  # a chunk is read as a whole, so its size is limited


class Chunk(NamedTuple):
    """A piece of a file, stored once (deduplicated), whatever files contain it.

    Parameters
    ----------
    sha256:
        sha256 of the bytes, which names the chunk in the store.
    size:
        In bytes.
    """

    sha256: str
    size: int


def recipe_text(chunks: Sequence[Chunk]) -> bytes:
    """Return the text of a recipe."""
    lines = "".join(f"{chunk.sha256}  {chunk.size}\n" for chunk in chunks)
    text = f"{_FIRST}\n{lines}".encode()
    return text + f"end {sha256(text).hexdigest()}\n".encode()


def parse_recipe(text: bytes) -> list[Chunk]:
    """Return the chunks of a recipe, in order, from a text that `recipe_text` wrote.

    Raises
    ------
    InvalidDocument
        The text was cut off or changed.
    GitregError
        The text is intact, but of a newer format.
    """
    body, end, digest = text.rpartition(b"end ")
    if not end or digest != f"{sha256(body).hexdigest()}\n".encode():
        raise InvalidDocument("recipe", "", "it was cut off or changed")
    first, *lines = body.decode(errors="replace").split("\n")
    if first != _FIRST:
        raise GitregError(
            f"a recipe begins with {first[:40]!r}, which is newer than this gitreg", hint="upgrade gitreg"
        )
    last = lines.pop() if lines else ""
    matches = [_LINE.fullmatch(line) for line in lines]
    if last or None in matches:
        raise InvalidDocument("recipe", "", "a line is no '<sha256>  <size>'")
    return [Chunk(match[1], int(match[2])) for match in matches if match]

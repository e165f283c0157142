"""The trailers of a message, as git-interpret-trailers(1) finds them: what machines read, and no other line."""

from __future__ import annotations

import re

_PARAGRAPHS = re.compile(r"\n(?:[ \t]*\n)+")
_TRAILER = re.compile(r"([A-Za-z0-9-]+)[ \t]*:(.*)")
_OF_GIT = ("Signed-off-by: ", "(cherry picked from commit ")


def trailers(message: str) -> list[tuple[str, str]]:
    """Return names and values of a commit's or tag's trailers, in their order; none where it has none.

    They are the last paragraph, which is not the first, where all of its lines are trailers; or a quarter of them,
    where one is among them that git writes itself. A line that begins with a blank goes on with the one before.
    """
    _, *rest = _PARAGRAPHS.split(message.strip("\n"))
    if not rest:
        return []
    lines = re.sub(r"\n[ \t]+", " ", rest[-1].rstrip()).split("\n")
    found = [(match[1], match[2].strip()) for match in map(_TRAILER.fullmatch, lines) if match]
    of_git = any(line.startswith(_OF_GIT) for line in lines)
    known = len(found) + sum(line.startswith(_OF_GIT[1]) for line in lines)
    return found if known == len(lines) or (of_git and known * 3 >= len(lines) - known) else []


def values_of(message: str, name: str) -> list[str]:
    """Return what the trailers of a name say; names are told apart whatever their case, as Git does."""
    return [value for each, value in trailers(message) if each.lower() == name.lower()]

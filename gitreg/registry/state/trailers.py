"""The trailers of a message, found by the rules of git-interpret-trailers(1)."""

from __future__ import annotations

import re

_PARAGRAPHS = re.compile(r"\n(?:[ \t]*\n)+")
_TRAILER = re.compile(r"([A-Za-z0-9-]+)[ \t]*:(.*)")
_OF_GIT = ("Signed-off-by: ", "(cherry picked from commit ")


def trailers(message: str) -> list[tuple[str, str]]:
    """Return names and values of the trailers of a commit's or tag's message, in order; empty if it has none.

    They are the last paragraph, if it is not the first and all its lines are trailers; if one line is a trailer that
    git itself writes, a quarter of the lines is enough. A line that begins with a blank continues the line before.
    """
    _, *rest = _PARAGRAPHS.split(message.rstrip().lstrip("\n"))
    if not rest:
        return []
    lines = re.sub(r"\n[ \t]+", " ", rest[-1].rstrip()).split("\n")
    found = [(match[1], match[2].strip()) for match in map(_TRAILER.fullmatch, lines) if match]
    of_git = any(line.startswith(_OF_GIT) for line in lines)
    known = len(found) + sum(line.startswith(_OF_GIT[1]) for line in lines)
    return found if known == len(lines) or (of_git and known * 3 >= len(lines) - known) else []


def values_of(message: str, name: str) -> list[str]:
    """Return the values of the trailers of one name, compared without case, as Git does."""
    return [value for each, value in trailers(message) if each.lower() == name.lower()]

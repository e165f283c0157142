"""A command line as it was typed, and the same line with a mistake corrected."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from gitreg.git.urls import hide_login


class Line(NamedTuple):
    """A command line as it was typed.

    Parameters
    ----------
    program:
        The name that gitreg was called by.
    typed:
        The arguments.
    """

    program: str
    typed: Sequence[str]

    def corrected(self, wrong: str, right: str) -> str | None:
        """Return the line with a text corrected, quoted for a shell; None where no argument has that text.

        The text is an argument, or a part of it that ends where a name ends.
        """
        whole = [n for n, word in enumerate(self.typed) if word == wrong]
        part = re.compile(rf"(?<![\w.-]){re.escape(wrong)}(?![\w.-])")
        places = whole or [n for n, word in enumerate(self.typed) if wrong and part.search(word)]
        if len(places) != 1:
            return None
        words = list(self.typed)
        words[places[0]] = right if whole else part.sub(lambda _: right, words[places[0]], count=1)
        return self.of(words)

    def of(self, words: Sequence[str]) -> str:
        """Return a line of other arguments, quoted for a shell, without the passwords of URLs."""
        return f"{self.program} {shlex.join(map(hide_login, words))}"

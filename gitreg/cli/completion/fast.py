"""Fast completion without click, of arguments that are a model, a version or a stage.

The answer of `gitreg.cli.completion.answer` is the standard: for the most frequent command lines without options this
module gives the same one sooner, for all others none. The shells' scripts are in ``scripts/``: they put the line up to
the cursor into ``_GITREG_COMPLETE``, and read a line for each word: ``plain``, the word and its help, between tabs; or
``file`` or ``dir``, where the shell completes a path.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.cli.completion.offers import models, models_and_stages, offer, references, stages

ARGUMENTS = {
    "annotate": (references,),
    "approve": (references, stages),
    "archive": (references,),
    "card": (references,),
    "diff": (references, references),
    "lineage": (references,),
    "load": (references,),
    "log": (references,),
    "promote": (references, stages),
    "rollback": (models_and_stages, stages),
    "save": (models,),
    "show": (references,),
    "unyank": (references,),
    "verify": (references,),
    "why": (references, stages),
    "yank": (references,),
}
"""For each command, the functions that complete its first arguments."""

_QUOTING = frozenset("\"'\\")


def answer(line: str) -> str | None:
    """Return the complete answer to the shell, or None where click is needed."""
    if not _QUOTING.isdisjoint(line):
        return None
    *before, incomplete = after_the_program([*line.split(), *([""] if line[-1:].isspace() else [])]) or [""]
    offers = ARGUMENTS.get(before[0], ()) if before else ()
    if not 0 < len(before) <= len(offers) or any(word.startswith("-") for word in (*before, incomplete)):
        return None
    return "".join(f"plain\t{word}\t\n" for word in offer(offers[len(before) - 1], None, incomplete, {}))


def after_the_program(words: Sequence[str]) -> Sequence[str]:
    """Return the words after ``gitreg``, or after ``git ... reg``."""
    if words and words[0].rpartition("/")[2] == "git" and "reg" in words[:-1]:
        return words[words.index("reg") + 1 :]
    return words[1:]

"""Fast completion for bash and zsh without click, of arguments that are a model, a version or a stage.

click's answer is the standard: for the most frequent command lines without options this module gives the same one
sooner, for all others none.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitreg.cli.completion_offers import offer, offer_models, offer_references, offer_stages

ARGUMENTS = {
    "annotate": (offer_references,),
    "archive": (offer_references,),
    "diff": (offer_references, offer_references),
    "list": (offer_models,),
    "load": (offer_references,),
    "log": (offer_references,),
    "promote": (offer_references, offer_stages),
    "rollback": (offer_models, offer_stages),
    "save": (offer_models,),
    "scan": (offer_references,),
    "show": (offer_references,),
    "unyank": (offer_references,),
    "verify": (offer_references,),
    "yank": (offer_references,),
}
"""For each command, the functions that complete its first arguments."""

_FORMS = {"bash_complete": "plain,{}\n", "zsh_complete": "plain\n{}\n_\n"}
"""The format of a word for the shell scripts that click writes."""

_QUOTING = frozenset("\"'\\")


def answer(env: Mapping[str, str]) -> str | None:
    """Return the complete answer to the shell, or None where click is needed.

    Parameters
    ----------
    env:
        The shell's question in ``_GITREG_COMPLETE``, ``COMP_WORDS`` and ``COMP_CWORD``, as click's scripts set
        them.
    """
    form, line, place = _FORMS.get(env["_GITREG_COMPLETE"]), env.get("COMP_WORDS", ""), env.get("COMP_CWORD", "")
    if form is None or not place.isdecimal() or not _QUOTING.isdisjoint(line):
        return None
    words = [*line.split(), ""]
    before, incomplete = words[1 : int(place)], words[min(int(place), len(words) - 1)]
    offers = ARGUMENTS.get(before[0], ()) if before else ()
    if not 0 < len(before) <= len(offers) or any(word.startswith("-") for word in (*before, incomplete)):
        return None
    return "".join(form.format(word) for word in offer(offers[len(before) - 1], None, incomplete))

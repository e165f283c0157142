"""Answering bash and zsh without click: arguments that hold a model, a version or a stage, where no option is near.

What click says is right: of the commonest lines this says the same, sooner, and of all others nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitreg.cli.offers import offer, offer_models, offer_references, offer_stages

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
"""For commands the first of their arguments."""

_FORMS = {"bash_complete": "plain,{}\n", "zsh_complete": "plain\n{}\n_\n"}
"""How the scripts that click writes for the shells want each word."""

_QUOTING = frozenset("\"'\\")


def answer(env: Mapping[str, str]) -> str | None:
    """Give the whole answer to the shell; None where click has to be asked.

    Parameters
    ----------
    env:
        What the shell asks: ``_GITREG_COMPLETE``, ``COMP_WORDS`` and ``COMP_CWORD``, as click's scripts set them.
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

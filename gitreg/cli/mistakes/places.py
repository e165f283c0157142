"""The words of a wrong line in the places of a right one: each only where it is what the place asks for."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from gitreg.cli.completion.offers import models, offer, stages
from gitreg.errors import InvalidInput
from gitreg.git.urls import hide_login
from gitreg.names import check_model, is_number, parse_reference

_OF_NEW = re.compile(r"`gitreg (save|artifact save|model register) ")
_PLACE = re.compile(r"\[.*?\]+(?:\.\.\.)?|\S+")


class Names(NamedTuple):
    """The models and the stages of a registry; none where it cannot be read."""

    models: Sequence[str]
    stages: Sequence[str]

    @classmethod
    def of(cls, repo: str | None) -> Names:
        """Return the names in the registry of this call; a remote one is not asked."""
        if repo is not None and "://" in repo:
            return cls((), ())
        return cls(offer(models, repo, "", {}), offer(stages, repo, "", {}))

    def is_model(self, word: str) -> bool:
        """Return whether a word is a model: one of the registry, where that can be read."""
        return _is_name(word) and (not self.models or word in self.models)

    def is_reference(self, word: str) -> bool:
        """Return whether a word names a model or a version of one."""
        try:
            model = parse_reference(word).model
        except InvalidInput:
            return False
        return self.is_model(model)


def filled(lines: str, words: Sequence[str], program: str, names: Names) -> str:
    """Return lines with words in the places that stand in braces, and the names of the places where no word fits.

    The last place of a line takes all that are left, if it may. A line that needs a stage beside a model keeps its
    names where there is a version, whose stage is not known.
    """

    def fill(match: re.Match[str]) -> str:
        text = match[0]
        places = re.findall(_PLACE, " ".join(re.findall(r"\{(.*?)\}", text)))
        needed = [place for place in places if not place.startswith("[")]
        new = bool(_OF_NEW.match(text))
        rest = list(words) if new else _joined(list(words), len(needed), names)
        if needed == ["MODEL", "STAGE"] and any("@" in word for word in rest):
            rest = []

        def word_of(place: re.Match[str]) -> str:
            if place[0].startswith("{-- "):
                return shlex.join(["--", *rest]) if rest else place[0][1:-1]
            out = []
            for name in re.findall(_PLACE, place[0][1:-1]):
                fitting = [(word, fit) for word in rest if (fit := _fitting(word, name, names, new=new)) is not None]
                taken = fitting if name in ("[FILTER...]", "TEXT") else fitting[:1]
                for word, _ in taken:
                    rest.remove(word)
                if name == "TEXT" and taken:
                    taken = [("", " ".join(fit for _, fit in taken))]
                out += [shlex.quote(hide_login(fit)) for _, fit in taken]
                if not taken and not name.startswith("["):
                    out.append(name)
            return " ".join(out)

        text = re.sub(r"\{.*?\}", word_of, text)
        return text.replace(" `", "`").replace("`gitreg ", f"`{program} ", 1)

    return re.sub(r"`.*?`", fill, lines)


def _joined(words: list[str], needed: int, names: Names) -> list[str]:
    """Return the words, a model and its version or stage behind it as one where there are more than are needed."""
    if len(words) > max(needed, 1) and names.is_model(words[0]) and (is_number(words[1]) or words[1] in names.stages):
        return [f"{words[0]}@{words[1]}", *words[2:]]
    return words


def _fitting(word: str, place: str, names: Names, *, new: bool) -> str | None:
    """Return a word as it stands in a place; None if it is not what the place asks for."""
    bare = place.lstrip("[").rstrip("].").partition("[")[0]
    colon = re.fullmatch(r"([^:@/\\]+):v?([^:@/\\]+)", word)
    match bare:
        case "MODEL" | "NAME" if new:
            model = colon[1] if colon else word
            return model if _is_name(model) and not os.path.lexists(model) else None
        case "MODEL" if "[" in place[1:]:  # with a stage or a version behind it
            return _fitting(word, "REF", names, new=new)
        case "MODEL":
            return word if names.is_model(word) else None
        case "REF" | "MODEL@VERSION":
            reference = "@".join(colon.groups()) if colon else word
            fits = names.is_reference(reference) and (bare == "REF" or "@" in reference)
            return reference if fits else None
        case "STAGE":
            return word if (word in names.stages if names.stages else _is_name(word)) else None
        case "PATH":
            return word if os.path.lexists(word) or (not new and "://" not in word) else None
        case "ALIAS" | "TAG":
            return word if _is_name(word) and word not in names.stages else None
        case "K=V":
            return word if "=" in word else None
        case "FILTER":
            return word if re.search("[=<>:]", word) else None
    return word


def _is_name(word: str) -> bool:
    try:
        return bool(check_model(word))
    except InvalidInput:
        return False

"""Whether a version may take a stage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from gitreg.errors import InvalidInput, Refused
from gitreg.names import ARCHIVED, LATEST


class Candidate(NamedTuple):
    """The version that is to move.

    Parameters
    ----------
    version:
        Its name.
    reference:
        How to speak of it.
    """

    version: str
    reference: str
    yanked: bool


class Post(NamedTuple):
    """The stage that it is to take.

    Parameters
    ----------
    holder:
        The version that holds it now, None where nobody does.
    undone:
        The versions that rollbacks took out of it, which may come back without force.
    """

    stage: str
    holder: str | None
    undone: Collection[str] = ()


def check_stage_is_known(stage: str, known: Sequence[str]) -> None:
    """Refuse a stage that the registry does not declare.

    Raises
    ------
    InvalidInput
        It is ``latest`` or ``archived``, which are no pointers, or unknown.
    """
    if stage == LATEST:
        raise InvalidInput("'latest' is the highest number by itself; no version can be put there")
    if stage == ARCHIVED:
        raise InvalidInput("'archived' is a mark, not a stage", hint="use `gitreg archive REF`")
    if stage not in known:
        raise InvalidInput(
            f"there is no stage {stage!r}", hint=f"the registry's stages are {', '.join(known) or 'none'} (gitreg.yaml)"
        )


def check_promotion(candidate: Candidate, post: Post, *, force: bool) -> None:
    """Pass silently, or say why the version may not take the stage.

    Raises
    ------
    Refused
        The version was yanked, or another one holds the stage and ``force`` is not given.
    """
    if candidate.yanked:
        raise Refused(
            f"{candidate.reference} was yanked and cannot take a stage",
            hint=f"`gitreg unyank {candidate.reference}` first",
        )
    occupied = post.holder is not None and post.holder != candidate.version
    if occupied and candidate.version not in post.undone and not force:
        model = candidate.reference.rpartition("@")[0]
        raise Refused(f"{post.stage} is held by {model}@{post.holder}", hint="--force archives it and takes its place")

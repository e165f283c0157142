"""The rules that every promotion has to meet, whatever the policy of the stage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from gitreg.errors import InvalidInput, Refused
from gitreg.names import ARCHIVED, LATEST
from gitreg.suggestions import nearest

BY_FORCE = "--force (in Python: force=True) archives it and takes its place"


class Candidate(NamedTuple):
    """The version that is to be promoted.

    Parameters
    ----------
    version:
        The name of the version.
    reference:
        The reference, for messages.
    yanked:
        True if the version was yanked.
    """

    version: str
    reference: str
    yanked: bool


class TargetStage(NamedTuple):
    """The stage that the version is to enter.

    Parameters
    ----------
    holder:
        The version that is in the stage now; None: no version is.
    undone:
        The versions that rollbacks removed from the stage; they may return without force.
    """

    stage: str
    holder: str | None
    undone: Collection[str] = ()


def check_stage_is_known(stage: str, known: Sequence[str]) -> None:
    """Raise an error for a stage that the registry does not declare.

    Raises
    ------
    InvalidInput
        The stage is unknown, or it is ``latest`` or ``archived``, which are not pointers.
    """
    if stage == LATEST:
        raise InvalidInput(
            "latest is always the version with the highest number: no version is promoted to it",
            hint=f"the stages are {', '.join(known)}",
        )
    if stage == ARCHIVED:
        raise InvalidInput("archived is a mark, not a stage", hint="`gitreg archive REF` sets it")
    if stage not in known:
        near = nearest(stage, known, most=1)
        listed = f"the stages are {', '.join(known)}" if known else "`gitreg config set stages NAME...` names some"
        raise InvalidInput(
            f"there is no stage {stage!r}",
            hint=None if near else listed,
            correction=(stage, near[0]) if near else None,
        )


def check_promotion(candidate: Candidate, post: TargetStage, *, force: bool, instead: str = BY_FORCE) -> None:
    """Raise an error if the version may not enter the stage.

    Parameters
    ----------
    instead:
        The hint where another version is in the stage.

    Raises
    ------
    Refused
        The version was yanked, or another version is in the stage and ``force`` is false.
    """
    if candidate.yanked:
        raise Refused(
            f"{candidate.reference} was yanked and cannot take a stage",
            hint=f"`gitreg unyank {candidate.reference}` first",
        )
    occupied = post.holder is not None and post.holder != candidate.version
    if occupied and candidate.version not in post.undone and not force:
        model = candidate.reference.rpartition("@")[0]
        raise Refused(f"{post.stage} is held by {model}@{post.holder}", hint=instead)

"""Whether a version may take a stage: every combination of the facts."""

from __future__ import annotations

from itertools import product

import pytest

from gitreg.errors import InvalidInput, Refused
from gitreg.policy.promotion import Candidate, TargetStage, check_promotion, check_stage_is_known

CASES = list(product((False, True), (None, "6", "7"), (None, "6", "7"), (False, True)))


@pytest.mark.parametrize(("yanked", "holder", "undone", "force"), CASES)
def test_a_version_takes_a_free_stage_its_own_or_by_force(
    yanked: bool, holder: str | None, undone: str | None, force: bool
) -> None:
    may = not yanked and (holder in (None, "7") or undone == "7" or force)
    candidate, post = (
        Candidate("7", "team/iris@7", yanked),
        TargetStage("production", holder, {undone} if undone else ()),
    )
    if may:
        check_promotion(candidate, post, force=force)
        return
    with pytest.raises(Refused) as caught:
        check_promotion(candidate, post, force=force)
    assert ("yanked" in str(caught.value)) == yanked
    if not yanked:
        assert "team/iris@6" in str(caught.value)
        assert "--force" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("stage", "says"), [("latest", "highest number"), ("archived", "a mark"), ("prod", "no stage")]
)
def test_a_stage_that_is_none_is_refused(stage: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        check_stage_is_known(stage, ("staging", "production"))


def test_the_known_stages_are_named() -> None:
    check_stage_is_known("staging", ("staging", "production"))
    with pytest.raises(InvalidInput) as caught:
        check_stage_is_known("canary", ("staging", "production"))
    assert caught.value.hint == "the stages are staging, production"


@pytest.mark.parametrize("written", ["prod", "Production", "productoin"])
def test_a_stage_that_is_spelled_wrong_is_suggested(written: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_stage_is_known(written, ("staging", "production"))
    assert caught.value.hint == "did you mean 'production'?"
    assert caught.value.correction == (written, "production")

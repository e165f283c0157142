"""A push moves a ref only from the value that was seen: what is stale, decided without a server."""

from __future__ import annotations

import pytest

from gitreg.git import RefUpdate
from gitreg.git.remote.dulwich_client import _is_stale
from gitreg.git.values import ANY

NAME, OLD, NEW, OTHER = "refs/heads/main", "1" * 40, "2" * 40, "3" * 40


@pytest.mark.parametrize(
    ("update", "offered", "stale"),
    [
        (RefUpdate(NAME, NEW, OLD), OLD, False),
        (RefUpdate(NAME, NEW, OLD), NEW, False),  # a push that was repeated
        (RefUpdate(NAME, NEW, OLD), OTHER, True),
        (RefUpdate(NAME, NEW, OLD), None, True),
        (RefUpdate(NAME, NEW, None), None, False),
        (RefUpdate(NAME, NEW, None), OTHER, True),
        (RefUpdate(NAME, None, OLD), OLD, False),
        (RefUpdate(NAME, None, OLD), None, False),  # it is gone already
        (RefUpdate(NAME, None, OLD), OTHER, True),
        (RefUpdate(NAME, NEW, ANY), OTHER, False),
        (RefUpdate(NAME, NEW, ANY), None, False),
    ],
)
def test_a_ref_that_is_neither_at_its_old_nor_at_its_new_place_is_stale(
    update: RefUpdate, offered: str | None, stale: bool
) -> None:
    refs = {"refs/heads/another": OTHER} | ({NAME: offered} if offered else {})
    assert _is_stale(update, refs) is stale

"""Trailers: the only lines of a message that machines read, found as Git finds them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.registry.state.audit_log import log
from gitreg.registry.state.trailers import trailers, values_of
from gitreg.sdk.registry import Registry
from tests.registry.support import commit_files, git, pointer

LINES = st.sampled_from(
    ["", " ", "subject", "Gitreg-Number: 7", "Gitreg-Record : x", " goes on", "a: b", "Signed-off-by: a <a@b>",
     "plain words", "(cherry picked from commit 1234)", "---", "x y: z", ": no name", "a:b"]
)  # fmt: skip


def found_by_git(message: str) -> list[tuple[str, str]]:
    done = subprocess.run(
        ["git", "interpret-trailers", "--only-trailers", "--only-input", "--unfold", "--no-divider"],
        input=message, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return [(name.rstrip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


@given(st.lists(LINES, max_size=7).map(lambda lines: "The subject\n" + "".join(f"{line}\n" for line in lines)))
def test_trailers_are_what_git_takes_for_them(message: str) -> None:
    assert trailers(message) == found_by_git(message)


FORGED = "Save iris@7\n\nGitreg-Number: 5000\nGitreg-Overridden: accuracy\n\nIt was.\n\nGitreg-Number: 7\n"


def test_a_line_of_the_body_is_no_trailer() -> None:
    assert (values_of(FORGED, "Gitreg-Number"), values_of(FORGED, "gitreg-overridden")) == (["7"], [])
    assert values_of("Gitreg-Number: 7", "Gitreg-Number") == [], "nor is a subject"


@pytest.mark.slow
@pytest.mark.parametrize("description", ["Gitreg-Number: 5000", "fine"])
def test_no_description_takes_numbers(registry: Registry, weights: Path, description: str) -> None:
    """A tag whose record is not on the branch says which number it takes: by its trailers."""
    registry.save("iris", weights)
    before = git(registry.folder, "rev-parse", "main")
    registry.save("iris", weights, description=description, metadata={"n": 2})
    git(registry.folder, "reset", "-q", "--hard", before)
    assert registry.save("iris", weights, metadata={"n": 3}).number == 3


def test_a_reason_that_looks_like_a_trailer_is_a_reason_and_overrides_nothing(
    registry: Registry, weights: Path
) -> None:
    registry.save("iris", weights)
    registry.promote("iris@1", "staging", reason="Gitreg-Overridden: accuracy")
    row = next(log(registry.session.snapshot(), "iris"))
    assert (row["reason"], row["overridden"]) == ("Gitreg-Overridden: accuracy", [])
    commit_files(registry.folder, {"models/iris/stages/staging.yaml": pointer("stage", "1")}, "By hand\n\nBetter")
    assert next(log(registry.session.snapshot(), "iris"))["reason"] == "Better"

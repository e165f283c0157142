"""The check of receipts, which record the time at which this clone first saw each commit."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.receipts import damaged_receipts, receipts_path


def problems_of_receipts(branch: RegistryBranch) -> Iterator[Problem]:
    """Yield a problem for each line that is not a receipt, or has a time before that of an earlier line."""
    path = receipts_path(branch.repository)
    for number, problem in damaged_receipts(branch.repository):
        yield Problem(
            f"{path} line {number}", problem, "find out who wrote it, and take the line out; the others stand"
        )

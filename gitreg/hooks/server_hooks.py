"""The hooks of a Git server: pre-receive (or update) before refs move, and post-receive after."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from gitreg.git import RefUpdate, Repository
from gitreg.registry.discovery.registries import affected_roots, registry_roots
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.remote.local_refs import follow
from gitreg.registry.state.branch import PATIENCE, RegistryBranch
from gitreg.registry.state.receipts import BY_PUSH, Receipt, read_receipts, write_receipt

if TYPE_CHECKING:
    from gitreg.registry.rules.problem import Problem
    from gitreg.sdk.environment import Environment


def pre_receive(
    repository: Repository, environment: Environment, updates: Sequence[RefUpdate], *, one_by_one: bool = False
) -> list[Problem]:
    """Return the problems for which a push is refused (:func:`gitreg.registry.review.push_rules.push_problems`).

    Soak times are measured by this machine's clock: a branch that moved without a receipt counts as moved now.
    Commands of a policy are not run, so that their gates do not pass.

    Parameters
    ----------
    one_by_one:
        True for the ``update`` hook, which git calls for one ref of a push after the other.

    Raises
    ------
    Conflict
        Another process moved one of the refs meanwhile, or held the lock of the repository for too long.
    """
    from gitreg.registry.review.push_rules import (
        push_problems,  # two thirds of all modules, which post-receive does not need
    )

    guarded = (repository.option("gitreg.settings") or "").lower() != "allow"

    def context(branch: RegistryBranch) -> PromotionContext:
        if any(update.name == branch.ref for update in updates):
            _write_receipt(branch, environment, "update" if one_by_one else "pre-receive")
        return PromotionContext(now=environment.clock, branch=branch, settings_guarded=guarded)

    return push_problems(repository, updates, context, one_by_one=one_by_one)


def post_receive(repository: Repository, environment: Environment, updates: Sequence[RefUpdate]) -> list[str]:
    """Write receipts for the branches that moved, update their derived refs, and return the names of these refs.

    Raises
    ------
    Conflict
        Another process is moving the refs.
    """
    moved: list[str] = []
    pushed = {update.name: update.new for update in updates if update.new is not None}
    for place in affected_roots(repository, updates):
        with closing(RegistryBranch(repository, *place)) as branch:
            if branch.ref in pushed:
                with repository.lock(timeout=PATIENCE):
                    receipt = Receipt(branch.ref, pushed[branch.ref], int(environment.clock()), BY_PUSH)
                    write_receipt(repository, receipt)
                    moved += follow(branch, PromotionContext(now=environment.clock, branch=branch))
    return moved


def write_first_receipts(repository: Repository, environment: Environment) -> None:
    """Write the first receipt for each branch of a registry without one: its commits are at least as old as that.

    Raises
    ------
    Conflict
        Another process held the lock of the repository for too long.
    """
    for place in registry_roots(repository):
        with closing(RegistryBranch(repository, *place)) as branch:
            if not read_receipts(repository, branch.ref):
                _write_receipt(branch, environment, "hooks install")


def _write_receipt(branch: RegistryBranch, environment: Environment, by: str) -> None:
    """Write a receipt for the present commit of a branch, if the branch has moved since its last receipt."""
    with branch.repository.lock(timeout=PATIENCE):
        commit = branch.head()
        if commit is not None:
            write_receipt(branch.repository, Receipt(branch.ref, commit, int(environment.clock()), by))

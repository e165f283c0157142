"""The versions that hold stages, judged again by the policy of the commit in which they entered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from gitreg.documents.layout import Key
from gitreg.policy.evaluate import Decision
from gitreg.policy.results import Verdict
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.stage_entries import entry_decision
from gitreg.registry.state.registry_refs import mirror_ref
from gitreg.registry.state.snapshot import Snapshot


def holder_decisions(
    snapshot: Snapshot, context: PromotionContext, references: Collection[str] | None = None
) -> Iterator[Decision]:
    """Yield the decision on the entry of each version that holds a stage, where a policy applied.

    Parameters
    ----------
    references:
        The versions to judge, as ``model@version``; None for all.
    """
    pointers = (
        Key("stage", entry.model, entry.name)
        for entry in list(snapshot.index.scan(snapshot.seq, "stage"))
        if references is None or (entry.data and f"{entry.model}@{entry.data['version']}" in references)
    )
    yield from judge_pointers(snapshot, lambda: context, pointers)


def judge_pointers(
    snapshot: Snapshot, context: Callable[[], PromotionContext], pointers: Iterable[Key]
) -> Iterator[Decision]:
    """Yield the decision on the entry of the holder of each given stage, where a policy applied.

    Parameters
    ----------
    context:
        Returns the context; called only where the registry has, or ever had, a policy.
    pointers:
        The pointer files of the stages.
    """
    settings = snapshot.index.history(snapshot.seq, "registry", "", "")
    if not any((entry.data or {}).get("policies") for entry in settings):
        return
    known_context = context()
    for key in pointers:
        entry = snapshot.index.get(snapshot.seq, *key)
        if entry is None or entry.data is None:
            continue
        version = snapshot.find_version(key.model, entry.data["version"], deleted=True)
        decision = entry_decision(snapshot, version, key.name, known_context) if version is not None else None
        if decision is not None and decision.results:
            yield decision


def is_refused(decision: Decision) -> bool:
    """Return whether a gate failed; a gate that cannot be evaluated here is no refusal."""
    return any(result.outcome is Verdict.FAILED for result in decision.results)


def sentence(decision: Decision) -> str:
    """Return why a holder should not hold its stage, or which gates cannot be evaluated here; "" if neither."""
    failed = [result for result in decision.results if result.outcome is Verdict.FAILED]
    unmet = failed or decision.unmet
    if not unmet:
        return ""
    conjunction = "but" if failed else "and this cannot be asked here"
    reasons = "; ".join(f"{result.name}: {result.sentence}" for result in unmet)
    return f"{decision.reference} holds {decision.stage}, {conjunction}: {reasons}"


def pointer(decision: Decision) -> Key:
    """Return the key of the pointer file of a decision's stage."""
    return Key("stage", decision.reference.rpartition("@")[0], decision.stage)


def refused_mirrors(snapshot: Snapshot, decisions: Collection[Decision]) -> set[str]:
    """Return the mirror refs of the stages whose holders are refused."""
    return {mirror_ref(snapshot.settings, pointer(decision)) for decision in decisions if is_refused(decision)}

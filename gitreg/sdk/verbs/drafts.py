"""The commands on drafts: list, seal and discard them, and read a version before it is sealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitreg.documents.types import AnnotationDocument, ArtifactRecord, DraftDocument, VersionDocument
from gitreg.errors import NotFound
from gitreg.names import nfc
from gitreg.registry.drafts import Draft, alive, is_alive, open_drafts, read_drafts, remove_draft, write_draft
from gitreg.registry.operations.sealing import seal as seal_operation
from gitreg.registry.state.registry_refs import tagged_numbers
from gitreg.registry.state.runs_and_artifacts import runs
from gitreg.registry.state.snapshot import ModelVersion
from gitreg.sdk.current_run import active_run
from gitreg.suggestions import listed, nearest

if TYPE_CHECKING:
    from gitreg.documents.types import RunDocument
    from gitreg.registry.writing.commit import Outcome
    from gitreg.sdk.session import Session

DIED = "died"
"""The status of a run whose draft says that it is running although its process is dead."""


def sealing(session: Session, draft: Draft) -> Callable[[Any], Any]:
    """Return the operation that seals a draft."""
    repository, context = session.branch.repository, session.context()

    def operation(snapshot: Any) -> Any:
        def given(model: str) -> list[int]:
            return tagged_numbers(repository, snapshot, model)

        return seal_operation(snapshot, draft, given=given, context=context)

    return operation


def seal_draft(session: Session, draft: Draft) -> Outcome:
    """Seal a draft, remove its ref, and return the outcome.

    Raises
    ------
    GitregError
        As :func:`gitreg.registry.operations.sealing.seal` raises it; the draft stays.
    """
    outcome = session.commit(sealing(session, draft))
    remove_draft(session.branch.repository, draft)
    session.settle_claims()
    return outcome


def drafts_of(session: Session) -> list[Draft]:
    """Return the drafts that are not sealed, of runs that execute, failed or were killed."""
    return open_drafts(session.branch.repository, session.snapshot())


def find_draft(session: Session, run: str) -> Draft:
    """Return the draft of a run that is named ``RUN`` or ``PIPELINE/RUN``.

    Raises
    ------
    NotFound
        There is no such draft, or there are several.
    """
    run = nfc(run)
    drafts = read_drafts(session.branch.repository)
    found = [draft for draft in drafts if run in (draft.name, draft.run.run)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{run!r} names {len(found)} drafts", hint=f"name one: {listed([each.name for each in found])}")
    names = [draft.name for draft in drafts]
    near = nearest(run, [*names, *(draft.run.run for draft in drafts)], most=1)
    raise NotFound(
        f"there is no draft of a run {run!r}",
        hint=None if near else f"the drafts are {listed(names)}" if names else "no run has left one",
        correction=(run, near[0]) if near else None,
    )


def draft_of_model(session: Session, model: str, run: str | None) -> ModelVersion:
    """Return the draft of a version of a model: that of the run named, else of the active run, else the only one.

    Raises
    ------
    NotFound
        There is no such draft, or there are several.
    """
    active = active_run()
    model, run = nfc(model), run and nfc(run)
    drafts = [active.read_draft()] if active is not None and run is None else drafts_of(session)
    found = [
        (draft, document)
        for draft in drafts
        for document in draft.versions.values()
        if document.model == model and run in (None, draft.run.run, draft.name)
    ]
    if len(found) == 1:
        return draft_version(*found[0])
    if not found:
        raise NotFound(f"no run is making a version of {model}", hint="`gitreg list --drafts` shows what there is")
    names = ", ".join(f"{model}@draft:{draft.run.run}" for draft, _ in found)
    raise NotFound(f"{len(found)} versions of {model} are being made", hint=f"name one: {names}")


def draft_version(draft: Draft, document: DraftDocument) -> ModelVersion:
    """Return the draft of a version in the form of a sealed version, with the number 0 and an empty digest."""
    artifacts: Mapping[str, ArtifactRecord] = draft.artifacts_of(document)
    record = VersionDocument(
        model=document.model,
        version=document.version or f"draft:{draft.run.run}",
        number=0,
        created_at=document.created_at,
        created_by=document.created_by,
        description=document.description,
        tags=document.tags,
        metadata=document.metadata,
        source=draft.run.source,
        run={"pipeline": draft.run.pipeline, "run": draft.run.run},
        inputs=document.inputs,
        artifacts=artifacts,
    )
    return ModelVersion(record, AnnotationDocument(), "", None, ())


# -- by hand -----------------------------------------------------------------------------------------------------------


def seal_by_hand(session: Session, run: str) -> Outcome:
    """Seal the draft of a run that failed or was killed, and return the outcome.

    Raises
    ------
    NotFound
        There is no such draft.
    Conflict
        The run still executes.
    GitregError
        As :func:`gitreg.registry.operations.sealing.seal` raises it; the draft stays.
    """
    draft = find_draft(session, run)
    with alive(session.branch.repository, draft.run.pipeline, draft.run.run):
        if draft.run.status == "running":
            ended = draft.run.but(status="failed", ended_at=session.environment.timestamp())
            draft = write_draft(
                session.branch.repository,
                draft,
                lambda draft: replace(draft, run=ended),
                session.writer,
                "The run was ended by hand",
            )
        return seal_draft(session, draft)


def discard(session: Session, run: str) -> Draft:
    """Remove the draft of a run that failed or was killed, and return it; its weights are left to ``gitreg gc``.

    Raises
    ------
    NotFound
        There is no such draft.
    Conflict
        The run still executes.
    """
    draft = find_draft(session, run)
    with alive(session.branch.repository, draft.run.pipeline, draft.run.run):
        remove_draft(session.branch.repository, draft)
    session.settle_claims()
    return draft


# -- as rows -----------------------------------------------------------------------------------------------------------


def draft_rows(session: Session) -> list[dict[str, Any]]:
    """Return one row of plain data for each version in a draft; a draft without versions has one row."""
    rows = []
    for draft in drafts_of(session):
        status = status_of(session, draft)
        for document in draft.versions.values() or [None]:
            artifacts = (
                draft.artifacts_of(document) if document else {a.artifact: a.record for a in draft.artifacts.values()}
            )
            rows.append(
                {
                    "model": document.model if document else None,
                    "version": document.version if document else None,
                    "run": draft.name,
                    "status": status,
                    "stage": document.stage if document else None,
                    "artifacts": list(artifacts),
                    "size": sum(artifact.size for artifact in artifacts.values()),
                    "started_at": draft.run.started_at,
                }
            )
    return rows


def run_rows(session: Session, pipeline: str | None = None) -> list[dict[str, Any]]:
    """Return one row of plain data for each run: those that are not sealed first, each group newest first."""
    drafts = drafts_of(session)
    open_ones = [
        run_row(draft.run.but(versions=_made(draft)), status_of(session, draft))
        for draft in sorted(drafts, key=lambda draft: draft.run.started_at, reverse=True)
        if pipeline is None or nfc(pipeline) == draft.run.pipeline
    ]
    return [*open_ones, *(run_row(run, run.status) for run in runs(session.snapshot(), pipeline))]


def run_row(run: RunDocument, status: str) -> dict[str, Any]:
    """Return one run as plain data."""
    return {
        "pipeline": run.pipeline,
        "run": run.run,
        "status": status,
        "started_at": run.started_at,
        "duration": run.duration,
        "created_by": run.created_by,
        "steps": len(run.steps),
        "versions": list(run.versions),
    }


def whole_run_row(run: RunDocument, status: str) -> dict[str, Any]:
    """Return one run with all that its record has, as plain data; the fields are the same for every run."""
    return {
        **run_row(run, status),
        "ended_at": run.ended_at,
        "command": list(run.command),
        "parameters": dict(run.parameters),
        "source": dict(run.source) if run.source else None,
        "environment": dict(run.environment),
        "inputs": list(run.inputs),
        "steps": {name: dict(step) for name, step in run.steps.items()},
    }


def find_any_run(session: Session, name: str) -> tuple[RunDocument, str]:
    """Return a run that is named ``RUN`` or ``PIPELINE/RUN``, sealed or a draft, and its status.

    Raises
    ------
    NotFound
        There is no such run, or there are several.
    """
    name = nfc(name)
    drafts = drafts_of(session)
    found = [
        (draft.run.but(versions=_made(draft)), status_of(session, draft))
        for draft in drafts
        if name in (draft.name, draft.run.run)
    ]
    sealed = [run for run in runs(session.snapshot()) if name in (run.run, f"{run.pipeline}/{run.run}")]
    found += [(run, run.status) for run in sealed]
    if len(found) == 1:
        return found[0]
    if found:
        known = ", ".join(f"{run.pipeline}/{run.run}" for run, _ in found)
        raise NotFound(f"{name!r} names {len(found)} runs", hint=f"name one: {known}")
    runs_here = [*(draft.run for draft in drafts), *runs(session.snapshot())]
    near = nearest(name, [word for run in runs_here for word in (run.run, f"{run.pipeline}/{run.run}")], most=1)
    raise NotFound(
        f"there is no run {name!r}",
        hint=None if near else "`gitreg runs list` lists them",
        correction=(name, near[0]) if near else None,
    )


def status_of(session: Session, draft: Draft) -> str:
    """Return the status of a draft: running, died, failed, or completed if only the seal is missing."""
    run = draft.run
    if run.status == "running" and not is_alive(session.branch.repository, run.pipeline, run.run):
        return DIED
    return run.status


def _made(draft: Draft) -> tuple[str, ...]:
    return tuple(
        f"{each.model}@{each.version}" if each.version else f"{each.model}@draft:{draft.run.run}"
        for each in draft.versions.values()
    )

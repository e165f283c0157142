"""The function `run`, which begins and ends runs: sealed in one commit on success, kept as a draft on failure."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitreg.documents.types import RunDocument
from gitreg.errors import AlreadyExists, GitregError
from gitreg.names import check_pipeline, check_run, fill
from gitreg.registry.drafts import Draft, alive, is_sealed, read_draft, remove_draft
from gitreg.registry.state.runs_and_artifacts import find_run
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk.current_run import active
from gitreg.sdk.registry import Registry
from gitreg.sdk.run_environment import environment, patch, source, this_command
from gitreg.sdk.runs.run import Run, active_run, moment
from gitreg.sdk.runs.run_versions import left_over
from gitreg.sdk.runs.step_run import COMPLETED, FAILED, RUNNING
from gitreg.sdk.runs.subprocesses import shown_to_children

if TYPE_CHECKING:
    from gitreg.sdk.session import Session
    from gitreg.sdk.zenml.model import Model


@contextmanager
def run(
    name: str | None = None,
    *,
    pipeline: str = "run",
    model: Model | None = None,
    parameters: Mapping[str, Any] | None = None,
    save_patch: bool = False,
    substitutions: Mapping[str, str] | None = None,
    registry: Registry | None = None,
    command: tuple[str, ...] | None = None,
) -> Iterator[Run]:
    """Run a block that makes versions of models; all that it saves and links is sealed in one commit if it ends well.

    In a process that ``gitreg run`` or a run of another process started, the block joins that run, and the other
    arguments are ignored.

    Parameters
    ----------
    name:
        The name of the run; None makes a name of the time. A run that failed or was killed is resumed.
    pipeline:
        The name of the pipeline.
    model:
        The model that the run works on; a new version is begun at once.
    parameters:
        The parameters of the run: JSON values.
    substitutions:
        Values for placeholders in the names of models, versions, artifacts and the run itself, beside ``{date}`` and
        ``{time}``, which are those of the beginning of the run.
    save_patch:
        True to save uncommitted changes of the code in the current folder as an artifact.
    registry:
        An open registry; None opens that of the current folder.
    command:
        The command to record; None records that of this process.

    Yields
    ------
    Run:
        The run; its ``model`` is the version that it works on.

    Raises
    ------
    AlreadyExists
        There is a finished run of that name.
    Conflict
        The run executes in another process.
    GitregError
        The draft cannot be sealed; it is kept.

    Examples
    --------
    >>> with gitreg.run("monday", model=Model("iris"), parameters={"depth": 3}) as run:
    ...     _ = save_artifact({"w": 0.5}, "weights")
    ...     run.model.log_metadata({"accuracy": 0.97})
    >>> registry.version("iris").metadata
    {'accuracy': 0.97}
    """
    outer = active_run()
    if outer is not None and outer.is_joined and registry is None:
        yield outer
        return
    with ExitStack() as stack:
        if registry is None:
            registry = stack.enter_context(Registry.open())
        session = registry.session
        draft, resumed = _begun(session, pipeline, name, model, substitutions or {}, command or this_command())
        stack.enter_context(alive(session.branch.repository, draft.run.pipeline, draft.run.run))
        started = Run(registry, draft, model, resumed=resumed)
        started.steps.substitutions |= substitutions or {}
        parameters_json = to_json(parameters or {}, "parameters")
        started.in_hand.change_run(
            lambda run: run.but(status=RUNNING, parameters=parameters_json), f"Begin the run {draft.name}"
        )
        start = time.monotonic()
        try:
            with active(started), shown_to_children(started.address):
                if save_patch and (changed := patch(session)) is not None:
                    started.artifacts.save(changed, f"{started.pipeline}.patch")
                yield started
        except BaseException as error:
            if started.is_joined:  # a forked process leaves the block; the run continues without it
                raise
            started.end(FAILED, time.monotonic() - start)
            if not started.is_given_up:
                error.add_note(f"what the run {draft.name} had saved is kept as a draft: see `gitreg list --drafts`")
            raise
        if not started.is_joined:
            _end_well(started, time.monotonic() - start)


def _end_well(run: Run, duration: float) -> None:
    try:
        run.end(COMPLETED, duration)
    except GitregError as error:
        seal = f"`gitreg seal {run.pipeline}/{run.name}` tries again"
        error.advise(seal)
        raise


def _begun(
    session: Session,
    pipeline: str,
    name: str | None,
    model: Model | None,
    substitutions: Mapping[str, str],
    command: tuple[str, ...],
) -> tuple[Draft, bool]:
    """Return the draft of a run, and True if an earlier try left it."""
    pipeline = check_pipeline(pipeline)
    repository = session.branch.repository
    started_at = session.environment.timestamp()
    values = {**moment(started_at), **substitutions}
    if name is not None:
        name = check_run(fill(name, values))
        left = read_draft(repository, pipeline, name)
        if find_run(session.snapshot(), pipeline, name) is not None:
            if left is not None and is_sealed(left, session.snapshot()):  # its process died before removing it
                remove_draft(repository, left)
            raise AlreadyExists(f"there is a run {pipeline}/{name} already", hint="give the run another name")
    else:
        meant = model.filled(lambda name: fill(name, values)) if model is not None else None
        left = left_over(session, meant.name, meant.selector) if meant is not None and meant.selector else None
        left = left if left is not None and left.run.pipeline == pipeline else None
    if left is not None:
        return left, True
    when = datetime.fromisoformat(started_at)
    run = RunDocument(
        pipeline=pipeline,
        run=name or f"{when:%Y-%m-%d-%H%M%S}-{secrets.token_hex(2)}",
        status=RUNNING,
        created_by=str(session.writer().author),
        started_at=started_at,
        command=tuple(word.encode(errors="backslashreplace").decode() for word in command),
        source=source(session),
        environment=environment(),
    )
    return Draft(run), False

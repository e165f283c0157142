"""What is under way: a run that makes versions of models, and the step of it that does something now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from gitreg.documents.types import ArtifactDocument, DraftDocument, RunDocument
from gitreg.errors import AlreadyExists, InvalidInput
from gitreg.names import check_model, fill
from gitreg.registry.collections import find_artifact, find_run, resolve_artifact
from gitreg.registry.drafts import Draft, is_alive, open_drafts, remove_draft, write_draft
from gitreg.registry.metadata import to_json
from gitreg.registry.operations.sealing import check_artifact_version
from gitreg.registry.operations.versions import check_new_name, find_existing
from gitreg.registry.references import resolve
from gitreg.registry.snapshot import ModelVersion
from gitreg.sdk.artifacts import ArtifactVersion, new_document, stored
from gitreg.sdk.drafting import draft_version, seal_draft, sealing

if TYPE_CHECKING:
    from gitreg.sdk.model import Model, RunModel
    from gitreg.sdk.registry import Registry

    class Settling(Protocol):
        """A handle of a version that a run is making."""

        @property
        def key(self) -> str:
            """The id of the version in the run's draft."""

        def settle(self, version: str) -> None:
            """Mean the sealed version, of this name, from now on."""


RUNNING, COMPLETED, FAILED = "running", "completed", "failed"


class Run:
    """A run under way: ``with gitreg.run(model=Model("iris")) as run``.

    Parameters
    ----------
    registry:
        The open registry that it writes to.
    draft:
        What it has made so far.
    model:
        What it works on where no step says otherwise.

    Attributes
    ----------
    resumed:
        Whether the draft is one that an earlier try of the run left.
    is_joined:
        Whether another process began it.
    is_pipeline, enable_cache:
        Whether a pipeline's body is under way, and whether its steps may be left out.
    is_given_up:
        Whether what it made is to be forgotten when it ends, neither sealed nor kept.
    """

    def __init__(self, registry: Registry, draft: Draft, model: Model | None, *, resumed: bool = False) -> None:
        self.registry = registry
        self.draft = draft
        self.spec = model
        self.resumed = resumed
        self.substitutions = moment(draft.run.started_at)
        self._step: ContextVar[Step | None] = ContextVar("gitreg_step", default=None)
        self._handed: list[Settling] = []
        self.is_given_up = False
        self._lent: dict[str, str] = {}
        self._begun: list[str] = []
        self._sealed: dict[str, str] = {}
        self.is_joined = False
        self.is_pipeline = False
        self.enable_cache = True

    @property
    def pipeline(self) -> str:
        """What it is a run of."""
        return self.draft.run.pipeline

    @property
    def name(self) -> str:
        """The run's own name."""
        return self.draft.run.run

    @property
    def step(self) -> Step | None:
        """The step that is under way in this context."""
        return self._step.get()

    @property
    def model(self) -> RunModel | None:
        """The version of a model that the step, or the run, works on."""
        spec = (self.step.spec if self.step else None) or self.spec
        return None if spec is None else self.bind(spec)

    # -- versions of models ----------------------------------------------------------------------------------------

    def fill(self, name: str) -> str:
        """Put the run's date and time, and what the pipeline and the step say, into a name's placeholders."""
        return fill(name, {**self.substitutions, **(self.step.substitutions if self.step else {})})

    def bind(self, spec: Model) -> RunModel:
        """Give a model's version as this run sees it: in its draft, where a new one is begun."""
        from gitreg.sdk.model import RunModel

        spec = spec.filled(self.fill)
        bound = RunModel(self, self.version_key(spec), spec)
        self.hand_out(bound)
        return bound

    def hand_out(self, handle: Settling) -> None:
        """Let a handle of a version know what that is called once it is sealed."""
        self._handed.append(handle)
        if handle.key in self._sealed:
            handle.settle(self._sealed[handle.key])

    def version_key(self, spec: Model) -> str:
        """Give the draft's id for a version, which is begun where the draft has none.

        Raises
        ------
        NotFound
            A number or a stage is asked for that is not there.
        InvalidInput, AlreadyExists
            The name can be no version's.
        """
        model, wanted = check_model(spec.name), self._resolved(spec)
        known = self.draft.find_version(model, wanted)
        if known is not None:
            return known
        step = self.step
        spec.warn_of_differences(self.registry)
        document = DraftDocument(
            model=model,
            version=wanted,
            created_at=self.registry.ambient.timestamp(),
            created_by=str(self.registry.writer().author),
            card=spec.card(),
            step=step.name if step and step.spec and self.fill(step.spec.reference) == spec.reference else None,
        )
        left = None if wanted is None else left_over(self.registry, model, wanted)

        def change(draft: Draft) -> Draft:
            if draft.find_version(model, wanted):
                return draft
            return draft.with_version(document) if left is None else draft.with_all_of(left)

        self._change(change, f"Begin {spec.reference}" if left is None else f"Go on with what {left.name} left")
        if left is not None:
            remove_draft(self.registry.ledger.repository, left)
        key = self.draft.find_version(model, wanted)
        assert key is not None
        return key

    def _resolved(self, spec: Model) -> str | None:
        """Give the version's name that is meant: once for the whole run, whatever is promoted meanwhile."""
        from gitreg.sdk.model import only_looked_up

        selector = spec.selector
        if selector is None:
            return None
        if spec.reference not in self._lent:
            snapshot = self.registry.snapshot()
            if only_looked_up(snapshot, selector):
                self._lent[spec.reference] = resolve(snapshot, spec.reference).version
            else:
                there = find_existing(snapshot, check_model(spec.name), selector)
                self._lent[spec.reference] = there.version if there else check_new_name(snapshot, spec.name, selector)
        return self._lent[spec.reference]

    def new_version(self, document: DraftDocument) -> str:
        """Begin one more version, beside all others of its model, and give the draft's id for it."""
        self._change(lambda draft: draft.with_version(document), f"Begin a version of {document.model}")
        return list(self.draft.versions)[-1]

    def change_version(self, key: str, change: Callable[[DraftDocument], DraftDocument], subject: str) -> None:
        """Say something else of a version of the draft."""
        self._change(lambda draft: draft.with_version(change(draft.versions[key]), key), subject)

    def set_stage(self, key: str, stage: str, *, force: bool) -> None:
        """Give a version the stage that it takes when it is sealed; checked now, and again then.

        Raises
        ------
        Refused
            Another version holds it, and ``force`` is not given, or its policy forbids it.
        InvalidInput
            There is no such stage.
        """
        document = self.draft.versions[key].but(stage=stage, force=force)
        trial = replace(self.draft, run=self.draft.run, versions={key: document})
        sealing(self.registry, trial)(self.registry.snapshot())
        self.change_version(key, lambda document: document.but(stage=stage, force=force), f"Give it {stage}")

    def version_of(self, key: str) -> ModelVersion:
        """Give a version of the draft as it would be sealed, or the sealed one that it says more of."""
        document = self.draft.versions[key]
        if document.version is not None:
            there = find_existing(self.registry.snapshot(), document.model, document.version)
            if there is not None:
                records = {**there.artifacts, **self.draft.artifacts_of(document)}
                metadata = {**there.annotation.metadata, **document.metadata}
                return there._replace(annotation=there.annotation.but(artifacts=records, metadata=metadata))
        return draft_version(self.draft, document)

    # -- artifacts -------------------------------------------------------------------------------------------------

    def save_artifact(
        self,
        data: Any,
        name: str,
        version: str | None = None,
        *,
        artifact_type: str = "data",
        metadata: Mapping[str, Any] | None = None,
        unsafe_pickle: bool = False,
    ) -> ArtifactVersion:
        """Save an object into the draft (:func:`gitreg.save_artifact`)."""
        name, version = self.fill(name), version and self.fill(version)
        check_artifact_version(self.registry.snapshot(), name, version)
        model, step = self.model, self.step
        key = model.key if model else None
        if step is not None:
            step.effects = True
        with stored(self.registry, data, artifact_type, unsafe_pickle=unsafe_pickle) as (record, how):
            document = new_document(self.registry, name, version, record, how, metadata, self.made_by())
            return self.add_artifact(document, key)

    def add_artifact(self, document: ArtifactDocument, key: str | None) -> ArtifactVersion:
        """Take an artifact whose files are in the store into the draft, linked to one of its versions.

        Raises
        ------
        AlreadyExists
            A version of that name holds something else.
        """
        same = self._same(document)
        if same is not None:
            if (same.digest, same.type) != (document.digest, document.type):
                raise AlreadyExists(
                    f"{same.reference} already exists with other content", hint="choose another version's name"
                )
            if key is not None:
                self.link(same.id, key=key)
            return ArtifactVersion(same, None)

        def change(draft: Draft) -> Draft:
            draft = draft.with_artifact(document)
            if key is None:
                return draft
            version = draft.versions[key]
            return draft.with_version(version.but(links=(*version.links, document.id)), key)

        self._change(change, f"Save the artifact {document.artifact}")
        return ArtifactVersion(self.draft.artifacts[document.id], None)

    def _same(self, document: ArtifactDocument) -> ArtifactDocument | None:
        if document.version is None:
            return None
        named = (document.artifact, document.version)
        mine = next((each for each in self.draft.artifacts.values() if (each.artifact, each.version) == named), None)
        return mine or find_artifact(self.registry.snapshot(), *named)

    def find_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersion | None:
        """Give an artifact that the draft holds, by its name or its id's first digits; None where it holds none."""
        held = self.draft.artifacts.values()
        if version is None:
            found = [each for each in held if each.artifact == name] or [
                each for each in held if len(name) >= 6 and each.id.startswith(name)
            ]
        else:
            found = [each for each in held if (each.artifact, each.version) == (name, str(version))]
        return ArtifactVersion(found[-1], None) if found else None

    def link(self, artifact: str, model: Model | None = None, *, key: str | None = None) -> None:
        """Link an artifact to a version that the run works on, or to another one."""
        mine = self.find_artifact(artifact)
        linked = mine.id if mine else resolve_artifact(self.registry.snapshot(), artifact).reference
        if key is None:
            bound = self.bind(model) if model is not None else self.model
            if bound is None:
                raise InvalidInput("this run works on no model to link to", hint="name one: model=Model('iris')")
            key = bound.key
        if self.step is not None:
            self.step.effects = True
        if linked not in self.draft.versions[key].links:
            self.change_version(key, lambda document: document.but(links=(*document.links, linked)), "Link an artifact")

    def note_input(self, name: str, used: ArtifactDocument | ModelVersion) -> None:
        """Note that something was loaded: what the run makes now was made from it, too."""
        what = self.place_of(used) if isinstance(used, ArtifactDocument) else used.reference
        step = self.step
        if step is not None:
            if what not in step.inputs.values():
                step.inputs[name if name not in step.inputs else what] = what
                step.effects = True
        elif what not in self.draft.artifacts and what not in self.draft.run.inputs:
            self.change_run(lambda run: run.but(inputs=(*run.inputs, what)), f"Use {what}")

    def place_of(self, document: ArtifactDocument) -> str:
        """Give what the draft calls an artifact version: its id where it is the draft's own, else its reference."""
        return document.id if document.id in self.draft.artifacts else document.reference

    def find_any(self, place: str) -> ArtifactDocument | None:
        """Give the artifact version that the draft calls so."""
        if place in self.draft.artifacts:
            return self.draft.artifacts[place]
        name, _, version = place.partition("@")
        return find_artifact(self.registry.snapshot(), name, version) if version else None

    def made_by(self) -> dict[str, str]:
        """Give the run, and the step that is under way, as a record says them."""
        step = {"step": self.step.name} if self.step else {}
        return {"pipeline": self.pipeline, "run": self.name, **step}

    # -- steps -----------------------------------------------------------------------------------------------------

    @contextmanager
    def begin(
        self,
        name: str,
        *,
        model: Model | None = None,
        parameters: Mapping[str, Any] | None = None,
        substitutions: Mapping[str, str] | None = None,
    ) -> Iterator[Step]:
        """Do a step of the run in a block, and begin the version that it works on: what is saved there is the step's.

        Parameters
        ----------
        name:
            The step's; one that the run has already gets a number.
        model:
            What it works on, where that is not what the run works on.
        substitutions:
            Values for placeholders in names, beside ``{date}`` and ``{time}``.
        """
        step = Step(self._free(name), None, self.registry.ambient.timestamp())
        step.substitutions = dict(substitutions or {})
        step.spec = model
        step.parameters = to_json(parameters or {}, "parameters")
        self._begun.append(step.name)
        token = self._step.set(step)
        start = time.monotonic()
        try:
            if (spec := step.spec or self.spec) is not None:
                step.version = self.version_key(spec.filled(self.fill))
            yield step
        except BaseException:
            step.status = FAILED
            raise
        else:
            step.status = COMPLETED
        finally:
            step.duration = round(time.monotonic() - start, 3)
            self._step.reset(token)
            self._write_step(step)

    def _free(self, name: str) -> str:
        taken = self._begun
        return next(each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name}_{n}") not in taken)

    def _write_step(self, step: Step) -> None:
        said = step.record()
        self.change_run(lambda run: run.but(steps={**run.steps, step.name: said}), f"End the step {step.name}")

    # -- beginning and ending --------------------------------------------------------------------------------------

    def _change(self, change: Callable[[Draft], Draft], subject: str) -> None:
        repository = self.registry.ledger.repository
        self.draft = write_draft(repository, self.draft, change, self.registry.writer, subject)

    def change_run(self, change: Callable[[RunDocument], RunDocument], subject: str) -> None:
        """Say something else of the run itself in its draft."""
        self._change(lambda draft: replace(draft, run=change(draft.run)), subject)

    def end(self, status: str, duration: float) -> None:
        """Seal what was made, or keep it as the draft of a run that failed, or forget it where that is nothing."""
        when = self.registry.ambient.timestamp()
        self.change_run(
            lambda run: run.but(status=status, ended_at=when, duration=round(duration, 3)), f"The run {status}"
        )
        # Only now the draft is what all processes of the run have made of it.
        self.is_given_up = self.is_given_up or (status == FAILED and not self.draft.holds_something)
        if self.is_given_up:
            remove_draft(self.registry.ledger.repository, self.draft)
        elif status == COMPLETED:
            seal_draft(self.registry, self.draft)
            self._settle()

    def _settle(self) -> None:
        """Let the models that were handed out mean what was sealed."""
        run = find_run(self.registry.snapshot(), self.pipeline, self.name)
        for key, reference in zip(self.draft.versions, run.versions if run else (), strict=False):
            self._sealed[key] = reference.rpartition("@")[2]
        for model in self._handed:
            if model.key in self._sealed:
                model.settle(self._sealed[model.key])


class Step:
    """A step under way.

    Attributes
    ----------
    inputs, outputs:
        By name, the artifact versions that it uses and makes: ids of the draft's, references of others.
    key:
        What tells whether another run of it gives the same; None where that cannot be told.
    cached:
        Whether its outputs are those of an earlier run.
    effects:
        Whether it did more than give outputs, so that it has to be done again each time.
    version:
        The draft's id of the version that it works on.
    """

    def __init__(self, name: str, spec: Model | None, started_at: str) -> None:
        self.name = name
        self.spec = spec
        self.started_at = started_at
        self.status = RUNNING
        self.duration = 0.0
        self.parameters: dict[str, Any] = {}
        self.substitutions: dict[str, str] = {}
        self.inputs: dict[str, str] = {}
        self.outputs: dict[str, str] = {}
        self.key: str | None = None
        self.cached = False
        self.effects = False
        self.version: str | None = None

    def record(self) -> dict[str, Any]:
        """Give what the run's file says of it."""
        said = {
            "status": self.status,
            "started_at": self.started_at,
            "duration": self.duration,
            "cached": self.cached,
            "key": self.key,
            "parameters": self.parameters,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "version": self.version,
        }
        return {key: value for key, value in said.items() if value not in (None, {}, False)}


def moment(started_at: str) -> dict[str, str]:
    """Give the date and the time of a run's beginning as names have them; in UTC, in zenml's format."""
    when = datetime.fromisoformat(started_at)
    return {"date": f"{when:%Y_%m_%d}", "time": f"{when:%H_%M_%S_%f}"}


def left_over(registry: Registry, model: str, version: str | None) -> Draft | None:
    """Give the draft that a run which failed or was killed left of the version of a name, and of nothing else."""
    repository = registry.ledger.repository
    for draft in open_drafts(repository, registry.snapshot()):
        alone = len(draft.versions) == 1 and draft.find_version(model, version)
        if alone and not is_alive(repository, draft.run.pipeline, draft.run.run):
            return draft
    return None

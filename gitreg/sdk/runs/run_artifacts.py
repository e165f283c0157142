"""The artifacts of a run: those that it saves, links and uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from gitreg.documents.types import ArtifactDocument, RunDocument
from gitreg.errors import AlreadyExists, InvalidInput
from gitreg.names import nfc
from gitreg.registry.operations.sealing import check_artifact_version
from gitreg.registry.operations.versions import find_existing
from gitreg.registry.state.runs_and_artifacts import artifacts_with_ids, find_artifact, resolve_artifact
from gitreg.registry.writing.changes import refuse_sealed
from gitreg.sdk.runs.step_run import RUNNING
from gitreg.sdk.zenml.artifacts import ArtifactVersion, new_document, stored

if TYPE_CHECKING:
    from gitreg.registry.drafts import Draft
    from gitreg.registry.state.snapshot import ModelVersion, Snapshot
    from gitreg.sdk.runs.locked_draft import LockedDraft
    from gitreg.sdk.runs.run_steps import RunSteps
    from gitreg.sdk.runs.run_versions import RunVersions
    from gitreg.sdk.session import Session
    from gitreg.sdk.zenml.model import Model


def add_input(inputs: dict[str, str], name: str, place: str) -> bool:
    """Add a loaded version to the inputs of a step, under an unused name; return False if it was there already."""
    if place in inputs.values():
        return False
    inputs[name if name not in inputs else place] = place
    return True


def _used_in(run: RunDocument, step: str, name: str, place: str) -> RunDocument:
    """Return the document of a run with one more input of a step that executes, loaded by another process."""
    fields = run.steps.get(step, {})
    inputs = dict(fields.get("inputs", {})) if fields.get("status") == RUNNING else {}
    add_input(inputs, name, place)
    return run.but(steps={**run.steps, step: {"status": RUNNING, "inputs": inputs}})


class RunArtifacts:
    """The artifacts in a run's draft, and those of others that it uses.

    Parameters
    ----------
    session:
        The open registry.
    draft:
        The draft of the run.
    steps:
        The steps of the run that execute.
    versions:
        The versions of models in the draft.
    """

    def __init__(self, session: Session, draft: LockedDraft, steps: RunSteps, versions: RunVersions) -> None:
        self._session = session
        self._draft = draft
        self._steps = steps
        self._versions = versions
        self._handed: WeakSet[ArtifactVersion] = WeakSet()
        self._saved: set[str] = set()

    def save(
        self,
        data: Any,
        name: str,
        version: str | None = None,
        *,
        artifact_type: str = "data",
        metadata: Mapping[str, Any] | None = None,
        unsafe_pickle: bool = False,
    ) -> ArtifactVersion:
        """Save an object into the draft and return its handle (:func:`gitreg.save_artifact`)."""
        session, steps = self._session, self._steps
        with self._draft.turn:
            name, version = steps.fill(name), version and steps.fill(version)
            check_artifact_version(session.snapshot(), name, version)
            key = self._current_version()
            if key is not None:
                self._check_link(key, name)
            steps.note_effects()
            with stored(session, data, artifact_type, unsafe_pickle=unsafe_pickle, draft=True) as (
                record,
                materializer,
            ):
                made_by = steps.made_by(self._draft.known.run)
                document = new_document(session, name, version, record, materializer, metadata, made_by)
                return self.add(document, key)

    def _current_version(self) -> str | None:
        """Return the id in the draft of the version that the step works on, else the run; None if neither has one."""
        spec = self._steps.spec
        return None if spec is None else self._versions.key(spec.filled(self._steps.fill))

    def add(self, document: ArtifactDocument, key: str | None) -> ArtifactVersion:
        """Add an artifact whose files are stored to the draft, linked to one of its versions, and return its handle.

        It replaces an artifact that an earlier try of the run left under the same version name, since nothing depends
        on a draft.

        Parameters
        ----------
        key:
            The id of the version in the draft; None links to none.

        Raises
        ------
        AlreadyExists
            A version of that name is sealed, or was saved by this process, and has other content.
        Refused
            The version to link to was sealed with an artifact of that name.
        """
        if key is not None:
            self._check_link(key, document.reference)
        same = self._same(document)
        if same is not None and (same.digest, same.type) == (document.digest, document.type):
            if key is not None:
                self.link(same.id, key=key)
            return self._given(same)
        if same is not None and (same.id in self._saved or same.id not in self._draft.known.artifacts):
            raise AlreadyExists(
                f"{same.reference} already exists with other content", hint="choose another version's name"
            )

        def change(draft: Draft) -> Draft:
            draft = draft.with_artifact(document)
            if key is None:
                return draft
            version = draft.versions[key]
            return draft.with_version(version.but(links=(*version.links, document.id)), key)

        self._draft.change(change, f"Save the artifact {document.artifact}")
        self._saved.add(document.id)
        return self._given(self._draft.known.artifacts[document.id])

    def _check_link(self, key: str, link: str) -> None:
        """Raise now if a link to a sealed version would be refused when the run is sealed."""
        document = self._draft.known.versions[key]
        if document.version is None:
            return
        existing = find_existing(self._session.snapshot(), document.model, document.version)
        if existing is not None and link not in existing.links:
            refuse_sealed(existing, {"links": [link]})

    def _same(self, document: ArtifactDocument) -> ArtifactDocument | None:
        if document.version is None:
            return None
        named = (document.artifact, document.version)
        return self._draft.read().find_artifact(*named) or find_artifact(self._session.snapshot(), *named)

    def find(self, name: str, version: str | int | None = None) -> ArtifactVersion | None:
        """Return an artifact in the draft, by name or by the first digits of its id; None if there is none."""
        held = self._draft.read().artifacts.values()
        name = nfc(name)
        if version is None:
            found = [each for each in held if each.artifact == name] or [
                each for each in held if len(name) >= 6 and each.id.startswith(name)
            ]
        else:
            found = [each for each in held if (each.artifact, each.version) == (name, nfc(str(version)))]
        return self._given(found[-1]) if found else None

    def link(self, artifact: str, model: Model | None = None, *, key: str | None = None) -> None:
        """Link an artifact to a version of the draft, or to the version of a model.

        Parameters
        ----------
        model:
            The version to link to; None takes the one that the run works on.
        key:
            The id of a version in the draft, instead of a model.

        Raises
        ------
        InvalidInput
            No model is given, and the run works on none.
        """
        with self._draft.turn:
            mine = self.find(artifact)
            linked = mine.id if mine else resolve_artifact(self._session.snapshot(), artifact).reference
            if key is None and model is not None:
                key = self._versions.key(model.filled(self._steps.fill))
            elif key is None:
                key = self._current_version()
            if key is None:
                raise InvalidInput("this run works on no model to link to", hint="name one: model=Model('iris')")
            self._check_link(key, mine.document.reference if mine else linked)
            self._steps.note_effects()
            if linked not in self._draft.known.versions[key].links:
                self._versions.change(
                    key, lambda document: document.but(links=(*document.links, linked)), "Link an artifact"
                )

    def note_input(self, used: ArtifactDocument | ModelVersion, snapshot: Snapshot) -> None:
        """Note a version that was loaded as an input of the step, or of the run.

        A version of another run that is not sealed has no permanent name and is not noted.

        Parameters
        ----------
        snapshot:
            The snapshot that it was found in, of the run's registry or of another clone of it.
        """
        if isinstance(used, ArtifactDocument):
            name, place = used.artifact, self.place_of(used)
            sealed = used.version is not None and find_artifact(snapshot, used.artifact, used.version) is not None
            lasts = sealed or place == used.id
        else:
            name, place, lasts = used.model, used.reference, used.number > 0
        step, joined_in = self._steps.current, self._steps.joined_in
        if not lasts:
            return
        if step is not None:
            step.effects = add_input(step.inputs, name, place) or step.effects
        elif joined_in:
            if place not in self._noted_in(joined_in).values():
                self._draft.change_run(lambda run: _used_in(run, joined_in, name, place), f"Use {place}")
        elif place not in self._draft.known.run.inputs and not self._is_own(place):
            self._draft.change_run(lambda run: run.but(inputs=(*run.inputs, place)), f"Use {place}")

    def noted_in(self, step: str) -> Mapping[str, str]:
        """Return the inputs that other processes loaded in a step that executes, by name."""
        self._draft.read()
        return self._noted_in(step)

    def _noted_in(self, step: str) -> Mapping[str, str]:
        fields = self._draft.known.run.steps.get(step, {})
        inputs: Mapping[str, str] = fields.get("inputs", {}) if fields.get("status") == RUNNING else {}
        return inputs

    def _is_own(self, place: str) -> bool:
        """Return whether the run made an artifact version, or has it as the output of a cached step."""
        draft = self._draft.known
        given = (step.get("outputs", {}).values() for step in draft.run.steps.values())
        return place in draft.artifacts or any(place in outputs for outputs in given)

    def place_of(self, document: ArtifactDocument) -> str:
        """Return the identifier of an artifact version in the draft: its id if the draft has it, else its reference."""
        return document.id if document.id in self._draft.known.artifacts else document.reference

    def at(self, place: str) -> ArtifactDocument | None:
        """Return the artifact version of an identifier in the draft; None if there is none."""
        if place in self._draft.known.artifacts:
            return self._draft.known.artifacts[place]
        name, _, version = place.partition("@")
        return find_artifact(self._session.snapshot(), name, version) if version else None

    def made_in(self, step: str) -> set[str]:
        """Return the ids of the artifacts that were saved in a step, by any process."""
        held = self._draft.read().artifacts
        return {key for key, each in held.items() if each.run and each.run.get("step") == step}

    def settle(self) -> None:
        """Update the handles that are still in use to the sealed versions."""
        snapshot, handles = self._session.snapshot(), list(self._handed)
        sealed: dict[str, ArtifactDocument] = {}
        for name in {handle.name for handle in handles}:
            sealed |= artifacts_with_ids(snapshot, name, {handle.id for handle in handles})
        for handle in handles:
            handle.document = sealed.get(handle.id, handle.document)

    def _given(self, document: ArtifactDocument) -> ArtifactVersion:
        handle = ArtifactVersion(document)
        self._handed.add(handle)
        return handle

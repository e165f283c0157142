"""The artifacts of a run: what it saves, links and uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from gitreg.documents.types import ArtifactDocument, RunDocument
from gitreg.errors import AlreadyExists, InvalidInput
from gitreg.names import nfc
from gitreg.registry.changes import refuse_sealed
from gitreg.registry.collections import artifacts_with_ids, find_artifact, resolve_artifact
from gitreg.registry.operations.sealing import check_artifact_version
from gitreg.registry.operations.versions import find_existing
from gitreg.sdk.artifacts import ArtifactVersion, new_document, stored
from gitreg.sdk.steps import RUNNING

if TYPE_CHECKING:
    from gitreg.registry.drafts import Draft
    from gitreg.registry.snapshot import ModelVersion, Snapshot
    from gitreg.sdk.model import Model
    from gitreg.sdk.under_way import Run


def add_input(inputs: dict[str, str], name: str, what: str) -> bool:
    """Add what was loaded to a step's inputs, by a name that is free; return whether it was not there."""
    if what in inputs.values():
        return False
    inputs[name if name not in inputs else what] = what
    return True


def _used_in(run: RunDocument, step: str, name: str, what: str) -> RunDocument:
    """Return what is said of a run once another process has loaded something in a step of it that is under way."""
    said = run.steps.get(step, {})
    inputs = dict(said.get("inputs", {})) if said.get("status") == RUNNING else {}
    add_input(inputs, name, what)
    return run.but(steps={**run.steps, step: {"status": RUNNING, "inputs": inputs}})


class RunArtifacts:
    """The artifacts in a run's draft, and those of others that it uses."""

    def __init__(self, run: Run) -> None:
        self._run = run
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
        """Save an object into the draft (:func:`gitreg.save_artifact`)."""
        run = self._run
        with run.in_hand.turn:
            name, version = run.fill(name), version and run.fill(version)
            check_artifact_version(run.registry.snapshot(), name, version)
            model = run.model
            if model is not None:
                self._check_link(model.key, name)
            run.note_effects()
            with stored(run.registry, data, artifact_type, unsafe_pickle=unsafe_pickle, draft=True) as (record, how):
                document = new_document(run.registry, name, version, record, how, metadata, run.made_by())
                return self.add(document, model.key if model else None)

    def add(self, document: ArtifactDocument, key: str | None) -> ArtifactVersion:
        """Take an artifact whose files are in the store into the draft, linked to one of its versions.

        It takes the place of what an earlier try of the run left under its version's name: nothing relies on a draft.

        Raises
        ------
        AlreadyExists
            A version of that name is sealed, or was saved by this process, and holds something else.
        Refused
            The version that it is linked to was sealed with an artifact of its name.
        """
        if key is not None:
            self._check_link(key, document.reference)
        same = self._same(document)
        if same is not None and (same.digest, same.type) == (document.digest, document.type):
            if key is not None:
                self.link(same.id, key=key)
            return self._given(same)
        if same is not None and (same.id in self._saved or same.id not in self._run.draft.artifacts):
            raise AlreadyExists(
                f"{same.reference} already exists with other content", hint="choose another version's name"
            )

        def change(draft: Draft) -> Draft:
            draft = draft.with_artifact(document)
            if key is None:
                return draft
            version = draft.versions[key]
            return draft.with_version(version.but(links=(*version.links, document.id)), key)

        self._run.in_hand.change(change, f"Save the artifact {document.artifact}")
        self._saved.add(document.id)
        return self._given(self._run.draft.artifacts[document.id])

    def _check_link(self, key: str, link: str) -> None:
        """Refuse to link to a sealed version what it would be refused with when the run is sealed."""
        document = self._run.draft.versions[key]
        if document.version is None:
            return
        there = find_existing(self._run.registry.snapshot(), document.model, document.version)
        if there is not None and link not in there.links:
            refuse_sealed(there, {"links": [link]})

    def _same(self, document: ArtifactDocument) -> ArtifactDocument | None:
        if document.version is None:
            return None
        named = (document.artifact, document.version)
        return self._run.in_hand.read().find_artifact(*named) or find_artifact(self._run.registry.snapshot(), *named)

    def find(self, name: str, version: str | int | None = None) -> ArtifactVersion | None:
        """Give an artifact that the draft holds, by its name or its id's first digits; None where it holds none."""
        held = self._run.in_hand.read().artifacts.values()
        name = nfc(name)
        if version is None:
            found = [each for each in held if each.artifact == name] or [
                each for each in held if len(name) >= 6 and each.id.startswith(name)
            ]
        else:
            found = [each for each in held if (each.artifact, each.version) == (name, nfc(str(version)))]
        return self._given(found[-1]) if found else None

    def link(self, artifact: str, model: Model | None = None, *, key: str | None = None) -> None:
        """Link an artifact to a version that the run works on, or to another one."""
        run = self._run
        with run.in_hand.turn:
            mine = self.find(artifact)
            linked = mine.id if mine else resolve_artifact(run.registry.snapshot(), artifact).reference
            if key is None:
                bound = run.versions.bind(model) if model is not None else run.model
                if bound is None:
                    raise InvalidInput("this run works on no model to link to", hint="name one: model=Model('iris')")
                key = bound.key
            self._check_link(key, mine.document.reference if mine else linked)
            run.note_effects()
            if linked not in run.draft.versions[key].links:
                run.versions.change(
                    key, lambda document: document.but(links=(*document.links, linked)), "Link an artifact"
                )

    def note_input(self, used: ArtifactDocument | ModelVersion, snapshot: Snapshot) -> None:
        """Note that something was loaded: what the run makes now was made from it, too.

        What another run is still making has no name that lasts: it is not noted.

        Parameters
        ----------
        snapshot:
            Where it was looked up: the run's own registry, or another clone of it.
        """
        run = self._run
        if isinstance(used, ArtifactDocument):
            name, what = used.artifact, self.place_of(used)
            sealed = used.version is not None and find_artifact(snapshot, used.artifact, used.version) is not None
            lasts = sealed or what == used.id
        else:
            name, what, lasts = used.model, used.reference, used.number > 0
        step = run.step
        if not lasts:
            return
        if step is not None:
            step.effects = add_input(step.inputs, name, what) or step.effects
        elif run.joined_step:
            if what not in self._noted_in(run.joined_step).values():
                run.change(lambda said: _used_in(said, run.joined_step, name, what), f"Use {what}")
        elif what not in run.draft.run.inputs and not self._is_own(what):
            run.change(lambda run: run.but(inputs=(*run.inputs, what)), f"Use {what}")

    def noted_in(self, step: str) -> Mapping[str, str]:
        """Return what other processes have loaded in a step that is under way, by name."""
        self._run.in_hand.read()
        return self._noted_in(step)

    def _noted_in(self, step: str) -> Mapping[str, str]:
        said = self._run.draft.run.steps.get(step, {})
        inputs: Mapping[str, str] = said.get("inputs", {}) if said.get("status") == RUNNING else {}
        return inputs

    def _is_own(self, place: str) -> bool:
        """Whether the run made it, or a step of it gave it as it was known."""
        draft = self._run.draft
        given = (step.get("outputs", {}).values() for step in draft.run.steps.values())
        return place in draft.artifacts or any(place in outputs for outputs in given)

    def place_of(self, document: ArtifactDocument) -> str:
        """Give what the draft calls an artifact version: its id where it is the draft's own, else its reference."""
        return document.id if document.id in self._run.draft.artifacts else document.reference

    def at(self, place: str) -> ArtifactDocument | None:
        """Give the artifact version that the draft calls so."""
        if place in self._run.draft.artifacts:
            return self._run.draft.artifacts[place]
        name, _, version = place.partition("@")
        return find_artifact(self._run.registry.snapshot(), name, version) if version else None

    def made_in(self, step: str) -> set[str]:
        """Give the ids of what was saved in a step, in whatever process."""
        held = self._run.in_hand.read().artifacts
        return {key for key, each in held.items() if each.run and each.run.get("step") == step}

    def settle(self) -> None:
        """Let the handles that are still in use say the versions that were sealed."""
        snapshot, handles = self._run.registry.snapshot(), list(self._handed)
        sealed: dict[str, ArtifactDocument] = {}
        for name in {handle.name for handle in handles}:
            sealed |= artifacts_with_ids(snapshot, name, {handle.id for handle in handles})
        for handle in handles:
            handle.document = sealed.get(handle.id, handle.document)

    def _given(self, document: ArtifactDocument) -> ArtifactVersion:
        handle = ArtifactVersion(document)
        self._handed.add(handle)
        return handle

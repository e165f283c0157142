"""The class `RunModel`: a version of a model inside the run that makes it or adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.registry.writing.metadata import to_json
from gitreg.sdk.verbs.load import load
from gitreg.sdk.zenml.model import Model, ModelStages

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.runs.run_artifacts import RunArtifacts
    from gitreg.sdk.runs.run_versions import RunVersions
    from gitreg.sdk.session import PathLike
    from gitreg.sdk.zenml.artifacts import ArtifactVersion


class RunModel(Model):
    """A version of a model inside the run that makes it or adds to it.

    Parameters
    ----------
    versions, artifacts:
        Those of the run.
    key:
        The id of the version in the run's draft.
    spec:
        The model as the user gave it.
    """

    def __init__(self, versions: RunVersions, artifacts: RunArtifacts, key: str, spec: Model) -> None:
        super().__init__(spec.name, spec.selector, tags=spec.tags)
        self._card = spec._card
        self._versions = versions
        self._artifacts = artifacts
        self._is_sealed = False
        self.key = key

    def settle(self, version: str) -> None:
        """Refer to the sealed version of this name from now on."""
        self._is_sealed, self._selector = True, version

    def set_stage(self, stage: str | ModelStages, force: bool = False) -> None:
        """Move the version into a stage when the run ends well; the stage's rules and policy are checked now, too.

        Raises
        ------
        Refused
            Another version holds the stage and ``force`` is False, or the policy of the stage forbids it.
        InvalidInput
            There is no such stage.
        """
        if self._is_sealed:
            super().set_stage(stage, force)
            return
        self._versions.steps.note_effects()
        self._versions.set_stage(self.key, str(stage), force=force)

    def log_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Add metadata to the version; a key that exists is overwritten."""
        if self._is_sealed:
            super().log_metadata(metadata)
            return
        added = to_json(metadata)
        self._versions.steps.note_effects()
        self._versions.change(
            self.key, lambda document: document.but(metadata={**document.metadata, **added}), "Say more of it"
        )

    def link(self, registry: Registry, artifact: str) -> None:
        """Link an artifact version, by its id or reference, to the version."""
        if self._is_sealed:
            super().link(registry, artifact)
        else:
            self._artifacts.link(artifact, key=self.key)

    def load(self, dest: PathLike | None = None, *, artifact: str | None = None, unsafe_code: bool = False) -> Path:
        """Return the folder with the files of the version; parameters are those of :meth:`gitreg.Registry.load`."""
        if self._is_sealed:
            return super().load(dest, artifact=artifact, unsafe_code=unsafe_code)
        run = self._versions.draft.known.run.run
        return load(
            self._versions.session,
            f"{self.name}@draft:{run}",
            Path(dest) if dest is not None else None,
            artifact=artifact,
            unsafe_code=unsafe_code,
        )

    def get_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersion | None:
        """Return an artifact that is linked to the version, looking first in the run's draft; None if there is none."""
        if not self._is_sealed:
            found = self._artifacts.find(name, version)
            if found is not None and found.id in self._versions.draft.known.versions[self.key].links:
                return found
        return super().get_artifact(name, version)

    def _find(self, registry: Registry) -> ModelVersion:
        return super()._find(registry) if self._is_sealed else self._versions.get(self.key)

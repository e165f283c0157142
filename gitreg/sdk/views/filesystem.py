"""The fsspec file system ``gitreg://iris@production/model.safetensors``, which fsspec finds by its entry point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from gitreg.blobs.fsspec_filesystem import ArtifactFileSystem, NoSuchFileError, ResolvedPath
from gitreg.errors import NotFound
from gitreg.registry.state.manifests import choose_artifact
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.admission import Admission
from gitreg.sdk.verbs.load import manifest_in, note_input


class GitregFileSystem(ArtifactFileSystem):
    """The files of a registry's versions as a file system: ``gitreg://MODEL@VERSION/PATH``, read-only.

    Parameters
    ----------
    registry:
        The folder or URL of the registry, as :meth:`gitreg.Registry.open` takes it. None takes GITREG_REGISTRY, else
        the current folder and those above it.
    artifact:
        The name of the artifact; None takes ``model``, else the only one of that type, else the only one.
    unsafe_code:
        True to open also files that can run code when they are loaded.
    """

    protocol = "gitreg"

    def __init__(
        self,
        registry: str | None = None,
        artifact: str | None = None,
        unsafe_code: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(self._find, **options)
        self._unsafe_code = unsafe_code
        self._registry = registry
        self._artifact = artifact

    @contextmanager
    def _find(self, reference: str) -> Iterator[ResolvedPath]:
        with Registry.open(self._registry) as registry:
            try:
                version = registry.version(reference)
                record = choose_artifact(version, self._artifact)
            except NotFound as error:
                raise NoSuchFileError(error.message, hint=error.hint) from None
            cache = registry.session.environment.cache()
            admission = Admission(
                registry.session, record, model=version.model, what=version.reference, unsafe_code=self._unsafe_code
            )
            manifest = manifest_in(registry.session, cache, record)
            note_use = partial(note_input, registry.session, version)
            yield ResolvedPath(manifest, lambda: registry.session.stores, cache, note_use, admission.check_file)

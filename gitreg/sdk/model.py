"""``Model``: a version of a model by name, number or stage, as ZenML's class of that name has it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from gitreg.errors import NotFound
from gitreg.names import is_number
from gitreg.registry.snapshot import ModelVersion
from gitreg.sdk.opened import PathLike
from gitreg.sdk.registry import Registry


class ModelStages(StrEnum):
    """The stages that every registry begins with, and two words that are no pointers: latest and archived."""

    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"
    LATEST = "latest"


class Model:
    """A version of a model. What it says is asked of the registry each time.

    Parameters
    ----------
    name:
        The model's name.
    version:
        A version's name or number, a stage or an alias; None means the latest. A name that is not there yet is made by
        the first call that writes (:meth:`set_stage`, :meth:`log_metadata`); numbers and stages are only looked up.
    license, description, audience, use_cases, limitations, trade_offs, ethics, tags:
        The card of a model that is not registered yet. For one that is, what differs is warned of and changes nothing;
        use :meth:`gitreg.Registry.update_model`.
    registry:
        An open registry; None opens the one of the current folder for each call.
    """

    def __init__(
        self,
        name: str,
        version: str | int | ModelStages | None = None,
        *,
        license: str | None = None,  # noqa: A002 - ZenML's word, and the format's
        description: str | None = None,
        audience: str | None = None,
        use_cases: str | None = None,
        limitations: str | None = None,
        trade_offs: str | None = None,
        ethics: str | None = None,
        tags: Sequence[str] = (),
        registry: Registry | None = None,
    ) -> None:
        self.name = name
        self.tags = tuple(tags)
        self._selector = None if version is None else str(version)
        self._registry = registry
        self._card: dict[str, Any] = {
            "license": license,
            "description": description,
            "audience": audience,
            "use_cases": use_cases,
            "limitations": limitations,
            "trade_offs": trade_offs,
            "ethics": ethics,
        }

    def __repr__(self) -> str:
        return f"Model({self.reference!r})"

    @property
    def reference(self) -> str:
        """The reference as it was given."""
        return f"{self.name}@{self._selector}" if self._selector is not None else self.name

    @property
    def version(self) -> str:
        """The version's name."""
        return self.get().version

    @property
    def number(self) -> int:
        """Its place in the order of the model's versions, whatever their names."""
        return self.get().number

    @property
    def stage(self) -> ModelStages | str | None:
        """The stage that it holds, ``archived``, or None."""
        stage = self.get().stage
        return ModelStages(stage) if stage in list(ModelStages) else stage

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata, each key with its newest value."""
        return self.get().metadata

    def get(self) -> ModelVersion:
        """Look the version up.

        Raises
        ------
        NotFound
            There is none such.
        """
        with self._open() as registry:
            version = registry.version(self.reference)
            self._warn_of_differences(registry)
            return version

    def set_stage(self, stage: str | ModelStages, force: bool = False) -> None:
        """Put the version into a stage; ``archived`` archives it.

        Raises
        ------
        Refused
            Another version holds the stage, and ``force`` is not given.
        NotFound, InvalidInput
            There is no such version, or no such stage.
        """
        with self._open() as registry:
            registry.annotate(self._get_or_create(registry).reference, stage=str(stage), force=force)

    def log_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Say more of the version; a key that is logged again is overwritten."""
        with self._open() as registry:
            registry.annotate(self._get_or_create(registry).reference, metadata=metadata)

    def load(self, dest: PathLike | None = None, *, artifact: str | None = None) -> Path:
        """Give the folder with the version's files (:meth:`gitreg.Registry.load`)."""
        with self._open() as registry:
            return registry.load(self.reference, dest, artifact=artifact)

    @contextmanager
    def _open(self) -> Iterator[Registry]:
        if self._registry is not None:
            yield self._registry
        else:
            with Registry.open() as registry:
                yield registry

    def _get_or_create(self, registry: Registry) -> ModelVersion:
        selector = self._selector
        try:
            version = registry.version(self.reference)
        except NotFound:
            stages = registry.snapshot().settings.stages
            if selector is None or selector == ModelStages.LATEST or is_number(selector) or selector in stages:
                raise
            if registry.snapshot().find_model(self.name) is None:
                registry.register_model(self.name, tags=self.tags, **self._card)
            return registry.create_version(self.name, selector)
        self._warn_of_differences(registry)
        return version

    def _warn_of_differences(self, registry: Registry) -> None:
        document = registry.snapshot().find_model(self.name)
        if document is None:
            return
        said = {field: value for field, value in self._card.items() if value is not None}
        differing = [field for field, value in said.items() if getattr(document, field) != value]
        if self.tags and set(self.tags) != set(document.tags):
            differing.append("tags")
        if differing:
            warnings.warn(
                f"{self.name} is registered with another {', '.join(differing)}; that stays "
                f"(`gitreg model update {self.name}` changes it)",
                stacklevel=4,
            )

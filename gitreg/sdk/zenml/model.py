"""The class `Model`: a version of a model by name, number or stage, with the interface of ZenML's `Model`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from enum import StrEnum
from pathlib import Path
from typing import Any

from gitreg import cards
from gitreg.errors import GitregError, NotFound
from gitreg.names import check_list, nfc
from gitreg.registry.state.references import only_looked_up
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.sdk.registry import Registry, opened
from gitreg.sdk.session import PathLike
from gitreg.sdk.verbs.links import link_artifact, link_artifact_to_name
from gitreg.sdk.zenml.artifacts import ArtifactVersion, artifact_of, require


class ModelStages(StrEnum):
    """The stages that every new registry has, and two further words that are no stages: latest and archived."""

    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"
    LATEST = "latest"


class Model:
    """A version of a model. Each property and method reads it from the registry anew.

    Parameters
    ----------
    name:
        The model's name.
    version:
        A version's name or number, a stage or an alias; None means the latest version. A version of a new name is
        created by the first call that writes (:meth:`set_stage`, :meth:`log_metadata`); numbers and stages are only
        looked up.
    license, description, audience, use_cases, limitations, trade_offs, ethics, tags:
        The card of a model that is not registered yet. For a registered model, differences cause a warning and change
        nothing; use :meth:`gitreg.Registry.update_model`.
    registry:
        An open registry; None takes that of the active run, else opens that of the current folder for each call.

    Examples
    --------
    >>> Model("iris", "production", registry=registry).number
    2
    >>> Model("iris", registry=registry).version
    '3'
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
        self.name = nfc(name)
        check_list(tags, "tags")
        self.tags = tuple(tags)
        self._selector = None if version is None else nfc(str(version))
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
        return f"{type(self).__name__}({self.reference!r})"

    def _repr_html_(self) -> str:
        try:
            return self.get()._repr_html_()
        except GitregError as error:
            return cards.notebook.render(type(self).__name__, self.reference, facts={"problem": error.message})

    @property
    def selector(self) -> str | None:
        """The version, stage or alias as it was given; None means the latest version, in a run a new version."""
        return self._selector

    def filled(self, fill: Callable[[str], str]) -> Model:
        """Return a copy with the placeholders in the names of the model and the version filled."""
        other = copy(self)
        other.name, other._selector = fill(self.name), self._selector and fill(self._selector)
        return other

    def card(self) -> dict[str, Any]:
        """Return the fields of the card that were given, with the tags.

        Returns
        -------
        dict:
            The fields of the card by name, and ``tags`` if there are any.

        Examples
        --------
        >>> Model("taste", license="MIT", tags=["embedding"]).card()
        {'license': 'MIT', 'tags': ['embedding']}
        """
        fields = {field: value for field, value in self._card.items() if value is not None}
        return {**fields, "tags": list(self.tags)} if self.tags else fields

    @property
    def reference(self) -> str:
        """The reference as it was given."""
        return f"{self.name}@{self._selector}" if self._selector is not None else self.name

    @property
    def version(self) -> str:
        """The name of the version."""
        return self.get().version

    @property
    def number(self) -> int:
        """The number of the version, in the order of the model's versions, whatever their names."""
        return self.get().number

    @property
    def stage(self) -> ModelStages | str | None:
        """The stage that the version holds, ``archived``, or None."""
        stage = self.get().stage
        return ModelStages(stage) if stage in list(ModelStages) else stage

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the version, each key with its newest value."""
        return self.get().metadata

    def get(self) -> ModelVersion:
        """Return the version from the registry, with its record and its annotation.

        Returns
        -------
        ModelVersion:
            Its record and its annotation as they are now.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> model = Model("iris", "production", registry=registry)
        >>> model.get().reference
        'iris@2'
        """
        with self._open() as registry:
            version = self._find(registry)
            self.warn_of_differences(registry.session.snapshot())
            return version

    def set_stage(self, stage: str | ModelStages, force: bool = False) -> None:
        """Move the version into a stage; ``archived`` archives it.

        Parameters
        ----------
        force:
            True to archive the version that holds the stage now, and to override gates whose policy allows that.

        Raises
        ------
        Refused
            Another version holds the stage and ``force`` is False, or the policy of the stage forbids it.
        NotFound, InvalidInput
            There is no such version, or no such stage.

        Examples
        --------
        >>> model = Model("iris", version="latest", registry=registry)
        >>> model.set_stage("staging")
        >>> model.stage
        <ModelStages.STAGING: 'staging'>
        """
        with self._open() as registry:
            registry.annotate(self._get_or_create(registry).reference, stage=str(stage), force=force)

    def log_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Add metadata to the annotation of the version; a key that exists is overwritten.

        Raises
        ------
        NotFound
            There is no version of that number or stage.
        InvalidInput
            A value is not a JSON value.

        Examples
        --------
        >>> model = Model("iris", "production", registry=registry)
        >>> model.log_metadata({"auc": 0.98})
        >>> model.metadata
        {'accuracy': 0.93, 'auc': 0.98}
        """
        with self._open() as registry:
            registry.annotate(self._get_or_create(registry).reference, metadata=metadata)

    def load(self, dest: PathLike | None = None, *, artifact: str | None = None, unsafe_code: bool = False) -> Path:
        """Return the folder with the files of the version; parameters are those of :meth:`gitreg.Registry.load`.

        Returns
        -------
        pathlib.Path:
            `dest`, or the folder in the cache.

        Raises
        ------
        NotFound
            There is no such version or artifact.
        Refused
            A file in ``dest`` exists and differs; or a file can run code, and ``unsafe_code`` is False.
        IntegrityError
            The bytes in the store differ from the record.

        Examples
        --------
        >>> model = Model("iris", "production", registry=registry)
        >>> (model.load() / "model.bst").read_text()
        'weights of 0.93'
        """
        with self._open() as registry:
            return registry.load(self.reference, dest, artifact=artifact, unsafe_code=unsafe_code)

    # -- artifacts -------------------------------------------------------------------------------------------------

    def get_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersion | None:
        """Return an artifact that is linked to the version; None if it has none of that name.

        Parameters
        ----------
        version:
            The version of the artifact; None means the newest that is linked.

        Returns
        -------
        ArtifactVersion:
            Its handle; None if there is none of that name.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> model = Model("iris", "production", registry=registry)
        >>> model.get_artifact("model").type
        <ArtifactType.MODEL: 'model'>
        """
        with self._open() as registry:
            selector = None if version is None else str(version)
            return artifact_of(self._find(registry), name, selector, registry.session, self._registry)

    def get_model_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersion | None:
        """Return a linked artifact of the type model; None if there is none of that name.

        Returns
        -------
        ArtifactVersion:
            As of `get_artifact`.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> model = Model("iris", "production", registry=registry)
        >>> model.get_model_artifact("model").size
        15
        """
        return self._typed("model", name, version)

    def get_data_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersion | None:
        """Return a linked artifact of the type data; None if there is none of that name.

        Returns
        -------
        ArtifactVersion:
            As of `get_artifact`.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> model = Model("iris", "production", registry=registry)
        >>> link_artifact_to_model("labels", model, registry=registry)
        >>> model.get_data_artifact("labels").reference
        'labels@1'
        """
        return self._typed("data", name, version)

    def get_deployment_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersion | None:
        """Return a linked artifact of the type deployment; None if there is none of that name.

        Returns
        -------
        ArtifactVersion:
            As of `get_artifact`.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> model = Model("iris", "production", registry=registry)
        >>> model.get_deployment_artifact("endpoint")
        """
        return self._typed("deployment", name, version)

    def load_artifact(self, name: str, version: str | int | None = None, *, unsafe_pickle: bool = False) -> Any:
        """Return the object of a linked artifact (:meth:`gitreg.ArtifactVersion.load`).

        Returns
        -------
        Any:
            An object of the type that was saved, equal to it.

        Raises
        ------
        NotFound
            The version has no artifact of that name.

        Examples
        --------
        >>> model = Model("iris", "production", registry=registry)
        >>> link_artifact_to_model("labels", model, registry=registry)
        >>> model.load_artifact("labels")
        {'classes': ['setosa', 'virginica']}
        """
        return require(self.get_artifact(name, version), name, self.reference).load(unsafe_pickle=unsafe_pickle)

    def link(self, registry: Registry, artifact: str) -> None:
        """Link an artifact version, by its id or reference, to the version; a version of a new name is created.

        Raises
        ------
        NotFound
            There is no such artifact version, or no version of that number or stage.

        Examples
        --------
        >>> Model("iris", "production").link(registry, "labels@1")
        """
        snapshot = registry.session.snapshot()
        if self._selector is None or only_looked_up(snapshot, self._selector):
            link_artifact(registry.session, artifact, self.reference)
        else:
            link_artifact_to_name(registry.session, artifact, self.name, self._selector)

    def _typed(self, artifact_type: str, name: str, version: str | int | None) -> ArtifactVersion | None:
        found = self.get_artifact(name, version)
        return found if found is not None and found.type == artifact_type else None

    def _find(self, registry: Registry) -> ModelVersion:
        return registry.version(self.reference)

    @contextmanager
    def _open(self) -> Iterator[Registry]:
        with opened(self._registry) as registry:
            yield registry

    def _get_or_create(self, registry: Registry) -> ModelVersion:
        selector = self._selector
        try:
            version = registry.version(self.reference)
        except NotFound:
            if selector is None or only_looked_up(registry.session.snapshot(), selector):
                raise
            if registry.session.snapshot().find_model(self.name) is None:
                registry.register_model(self.name, tags=self.tags, **self._card)
            return registry.create_version(self.name, selector)
        self.warn_of_differences(registry.session.snapshot())
        return version

    def warn_of_differences(self, snapshot: Snapshot) -> None:
        """Warn if the model is registered with another card than the one given; the registered card stays."""
        document = snapshot.find_model(self.name)
        if document is None:
            return
        fields = {field: value for field, value in self._card.items() if value is not None}
        differing = [field for field, value in fields.items() if getattr(document, field) != value]
        if self.tags and set(self.tags) != set(document.tags):
            differing.append("tags")
        if differing:
            warnings.warn(
                f"{self.name} is registered with another {', '.join(differing)}; that stays "
                f"(`gitreg model update {self.name}` changes it)",
                stacklevel=4,
            )

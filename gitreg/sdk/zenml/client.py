"""The class `Client`: a registry with the interface of ZenML's client, for code that comes from there.

The signatures are those of ``zenml.client.Client`` of zenml 0.98, for models, their versions and artifacts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.registry.query.filters import Page
from gitreg.registry.state.runs_and_artifacts import artifact_versions
from gitreg.registry.state.snapshot import ModelCard, ModelVersion
from gitreg.sdk.registry import Registry
from gitreg.sdk.session import PathLike
from gitreg.sdk.zenml.artifacts import ArtifactVersion, get_artifact_version
from gitreg.sdk.zenml.model import ModelStages


class Client:
    """A registry with the interface of ZenML's client.

    Parameters
    ----------
    registry:
        An open registry, or its folder or URL; None opens that of the current folder for each call.

    Examples
    --------
    >>> client = Client(registry)
    >>> client.get_model_version("iris", "production").reference
    'iris@2'
    """

    def __init__(self, registry: Registry | PathLike | None = None) -> None:
        self._registry = registry

    def __repr__(self) -> str:
        return f"Client({self._registry!r})" if self._registry is not None else "Client()"

    @contextmanager
    def _open(self) -> Iterator[Registry]:
        if isinstance(self._registry, Registry):
            yield self._registry
        else:
            with Registry.open(self._registry) as registry:
                yield registry

    # -- models --------------------------------------------------------------------------------------------------

    def create_model(
        self,
        name: str,
        license: str | None = None,  # noqa: A002 - ZenML's word
        description: str | None = None,
        audience: str | None = None,
        ethics: str | None = None,
        limitations: str | None = None,
        trade_offs: str | None = None,
        use_cases: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> ModelCard:
        """Register a model and return it.

        Returns
        -------
        ModelCard:
            The model, which has no versions yet.

        Raises
        ------
        AlreadyExists
            There is a model of that name.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.create_model("taste", license="MIT", tags=["embedding"]).name
        'taste'
        """
        with self._open() as registry:
            return registry.register_model(
                name,
                license=license,
                description=description,
                audience=audience,
                ethics=ethics,
                limitations=limitations,
                trade_offs=trade_offs,
                use_cases=use_cases,
                tags=tags or (),
            )

    def get_model(self, model_name_or_id: str) -> ModelCard:
        """Return a model by its name.

        Returns
        -------
        ModelCard:
            The model with its card, its latest version and its stages.

        Raises
        ------
        NotFound
            There is no model of that name.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.get_model("iris").stages
        {'production': '2'}
        """
        with self._open() as registry:
            return registry.model(model_name_or_id)

    def list_models(
        self,
        sort_by: str | None = None,
        page: int = 1,
        size: int = 20,
        logical_operator: str = "and",
        **filters: Any,
    ) -> Page[ModelCard]:
        """Return one page of the models.

        Parameters
        ----------
        sort_by:
            A field, ``asc:FIELD`` or ``desc:FIELD``.
        logical_operator:
            ``and``: every filter has to match; ``or``: one is enough.
        filters:
            ``field="value"`` or ``field="operator:value"``.

        Returns
        -------
        Page:
            ``items`` are `ModelCard`; ``total`` is the number of all that match.

        Raises
        ------
        InvalidInput
            The logical operator is neither ``and`` nor ``or``.

        Examples
        --------
        >>> client = Client(registry)
        >>> [model.name for model in client.list_models(name="startswith:i").items]
        ['iris']
        """
        with self._open() as registry:
            rows = registry.list_models(
                _given(filters), match_any=_any(logical_operator), sort=sort_by, page=page, size=size
            )
            snapshot = registry.session.snapshot()
            models = [snapshot.model(row["name"]) for row in rows]
            return Page(models, rows.total, rows.page, rows.size, rows.columns)

    def update_model(
        self,
        model_name_or_id: str,
        *,
        add_tags: Sequence[str] | None = None,
        remove_tags: Sequence[str] | None = None,
        **fields: Any,
    ) -> ModelCard:
        """Change the card of a model and return the model.

        Parameters
        ----------
        fields:
            The fields to replace: license, description, audience, use_cases, limitations, trade_offs, ethics.

        Returns
        -------
        ModelCard:
            The model after the change.

        Raises
        ------
        NotFound
            There is no such model.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.update_model("iris", add_tags=["flowers"], license="MIT").document.license
        'MIT'
        """
        with self._open() as registry:
            return registry.update_model(model_name_or_id, tags=add_tags or (), remove_tags=remove_tags or (), **fields)

    def delete_model(self, model_name_or_id: str) -> None:
        """Delete a model with its versions.

        Raises
        ------
        NotFound
            There is no such model.
        Refused
            A stage or an alias points to one of its versions.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.create_model("taste").name
        'taste'
        >>> client.delete_model("taste")
        """
        with self._open() as registry:
            registry.delete_model(model_name_or_id)

    # -- versions --------------------------------------------------------------------------------------------------

    def create_model_version(
        self,
        model_name_or_id: str,
        name: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> ModelVersion:
        """Create a version without files and return it.

        Returns
        -------
        ModelVersion:
            The new version, without files.

        Raises
        ------
        NotFound
            There is no such model.
        AlreadyExists
            There is a version of that name which differs.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.create_model_version("iris", "reserved", tags=["empty"]).reference
        'iris@reserved'
        """
        with self._open() as registry:
            registry.model(model_name_or_id)
            return registry.create_version(model_name_or_id, name, description=description, tags=tags or ())

    def get_model_version(
        self,
        model_name_or_id: str,
        model_version_name_or_number_or_id: str | int | ModelStages | None = None,
    ) -> ModelVersion:
        """Return a version by its name, number, stage or alias; None means the latest.

        Returns
        -------
        ModelVersion:
            The version with its record and its annotation.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.get_model_version("iris").number
        3
        >>> client.get_model_version("iris", ModelStages.PRODUCTION).number
        2
        """
        selector = model_version_name_or_number_or_id
        with self._open() as registry:
            return registry.version(f"{model_name_or_id}@{'latest' if selector is None else selector}")

    def list_model_versions(
        self,
        model_name_or_id: str | None = None,
        sort_by: str | None = None,
        page: int = 1,
        size: int = 20,
        logical_operator: str = "and",
        **filters: Any,
    ) -> Page[ModelVersion]:
        """Return one page of the versions of a model, or of all; parameters are those of :meth:`list_models`.

        A filter on metadata is passed by unpacking a dictionary: ``**{"metadata.accuracy": "gte:0.9"}``.

        Returns
        -------
        Page:
            ``items`` are `ModelVersion`; ``total`` is the number of all that match.

        Raises
        ------
        NotFound
            There is no such model.
        InvalidInput
            A filter or the order names no known field, or the logical operator is neither ``and`` nor ``or``.

        Examples
        --------
        >>> client = Client(registry)
        >>> filters = {"metadata.accuracy": "gte:0.93"}
        >>> page = client.list_model_versions("iris", sort_by="desc:metadata.accuracy", **filters)
        >>> [version.reference for version in page.items]
        ['iris@3', 'iris@2']
        """
        with self._open() as registry:
            match_any = _any(logical_operator)
            rows = registry.list_versions(
                model_name_or_id, _given(filters), match_any=match_any, sort=sort_by, page=page, size=size
            )
            snapshot = registry.session.snapshot()
            found = (snapshot.find_version(row["model"], row["version"]) for row in rows.items)
            versions = [version for version in found if version is not None]
            return Page(versions, rows.total, rows.page, rows.size, rows.columns)

    def update_model_version(
        self,
        model_name_or_id: str,
        version_name_or_id: str | int,
        stage: str | ModelStages | None = None,
        force: bool = False,
        description: str | None = None,
        add_tags: Sequence[str] | None = None,
        remove_tags: Sequence[str] | None = None,
    ) -> ModelVersion:
        """Move a version to a stage and add to its annotation, in one commit; return the version.

        Returns
        -------
        ModelVersion:
            The version after the change.

        Raises
        ------
        NotFound, InvalidInput
            There is no such version, or no such stage.
        Refused
            The version may not enter the stage.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.update_model_version("iris", 3, stage="staging", add_tags=["checked"]).stage
        'staging'
        """
        with self._open() as registry:
            return registry.annotate(
                f"{model_name_or_id}@{version_name_or_id}",
                description=description,
                tags=add_tags or (),
                remove_tags=remove_tags or (),
                stage=str(stage) if stage is not None else None,
                force=force,
            )

    def delete_model_version(self, model_name_or_id: str, version_name_or_id: str | int) -> None:
        """Delete a version softly: hide it, and release its weights to garbage collection.

        Raises
        ------
        NotFound
            There is no such version.
        Refused
            A stage or an alias points to it.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.delete_model_version("iris", 1)
        """
        with self._open() as registry:
            registry.delete_version(f"{model_name_or_id}@{version_name_or_id}")

    # -- artifacts -------------------------------------------------------------------------------------------------

    def get_artifact_version(self, name_id_or_prefix: str, version: str | int | None = None) -> ArtifactVersion:
        """Return an artifact version by name (default: the latest version), by id, or by the first digits of the id.

        Returns
        -------
        ArtifactVersion:
            Its handle; ``load()`` returns the object.

        Raises
        ------
        NotFound
            There is no such artifact version.

        Examples
        --------
        >>> client = Client(registry)
        >>> client.get_artifact_version("labels").load()
        {'classes': ['setosa', 'virginica']}
        """
        if self._registry is None:
            return get_artifact_version(name_id_or_prefix, version)
        with self._open() as registry:
            return get_artifact_version(name_id_or_prefix, version, registry=registry)

    def list_artifact_versions(self, name: str | None = None) -> list[ArtifactVersion]:
        """Return the versions of an artifact, or of all artifacts, sorted by name and number.

        Returns
        -------
        list:
            Handles, in the order of their numbers.

        Examples
        --------
        >>> client = Client(registry)
        >>> [artifact.reference for artifact in client.list_artifact_versions()]
        ['labels@1']
        """
        kept = self._registry if isinstance(self._registry, Registry) else None
        with self._open() as registry:
            return [ArtifactVersion(each, kept) for each in artifact_versions(registry.session.snapshot(), name)]


def _any(logical_operator: str) -> bool:
    if logical_operator not in ("and", "or"):
        raise InvalidInput(f"{logical_operator!r} is no logical operator", hint="use and, or")
    return logical_operator == "or"


def _given(filters: dict[str, Any]) -> dict[str, Any]:
    return {field: condition for field, condition in filters.items() if condition is not None}

"""The class `Registry`: everything that the command line does, in Python.

Verbs and queries are imported at their first use, so that resolving one reference imports little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from gitreg import cards
from gitreg.errors import GitregError, InvalidInput, NotFound
from gitreg.git.urls import hide_login
from gitreg.names import named_path
from gitreg.registry import query, weights
from gitreg.registry.state.snapshot import ModelCard, ModelVersion
from gitreg.sdk import verbs
from gitreg.sdk.session import PathLike, Session
from gitreg.sdk.verbs.find import check_mirror, find_version, sealed_version, warn_of_unreadable

if TYPE_CHECKING:
    from gitreg.policy.evaluate import Decision
    from gitreg.progress import Progress
    from gitreg.registry.doctor import Problem
    from gitreg.registry.lineage.lineage import Lineage
    from gitreg.registry.promotion.signatures import VersionSignature
    from gitreg.registry.query.filters import Page
    from gitreg.registry.weights.garbage import Garbage
    from gitreg.registry.weights.verification import Verification
    from gitreg.registry.writing.commit import Outcome

Filters = Sequence[str] | Mapping[str, Any]
"""Conditions of a list: ``["stage=production", "metadata.accuracy=gte:0.9"]``, or ``{"stage": "production"}``."""


_RARE = ("approve_settings", "release_claims")


class Registry:
    """An open registry. Close it, or use it in a ``with`` statement.

    Every read sees the newest commit of the registry's branch. Every write is one commit on that branch, or raises an
    error. Threads may share a registry: writes are made one after the other, and each read of a thread sees one commit,
    whatever other threads write meanwhile.

    In the examples ``registry`` is an open registry with three versions of the model iris. Version 2 is in production
    and has the alias champion, version 1 was in production before. The files ``model.bst`` and ``vocabulary.txt`` are
    in the current folder, and the artifact labels is a dictionary.

    Parameters
    ----------
    session:
        The open session, which the methods work on and :meth:`close` closes.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @classmethod
    def open(
        cls,
        path: PathLike | None = None,
        *,
        local: bool = False,
        checked_out: bool = False,
        accept_rewrite: bool = False,
    ) -> Self:
        """Open the registry that a folder or a URL belongs to.

        Parameters
        ----------
        path:
            A folder of the registry or of the project around it, or the URL of its repository, which is read from a
            mirror in the user's cache; ``PATH#BRANCH`` if a repository has several registries. None takes
            GITREG_REGISTRY, else GIT_DIR, else the current folder and those above it.
        local:
            True to leave the remote alone: writes stay in this clone until they are pushed.
        checked_out:
            True to take the registry that is checked out, even if its branch is not in this clone.
        accept_rewrite:
            True to follow the remote of a URL even if its history was rewritten, or another registry is there now.

        Returns
        -------
        Registry:
            Open; close it, or use it in a ``with`` statement.

        Raises
        ------
        NotFound
            There is no registry.
        InvalidInput
            ``local`` is True for a URL.
        Refused
            The history at a URL was rewritten, or another registry is there, and ``accept_rewrite`` is False.
        Unreachable
            The remote of a URL does not answer.

        Examples
        --------
        >>> with Registry.open(".") as opened:
        ...     opened.version("iris").reference
        'iris@3'
        """
        session = Session.open(path, local=local, checked_out=checked_out, accept_rewrite=accept_rewrite)
        check_mirror(session)
        return cls(session)

    @classmethod
    def init(
        cls,
        path: PathLike | None = None,
        *,
        store: str | None = None,
        branch: str | None = None,
        prefix: str | None = None,
        remote: str | None = None,
        store_in_remote_folder: bool = False,
    ) -> tuple[Self, bool]:
        """Create a registry, trust its store, and publish it to its remote.

        Parameters
        ----------
        path:
            The folder of the registry; None takes the current folder, or the repository that GIT_DIR names.
        store:
            A folder or a URL for the weights; None takes a folder of the clone.
        branch:
            The branch of the registry.
        prefix:
            The folder of the version tags, ``models`` by default.
        store_in_remote_folder:
            True to keep the weights inside of the remote's Git folder, where that is a folder on this machine.
        remote:
            The name of the Git remote to publish to; None for no remote. A registry that exists and has none declares
            it now.

        Returns
        -------
        tuple:
            The open registry, and True if it was created now (False: it existed).

        Raises
        ------
        InvalidInput, NotFound
            A name cannot be a branch or a prefix, or there is no such remote.
        Refused
            There is a registry with other settings, or tags that it would use belong to somebody else; or there is a
            remote, and no store that all its clones reach.

        Examples
        --------
        >>> made, is_new = Registry.init("garden")
        >>> is_new
        True
        >>> made.close()
        """
        session, made = Session.init(
            path,
            store=store,
            branch=branch,
            prefix=prefix,
            remote=remote,
            store_in_remote_folder=store_in_remote_folder,
        )
        if remote is not None:
            verbs.remotes.publish_new(session, remote)
        return cls(session), made

    def close(self) -> None:
        """Close all files that are open.

        Examples
        --------
        >>> opened = Registry.open(".")
        >>> opened.close()
        """
        self.session.close()

    def __repr__(self) -> str:
        try:
            store = f", store={self.store_url!r}"
        except GitregError:  # the settings cannot be read
            store = ""
        return f"Registry({self._address!r}, branch={self.session.branch.name!r}{store})"

    def _repr_html_(self) -> str:
        facts = {"branch": self.session.branch.name}
        tables = []
        try:
            facts |= {"store": hide_login(self.store_url), "commit": self.session.branch.snapshot().commit[:12]}
            tables.append(query.page_table.table(self.list_models(size=cards.notebook.MOST_ROWS)))
        except GitregError as error:
            facts["problem"] = error.message
        return cards.notebook.render("Registry", self._address, facts=facts, tables=tables)

    @property
    def _address(self) -> str:
        return hide_login(self.session.mirror_of or str(self.folder))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to open it again: a copy in another process has files of its own."""
        return _reopened, (type(self), self.session.opened_as, self.session.local, self.proposing)

    def __dir__(self) -> list[str]:
        """Return the names of the methods that a person looks for; those that are rarely needed can be called, too."""
        names = (name for name in vars(Registry) if not name.startswith("_") and name not in _RARE)
        return sorted(name for name in names if callable(getattr(Registry, name)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def proposing(self) -> bool:
        """True if writes go to a new branch on the remote, to be merged by a pull request."""
        return self.session.proposing

    @proposing.setter
    def proposing(self, proposing: bool) -> None:
        self.session.proposing = proposing

    @property
    def folder(self) -> Path:
        """The repository's work tree, or the repository itself if it is bare."""
        return self.session.folder

    @property
    def store_url(self) -> str:
        """The address of the primary store, which holds the weights."""
        return self.session.store_url

    # -- reading ---------------------------------------------------------------------------------------------------

    def model(self, name: str, *, at: str | None = None) -> ModelCard:
        """Return a model by its name, with its card and its stages.

        Parameters
        ----------
        at:
            A date or a commit: the model as it was then. None means now.

        Returns
        -------
        ModelCard:
            The fields of its card, the count of its versions, the latest one, and the holder of each stage.

        Raises
        ------
        NotFound
            There is no model of that name.

        Examples
        --------
        >>> registry.model("iris").stages
        {'production': '2'}
        """
        return self.session.snapshot(at).model(name)

    def version(self, reference: str, *, at: str | None = None) -> ModelVersion:
        """Return the version that a reference names.

        A reference is ``MODEL`` (the latest version) or ``MODEL@SELECTOR``, with a number, a name, a stage, an alias or
        a digest. ``iris@draft`` is the draft of a version that a run is making; ``iris@draft:RUN`` names the run if
        several runs make one.

        Parameters
        ----------
        at:
            A date or a commit: the registry as it was then. None means now.

        Returns
        -------
        ModelVersion:
            Its sealed record with the annotation over it; its stage and its aliases are those of now, or of `at`.

        Raises
        ------
        NotFound
            There is no such model or version, or no version holds the stage.
        Refused
            The stage or alias points to a yanked version, or the selector matches several versions.
        IntegrityError
            The sealed record was edited, or is not the one that the stage or alias points to.

        Warns
        -----
        UserWarning
            A file of the model cannot be read. It is left out, here and in every other read of the registry.

        Examples
        --------
        >>> registry.version("iris").number
        3
        >>> registry.version("iris@production").reference
        'iris@2'
        >>> registry.version("iris@champion").metadata
        {'accuracy': 0.93}
        """
        return find_version(self.session, reference, at=at)

    def list_models(
        self,
        filters: Filters = (),
        *,
        match_any: bool = False,
        sort: str | None = None,
        page: int = 1,
        size: int = 100,
        at: str | None = None,
    ) -> Page[dict[str, Any]]:
        """Return one page of the models as plain data, filtered and sorted.

        Parameters
        ----------
        filters:
            Conditions, as ``["FIELD=VALUE", "FIELD=OPERATOR:VALUE"]`` or as a mapping.
        match_any:
            True if one filter is enough; otherwise all must match.
        sort:
            ``FIELD`` or ``desc:FIELD``; None sorts by name.
        page, size:
            The number of the page, from 1, and the number of rows on it.
        at:
            A date or a commit: the registry as it was then. None means now.

        Returns
        -------
        Page:
            ``items`` are the rows of this page (dictionaries), ``total`` is the number of rows on all pages.

        Raises
        ------
        InvalidInput
            A filter, the sort order or the page is invalid.

        Examples
        --------
        >>> [row["name"] for row in registry.list_models().items]
        ['iris']
        """
        snapshot = self.session.snapshot(at)
        warn_of_unreadable(snapshot)
        return query.listing.list_models(snapshot, filters, match_any=match_any, sort=sort, page=page, size=size)

    def list_versions(
        self,
        model: str | None = None,
        filters: Filters = (),
        *,
        match_any: bool = False,
        sort: str | None = None,
        page: int = 1,
        size: int = 100,
        at: str | None = None,
    ) -> Page[dict[str, Any]]:
        """Return one page of the versions of a model, or of all models, as plain data, filtered and sorted.

        Parameters
        ----------
        filters:
            Conditions on fields, as ``["stage=production", "metadata.accuracy=gte:0.9"]`` or as a mapping.
        match_any:
            True if one filter is enough; otherwise all must match.
        sort:
            ``FIELD`` or ``desc:FIELD``; None sorts the newest version of each model first.
        page, size:
            The number of the page, from 1, and the number of rows on it.
        at:
            A date or a commit: the registry as it was then. None means now.

        Returns
        -------
        Page:
            ``items`` are the rows of this page (dictionaries), ``total`` is the number of rows on all pages.

        Raises
        ------
        NotFound
            There is no such model.
        InvalidInput
            A filter, the sort order or the page is invalid.

        Examples
        --------
        >>> page = registry.list_versions("iris", ["metadata.accuracy=gte:0.93"], sort="desc:metadata.accuracy")
        >>> page.total
        2
        >>> [row["version"] for row in page.items]
        ['3', '2']
        """
        snapshot = self.session.snapshot(at)
        warn_of_unreadable(snapshot, model)
        return query.listing.list_versions(
            snapshot, model, filters, match_any=match_any, sort=sort, page=page, size=size
        )

    def log(self, model: str | None = None, stage: str | None = None) -> Iterator[dict[str, Any]]:
        """Return the audit log, newest first, one dictionary for each commit.

        Parameters
        ----------
        model:
            Only commits that changed this model, or, as ``MODEL@VERSION``, what is known of this version; None returns
            all. ``MODEL@STAGE`` is the same as `stage`.
        stage:
            With a model: only the moves of this stage, with the version that held it after each.

        Returns
        -------
        Iterator:
            Dictionaries with ``commit``, ``when`` (ISO 8601), ``who`` and the change, newest first.

        Raises
        ------
        NotFound
            There never was such a model or version, or no version of it ever held the stage.
        InvalidInput
            There is no such stage.

        Examples
        --------
        >>> [row["subject"] for row in registry.log("iris@2")]
        ['Alias iris@champion: 2', 'Promote iris@2 to production', 'Save iris@2']
        """
        from gitreg.registry.state.audit_log import log, reference_log, stage_log

        snapshot = self.session.branch.snapshot()
        if model is not None and stage is not None:
            return iter(stage_log(snapshot, model, stage))
        if model is not None and ("@" in model or model.startswith("models:/")):
            return iter(reference_log(snapshot, model))
        return log(snapshot, model)

    def diff(self, old: str, new: str, *, at: str | None = None) -> dict[str, Any]:
        """Return the differences between two versions as plain data.

        Parameters
        ----------
        old, new:
            References of the two versions.
        at:
            A date or a commit: what the references meant, and the registry said of them, then. None means now.

        Returns
        -------
        dict:
            The differences in fields, metadata, files and size (bytes), each from the old version to the new one.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> registry.diff("iris@1", "iris@2")["metadata"]
        {'accuracy': {'from': 0.9, 'to': 0.93, 'delta': 0.030000000000000027}}
        """
        a, b = (sealed_version(self.session, each, at=at) for each in (old, new))
        listed = all(artifact.files is not None for version in (a, b) for artifact in version.artifacts.values())
        return query.diff.compare(a, b, None if listed else self.session.stores)

    def lineage(
        self,
        reference: str,
        *,
        up: bool = True,
        down: bool = True,
        depth: int | None = None,
        at: str | None = None,
    ) -> Lineage:
        """Return the graph of the inputs (``up``) and the results (``down``) of a version, an artifact or a run.

        Parameters
        ----------
        reference:
            A version of a model, a version of an artifact (``data``, ``data@12``, an id), or a run (``PIPELINE/RUN``).
        up, down:
            True to follow what it was made from, and what was made from it.
        depth:
            The most edges to follow in each direction; None for no limit.
        at:
            A date or a commit: the graph as it was then. None means now.

        Returns
        -------
        Lineage:
            Its nodes and edges; the node that was asked for is ``root``. A notebook shows it as a picture.

        Raises
        ------
        NotFound
            There is no such version, artifact or run.
        InvalidInput
            The reference is malformed or ambiguous.

        Examples
        --------
        >>> registry.save("iris", "model.bst", inputs=["iris@2"]).reference
        'iris@4'
        >>> [node.name for node in registry.lineage("iris@4").nodes]
        ['iris@4', 'iris@2']
        """
        from gitreg.registry.lineage.lineage import lineage

        if self.session.branch.repository.is_shallow:
            with suppress(InvalidInput, NotFound):  # the reference may name an artifact or a run
                sealed_version(self.session, reference, withdrawn=True, at=at)
        return lineage(self.session.snapshot(at), reference, up=up, down=down, depth=depth)

    # -- models ----------------------------------------------------------------------------------------------------

    def register_model(
        self, name: str, *, tags: Sequence[str] = (), metadata: Mapping[str, Any] | None = None, **fields: Any
    ) -> ModelCard:
        """Register a model and return it.

        Parameters
        ----------
        fields:
            The fields of the card: description, license, audience, use_cases, limitations, trade_offs, ethics.

        Returns
        -------
        ModelCard:
            The model, which has no versions yet.

        Raises
        ------
        AlreadyExists
            A model of that name is registered, or a model whose name differs only in case.
        InvalidInput
            The name is invalid, or a card has no such field.

        Examples
        --------
        >>> registry.register_model("taste", license="MIT", tags=["embedding"]).name
        'taste'
        """
        outcome = verbs.models.register_model(self.session, name, fields=fields, tags=tags, metadata=metadata)
        return self.session.after(outcome).model(name)

    def update_model(
        self,
        name: str,
        *,
        tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> ModelCard:
        """Change the card of a model and return the model.

        Fields that are given replace the old ones; tags and metadata are added.

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
        >>> registry.update_model("iris", description="Three kinds of iris").document.description
        'Three kinds of iris'
        """
        outcome = verbs.models.update_model(
            self.session, name, fields=fields, tags=tags, remove_tags=remove_tags, metadata=metadata
        )
        return self.session.after(outcome).model(name)

    def delete_model(self, name: str, *, force: bool = False) -> None:
        """Delete a model with its versions.

        Parameters
        ----------
        force:
            True to delete it even if a stage or an alias points to one of its versions.

        Raises
        ------
        NotFound
            There is no such model.
        Refused
            A stage or an alias points to one of its versions, and ``force`` is False.

        Examples
        --------
        >>> registry.register_model("taste").name
        'taste'
        >>> registry.delete_model("taste")
        """
        verbs.models.delete_model(self.session, name, force=force)

    # -- saving and loading ----------------------------------------------------------------------------------------

    def save(
        self,
        model: str,
        *contents: Any,
        artifacts: Mapping[str, Any] | None = None,
        type: str = "model",  # noqa: A002 - the word of the format
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        description: str | None = None,
        inputs: Sequence[str] = (),
        stage: str | None = None,
        message: str = "",
        unsafe_pickle: bool = False,
        progress: Progress | None = None,
    ) -> ModelVersion:
        """Save files, folders or an object as a new version of a model and return it; a new model is registered first.

            registry.save("iris", "model.bst", "vocabulary.txt")
            registry.save("iris", estimator, metadata={"accuracy": 0.95}, artifacts={"train": frame})

        Parameters
        ----------
        model:
            The model's name, or ``MODEL@VERSION`` to name the version.
        contents:
            The files and folders of the main artifact, which is named after its type: text and ``os.PathLike`` are
            paths. Anything else is one object (an estimator, a booster, a DataFrame, an array, a dict, bytes), which is
            saved in the safe format of its library; `load_object` returns it again.
        artifacts:
            The path or the object of each further artifact, by name.
        type:
            The type of all these artifacts: ``model``, ``data`` or ``deployment``.
        inputs:
            References to the versions of models or artifacts that the new version was made from.
        stage:
            The stage that the version enters in the same commit.
        message:
            Text to add to the message of the commit.
        unsafe_pickle:
            True to pickle an object that no safe format supports.

        Returns
        -------
        ModelVersion:
            The new version with its number; the existing one if it has this name and the same content.

        Raises
        ------
        AlreadyExists
            There is a version of that name which differs. (If all is the same, nothing is stored, and nothing is
            raised.)
        NotFound, InvalidInput
            A path, a name, a key of the metadata or an input is wrong; or no safe format takes an object, or the
            library of its format is not installed.
        Refused
            Another version holds the stage, or the policy of the stage forbids it.

        Examples
        --------
        >>> registry.save("iris", "model.bst", "vocabulary.txt", metadata={"accuracy": 0.96}).reference
        'iris@4'
        >>> registry.save("taste", {"weights": [0.1, 0.7]}, stage="staging").stage
        'staging'
        """
        found = verbs.save.sources(type, contents, artifacts or {}, unsafe_pickle=unsafe_pickle)
        saving = verbs.save.Saving(model, found, type, metadata or {}, tags, description, inputs, stage, message)
        return self.session.about(verbs.save.save(self.session, saving, progress=progress))

    def batch(self, message: str = "", *, progress: Progress | None = None) -> verbs.batch.Batch:
        """Save many versions in one commit and one push: ``with registry.batch() as batch: batch.save(...)``.

        Parameters
        ----------
        message:
            Text to add to the message of the commit.

        Returns
        -------
        Batch:
            A context manager; after its block, ``versions`` has what was saved, in order.

        Raises
        ------
        AlreadyExists, NotFound, InvalidInput, Refused
            In the block or at its end, as for `save`; then none of the versions is saved.

        Examples
        --------
        >>> with registry.batch("Two sizes") as batch:
        ...     batch.save("iris@small", "model.bst")
        ...     batch.save("iris@large", "model.bst", "vocabulary.txt")
        >>> [version.reference for version in batch.versions]
        ['iris@small', 'iris@large']
        """
        return verbs.batch.Batch(self.session, message, progress)

    def create_version(
        self,
        model: str,
        name: str | None = None,
        *,
        description: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> ModelVersion:
        """Create a version without files and return it; artifacts can be linked to it later.

        Returns
        -------
        ModelVersion:
            The new version; the existing one if it has this name and is the same.

        Raises
        ------
        AlreadyExists
            There is a version of that name which differs.

        Examples
        --------
        >>> registry.create_version("iris", "reserved", description="Files follow").reference
        'iris@reserved'
        """
        reference = f"{model}@{name}" if name is not None else model
        saving = verbs.save.Saving(reference, {}, metadata=metadata or {}, tags=tags, description=description)
        return self.session.about(verbs.save.save(self.session, saving))

    def load(
        self,
        reference: str,
        dest: PathLike | None = None,
        *,
        artifact: str | None = None,
        file: str | None = None,
        link: bool = False,
        at: str | None = None,
        unsafe_code: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Return the folder with the files of a version, every byte verified against its record.

        Parameters
        ----------
        dest:
            The folder to write to; the files there are the caller's own, and writable. None returns a read-only folder
            of the cache.
        artifact:
            The name of the artifact; None takes ``model``, else the only one of that type, else the only one.
        file:
            A glob pattern (``tokenizer*``): only files whose path or name matches are fetched and returned.
        link:
            True to make links in ``dest`` to the read-only files of the cache instead of copies; a change to
            one would be seen by all who load it.
        at:
            A date or a commit: what the reference meant then. None means now.
        unsafe_code:
            True to return also files that can run code when they are loaded.

        Returns
        -------
        pathlib.Path:
            `dest`, or the folder in the cache.

        Warns
        -----
        UserWarning
            The version was yanked, or the content of a file is not of the kind that its record states.

        Raises
        ------
        NotFound
            There is no such version, artifact or file.
        Refused
            A file in ``dest`` exists and differs; or a file can run code when it is loaded, ``unsafe_code`` is False,
            and the registry is not trusted for code.
        IntegrityError
            The bytes in the store differ from the record; no file with wrong content is left under its final name.

        Examples
        --------
        >>> folder = registry.load("iris@production")
        >>> sorted(path.name for path in folder.iterdir())
        ['model.bst']
        >>> registry.load("iris@1", "serving").name
        'serving'
        """
        folder = named_path(dest) if dest is not None else None
        return verbs.load.load(
            self.session,
            reference,
            folder,
            artifact=artifact,
            file=file,
            link=link,
            at=at,
            unsafe_code=unsafe_code,
            progress=progress,
        )

    def load_object(
        self,
        reference: str,
        *,
        artifact: str | None = None,
        unsafe_pickle: bool = False,
        expected: type | None = None,
    ) -> Any:
        """Return the object that a version was saved from, made anew from its verified files.

            estimator = registry.load_object("iris@production")
            frame = registry.load_object("iris@production", artifact="train")

        Parameters
        ----------
        artifact:
            The name of the artifact, as for `load`.
        unsafe_pickle:
            True to load also pickles and other code: that runs any code that their author put there.
        expected:
            The class of the object; needed if its files do not name it (a class of transformers).

        Returns
        -------
        Any:
            An object of the type that was saved, equal to it.

        Warns
        -----
        UserWarning
            The version was yanked.

        Raises
        ------
        NotFound
            There is no such version or artifact.
        InvalidInput
            The version was saved as files (`load` returns their folder), or a library is not installed.
        Refused
            The object is pickled, or has types that its format does not trust, and ``unsafe_pickle`` is False.
        IntegrityError
            The bytes in the store differ from the record.

        Examples
        --------
        >>> registry.save("taste", {"weights": [0.1, 0.7]}).reference
        'taste@1'
        >>> registry.load_object("taste")
        {'weights': [0.1, 0.7]}
        """
        return verbs.objects.load_object(
            self.session, reference, artifact=artifact, unsafe_pickle=unsafe_pickle, expected=expected
        )

    def open_file(
        self,
        reference: str,
        path: str,
        *,
        artifact: str | None = None,
        unsafe_code: bool = False,
        progress: Progress | None = None,
    ) -> BinaryIO:
        """Open one file of a version for reading; all of it is verified before its first byte can be read.

        Parameters
        ----------
        path:
            The path of the file inside the artifact.
        artifact:
            The name of the artifact; None takes ``model``, else the only one of that type, else the only one.
        unsafe_code:
            True to open it even if it can run code when it is loaded.

        Returns
        -------
        BinaryIO:
            A file to read from its beginning; the caller closes it.

        Raises
        ------
        NotFound
            There is no such version, artifact or file.
        Refused
            The file can run code, ``unsafe_code`` is False, and the registry is not trusted for code.
        IntegrityError
            The bytes in the store differ from the record.

        Examples
        --------
        >>> with registry.open_file("iris@production", "model.bst") as file:
        ...     file.read()
        b'weights of 0.93'
        """
        return verbs.load.open_file(
            self.session, reference, path, artifact=artifact, unsafe_code=unsafe_code, progress=progress
        )

    def read_file(self, reference: str, path: str, *, artifact: str | None = None, unsafe_code: bool = False) -> bytes:
        """Return the bytes of one file, verified; parameters and errors are those of :meth:`open_file`.

        Returns
        -------
        bytes:
            The whole content.

        Raises
        ------
        NotFound
            There is no such version, artifact or file.
        Refused
            The file can run code, ``unsafe_code`` is False, and the registry is not trusted for code.
        IntegrityError
            The bytes in the store differ from the record.

        Examples
        --------
        >>> registry.read_file("iris@production", "model.bst")
        b'weights of 0.93'
        """
        with self.open_file(reference, path, artifact=artifact, unsafe_code=unsafe_code) as file:
            return file.read()

    # -- stages and annotations ------------------------------------------------------------------------------------

    def promote(self, reference: str, stage: str, *, force: bool = False, reason: str = "") -> ModelVersion:
        """Move a version into a stage and return it.

        Parameters
        ----------
        force:
            True to archive the version that holds the stage now, and to override gates whose policy allows that.
        reason:
            Text for the audit log.

        Returns
        -------
        ModelVersion:
            The version, which holds the stage now.

        Raises
        ------
        NotFound, InvalidInput
            There is no such version, or no such stage.
        Refused
            Another version holds the stage and ``force`` is False, or the policy of the stage forbids the promotion.

        Examples
        --------
        >>> registry.promote("iris@3", "staging").stage
        'staging'
        >>> registry.promote("iris@3", "production", force=True, reason="accuracy +0.02").stage
        'production'
        """
        return self.session.about(verbs.stages.promote(self.session, reference, stage, force=force, reason=reason))

    def rollback(self, model: str, stage: str, *, reason: str = "") -> ModelVersion:
        """Return a stage to the version that held it before, skipping yanked and deleted ones; return that version.

        Returns
        -------
        ModelVersion:
            The version that holds the stage now.

        Raises
        ------
        NotFound
            There is no such model, or no version ever held the stage.
        InvalidInput
            There is no such stage.
        Refused
            No earlier holder may hold the stage again, or the policy of the stage forbids it.

        Examples
        --------
        >>> registry.rollback("iris", "production", reason="too slow").reference
        'iris@1'
        """
        return self.session.about(verbs.stages.rollback(self.session, model, stage, reason=reason))

    def why(self, reference: str, stage: str, *, force: bool = False) -> Decision:
        """Return the decision on a promotion, with the verdict of each rule and gate, without promoting.

        Parameters
        ----------
        force:
            True to ask about a promotion with ``force``.

        Returns
        -------
        Decision:
            ``allowed`` is True if the version may enter; ``unmet`` are the results that refuse it.

        Raises
        ------
        NotFound, InvalidInput
            There is no such version, or no such stage.
        InvalidDocument
            The policies of the registry are invalid.

        Examples
        --------
        >>> decision = registry.why("iris@3", "production")
        >>> decision.allowed
        False
        >>> [result.sentence for result in decision.unmet]
        ['production is held by iris@2; --force (in Python: force=True) archives it and takes its place']
        """
        return verbs.decisions.why(self.session, reference, stage, force=force)

    def why_alias(self, reference: str, alias: str, *, force: bool = False) -> Decision:
        """Return the decision on setting an alias, with the verdict of each rule and gate, without setting it.

        Parameters
        ----------
        force:
            True to ask about setting the alias with ``force``.

        Returns
        -------
        Decision:
            As of `why`, with ``aliases`` as its stage.

        Raises
        ------
        NotFound, InvalidInput
            There is no such version, or the name cannot be an alias.
        InvalidDocument
            The policies of the registry are invalid.

        Examples
        --------
        >>> registry.why_alias("iris@3", "champion").allowed
        True
        """
        return verbs.decisions.why_alias(self.session, reference, alias, force=force)

    def approve(
        self, reference: str, stage: str, *, key: PathLike | None = None, until: str | None = None, reason: str = ""
    ) -> ModelVersion:
        """Sign an approval of a version for a stage and return the version.

        Parameters
        ----------
        key:
            The file of the SSH key to sign with; None takes the key that Git signs with.
        until:
            The end of the approval: a date, or a number of days from now (``14d``); None means no end.

        Returns
        -------
        ModelVersion:
            The version, as it was.

        Raises
        ------
        NotFound, InvalidInput
            There is no such version, or no such stage.
        Refused
            The approval would not count: gitreg.yaml does not name the approver or the key, or the approver made the
            version.

        Examples
        --------
        >>> registry.approve("iris@3", "production", key="key", until="14d").reference
        'iris@3'
        """
        return self.session.about(
            verbs.approvals.approve(self.session, reference, stage, key=key, until=until, reason=reason)
        )

    def approve_settings(
        self, head: str = "HEAD", *, key: PathLike | None = None, until: str | None = None, reason: str = ""
    ) -> Outcome:
        """Sign an approval of a proposed ``gitreg.yaml`` and return the outcome of the commit.

        Parameters
        ----------
        head:
            The proposed commit that changes ``gitreg.yaml``.
        key:
            The file of the SSH key to sign with; None takes the key that Git signs with.
        until:
            The end of the approval: a date, or a number of days from now (``14d``); None means no end.

        Returns
        -------
        Outcome:
            The commit of the approval.

        Raises
        ------
        Refused
            The approval would not count, or the commit changes nothing that is approved.
        """
        return verbs.approvals.approve_settings(self.session, head, key=key, until=until, reason=reason)

    def archive(self, reference: str, *, reason: str = "") -> ModelVersion:
        """Mark a version as no longer relevant and return it; it leaves the stage that it holds.

        Returns
        -------
        ModelVersion:
            The version, with the stage ``archived``.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> registry.archive("iris@1", reason="replaced").archived
        True
        """
        return self.session.about(verbs.stages.archive(self.session, reference, reason=reason))

    def set_alias(self, reference: str, alias: str, *, force: bool = False) -> ModelVersion:
        """Point an alias to a version and return the version.

        Parameters
        ----------
        force:
            True to override gates of the aliases' policy where it allows that.

        Returns
        -------
        ModelVersion:
            The version, with the alias among its aliases.

        Raises
        ------
        NotFound
            There is no such version.
        InvalidInput
            The name cannot be an alias.
        Refused
            The policy of aliases forbids it.

        Examples
        --------
        >>> registry.set_alias("iris@3", "challenger").reference
        'iris@3'
        >>> registry.version("iris@challenger").number
        3
        """
        return self.session.about(verbs.stages.set_alias(self.session, reference, alias, force=force))

    def delete_alias(self, model: str, alias: str) -> None:
        """Remove an alias; one that does not exist is no error.

        Raises
        ------
        NotFound
            There is no such model.

        Examples
        --------
        >>> registry.delete_alias("iris", "champion")
        """
        verbs.stages.delete_alias(self.session, model, alias)

    def annotate(
        self,
        reference: str,
        *,
        description: str | None = None,
        tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        remove_metadata: Sequence[str] = (),
        stage: str | None = None,
        force: bool = False,
    ) -> ModelVersion:
        """Change the annotation of a version, move it to a stage in the same commit, and return it.

        Metadata replaces older values key by key, tags are added, a description replaces the old one, and ``""``
        removes it. The sealed record stays as it is: the annotation says what of it does not hold any more.

        Parameters
        ----------
        remove_tags, remove_metadata:
            Tags and keys of the metadata to remove; those that are not there are no error.

        Returns
        -------
        ModelVersion:
            The version after the change.

        Raises
        ------
        NotFound, InvalidInput
            There is no such version, or no such stage; or a key or tag is both set and removed.
        Refused
            The version may not enter the stage.

        Examples
        --------
        >>> registry.annotate("iris@2", metadata={"auc": 0.98}, tags=["checked"]).metadata
        {'accuracy': 0.93, 'auc': 0.98}
        """
        outcome = verbs.versions.annotate(
            self.session,
            reference,
            description=description,
            tags=tags,
            remove_tags=remove_tags,
            metadata=metadata,
            remove_metadata=remove_metadata,
            stage=stage,
            force=force,
        )
        return self.session.about(outcome)

    def yank(self, reference: str, *, reason: str = "") -> ModelVersion:
        """Yank a version and return it: it loads by name with a warning, never by latest, stage or alias.

        Returns
        -------
        ModelVersion:
            The version, with ``yanked`` True.

        Raises
        ------
        NotFound
            There is no such version.
        InvalidInput
            The reference is a model's name alone.

        Examples
        --------
        >>> registry.yank("iris@3", reason="trained on the test set").yanked
        True
        >>> registry.version("iris").reference
        'iris@2'
        """
        return self.session.about(verbs.versions.yank(self.session, reference, reason=reason))

    def unyank(self, reference: str) -> ModelVersion:
        """Undo a yank and return the version.

        Returns
        -------
        ModelVersion:
            The version, with ``yanked`` False.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> registry.yank("iris@3").yanked
        True
        >>> registry.unyank("iris@3").yanked
        False
        """
        return self.session.about(verbs.versions.unyank(self.session, reference))

    def delete_version(self, reference: str, *, force: bool = False) -> None:
        """Delete a version softly: hide it, and release its weights to garbage collection.

        `undelete_version` undoes it.

        Raises
        ------
        NotFound
            There is no such version.
        Refused
            A stage or an alias points to it, and ``force`` is False.

        Examples
        --------
        >>> registry.delete_version("iris@1")
        """
        verbs.versions.delete_version(self.session, reference, force=force)

    def undelete_version(self, reference: str) -> ModelVersion:
        """Undo the deletion of a version and return it; its former stages and aliases stay as they are now.

        Returns
        -------
        ModelVersion:
            The version, which is listed and loaded again.

        Raises
        ------
        NotFound
            There never was such a version.

        Warns
        -----
        UserWarning
            Weights of it are not in the store any more.

        Examples
        --------
        >>> registry.delete_version("iris@1")
        >>> registry.undelete_version("iris@1").reference
        'iris@1'
        """
        return self.session.about(verbs.versions.undelete_version(self.session, reference))

    # -- maintenance -----------------------------------------------------------------------------------------------

    def verify(
        self, reference: str | None = None, *, share: float = 0.0, progress: Progress | None = None
    ) -> Verification:
        """Return a verification of records against their seals, and of stores against the records; iterate to run it.

        Parameters
        ----------
        reference:
            The version to verify; None verifies all.
        share:
            The part of the files to read: 0 checks only that they exist, 1 reads all. A verification that reads files
            and is interrupted continues at the same point when it is run again.

        Returns
        -------
        Verification:
            An iterator of `VerifiedItem`; those with a ``problem`` are findings.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> for item in registry.verify("iris@2", share=1):
        ...     print(item.path, item.problem)
        model.bst None
        """
        return verbs.stores.verification(self.session, reference, share, progress)

    def signed(self, reference: str | None = None) -> list[VersionSignature]:
        """Return the signers of a version, or of all versions, by the public keys that the registry names.

        Returns
        -------
        list:
            A `VersionSignature` for each version, in the order of models and numbers.

        Raises
        ------
        NotFound
            There is no such version.

        Examples
        --------
        >>> [signature.words for signature in registry.signed("iris@2")]
        ['unsigned']
        """
        return verbs.decisions.signers(self.session, reference)

    def doctor(self) -> list[Problem]:
        """Return the problems of the registry, its stores and its remote.

        Returns
        -------
        list:
            A `Problem` for each finding; an empty list if all is well.

        Warns
        -----
        UserWarning
            A store is not trusted, or the remote does not answer; it is left out.

        Examples
        --------
        >>> registry.doctor()
        []
        """
        return verbs.doctor.examine_registry(self.session)

    def repair(self, problems: Sequence[Problem]) -> list[Problem]:
        """Repair the problems that gitreg can repair, and return those.

        Returns
        -------
        list:
            The problems that are repaired.

        Examples
        --------
        >>> registry.repair(registry.doctor())
        []
        """
        return verbs.doctor.repair_registry(self.session, problems)

    def collect_garbage(self, *, grace: float, apply: bool = False) -> list[Garbage]:
        """Move unreachable weights to the trash of the store, or only list them; return the list.

        Parameters
        ----------
        grace:
            The retention in seconds: younger weights stay, because the save that wrote them may still run.
        apply:
            True to move them. If False, nothing is moved, and the list also contains the present content of the trash.

        Returns
        -------
        list:
            A `Garbage` for each object, with its key, size in bytes, and reason.

        Raises
        ------
        InvalidDocument, IntegrityError, Refused
            The reachable weights cannot be determined; nothing is moved.

        Examples
        --------
        >>> registry.delete_version("iris@1")
        >>> for item in registry.collect_garbage(grace=0, apply=True):
        ...     print(item.reason, item.size)
        unused 14
        """
        work = weights.garbage.collect_garbage if apply else weights.garbage.find_garbage
        return work(verbs.garbage.store_users(self.session), grace=grace)

    def return_garbage(self) -> list[Garbage]:
        """Restore everything in the trash of the store to its place, and return the list.

        Returns
        -------
        list:
            A `Garbage` for each restored object.

        Raises
        ------
        Refused
            The registry names a store that the user does not trust.

        Examples
        --------
        >>> registry.delete_version("iris@1")
        >>> _ = registry.collect_garbage(grace=0, apply=True)
        >>> len(registry.return_garbage())
        1
        """
        return weights.garbage.return_garbage(self.session.branch, self.session.store)

    def purge_garbage(self, *, grace: float) -> list[Garbage]:
        """Remove for good the weights that were in the trash of the store longer than the retention; return the list.

        Parameters
        ----------
        grace:
            The retention in seconds.

        Returns
        -------
        list:
            A `Garbage` for each removed object.

        Raises
        ------
        InvalidDocument, IntegrityError, Refused
            As for `collect_garbage`; nothing is removed.

        Examples
        --------
        >>> registry.purge_garbage(grace=14 * 24 * 3600)
        []
        """
        return weights.garbage.purge_garbage(verbs.garbage.store_users(self.session), grace=grace)

    def release_claims(self, names: Sequence[str]) -> None:
        """Remove claims of registries on the store that block `collect_garbage` and were not renewed for 90 days.

        Raises
        ------
        NotFound
            The store has no claim of that name.
        Refused
            A claim is younger, or its registry can be read.
        """
        verbs.garbage.store_users(self.session).release(names)


def _reopened(kind: type[Registry], path: str, local: bool, proposing: bool) -> Registry:
    """Return a registry that was pickled, opened again."""
    registry = kind.open(path, local=local)
    registry.proposing = proposing
    return registry


@contextmanager
def opened(registry: Registry | None) -> Iterator[Registry]:
    """Yield the registry that a call works on: the one passed, else that of the active run, else that of the folder."""
    from gitreg.sdk.current_run import active_run

    if registry is not None:
        yield registry
    elif (run := active_run()) is not None:
        yield Registry(run.session)
    else:
        with Registry.open() as mine:
            yield mine

"""The registry as a handle: what the command line does, in Python.

Each method brings in what it needs when it is called, so that resolving one reference imports little.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from gitreg.errors import InvalidInput, NotFound
from gitreg.names import nfc
from gitreg.registry.references import resolve
from gitreg.registry.snapshot import Model, ModelVersion, Snapshot
from gitreg.sdk.opened import OpenRegistry, PathLike

if TYPE_CHECKING:
    from gitreg.blobs import Progress
    from gitreg.policy.deciding import Decision
    from gitreg.registry.artifacts import Holder
    from gitreg.registry.commit import Outcome
    from gitreg.registry.doctor import Problem
    from gitreg.registry.filters import Page
    from gitreg.registry.garbage import Garbage
    from gitreg.registry.integrity import Verification
    from gitreg.registry.lineage import Lineage
    from gitreg.registry.signatures import Signed
    from gitreg.registry.store_users import StoreUsers
    from gitreg.sdk.batches import Batch

Filters = Sequence[str] | Mapping[str, Any]
"""``["stage=production", "metadata.accuracy=gte:0.9"]``, or ``{"stage": "production"}``."""


class Registry(OpenRegistry):
    """An open registry. Close it, or use it in a ``with`` statement.

    Every read sees the newest commit of the registry's branch; every write is one commit on it, or raises. Threads may
    share it: writes take turns, and what a thread reads is of one commit, whatever others write.

    Attributes
    ----------
    proposing:
        Whether what is written goes to a branch of its own on the remote, to be merged by a pull request.
    """

    # -- reading ---------------------------------------------------------------------------------------------------

    def model(self, name: str, *, at: str | None = None) -> Model:
        """Give a model.

        Raises
        ------
        NotFound
            There is none of that name.
        """
        return self.snapshot(at).model(name)

    def version(self, reference: str, *, at: str | None = None) -> ModelVersion:
        """Give the version that a reference means (:func:`gitreg.registry.references.resolve`).

        ``iris@draft`` is the one that a run is making, ``iris@draft:RUN`` that of a run where there are several.

        Warns
        -----
        UserWarning
            A file of its model cannot be read and is left out, here and wherever else the registry is read.
        """
        model, _, selector = nfc(reference).rpartition("@")
        if selector == "draft" or selector.startswith("draft:"):
            from gitreg.sdk.drafting import draft_of_model

            return draft_of_model(self, model, selector.partition(":")[2] or None)
        version = self._sealed(reference, at)
        _tell_unreadable(self.snapshot(at), version.model)
        return version

    def _sealed(self, reference: str, at: str | None = None, *, withdrawn: bool = False) -> ModelVersion:
        """Resolve a reference to a version that is held against its history, or its tag where that was cut off."""
        snapshot = self.snapshot(at)
        version = self._resolve(snapshot, reference, withdrawn)
        if self.ledger.repository.is_shallow:
            from gitreg.sdk.sealed import hold

            if hold(self, snapshot, version):
                version = self._resolve(self.snapshot(at), reference, withdrawn)
        return version

    def _candidate(self, reference: str, *, withdrawn: bool = False) -> ModelVersion:
        """Resolve a reference to a version that is to be judged: who held what, and since when, the history tells."""
        if self.ledger.repository.is_shallow:
            from gitreg.sdk.sealed import fetch_history

            fetch_history(self)
        return self._sealed(reference, withdrawn=withdrawn)

    def _resolve(self, snapshot: Snapshot, reference: str, withdrawn: bool) -> ModelVersion:
        """Resolve a reference; where that fails, the hint says when the remote was last asked."""
        try:
            return resolve(snapshot, reference, withdrawn=withdrawn)
        except NotFound as error:
            if (age := self._age()) is None:
                raise
            known = f"the remote was last asked {age} ago; --fetch asks it first"
            raise NotFound(error.message, hint=f"{error.hint}; {known}" if error.hint else known) from None

    def _age(self) -> str | None:
        """Say how long ago the remote was asked; None where there is none, or that was just now."""
        upstream = None if self.is_mirror else self.upstream
        asked = upstream.asked_at if upstream else None
        minutes = 0 if asked is None else int(self.ambient.clock() - asked) // 60
        if minutes < 1:
            return None
        count, unit = (
            (minutes, "minute")
            if minutes < 60
            else (minutes // 60, "hour")
            if minutes < 2880
            else (minutes // 1440, "day")
        )
        return f"{count} {unit}{'' if count == 1 else 's'}"

    def holders_meant(self, references: Sequence[str], *, tell: bool = True) -> list[Holder]:
        """Return the versions of models and artifacts that are meant, or all of the registry's.

        Parameters
        ----------
        tell:
            Whether to warn of those that are left out, for they cannot be read.
        """
        from gitreg.registry.collections import artifact_names, artifact_versions
        from gitreg.sdk.sealed import sealed_artifact

        snapshot = self.snapshot()
        if not references:
            if tell:
                _tell_unreadable(snapshot)
            models = [version for name in snapshot.model_names() for version in snapshot.versions(name)]
            return [*models, *artifact_versions(snapshot)]
        found: list[Holder] = []
        for reference in references:
            try:
                found.append(self._sealed(reference))
            except NotFound:
                if reference.partition("@")[0] not in artifact_names(snapshot):
                    raise
                found.append(sealed_artifact(self, reference))
        return found

    def list_models(self, filters: Filters = (), **how: Any) -> Page:
        """List models as plain data, filtered, sorted, in pages.

        Parameters
        ----------
        filters, how:
            As :func:`gitreg.registry.listing.list_models` takes them: ``match_any``, ``sort``, ``page``, ``size``.
        """
        from gitreg.registry.listing import list_models

        snapshot = self.snapshot()
        _tell_unreadable(snapshot)
        return list_models(snapshot, filters, **how)

    def list_versions(self, model: str | None = None, filters: Filters = (), **how: Any) -> Page:
        """List versions of one model, or of all, as plain data.

        Parameters
        ----------
        filters, how:
            As :func:`gitreg.registry.listing.list_versions` takes them: ``match_any``, ``sort``, ``page``, ``size``.
        """
        from gitreg.registry.listing import list_versions

        snapshot = self.snapshot()
        _tell_unreadable(snapshot, model)
        return list_versions(snapshot, model, filters, **how)

    def log(self, model: str | None = None, stage: str | None = None) -> Iterator[dict[str, Any]]:
        """Give who did what and when, newest first (:mod:`gitreg.registry.history`)."""
        from gitreg.registry.history import log, stage_log

        if model is not None and stage is not None:
            return iter(stage_log(self.ledger.snapshot(), model, stage))
        return log(self.ledger.snapshot(), model)

    def diff(self, old: str, new: str) -> dict[str, Any]:
        """Say what differs from one version to another (:func:`gitreg.registry.comparison.compare`)."""
        from gitreg.registry.comparison import compare

        a, b = self._sealed(old), self._sealed(new)
        listed = all(artifact.files is not None for version in (a, b) for artifact in version.artifacts.values())
        return compare(a, b, None if listed else self.stores)

    def lineage(self, reference: str, *, up: bool = True, down: bool = True, depth: int | None = None) -> Lineage:
        """Give what a version, an artifact or a run was made from, and what came of it.

        Parameters and errors as :func:`gitreg.registry.lineage.lineage` says.
        """
        from gitreg.registry.lineage import lineage

        if self.ledger.repository.is_shallow:
            with suppress(InvalidInput, NotFound):  # it may be an artifact, or a run
                self._sealed(reference, withdrawn=True)
        return lineage(self.snapshot(), reference, up=up, down=down, depth=depth)

    # -- models ----------------------------------------------------------------------------------------------------

    def register_model(
        self, name: str, *, tags: Sequence[str] = (), metadata: Mapping[str, Any] | None = None, **fields: Any
    ) -> Model:
        """Register a model (:func:`gitreg.registry.operations.models.register_model`).

        Parameters
        ----------
        fields:
            The card's: description, license, audience, use_cases, limitations, trade_offs, ethics.
        """
        from gitreg.registry.metadata import to_json
        from gitreg.registry.operations.models import register_model

        created_at, said = self.ambient.timestamp(), to_json(metadata or {})
        operation = partial(register_model, name=name, created_at=created_at, fields=fields, tags=tags, metadata=said)
        return self.after(self.commit(operation)).model(name)

    def update_model(
        self,
        name: str,
        *,
        tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Model:
        """Change a model's card (:func:`gitreg.registry.operations.models.update_model`)."""
        from gitreg.registry.metadata import to_json
        from gitreg.registry.operations.models import update_model

        said = to_json(metadata or {})
        operation = partial(update_model, name=name, fields=fields, tags=tags, remove_tags=remove_tags, metadata=said)
        return self.after(self.commit(operation)).model(name)

    def delete_model(self, name: str, *, force: bool = False) -> None:
        """Delete a model with its versions (:func:`gitreg.registry.operations.models.delete_model`)."""
        from gitreg.registry.operations.models import delete_model

        self.commit(partial(delete_model, name=name, force=force))

    # -- saving and loading ----------------------------------------------------------------------------------------

    def save(
        self,
        model: str,
        *paths: PathLike,
        artifacts: Mapping[str, PathLike] | None = None,
        type: str = "model",  # noqa: A002 - the word of the format
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        description: str | None = None,
        inputs: Sequence[str] = (),
        stage: str | None = None,
        message: str = "",
        progress: Progress | None = None,
    ) -> ModelVersion:
        """Save files and folders as a new version of a model, which is registered where it is not yet.

        Parameters
        ----------
        model:
            The model's name, or ``MODEL@VERSION`` to name the version.
        paths:
            What makes up the main artifact, which is named after its type.
        artifacts:
            Further artifacts by name.
        type:
            The type of all these: ``model``, ``data`` or ``deployment``.
        inputs:
            References to versions that it was made from.
        stage:
            The stage to take in the same commit.
        message:
            What to add to the commit's message.

        Raises
        ------
        AlreadyExists
            A version of that name holds something else. (The very same: nothing is stored and nothing raised.)
        NotFound, InvalidInput
            A path, a name, a key of the metadata or an input is wrong.
        Refused
            The stage is taken.
        """
        from gitreg.blobs import NO_PROGRESS
        from gitreg.sdk.saving import Saving, save, sources

        found = sources(type, list(map(Path, paths)), {name: Path(path) for name, path in (artifacts or {}).items()})
        saving = Saving(model, found, type, metadata or {}, tags, description, inputs, stage, message)
        return self.about(save(self, saving, progress=progress or NO_PROGRESS))

    def batch(self, message: str = "", *, progress: Progress | None = None) -> Batch:
        """Save many versions as one commit, and one push: ``with registry.batch() as batch: batch.save(...)``.

        Parameters
        ----------
        message:
            What to add to the commit's message.
        """
        from gitreg.blobs import NO_PROGRESS
        from gitreg.sdk.batches import Batch

        return Batch(self, message, progress or NO_PROGRESS)

    def create_version(
        self,
        model: str,
        name: str | None = None,
        *,
        description: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> ModelVersion:
        """Make a version without files, which artifacts are linked to later.

        Raises
        ------
        AlreadyExists
            A version of that name holds something.
        """
        from gitreg.sdk.saving import Saving, save

        reference = f"{model}@{name}" if name is not None else model
        saving = Saving(reference, {}, metadata=metadata or {}, tags=tags, description=description)
        return self.about(save(self, saving))

    def load(
        self,
        reference: str,
        dest: PathLike | None = None,
        *,
        artifact: str | None = None,
        file: str | None = None,
        link: bool = False,
        unsafe_code: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Give the folder with a version's files, every byte held against its record.

        Parameters
        ----------
        dest:
            Where to put the caller's own, writable files. None gives a read-only folder of the cache.
        artifact:
            Which artifact; None takes ``model``, or the only one.
        file:
            A glob (``tokenizer*``): only the files whose path or name matches; no others are fetched.
        link:
            Whether ``dest`` gets links to the cache's own, read-only files instead of copies
            (:meth:`gitreg.blobs.Cache.link` says what follows from that).
        unsafe_code:
            Whether files that can run code when they are loaded are given, too.

        Warns
        -----
        UserWarning
            The version was yanked, or a file is something else than its record says.

        Raises
        ------
        NotFound
            There is no such version, artifact or file.
        Refused
            A file in ``dest`` is there and differs; or a file can run code when it is loaded, ``unsafe_code`` is not
            given, and the registry is not trusted for code.
        IntegrityError
            The store's bytes are not what the record says; nothing wrong stands under a final name.
        """
        from gitreg.blobs import NO_PROGRESS
        from gitreg.sdk.loading import load

        folder = Path(dest) if dest is not None else None
        return load(
            self,
            reference,
            folder,
            artifact=artifact,
            file=file,
            link=link,
            unsafe_code=unsafe_code,
            progress=progress or NO_PROGRESS,
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
        """Open one file of a version for reading, verified to its last byte before the first one can be read.

        Parameters
        ----------
        path:
            The file's, in the artifact.
        artifact:
            Which artifact; None takes ``model``, or the only one.
        unsafe_code:
            Whether it is opened even if it can run code when it is loaded.

        Raises
        ------
        NotFound
            There is no such version, artifact or file.
        Refused
            It can run code, ``unsafe_code`` is not given, and the registry is not trusted for code.
        IntegrityError
            The store's bytes are not what the record says.
        """
        from gitreg.blobs import NO_PROGRESS
        from gitreg.sdk.loading import open_file

        return open_file(
            self, reference, path, artifact=artifact, unsafe_code=unsafe_code, progress=progress or NO_PROGRESS
        )

    def read_file(self, reference: str, path: str, *, artifact: str | None = None, unsafe_code: bool = False) -> bytes:
        """Give one file's bytes, verified (:meth:`open_file`)."""
        with self.open_file(reference, path, artifact=artifact, unsafe_code=unsafe_code) as file:
            return file.read()

    # -- moving and saying more ------------------------------------------------------------------------------------

    def promote(self, reference: str, stage: str, *, force: bool = False, reason: str = "") -> ModelVersion:
        """Put a version into a stage (:func:`gitreg.registry.operations.stages.promote`)."""
        from gitreg.registry.operations.stages import promote

        operation = partial(
            promote,
            reference=reference,
            stage=stage,
            force=force,
            reason=reason,
            circumstances=self.circumstances(),
        )
        return self.about(self.commit(operation))

    def rollback(self, model: str, stage: str, *, reason: str = "") -> ModelVersion:
        """Give a stage back to who held it before (:func:`gitreg.registry.operations.stages.rollback`)."""
        from gitreg.registry.operations.stages import rollback

        operation = partial(rollback, model=model, stage=stage, reason=reason, circumstances=self.circumstances())
        return self.about(self.commit(operation))

    def why(self, reference: str, stage: str, *, force: bool = False) -> Decision:
        """Say whether a version may enter a stage, and why (:func:`gitreg.registry.decisions.explain`).

        Parameters
        ----------
        force:
            Whether to ask what a forced promotion would meet.

        Raises
        ------
        NotFound, InvalidInput
            There is no such version, or no such stage.
        InvalidDocument
            The registry's policies are not understood.
        """
        from gitreg.policy.promotion import check_stage_is_known
        from gitreg.registry.decisions import explain

        version = self._candidate(reference, withdrawn=True)
        snapshot = self.snapshot()
        check_stage_is_known(stage, snapshot.settings.stages)
        return explain(snapshot, version, stage, self.circumstances(), force=force)

    def why_alias(self, reference: str, alias: str, *, force: bool = False) -> Decision:
        """Return whether an alias may name a version by the policy of aliases, and why.

        Parameters
        ----------
        force:
            Whether to ask what setting it by force would meet.

        Raises
        ------
        NotFound, InvalidInput
            There is no such version, or no alias can be called so.
        InvalidDocument
            The registry's policies are not understood.
        """
        from gitreg.documents.layout import Key
        from gitreg.names import check_alias
        from gitreg.registry.decisions import decide

        version = self._candidate(reference)
        snapshot = self.snapshot()
        check_alias(alias, stages=snapshot.settings.stages)
        pointer = Key("alias", version.model, alias)
        return decide(snapshot, snapshot, version, pointer, self.circumstances(), force=force)

    def approve(self, reference: str, stage: str, *, key: PathLike | None = None, reason: str = "") -> ModelVersion:
        """Approve a version for a stage (:func:`gitreg.registry.operations.approvals.approve`).

        Parameters
        ----------
        key:
            The file of the SSH key to sign with; None takes the one that Git signs with.
        """
        return self.about(self.approval(reference, stage, key=key, reason=reason))

    def approval(
        self, reference: str, stage: str, *, key: PathLike | None = None, until: str | None = None, reason: str = ""
    ) -> Outcome:
        """Approve a version for a stage, and give what was committed.

        Parameters
        ----------
        until:
            When the approval expires: a date, or days from now (``14d``); None: never.
        """
        from gitreg.registry.operations.approvals import approve
        from gitreg.sdk.deciding import approver, expiry

        who = approver(self, os.fspath(key) if key is not None else None)
        when = self.ambient.timestamp()
        operation = partial(
            approve,
            reference=reference,
            stage=stage,
            approver=who,
            when=when,
            until=expiry(until, self.ambient.clock()) if until is not None else None,
            reason=reason,
            circumstances=self.circumstances(),
        )
        return self.commit(operation)

    def approve_settings(
        self, head: str = "HEAD", *, key: PathLike | None = None, until: str | None = None, reason: str = ""
    ) -> Outcome:
        """Approve that ``gitreg.yaml`` becomes what a commit says (:mod:`gitreg.registry.operations.settings`).

        Parameters
        ----------
        head:
            The commit that changes it, as it is proposed.
        key:
            The file of the SSH key to sign with; None takes the one that Git signs with.
        until:
            When the approval expires: a date, or days from now (``14d``); None: never.
        """
        from gitreg.registry.operations.settings import approve_settings
        from gitreg.sdk.deciding import approver, expiry, proposed_settings

        proposed, authors = proposed_settings(self, head)
        who = approver(self, os.fspath(key) if key is not None else None)
        when = self.ambient.timestamp()
        operation = partial(
            approve_settings,
            proposed=proposed,
            authors=authors,
            approver=who,
            when=when,
            until=expiry(until, self.ambient.clock()) if until is not None else None,
            reason=reason,
        )
        return self.commit(operation)

    def archive(self, reference: str, *, reason: str = "") -> ModelVersion:
        """Mark a version as no longer relevant (:func:`gitreg.registry.operations.stages.archive`)."""
        from gitreg.registry.operations.stages import archive

        return self.about(self.commit(partial(archive, reference=reference, reason=reason)))

    def set_alias(self, reference: str, alias: str, *, force: bool = False) -> ModelVersion:
        """Let an alias name a version (:func:`gitreg.registry.operations.stages.set_alias`)."""
        from gitreg.registry.operations.stages import set_alias

        operation = partial(
            set_alias, reference=reference, alias=alias, force=force, circumstances=self.circumstances()
        )
        return self.about(self.commit(operation))

    def delete_alias(self, model: str, alias: str) -> None:
        """Remove an alias (:func:`gitreg.registry.operations.stages.delete_alias`)."""
        from gitreg.registry.operations.stages import delete_alias

        self.commit(partial(delete_alias, model=model, alias=alias))

    def annotate(
        self,
        reference: str,
        *,
        description: str | None = None,
        tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        stage: str | None = None,
        force: bool = False,
    ) -> ModelVersion:
        """Say more of a version, and move it in the same commit (:mod:`gitreg.registry.operations.versions`)."""
        from gitreg.registry.metadata import to_json
        from gitreg.registry.operations.versions import annotate

        operation = partial(
            annotate,
            reference=reference,
            description=description,
            tags=tags,
            remove_tags=remove_tags,
            metadata=to_json(metadata or {}),
            stage=stage,
            force=force,
            circumstances=self.circumstances(),
        )
        return self.about(self.commit(operation))

    def yank(self, reference: str, *, reason: str = "") -> ModelVersion:
        """Withdraw a version (:func:`gitreg.registry.operations.versions.yank`)."""
        from gitreg.registry.operations.versions import yank

        return self.about(self.commit(partial(yank, reference=reference, reason=reason)))

    def unyank(self, reference: str) -> ModelVersion:
        """Take a yank back (:func:`gitreg.registry.operations.versions.unyank`)."""
        from gitreg.registry.operations.versions import unyank

        return self.about(self.commit(partial(unyank, reference=reference)))

    def delete_version(self, reference: str, *, force: bool = False) -> None:
        """Hide a version and free its weights (:func:`gitreg.registry.operations.versions.delete_version`)."""
        from gitreg.registry.operations.versions import delete_version

        self.commit(partial(delete_version, reference=reference, force=force))

    # -- keeping it sound ------------------------------------------------------------------------------------------

    def verify(
        self, reference: str | None = None, *, share: float = 0.0, progress: Progress | None = None
    ) -> Verification:
        """Hold a version, or all, against their seals, and the stores against them; iterate over what it gives.

        Parameters
        ----------
        share:
            Which part of the files to read: 0 asks only whether they are there, 1 reads all. A run that reads and is
            interrupted goes on where it ended when it is run again.
        """
        from gitreg.blobs import NO_PROGRESS
        from gitreg.sdk.stores import verification

        return verification(self, reference, share, progress or NO_PROGRESS)

    def judge_holders(self, reference: str | None = None) -> list[Decision]:
        """Return what the policy made of the entry of each version that holds a stage, where one was asked.

        It is judged again, as :func:`gitreg.registry.entries.entry_decision` says.

        Parameters
        ----------
        reference:
            The version to ask about; None for all holders.
        """
        from gitreg.registry.holders import judged_holders

        snapshot = self.ledger.snapshot()
        asked = None if reference is None else {each.reference for each in self.holders_meant([reference])}
        return list(judged_holders(snapshot, self.circumstances(), asked))

    def signed(self, reference: str | None = None) -> list[Signed]:
        """Return who signed a model's version, or each of all models, by the keys that the registry names."""
        from gitreg.registry.signatures import signed

        snapshot = self.snapshot()
        meant = self.holders_meant([] if reference is None else [reference], tell=False)
        versions = [each for each in meant if isinstance(each, ModelVersion)]
        if self.is_mirror:
            from gitreg.sdk.sealed import fetch_tags

            fetch_tags(self, versions)
        return [signed(self.ledger, snapshot, each) for each in versions]

    def doctor(self) -> list[Problem]:
        """Name what is wrong with the registry; stores that are not approved are left out, with a warning.

        The remote is asked, too, where there is one.
        """
        from gitreg.sdk.stores import examination

        return examination(self)

    def repair(self, problems: Sequence[Problem]) -> list[Problem]:
        """Mend what can be mended, and return it."""
        from gitreg.registry.doctor import repair
        from gitreg.registry.operations.settings import give_id
        from gitreg.sdk.stores import reachable, restore

        def identify() -> object:
            return self.commit(partial(give_id, registry_id=self.ambient.draw_id()))

        upstream = reachable(self)
        # Two clones that each drew an id by themselves would be two registries ever after.
        alone = upstream is not None or self.ledger.snapshot().settings.remote is None
        return repair(
            self.ledger,
            list(problems),
            restore=partial(restore, self),
            give_id=identify if alone else None,
            upstream=upstream,
        )

    def collect_garbage(self, *, grace: float, apply: bool = False) -> list[Garbage]:
        """Move the weights that no version means to the store's trash; or, without `apply`, only name them.

        Parameters
        ----------
        grace:
            Seconds: what was saved since stays, for its save may be under way.
        apply:
            Whether to take them. If not, what lies in the trash by now is named too.

        Raises
        ------
        InvalidDocument, IntegrityError, Refused
            What is live cannot be told (:mod:`gitreg.registry.garbage`); nothing is taken.
        """
        from gitreg.registry.garbage import collect_garbage, find_garbage

        work = collect_garbage if apply else find_garbage
        return work(self._store_users(), grace=grace)

    def return_garbage(self) -> list[Garbage]:
        """Put all that lies in the store's trash back to its place."""
        from gitreg.registry.garbage import return_garbage

        return return_garbage(self.ledger, self.store)

    def purge_garbage(self, *, grace: float) -> list[Garbage]:
        """Remove for good what has lain in the store's trash for so many seconds.

        Raises
        ------
        InvalidDocument, IntegrityError, Refused
            As for `collect_garbage`; nothing is removed.
        """
        from gitreg.registry.garbage import purge_garbage

        return purge_garbage(self._store_users(), grace=grace)

    def release_claims(self, names: Sequence[str]) -> None:
        """Let go of claims on the store that stop `collect_garbage` and that nobody has renewed for 90 days.

        Raises
        ------
        NotFound
            The store has no claim of that name.
        Refused
            A claim is younger, or its registry can be read.
        """
        self._store_users().release(names)

    def _store_users(self) -> StoreUsers:
        from gitreg.registry.store_users import StoreUsers

        self.settle_claims(collecting=True)
        ambient, claims = self.ambient, self.claims
        shared = self.remote is not None and self.ledger.repository.address_of(self.remote) is not None
        remote = self.published if shared and self.snapshot().settings.id else None
        return StoreUsers(
            self.ledger, self.store, remote, claims, ambient.env, ambient.mirrors(), ambient.clock, ambient.offline
        )


def _tell_unreadable(snapshot: Snapshot, model: str | None = None) -> None:
    """Warn of files that cannot be read: what is shown is shown without them."""
    if found := snapshot.unreadable(model):
        import warnings

        more = f", nor can {len(found) - 1} more" if len(found) > 1 else ""
        warnings.warn(f"left out, for it cannot be read: {found[0].problem}{more} (see `gitreg doctor`)", stacklevel=3)

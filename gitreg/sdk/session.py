"""The class `Session`: an open registry with its branch, its stores and its one way of writing.

A dependency that a resolved reference does not need is imported at its first use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from gitreg.errors import Declined, GitregError, InvalidInput, Refused
from gitreg.git.program import without_repository
from gitreg.names import check_local
from gitreg.registry import discovery, weights
from gitreg.registry.discovery.location import Location, locate, split_place
from gitreg.registry.state.branch import PATIENCE, RegistryBranch
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.state.store_urls import default_folder, is_private, spelled_out, store_urls
from gitreg.sdk.environment import REGISTRY_VARIABLE, Environment

if TYPE_CHECKING:
    from gitreg.blobs.replicas import Replicas
    from gitreg.blobs.save import StoreWriter
    from gitreg.blobs.store import Store
    from gitreg.progress import Progress
    from gitreg.registry.promotion.context import PromotionContext
    from gitreg.registry.remote.upstream import Upstream
    from gitreg.registry.state.content_verdicts import ScanCache
    from gitreg.registry.weights.claims import Claims
    from gitreg.registry.weights.trusted_stores import NamedStore
    from gitreg.registry.writing.changes import Changes
    from gitreg.registry.writing.commit import Operation, Outcome, Writer

Opened = TypeVar("Opened")
PathLike = str | os.PathLike[str]


class Session:
    """An open registry with its branch, its stores and its one way of writing.

    Attributes
    ----------
    proposing:
        True if writes go to a new branch on the remote, to be merged by a pull request.
    mirror_of:
        The URL of the registry if it is read from a mirror; None for a clone.
    rewritten_from:
        The former commit of the remote's branch, if a rewritten history was accepted on opening; None otherwise.
    """

    proposing = False
    _looked_back = False
    rewritten_from: str | None = None

    def __init__(
        self, location: Location, environment: Environment, *, local: bool = False, mirror_of: str | None = None
    ) -> None:
        self.environment = environment
        self.mirror_of = mirror_of
        self.branch = RegistryBranch(location.repository, location.branch, location.root)
        self.local = local
        self._open_stores: dict[str, tuple[list[str], Any]] = {}

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
            True to take the registry that is checked out, even if its branch is not in this clone
            (:func:`gitreg.registry.discovery.location.locate`).
        accept_rewrite:
            True to follow the remote of a URL even if its history was rewritten, or another registry is there now. A
            clone does so when it is pulled (:func:`gitreg.sdk.verbs.remotes.pull`).

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
        """
        environment = Environment.of_this_process()
        named = os.fspath(path) if path is not None else environment.env.get(REGISTRY_VARIABLE)
        address = named or "."
        if ":" in address and discovery.mirrors.is_address(address):
            return cls._open_mirror(address, environment, local=local, accept_rewrite=accept_rewrite)
        folder, place = split_place(address, environment.folder)
        env = (
            without_repository(environment.env) if named else environment.env
        )  # GIT_DIR counts only if no registry is named
        location = locate(folder, env=env, place=place, checked_out=checked_out)
        return cls(location, environment, local=local)

    @classmethod
    def _open_mirror(cls, address: str, environment: Environment, *, local: bool, accept_rewrite: bool) -> Self:
        if local:
            raise InvalidInput(
                "--local needs a clone, and this registry is named by its URL",
                hint="leave --local out, or `gitreg clone` it",
            )
        mirror = discovery.mirrors.open_mirror(
            address,
            environment.mirrors(),
            env=environment.env,
            offline=environment.offline,
            accept_rewrite=accept_rewrite,
        )
        registry = cls(mirror.location, environment, mirror_of=address)
        registry.rewritten_from = mirror.rewritten_from
        if environment.offline:
            registry.tell("offline: this is what the remote said when it was last asked")
        return registry

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
        """Create a registry, and trust its store.

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
        remote:
            The name of the Git remote to publish to later; None for no remote.
        store_in_remote_folder:
            True to keep the weights inside of the remote's Git folder, where that is a folder on this machine.

        Returns
        -------
        tuple:
            The open registry, and True if it was created now (False: it existed).
        """
        if path is not None:
            check_local(
                path,
                "`gitreg clone URL` copies a registry that is there; a new one: `gitreg init` here, then "
                "`gitreg remote set`; weights go to a bucket by --store URL",
            )
        environment = Environment.of_this_process()
        if store is not None:
            store = spelled_out(store, environment.folder)
        folder = Path(os.path.normpath(environment.folder / (path or ".")))
        env = without_repository(environment.env) if path is not None else environment.env
        location, made = discovery.creation.create(
            folder,
            env=env,
            writer=environment.writer,
            registry_id=environment.draw_id(),
            store=store,
            branch=branch,
            prefix=prefix,
            remote=remote,
            store_in_remote_folder=store_in_remote_folder,
        )
        registry = cls(location, environment)
        if store is not None or store_in_remote_folder:
            registry.trust()
        if made:
            try:
                registry.trust_code()
            except GitregError as error:  # there is no home to note it in; the registry is made all the same
                registry.tell(f"{error.message} ({error.hint})")
        return registry, made

    def close(self) -> None:
        """Close all files that are open."""
        if (verdicts := self.__dict__.pop("verdicts", None)) is not None:
            verdicts.close()
        self.branch.close()
        self.branch.repository.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- location and stores ---------------------------------------------------------------------------------------

    def is_same(self, other: Session) -> bool:
        """Return whether another handle is open on the same registry: here, in another clone or in a mirror."""
        if other is self:
            return True
        ids = [each.snapshot().settings.id for each in (self, other)]
        if all(ids):
            return ids[0] == ids[1]
        mine, others = self.branch, other.branch
        return (mine.name, mine.root) == (others.name, others.root) and os.path.samefile(
            mine.repository.common_dir, others.repository.common_dir
        )

    @property
    def is_mirror(self) -> bool:
        """True if the registry was opened by its URL and is read from a mirror in the user's cache."""
        return self.mirror_of is not None

    @property
    def folder(self) -> Path:
        """The repository's work tree, or the repository itself if it is bare."""
        return self.branch.repository.work_tree or self.branch.repository.git_dir

    @property
    def opened_as(self) -> str:
        """The path with the branch, or the URL, that opens this registry again."""
        return self.local_address if self.mirror_of is None else self.mirror_of

    @property
    def local_address(self) -> str:
        """The folder with the branch, on this machine; that of a mirror lies in the cache and has no login in it."""
        name, root = self.branch.name, self.branch.root
        return f"{self.folder}#{name}:{root}" if root else f"{self.folder}#{name}"

    @property
    def store_url(self) -> str:
        """The address of the primary store, which holds the weights."""
        return store_urls(self.branch.snapshot().settings, self.branch.repository)[0]

    def named_stores(self) -> list[NamedStore]:
        """Return the stores that the registry names, the primary first; those that the user trusts are opened."""
        return weights.trusted_stores.open_named(
            self.branch.snapshot().settings, self.branch.repository, self.environment.trusted_stores()
        )

    @property
    def store(self) -> Store:
        """The primary store, to which weights are written.

        Raises
        ------
        Refused
            The registry names a store that the user does not trust.
        """
        return self._opened("store", lambda: self.named_stores()[0].store)

    @property
    def stores(self) -> Replicas:
        """The primary store and its replicas, for reading; a file missing or damaged in one is read from the next.

        Warns
        -----
        UserWarning
            A replica is left out: the user does not trust it, or gitreg cannot open its kind.

        Raises
        ------
        Refused
            The registry names a primary store that the user does not trust.
        """
        return self._opened("stores", lambda: weights.trusted_stores.readable(self.named_stores(), self.tell))

    def _opened(self, name: str, opened: Callable[[], Opened]) -> Opened:
        """Return open stores, opened anew where gitreg.yaml names other ones by now."""
        urls = store_urls(self.branch.snapshot().settings, self.branch.repository)
        known = self._open_stores.get(name)
        if known is None or known[0] != urls:
            known = self._open_stores[name] = (urls, opened())
        stores: Opened = known[1]
        return stores

    @contextmanager
    def saving(self, progress: Progress, *, draft: bool = False) -> Iterator[StoreWriter]:
        """Yield a writer for files of the store; the record of the files has to be committed before the block ends.

        Parameters
        ----------
        draft:
            True if a draft will refer to the files.

        Raises
        ------
        Refused
            The registry names a store that the user does not trust.
        StoreGoneError
            The registry names a store that does not exist; none is created.
        """
        from gitreg.blobs.save import StoreWriter

        settings = self.snapshot().settings
        self.warn_of_private_store()
        if settings.store is not None:
            self.claims.leave(self.store, unpublished=draft or self.local)
        else:
            self.store.prepare()
        with (
            closing(self.environment.stat_cache()) as known,
            StoreWriter(self.store, known, chunking=settings.chunking != "none", progress=progress) as saving,
        ):
            yield saving
            if settings.store is not None and self._has_unpublished():
                # another process may have removed the clone's own claim before any record referred to these files
                self.claims.leave(self.store, unpublished=True)

    def into(self, url: str, operation: Operation) -> Operation:
        """Return an operation that is refused if the weights go to another store by now than this `store_url`."""

        def checked(snapshot: Snapshot) -> Changes:
            primary = store_urls(snapshot.settings, self.branch.repository)[0]
            if primary != url:
                raise Refused(
                    f"the registry has moved its weights to {primary} since this was begun",
                    hint="save it again, after `gitreg trust --stores`; nothing was committed",
                )
            return operation(snapshot)

        return checked

    @property
    def claims(self) -> Claims:
        """The claims that this clone leaves in stores, so that garbage collection keeps its blobs."""
        return weights.claims.Claims(self.branch, self.remote)

    def leave_claims(self, store: Store) -> None:
        """Leave claims on a store for what this clone has: also its own, if the remote may lack some of it."""
        self.claims.leave(store, unpublished=self._has_unpublished())

    def settle_claims(self, *, collecting: bool = False) -> None:
        """Remove this clone's own claims on stores once its remote has everything that the clone has.

        If a store cannot be reached now, its claim stays until the next call.

        Parameters
        ----------
        collecting:
            True before a garbage collection: check all stores, also those without a known claim, and leave no new
            claim.
        """
        remote = self.remote
        if remote is None:
            return
        claims = self.claims
        with suppress(GitregError):
            urls = claims.stores_with_own()
            if not (urls or collecting):
                return
            with self.branch.repository.lock(timeout=PATIENCE):
                if weights.unpublished_work.is_unpublished(self.branch, remote):
                    return
                for each in self.named_stores():
                    if each.opened is not None and (collecting or each.opened.url in urls):
                        claims.drop(each.opened, leave=not collecting)

    def _has_unpublished(self) -> bool:
        """Return whether the remote may lack something that this clone has: fast, and sometimes true without need."""
        remote = self.remote
        return remote is not None and weights.unpublished_work.may_be_unpublished(self.branch, remote)

    def trust(self) -> list[str]:
        """Trust the stores that the registry names and return their addresses; the clone's own folder needs no trust.

        Raises
        ------
        InvalidInput
            gitreg cannot open one of them; then none is trusted.
        """
        from gitreg.blobs.urls import open_store

        repository = self.branch.repository
        named = store_urls(self.snapshot().settings, repository)
        urls = [url for url in named if url != str(default_folder(repository))]
        for url in urls:
            open_store(url)  # reads nothing; refuses an address that cannot be opened or has a password
        for url in urls:
            self.environment.trusted_stores().trust(url)
        self.forget_stores()
        return urls

    # -- files that can run code -------------------------------------------------------------------------------------

    @cached_property
    def verdicts(self) -> ScanCache:
        """The scanner's verdicts on files, kept in the user's cache."""
        return self.environment.verdicts()

    @property
    def code_place(self) -> str:
        """The location by which the registry, with its id, is trusted for code: its common Git folder or its URL."""
        if self.mirror_of is not None:
            return weights.trusted_code.place_of(self.mirror_of)
        return str(self.branch.repository.common_dir.resolve())

    def trusts_code(self, model: str) -> bool:
        """Return whether the user trusts the registry for files of a model that can run code."""
        trusted = self.environment.code_trust().find(self.code_place, self.snapshot().settings.id)
        return trusted is not None and trusted.covers(model)

    def trust_code(self, models: Sequence[str] = ()) -> None:
        """Trust the registry for files that can run code: of all models, or of those that match the patterns."""
        self.environment.code_trust().add(self.code_place, self.snapshot().settings.id, models)

    def forget_stores(self) -> None:
        """Drop the open stores, so that a change of their list or of their trust is seen at the next use."""
        self._open_stores.clear()

    def warn_of_private_store(self) -> None:
        """Warn if others get the records by a remote, but the weights go to a folder of this clone alone."""
        if (remote := self.remote) is not None and is_private(self.branch.snapshot().settings.store):
            self.tell(
                f"weights go to {self.store_url}, a folder of this clone alone: {remote} gets the records, and nobody "
                "else can load them; `gitreg store set URL --copy` moves them to a folder or a bucket that all reach"
            )

    @staticmethod
    def tell(problem: str) -> None:
        """Warn the user of a problem that does not stop the call."""
        import warnings

        warnings.warn(problem, stacklevel=2)

    def address(self, url: PathLike) -> str:
        """Return the full address of a store that a user names: a URL, or a folder relative to the current one."""
        return spelled_out(os.fspath(url), self.environment.folder)

    def snapshot(self, at: str | None = None) -> Snapshot:
        """Return the snapshot of the registry now, or at a date or commit (:meth:`RegistryBranch.snapshot`)."""
        if not self._looked_back:
            self._looked_back = True
            self._finish_following()
        snapshot = self.branch.snapshot(at, now=self.environment.clock())
        snapshot.check_fixed()
        return snapshot

    def _finish_following(self) -> None:
        """Update the work trees that a killed process left behind, if nothing prevents it.

        Before that, a plain ``git commit`` there would undo the newest changes of the branch.
        """
        repository = self.branch.repository
        if repository.unfinished_following():
            with suppress(GitregError, OSError), repository.lock(timeout=0):
                repository.finish_following()

    # -- writing ---------------------------------------------------------------------------------------------------

    def commit(self, operation: Operation, *, dry_run: bool = False) -> Outcome:
        """Run an operation on the newest snapshot, commit its changes and return the outcome.

        See :mod:`gitreg.registry.writing.commit`.

        If the remote's branch accepts only pull requests, the change is proposed
        (:mod:`gitreg.registry.review.proposals`).

        Parameters
        ----------
        dry_run:
            True to commit nothing, and return the outcome that a commit would have.

        Warns
        -----
        UserWarning
            The change was proposed although the caller did not ask for a proposal.
        """
        if self.proposing:
            return self._propose(operation, dry_run=dry_run)
        from gitreg.registry.writing.commit import commit

        upstream = self.upstream
        try:
            outcome = commit(self.branch, operation, self.writer, upstream=upstream, dry_run=dry_run)
        except Declined as declined:
            if upstream is None or not declined.protected:
                raise
            self.tell(f"{upstream.branch} is protected: the change is proposed instead")
            return self._propose(operation, dry_run=dry_run)
        if upstream is not None and outcome.commit:
            self.settle_claims()
        return outcome

    def _propose(self, operation: Operation, *, dry_run: bool) -> Outcome:
        from gitreg.registry.review.proposals import propose

        upstream = self.upstream
        if upstream is None:
            raise Refused("this registry has no remote to propose to", hint="`gitreg remote set origin` declares one")
        return propose(
            self.branch,
            operation,
            self.writer,
            upstream,
            env=self.environment.env,
            context=self.context(),
            dry_run=dry_run,
        )

    @property
    def remote(self) -> str | None:
        """The name of the remote that the registry is published to, now or later; None if it has none."""
        return "origin" if self.is_mirror else self.branch.snapshot().settings.remote

    @property
    def upstream(self) -> Upstream | None:
        """The declared remote, which each write moves first; None if gitreg.yaml declares none, or with ``local``."""
        return None if self.local else self.published

    @property
    def published(self) -> Upstream | None:
        """The remote that the registry is published to, now or later; None if it has none."""
        remote = self.remote
        if remote is None:
            return None
        from gitreg.registry.remote.upstream import Upstream

        return Upstream(self.branch, remote, self.environment.clock, mirror_of=self.mirror_of, context=self.context)

    def context(self) -> PromotionContext:
        """Return the context of a promotion made here and now; each gate reads from it the values that it needs."""
        from gitreg.registry.promotion.context import PromotionContext

        return PromotionContext(
            promoter=lambda: self.writer().author.email,
            now=self.environment.clock,
            branch=self.branch,
            source=lambda: self.stores,
            proposing=self.proposing,
        )

    def writer(self) -> Writer:
        """Return the author and committer of a write now.

        Raises
        ------
        InvalidInput
            Git has no name or e-mail for the user.
        """
        return self.environment.writer(self.branch.repository)

    def after(self, outcome: Outcome) -> Snapshot:
        """Return the snapshot after a write; for a proposal, the snapshot of the proposed commit."""
        return self.snapshot(outcome.commit if outcome.proposal else None)

    def about(self, outcome: Outcome) -> ModelVersion:
        """Return the version that an outcome is about, as it is now."""
        assert outcome.changes.version is not None
        (version,) = self._after(outcome, [outcome.changes.version])
        return version

    def about_all(self, outcome: Outcome) -> list[ModelVersion]:
        """Return the versions that an outcome of many is about, in their order, as they are now."""
        return self._after(outcome, outcome.changes.versions)

    def _after(self, outcome: Outcome, names: Sequence[tuple[str, str]]) -> list[ModelVersion]:
        snapshot = self.after(outcome)
        found = [snapshot.find_version(model, name, deleted=True) for model, name in names]
        return [version for version in found if version is not None]

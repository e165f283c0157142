"""A registry's stores: what each holds, copying between them, naming further ones, verifying them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.blobs import NO_PROGRESS, Manifest, Progress, Store, Stores, collect, open_store, replicate
from gitreg.errors import GitregError, InvalidInput, NotFound, Refused
from gitreg.git.remote import Unreachable
from gitreg.registry.commit import Outcome
from gitreg.registry.copies import Copying, Holding, holdings
from gitreg.registry.integrity import Verification
from gitreg.registry.operations.stores import add_replica, remove_replica
from gitreg.registry.resuming import Run
from gitreg.registry.stores import default_folder, same_place, spelled, store_urls
from gitreg.sdk.ambient import Ambient

if TYPE_CHECKING:
    from gitreg.registry.doctor import Problem
    from gitreg.registry.upstream import Upstream
    from gitreg.sdk.opened import PathLike
    from gitreg.sdk.registry import Registry


def spelled_out(told: str, folder: Path) -> str:
    """Give the address that a user means in a folder: a URL as it is, a path made absolute.

    Raises
    ------
    InvalidInput
        It is empty, or begins as neither of them does: ``s3:/bucket``, ``machine:/folder``.
    """
    if "://" in told:
        return told
    if not told or ":" in told.partition("/")[0]:
        raise InvalidInput(
            f"store {told!r} is neither a folder nor a URL",
            hint="write s3://bucket/folder, sftp://machine/folder, /folder or ./folder",
        )
    return os.path.normpath(folder / told)


def approve(urls: Sequence[str]) -> list[str]:
    """Approve stores by their addresses, whatever registry names them, and return these.

    Raises
    ------
    InvalidInput
        One is none that gitreg opens; none is approved then.
    """
    ambient = Ambient.of_this_process()
    addresses = [spelled_out(url, ambient.folder) for url in urls]
    for address in addresses:
        open_store(address)  # nothing is read; an address that cannot be opened, or holds a password, is refused
    for address in addresses:
        ambient.approvals().approve(address)
    return addresses


def create_store(url: str) -> tuple[str, bool]:
    """Make a store, and return its address and whether it was made now.

    Raises
    ------
    InvalidInput
        It is none that gitreg opens.
    GitregError
        Its bucket is not there, or cannot be written.
    """
    address = spelled_out(url, Ambient.of_this_process().folder)
    return address, open_store(address).create()


def held(registry: Registry, references: Sequence[str] = ()) -> list[list[Holding]]:
    """Say for versions, or for all, what each of the registry's stores holds of them.

    Returns
    -------
    list:
        For each version one `Holding` for each store, the primary first.
    """
    named = registry.named_stores()
    source = Stores([each.opened for each in named if each.opened], registry.tell)
    return holdings(registry.holders_meant(references), named, source, registry.tell)


def copying(
    registry: Registry, references: Sequence[str] = (), *, to: PathLike | None = None, source: PathLike | None = None
) -> Copying:
    """Prepare to copy what a store lacks of versions, or of all, from another; iterate over its ``run``.

    Parameters
    ----------
    to:
        The URL or folder of the store to copy to, approved by being named; None for the one that is saved to.
    source:
        The same of the store to copy from; None for all that the registry names.

    Raises
    ------
    InvalidInput
        Neither is given, or one is none that gitreg opens.
    NotFound
        The source is not there.
    StoreGoneError
        The target is not there; the repository's own is made.
    Refused
        A store that gitreg.yaml names is needed and not approved.
    """
    if to is None and source is None:
        raise InvalidInput("neither where to copy to nor where from is said", hint="name a store with --to or --from")
    target = registry.store if to is None else open_store(registry.address(to))
    if source is None:
        sources = [store for store in registry.stores.in_order if not same_place(store.url, target.url)]
    else:
        sources = [open_store(registry.address(source))]
        if sources[0].gone:
            raise NotFound(f"the store {sources[0].url} is not there", hint="check the path, or mount its disk")
    versions = registry.holders_meant(references)
    repository = registry.ledger.repository
    named = set(store_urls(registry.snapshot().settings, repository)) - {str(default_folder(repository))}
    if any(same_place(url, target.url) for url in named):
        registry.claims.leave(target, unpublished=registry.may_be_unpublished)
    target.prepare()
    manifests = Stores([*sources, target], registry.tell)
    return Copying(versions, sources, target, registry.ambient.spool(), manifests)


def restore(registry: Registry, manifest: Manifest) -> None:
    """Copy what the store that is saved to lacks of a set of files back, from the replicas or from the user's cache.

    Raises
    ------
    IntegrityError
        None of them has one of the files whole.
    """
    registry.store.prepare()
    copied = replicate(manifest, _replicas(registry), registry.store, registry.ambient.spool())
    if not copied.error:
        return
    folder = registry.ambient.cache().find(manifest.digest)
    if folder is None:
        raise copied.error
    with registry.saving(NO_PROGRESS) as saving:
        if saving.put(collect([folder])) != manifest:
            raise copied.error


def add_store(registry: Registry, url: PathLike) -> Outcome:
    """Name, and approve, a further store that holds copies (:mod:`gitreg.registry.operations.stores`).

    Raises
    ------
    InvalidInput
        It is none that gitreg opens.
    Refused
        It is the store that is saved to.
    """
    address = registry.address(url)
    store = open_store(address)
    if same_place(address, registry.store_url):
        raise Refused(f"{address} is the store that this registry saves to", hint="name another one for its copies")
    with suppress(GitregError):  # it can only be read from here, or not even that; who copies to it will be told
        store.create()
    outcome = registry.commit(partial(add_replica, url=spelled(address, registry.ledger.repository)))
    registry.ambient.approvals().approve(address)
    registry.forget_stores()
    with suppress(GitregError):  # it can only be read from here; who copies to it leaves the claim
        registry.claims.leave(store, unpublished=registry.may_be_unpublished)
    return outcome


def remove_store(registry: Registry, url: PathLike) -> Outcome:
    """Name a store that holds copies no longer; what it holds stays there.

    Raises
    ------
    NotFound
        It is not among them.
    """
    told = spelled(registry.address(url), registry.ledger.repository)
    outcome = registry.commit(partial(remove_replica, url=told))
    registry.forget_stores()
    return outcome


def verification(registry: Registry, reference: str | None, share: float, progress: Progress) -> Verification:
    """Prepare to verify (:meth:`gitreg.Registry.verify`); each scope has a file of its own for what was read of it."""
    from gitreg.sdk.sealed import fetch_history

    ledger = registry.ledger
    if reference is None or registry.snapshot().settings.policies:  # gates ask what was before an entry
        fetch_history(registry)
    scope = f"{ledger.repository.common_dir}\n{ledger.branch}\n{ledger.root}\n{reference}\n{share}"
    name = sha256(scope.encode(errors="surrogateescape")).hexdigest()[:32]
    source = registry.stores  # tells of those that are left out
    return Verification(
        ledger,
        registry.holders_meant([] if reference is None else [reference], tell=False),
        source,
        [registry.store, *_replicas(registry)],
        share=share,
        whole=reference is None,
        run=Run(registry.ambient.unfinished(name) if share else None, registry.ambient.clock()),
        verdicts=registry.verdicts,
        tell=registry.tell,
        progress=progress,
    )


def _replicas(registry: Registry) -> list[Store]:
    return [each.opened for each in registry.named_stores()[1:] if each.opened]


def examination(registry: Registry) -> list[Problem]:
    """Name what is wrong with a registry, its stores and its remote (:mod:`gitreg.registry.doctor`).

    Warns
    -----
    UserWarning
        A store was left out: the user has not approved it; or the remote, which does not answer.
    """
    from gitreg.registry.doctor import Problem, examine, problems_of_gates, problems_of_weights, without_refused
    from gitreg.registry.holders import is_refused, refused_mirrors, sentence

    ledger, upstream = registry.ledger, reachable(registry)
    found = list(examine(ledger, upstream, cached=registry.is_mirror))
    if any(problem.mend == "reindex" for problem in found):
        return found
    judged = registry.judge_holders()
    for decision in judged:
        if decision.unmet and not is_refused(decision):
            registry.tell(sentence(decision))
    found = [*problems_of_gates(judged), *without_refused(found, refused_mirrors(ledger.snapshot(), judged))]
    primary, *replicas = registry.named_stores()
    for each in (primary, *replicas):
        if isinstance(each.error, Refused):
            registry.tell(f"no weights were looked for in {each.url}: it is not approved (`gitreg trust`)")
    if primary.opened is not None:
        opened = [each.opened for each in replicas if each.opened]
        cache = registry.ambient.cache()
        found += problems_of_weights(
            ledger.snapshot(), primary.opened, opened, registry.stores, lambda digest: cache.find(digest) is not None
        )
    elif primary.error is not None and not isinstance(primary.error, Refused):
        what = primary.error.message.removeprefix(f"{primary.url}: ")
        found.append(Problem(primary.url, what, primary.error.hint or "name another store"))
    return found


def reachable(registry: Registry) -> Upstream | None:
    """Give the remote if it answers; where it does not, the user is told."""
    upstream = None if registry.ambient.offline else registry.upstream
    if upstream is None:
        return None
    try:
        upstream.fetch()
    except (Unreachable, NotFound, Refused) as error:
        registry.tell(f"{upstream.name} was not looked at: {error.message}")
        return None
    return upstream

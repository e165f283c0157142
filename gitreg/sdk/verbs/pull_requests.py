"""The check of a pull request in a checkout of a CI service, which may be shallow, without tags and on no branch."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gitreg.documents.files import read_data
from gitreg.documents.layout import MAX_BYTES, Key, parse_path
from gitreg.errors import GitregError, NotFound, Refused
from gitreg.git import Repository
from gitreg.git.history.history import NO_SUCH_COMMIT, split_revision
from gitreg.names import is_ref_path
from gitreg.progress import NO_PROGRESS, Progress
from gitreg.registry.review.pull_request_check import LookAtWeights, Report, check
from gitreg.registry.state.content_verdicts import worst_of
from gitreg.registry.state.manifests import Holder, manifest_of
from gitreg.registry.state.registry_refs import tag_ref
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.state.store_urls import default_folder
from gitreg.registry.weights.trusted_stores import NamedStore, open_named, readable
from gitreg.registry.weights.verification import Verification, VerifiedItem
from gitreg.registry.weights.verify_checkpoint import VerifyCheckpoint

if TYPE_CHECKING:
    from gitreg.blobs.reader import StoreReader
    from gitreg.contents import Finding as Contents
    from gitreg.documents.types import ArtifactRecord
    from gitreg.registry.state.branch import RegistryBranch
    from gitreg.sdk.session import Session

_ALL_OF_IT = 0x7FFFFFFF  # the depth of `git fetch --unshallow`
_OUTPUT_OF_COMMANDS = 2  # standard error: standard output is for the report


def check_proposal(
    session: Session, base: str, head: str = "HEAD", *, share: float = 1.0, progress: Progress = NO_PROGRESS
) -> Report:
    """Check a proposal with the stores and programs of this machine.

    Commits that a shallow checkout lacks are fetched. Stores are those that the target branch names and the user
    trusts; command gates run in the work tree, with GITREG_VERSION and GITREG_STAGE (or GITREG_ALIAS) in their
    environment.

    Parameters
    ----------
    base:
        The target: a remote's branch, as ``origin/main``, or any commit.
    head:
        The proposal.
    share:
        The part of the weights to read: 0 checks only that they exist, 1 reads all.

    Raises
    ------
    NotFound
        One of the commits is neither in the checkout nor on the remote.
    Refused
        The commits share no history, or the checkout is shallow and the rest cannot be fetched.
    """
    repository, branch = session.branch.repository, session.branch
    unseen: list[str] = []
    _deepen(branch, base, head, unseen)
    before, after = _commit(repository, base), _commit(repository, head)
    target = branch.snapshot_at(before)
    _fetch_tags(session, target, after)
    named = open_named(target.settings, repository, session.environment.trusted_stores())
    weights = weights_in(session, named, share=share, unseen=unseen, progress=progress)
    read_from = partial(readable, named, unseen.append)
    context = replace(
        session.context(),
        look=partial(_look, session, read_from, progress) if share else None,
        run=partial(_run, session),
        source=read_from,
        proposing=False,
    )
    readables = [each for each in named if each.opened]
    source = read_from() if readables and named[0].opened else None
    report = check(branch, before, after, context=context, source=source, weights=weights)
    return replace(report, unseen=tuple(dict.fromkeys(unseen)))


def weights_in(
    session: Session, named: Sequence[NamedStore], *, share: float, unseen: list[str], progress: Progress = NO_PROGRESS
) -> LookAtWeights | None:
    """Return a function that verifies versions in the stores; None if the primary store cannot be opened.

    Parameters
    ----------
    named:
        The stores, the primary first.
    share:
        The part of the files to read: 0 checks only that they exist, 1 reads all.
    unseen:
        Receives a sentence for each store that is left out.
    """
    for each in named:
        if isinstance(each.error, Refused):
            unseen.append(f"the weights in {each.url}: it is not trusted on this machine (`gitreg trust --stores`)")
        elif each.error is not None:
            unseen.append(f"the weights in {each.url}: {each.error.message}")
    primary = named[0]
    if primary.opened is None:
        return None
    if primary.opened.gone and primary.url == str(default_folder(session.branch.repository)):
        unseen.append("the weights: gitreg.yaml names no store, and they lie in the clone that saved them")
        return None
    stores = [each.opened for each in named if each.opened]

    def look(versions: Sequence[Holder]) -> Iterable[VerifiedItem]:
        if not versions:
            return ()
        source = readable(named, unseen.append)
        run = VerifyCheckpoint(None, session.environment.clock())
        return Verification(
            None,
            versions,
            source,
            stores,
            share=share,
            run=run,
            verdicts=session.verdicts,
            tell=unseen.append,
            progress=progress,
        )

    return look


def _commit(repository: Repository, name: str) -> str:
    commit = repository.resolve(name)
    if commit is None:
        raise NotFound(f"there is no commit {name!r} here", hint=NO_SUCH_COMMIT)
    return commit


def _deepen(branch: RegistryBranch, base: str, head: str, unseen: list[str]) -> None:
    """Fetch the target if it is missing, and the history that a shallow checkout lacks."""
    repository = branch.repository
    shallow = repository.is_shallow
    if not shallow and repository.resolve(base) is not None:
        return
    remote, _, target_branch = split_revision(base)[0].partition("/")
    if not is_ref_path(target_branch) or repository.remotes.url(remote) is None:
        remote, target_branch = "origin", branch.name
    if repository.remotes.url(remote) is None:
        return
    target = f"+refs/heads/{target_branch}:refs/remotes/{remote}/{target_branch}"
    commit = repository.resolve(head)
    depth = _ALL_OF_IT if shallow else None
    # First with the proposal's own history; some hosts serve only commits that refs name.
    for wanted in ([target, commit] if commit else [target], [target]):
        try:
            repository.remotes.open(remote).fetch(wanted, depth=depth)
            break
        except GitregError as error:
            failed = error
    else:
        if repository.resolve(base) is None:
            raise failed
        unseen.append(f"the history that this shallow checkout has left out: {failed.message}")


def _fetch_tags(session: Session, target: Snapshot, head: str) -> None:
    """Fetch the tags of the versions that move: they carry the signatures, and CI checkouts lack them."""
    branch = session.branch
    wanted = []
    for change in branch.repository.diff(target.commit, head, branch.root):
        key = parse_path(change.path[len(branch.root) + 1 :] if branch.root else change.path)
        if key is None or key.kind not in ("stage", "model_version") or change.new is None:
            continue
        versions = [key.name] if key.kind == "model_version" else _held(branch.repository, key, change.new)
        wanted += [tag_ref(target.settings, key.model, version) for version in versions]
    missing = [ref for ref in wanted if branch.repository.read_ref(ref) is None]
    remote = target.settings.remote
    if missing and remote is not None and branch.repository.remotes.url(remote) is not None:
        with suppress(GitregError):  # checks that need a missing tag report it
            branch.repository.remotes.open(remote).fetch([f"{ref}*:{ref}*" for ref in dict.fromkeys(missing)])


def _held(repository: Repository, key: Key, oid: str) -> list[str]:
    try:
        return [read_data(key, repository.read_blob(oid, limit=MAX_BYTES))["version"]]
    except GitregError:  # the check reports the file
        return []


def _look(
    session: Session, source: Callable[[], StoreReader], progress: Progress, record: ArtifactRecord
) -> Contents | None:
    """Return the worst verdict on an artifact's files; None if they cannot be read: their verification reports that."""
    verdicts = session.verdicts
    with suppress(GitregError):
        manifest = manifest_of(record, source())
        found = verdicts.find_all(entry.sha256 for entry in manifest.files)
        if any(entry.sha256 not in found for entry in manifest.files):
            folder = session.environment.cache().checkout(manifest, source(), progress=progress)
            found = verdicts.look_in(folder, manifest.files)
        return worst_of({entry.path: found[entry.sha256] for entry in manifest.files})
    return None


def _run(session: Session, command: Sequence[str], reference: str, pointer: Key) -> bool:
    """Run a command gate in the work tree of the proposal, and return whether it succeeded."""
    env = {**session.environment.env, "GITREG_VERSION": reference, f"GITREG_{pointer.kind.upper()}": pointer.name}
    try:
        done = subprocess.run(
            command, cwd=session.folder, env=env, stdin=subprocess.DEVNULL, stdout=_OUTPUT_OF_COMMANDS, check=False
        )
    except OSError as error:
        session.tell(f"`{' '.join(command)}` cannot be run: {error.strerror}")
        return False
    return done.returncode == 0

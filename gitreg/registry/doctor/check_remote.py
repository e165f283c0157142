"""The checks of a clone against its remote: interrupted pushes, tags that lost a race, derived refs that lag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitreg.documents.types import RegistryDocument
from gitreg.errors import NotFound
from gitreg.git import RefUpdate
from gitreg.registry.remote.mirror_moves import mirror_updates
from gitreg.registry.remote.upstream import Upstream, rebase_hint
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.registry_refs import parse_tag_ref, tag_prefix
from gitreg.registry.state.seals import wanted_tags
from gitreg.registry.state.snapshot import Snapshot

_PEELED = "^{}"


def problems_of_the_remote(
    branch: RegistryBranch, upstream: Upstream, theirs: Mapping[str, str], *, cached: bool = False
) -> Iterator[Problem]:
    """Yield the problems of a remote, and the differences between the remote and this clone.

    Parameters
    ----------
    theirs:
        The derived refs of the remote, as `Upstream.derived_refs` returns them.
    cached:
        True if this is the mirror of a registry that was named by its URL: its own tags are not checked.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    commit, ours = upstream.fetch(), branch.head()
    if commit is None:
        yield Problem(upstream.branch, "is not there, though gitreg.yaml names that remote", "`gitreg push`")
        return
    repository, before = branch.repository, upstream.accepted
    if before is not None and not repository.is_ancestor(before, commit):
        yield Problem(
            upstream.branch,
            f"was rewritten: it was at {before[:12]} and is at {commit[:12]} now, which does not follow",
            "find out who did it; if it was meant: `gitreg pull --accept-rewrite`",
        )
    elif ours and not repository.is_ancestor(ours, commit) and not repository.is_ancestor(commit, ours):
        yield Problem(
            branch.name,
            f"is at {ours[:12]} and {upstream.branch} at {commit[:12]}: each has commits that the other lacks",
            rebase_hint(commit, branch.name),
        )
    try:
        snapshot = branch.snapshot_at(commit)
        settings = snapshot.settings
    except NotFound:
        yield Problem(upstream.branch, "holds no registry", "`gitreg push`, or `gitreg config set remote NAME`")
        return
    yield from _tags(branch, upstream, snapshot, theirs, cached=cached)
    yield from _tags_without_record(branch, upstream, snapshot, settings, theirs)
    for move in mirror_updates(branch, snapshot) if upstream.takes_mirrors else ():
        if theirs.get(move.name) != move.new:
            at = theirs.get(move.name)
            problem = f"lags on {upstream.name}: it is at {at[:12]}" if at else f"is missing on {upstream.name}"
            yield Problem(f"{upstream.name} {move.name}", problem, _SYNC, "sync")


def _tags(
    branch: RegistryBranch, upstream: Upstream, snapshot: Snapshot, theirs: Mapping[str, str], *, cached: bool
) -> Iterator[Problem]:
    """Yield the problems of tags: compare the remote's tags with its branch, and this clone's tags with them."""
    our_tags = {} if cached else branch.repository.refs(tag_prefix(snapshot.settings))
    for ref, commit, _ in wanted_tags(snapshot):
        tag = theirs.get(ref)
        if tag is None:
            problem = f"is missing on {upstream.name}: its record was pushed or merged without it"
            yield Problem(f"{upstream.name} {ref}", problem, _SYNC, "sync")
        elif theirs.get(f"{ref}{_PEELED}") != commit:
            name = ref.removeprefix("refs/tags/")
            yield Problem(
                f"{upstream.name} {ref}",
                f"is not where its record came in ({commit[:12]}): it was moved, or is no annotated tag",
                f"find out who did it; then `git push {upstream.name} --delete {name}` and `gitreg sync`",
            )
        elif our_tags.get(ref, tag) != tag:
            yield Problem(
                ref,
                f"is another one on {upstream.name}, which came first",
                f"`gitreg doctor --repair` takes that of {upstream.name}",
                RefUpdate(ref, tag, our_tags[ref]),
            )


def _tags_without_record(
    branch: RegistryBranch,
    upstream: Upstream,
    snapshot: Snapshot,
    settings: RegistryDocument,
    theirs: Mapping[str, str],
) -> Iterator[Problem]:
    ours = branch.snapshot()
    for ref in theirs:
        named = None if ref.endswith(_PEELED) else parse_tag_ref(settings, ref)
        if named is None or snapshot.index.get(snapshot.seq, "model_version", *named) is not None:
            continue
        known = ours.index.get(ours.seq, "model_version", *named) is not None
        name = ref.removeprefix("refs/tags/")
        yield Problem(
            f"{upstream.name} {ref}",
            f"seals {'@'.join(named)}, of which {upstream.branch} has no record: a push was cut in half",
            "`gitreg push` brings the record"
            if known
            else f"push from the clone that has it, or `git push {upstream.name} --delete {name}`",
        )


_SYNC = "`gitreg doctor --repair` or `gitreg sync` makes it"

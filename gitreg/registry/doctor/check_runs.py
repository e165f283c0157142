"""The checks of artifact versions, of runs, of links to artifacts, and of drafts."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.documents.layout import Key
from gitreg.errors import InvalidDocument
from gitreg.registry.drafts import is_alive, is_sealed, read_draft_at
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import DRAFTS, RegistryBranch
from gitreg.registry.state.seals import readings
from gitreg.registry.state.snapshot import Snapshot


def problems_of_runs(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    """Yield the problems of edited artifacts and runs, links to missing artifacts, and drafts of runs that died."""
    yield from _artifacts(snapshot)
    yield from _links(snapshot)
    yield from _drafts(branch, snapshot)


def _artifacts(snapshot: Snapshot) -> Iterator[Problem]:
    for kind in ("artifact", "run"):
        for entry in snapshot.index.scan(snapshot.seq, kind):
            if entry.text is None:
                continue
            contents = readings(snapshot, entry)
            if contents[-1].digest != entry.digest:
                path = Key(kind, entry.model, entry.name).path
                first, now = (snapshot.index.moment(at.since).oid[:12] for at in (contents[-1], contents[0]))
                yield Problem(
                    path, f"is written once and was edited in {now}", f"`git checkout {first} -- {path}` and commit"
                )


def _links(snapshot: Snapshot) -> Iterator[Problem]:
    artifacts = {f"{entry.model}@{entry.name}" for entry in snapshot.index.scan(snapshot.seq, "artifact")}
    for kind in ("model_version", "annotation"):
        for entry in snapshot.index.scan(snapshot.seq, kind):
            if "links" not in (entry.text or "") or entry.data is None:
                continue
            missing = [link for link in entry.data.get("links", ()) if link not in artifacts]
            if missing:
                yield Problem(
                    Key(kind, entry.model, entry.name).path,
                    f"links to {', '.join(missing[:3])}, which is not there",
                    "`git revert` what removed it; the files themselves are still named here",
                )


def _drafts(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    repository = branch.repository
    for ref, commit in repository.refs(DRAFTS).items():
        try:
            draft = read_draft_at(repository, commit, ref)
        except InvalidDocument as error:
            yield Problem(ref, f"is a draft that cannot be read: {error}", f"`git update-ref -d {ref}` gives it up")
            continue
        if is_sealed(draft, snapshot):
            yield Problem(
                ref,
                "is a draft that is sealed: its process died at the end",
                f"`gitreg discard {draft.name}` removes it",
            )
        elif not is_alive(repository, draft.run.pipeline, draft.run.run):
            yield Problem(
                ref,
                f"is the draft of a run that {'failed' if draft.run.status == 'failed' else 'died'}",
                f"run it again under its name, or `gitreg seal {draft.name}`, or `gitreg discard {draft.name}`",
            )

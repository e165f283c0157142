"""The check of the index against the branch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import zip_longest
from typing import Any

from gitreg.documents.types import DOCUMENTS
from gitreg.errors import Conflict
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.index import Index, open_index
from gitreg.registry.state.index_builder import catch_up
from gitreg.registry.state.snapshot import Snapshot


def problems_of_the_index(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a problem if the index differs from one that is built anew: damaged, or written by another program."""
    with closing(open_index(None)) as fresh:
        seq = catch_up(fresh, branch.repository, snapshot.commit, branch.root)
        try:
            answers = zip_longest(_answers(fresh, seq), _answers(snapshot.index, snapshot.seq))
            stale = any(one != other for one, other in answers)
        except (TypeError, ValueError, KeyError, Conflict):  # a row is missing or cannot be read
            stale = True
        if stale:
            yield Problem(
                str(branch.index_path),
                "is stale: the index says something else than the branch",
                "`gitreg doctor --repair` makes it anew",
                "reindex",
            )


def _answers(index: Index, seq: int) -> Iterator[Any]:
    """Yield the answers of an index to all its queries, up to the commit of that sequence number."""
    yield from map(index.moment, range(1, seq + 1))
    for kind in (*DOCUMENTS, "card"):
        for entry in sorted(index.ever(seq, kind), key=lambda entry: (entry.model, entry.name, entry.since)):
            until = entry.until if entry.until is not None and entry.until <= seq else None
            yield entry._replace(until=until, text=None), entry.data  # the text may be stored in two spellings
    yield index.latest(seq)
    yield index.count_versions(seq)
    for entry in index.scan(seq, "model_version"):
        numbered = index.by_number(seq, entry.model, entry.data["number"]) if entry.data else None
        yield numbered.name if numbered else None
    yield from (index.highest_number(seq, model) for model in index.models(seq))

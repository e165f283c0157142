"""Whether the index says what the branch says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from gitreg.registry.doctor.problem import Problem
from gitreg.registry.index import open_index
from gitreg.registry.indexing import catch_up
from gitreg.registry.ledger import Ledger
from gitreg.registry.snapshot import Snapshot


def problems_of_the_index(ledger: Ledger, snapshot: Snapshot) -> Iterator[Problem]:
    """Name an index that differs from one made anew: bits rotted, or somebody wrote to it."""
    with closing(open_index(None)) as fresh:
        seq = catch_up(fresh, ledger.repository, snapshot.commit, ledger.root)
        if (seq, fresh.fingerprint(seq)) != (snapshot.seq, snapshot.index.fingerprint(snapshot.seq)):
            yield Problem(
                str(ledger.index_path),
                "is stale: the index says something else than the branch",
                "`gitreg doctor --repair` makes it anew",
                "reindex",
            )

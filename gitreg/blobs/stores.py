"""The stores of a registry: the one that is written to, and those that hold copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gitreg.blobs.manifest import Manifest
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.store import Store, Target
from gitreg.errors import GitregError, IntegrityError

Answer = TypeVar("Answer")


class Stores:
    """Stores that hold the same sets of files, more or less: what one lacks or has damaged is read from the next.

    Parameters
    ----------
    primary:
        What is saved goes there.
    replicas:
        Those that hold copies. Folders of this machine are read before all others.
    """

    def __init__(self, primary: Store, replicas: Sequence[Store] = ()) -> None:
        self.primary = primary
        self.replicas = tuple(replicas)
        self._in_order = sorted((primary, *replicas), key=lambda store: not store.local)

    @property
    def local(self) -> bool:
        """Whether nothing is gained by caching what is read: all are folders of this machine."""
        return all(store.local for store in self._in_order)

    def fetch(self, manifest: Manifest, targets: Sequence[Target], *, progress: Progress = NO_PROGRESS) -> None:
        """Put verified copies at their targets (`Store.fetch`), from whichever store has them whole.

        Raises
        ------
        IntegrityError
            No store has one of the files whole.
        """
        left = list(targets)

        def fetch(store: Store) -> None:
            left[:] = [target for target in left if not target.path.exists()]
            store.fetch(manifest, left, progress=progress)

        self._first(fetch)

    def read_manifest(self, digest: str, *, limit: int) -> Manifest:
        """Return a manifest that was stored as it is (`Store.read_manifest`).

        Raises
        ------
        IntegrityError
            No store has it whole.
        """
        return self._first(lambda store: store.read_manifest(digest, limit=limit))

    def _first(self, ask: Callable[[Store], Answer]) -> Answer:
        errors: list[GitregError] = []
        for store in self._in_order:
            try:
                return ask(store)
            except GitregError as error:
                errors.append(error)
        if len(errors) == 1 or not all(isinstance(error, IntegrityError) for error in errors):
            raise errors[0]
        raise IntegrityError("; ".join(error.message for error in errors), hint=errors[0].hint)

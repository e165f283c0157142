"""Replicas: several stores with the same files, the primary that is written to and further ones that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.content import Content
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store, Target
from gitreg.errors import AbsentError, GitregError, IntegrityError, OvertakenError
from gitreg.progress import NO_PROGRESS, Progress

Answer = TypeVar("Answer")


class Replicas:
    """Stores with the same sets of files, maybe incomplete; a file missing or damaged in one is read from the next.

    Parameters
    ----------
    stores:
        The stores, the primary first. Local folders are read before all others.
    tell:
        Called with a message when a store was damaged or unreachable and another one was read instead.
    """

    def __init__(self, stores: Sequence[Store], tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.in_order = sorted(stores, key=lambda store: not store.local)

    @property
    def local(self) -> bool:
        """True if all stores are local folders, so that caching gains nothing."""
        return all(store.local for store in self.in_order)

    def fetch(self, manifest: Manifest, targets: Sequence[Target], *, progress: Progress = NO_PROGRESS) -> None:
        """Write verified copies to their targets (`Store.fetch`), each from the first store that has the file intact.

        Raises
        ------
        IntegrityError
            A file is intact in no store.
        """
        try:
            self._first(lambda store: store.fetch(manifest, _left(targets), progress=progress))
        except IntegrityError as error:
            if len(self.in_order) == 1:
                raise
            for target in _left(targets):  # no store has all of them, but together they may
                try:
                    self._first(lambda store, target=target: store.fetch(manifest, [target], progress=progress))  # type: ignore[misc]
                except IntegrityError:
                    if error.message.startswith(f"{target.entry.path}:"):  # it says more: what was damaged is moved now
                        raise error from None
                    raise

    def read_manifest(self, digest: str, *, limit: int) -> Manifest:
        """Return a manifest that was stored as an object (`Store.read_manifest`).

        Raises
        ------
        IntegrityError
            The manifest is intact in no store.
        """
        return self._first(lambda store: store.read_manifest(digest, limit=limit))

    def content(self, entry: FileEntry) -> Content:
        """Return the content of a file outside any pack (`Store.content`), from the first store that has it.

        Raises
        ------
        IntegrityError
            No store has it.
        """
        return self._first(lambda store: store.content(entry))

    def _first(self, ask: Callable[[Store], Answer]) -> Answer:
        """Return the answer of the first store that does not fail, and report failures; raise if all stores fail."""
        errors: list[GitregError] = []
        worth_telling: list[str] = []
        for store in self.in_order:
            try:
                answer = ask(store)
            except OvertakenError:  # not an error of the store
                raise
            except GitregError as error:
                errors.append(error)
                if not isinstance(error, AbsentError):  # a replica may be incomplete
                    worth_telling.append(error.message)
            else:
                for problem in worth_telling:
                    self._tell(f"{problem}; read from another store instead")
                return answer
        if not errors:
            raise IntegrityError(
                "there is no store to read from", hint="`gitreg trust --stores` approves those of a registry"
            )
        unreachable = [error for error in errors if not isinstance(error, IntegrityError)]
        if unreachable or len(errors) == 1:
            raise (unreachable or errors)[0]
        raise IntegrityError("; ".join(error.message for error in errors), hint=errors[0].hint)


def _left(targets: Sequence[Target]) -> list[Target]:
    return [target for target in targets if not target.done]

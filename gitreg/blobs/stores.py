"""Several stores that stand in for one another: the one that is written to, and those that hold copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gitreg.blobs.content import Content
from gitreg.blobs.copying import OvertakenError
from gitreg.blobs.files import FileEntry
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.store import AbsentError, Store, Target
from gitreg.errors import GitregError, IntegrityError

Answer = TypeVar("Answer")


class Stores:
    """Stores that hold the same sets of files, more or less: what one lacks or has damaged is read from the next.

    Parameters
    ----------
    stores:
        The primary first. Folders of this machine are read before all others.
    tell:
        Hears, in a sentence, of a store that was damaged or could not be reached, where another one stood in for it.
    """

    def __init__(self, stores: Sequence[Store], tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.in_order = sorted(stores, key=lambda store: not store.local)

    @property
    def local(self) -> bool:
        """Whether nothing is gained by caching what is read: all are folders of this machine."""
        return all(store.local for store in self.in_order)

    def fetch(self, manifest: Manifest, targets: Sequence[Target], *, progress: Progress = NO_PROGRESS) -> None:
        """Put verified copies at their targets (`Store.fetch`), each from the first store that has it whole.

        Raises
        ------
        IntegrityError
            No store has one of the files whole.
        """
        try:
            self._first(lambda store: store.fetch(manifest, _left(targets), progress=progress))
        except IntegrityError as error:
            if len(self.in_order) == 1:
                raise
            for target in _left(targets):  # no store has them all, but together they may
                try:
                    self._first(lambda store, target=target: store.fetch(manifest, [target], progress=progress))  # type: ignore[misc]
                except IntegrityError:
                    if error.message.startswith(f"{target.entry.path}:"):  # it says more: what was damaged is gone now
                        raise error from None
                    raise

    def read_manifest(self, digest: str, *, limit: int) -> Manifest:
        """Return a manifest that was stored as it is (`Store.read_manifest`).

        Raises
        ------
        IntegrityError
            No store has it whole.
        """
        return self._first(lambda store: store.read_manifest(digest, limit=limit))

    def content(self, entry: FileEntry) -> Content:
        """Give the bytes of a file that lies in no pack (`Store.content`), out of the first store that has it.

        Raises
        ------
        IntegrityError
            No store does.
        """
        return self._first(lambda store: store.content(entry))

    def _first(self, ask: Callable[[Store], Answer]) -> Answer:
        """Ask one store after another until one of them answers."""
        errors: list[GitregError] = []
        worth_telling: list[str] = []
        for store in self.in_order:
            try:
                answer = ask(store)
            except OvertakenError:  # no fault of the store's
                raise
            except GitregError as error:
                errors.append(error)
                if not isinstance(error, AbsentError):  # a copy need not be complete
                    worth_telling.append(error.message)
            else:
                for what in worth_telling:
                    self._tell(f"{what}; read from another store instead")
                return answer
        if not errors:
            raise IntegrityError("there is no store to read from", hint="`gitreg trust` approves those of a registry")
        unreachable = [error for error in errors if not isinstance(error, IntegrityError)]
        if unreachable or len(errors) == 1:
            raise (unreachable or errors)[0]
        raise IntegrityError("; ".join(error.message for error in errors), hint=errors[0].hint)


def _left(targets: Sequence[Target]) -> list[Target]:
    return [target for target in targets if not target.done]

"""What loading asks of a store, or of several of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gitreg.blobs.content import Content
from gitreg.blobs.files import FileEntry
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.store import Target


class Source(Protocol):
    """Where sets of files come from, verified: a `Store`, or `Stores` that stand in for one another."""

    @property
    def local(self) -> bool:
        """Whether nothing is gained by caching what is read: all of it lies on this machine."""

    def fetch(self, manifest: Manifest, targets: Sequence[Target], *, progress: Progress = NO_PROGRESS) -> None:
        """Put verified copies of some of a set's files at their targets (`Store.fetch`)."""

    def read_manifest(self, digest: str, *, limit: int) -> Manifest:
        """Return a manifest that was stored as it is (`Store.read_manifest`)."""

    def content(self, entry: FileEntry) -> Content:
        """Give the bytes of a file that lies in no pack, to be read by ranges (`Store.content`)."""

"""The interface that loading needs, of one store or of several replicas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.content import Content
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Target
from gitreg.progress import NO_PROGRESS, Progress


class StoreReader(Protocol):
    """A source of verified sets of files: a `Store`, or `Stores` that replicate one another."""

    @property
    def local(self) -> bool:
        """True if all of it lies on this machine, so that caching gains nothing."""

    def fetch(self, manifest: Manifest, targets: Sequence[Target], *, progress: Progress = NO_PROGRESS) -> None:
        """Write verified copies of some of a set's files to their targets (`Store.fetch`)."""

    def read_manifest(self, digest: str, *, limit: int) -> Manifest:
        """Return a manifest that was stored as an object (`Store.read_manifest`)."""

    def content(self, entry: FileEntry) -> Content:
        """Return the content of a file outside any pack, for random access (`Store.content`)."""

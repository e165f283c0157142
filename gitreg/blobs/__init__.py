"""The blob store: content-addressed, deduplicated sets of files in a bucket, their manifests, and the local cache."""

from gitreg.blobs.cache import Cache
from gitreg.blobs.files import FileEntry, LocalFile, check_path, check_paths, collect
from gitreg.blobs.hashing import describe
from gitreg.blobs.known import Known
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.opening import extra_of, open_store, shown
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.replicating import Copied, replicate
from gitreg.blobs.saving import Saving
from gitreg.blobs.source import Source
from gitreg.blobs.store import LeftClaim, Store
from gitreg.blobs.stores import Stores
from gitreg.blobs.verifying import verify

__all__ = [
    "NO_PROGRESS",
    "Cache",
    "Copied",
    "FileEntry",
    "Known",
    "LeftClaim",
    "LocalFile",
    "Manifest",
    "Progress",
    "Saving",
    "Source",
    "Store",
    "Stores",
    "check_path",
    "check_paths",
    "collect",
    "describe",
    "extra_of",
    "open_store",
    "replicate",
    "shown",
    "verify",
]

"""The blob store: content-addressed, deduplicated sets of files in a bucket, their manifests, and the local cache."""

from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.cache.stat_cache import StatCache
from gitreg.blobs.files import FileEntry, LocalFile, check_path, check_paths, collect
from gitreg.blobs.hashing import describe
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.reader import StoreReader
from gitreg.blobs.replicas import Replicas
from gitreg.blobs.replication import Copied, replicate
from gitreg.blobs.save import StoreWriter
from gitreg.blobs.store import Store, StoredClaim
from gitreg.blobs.urls import extra_of, open_store, shown
from gitreg.blobs.verify import verify

__all__ = [
    "NO_PROGRESS",
    "Cache",
    "Copied",
    "FileEntry",
    "LocalFile",
    "Manifest",
    "Progress",
    "Replicas",
    "StatCache",
    "Store",
    "StoreReader",
    "StoreWriter",
    "StoredClaim",
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

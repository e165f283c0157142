"""The weight store: whole files by their sha256, the cache of a machine, and the manifests that name a set of files."""

from gitreg.blobs.cache import Cache
from gitreg.blobs.files import FileEntry, LocalFile, check_path, check_paths, collect
from gitreg.blobs.hashing import describe
from gitreg.blobs.manifest import manifest_digest, manifest_text, parse_manifest
from gitreg.blobs.opening import open_store
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.store import BlobStore, Swept

__all__ = [
    "NO_PROGRESS",
    "BlobStore",
    "Cache",
    "FileEntry",
    "LocalFile",
    "Progress",
    "Swept",
    "check_path",
    "check_paths",
    "collect",
    "describe",
    "manifest_digest",
    "manifest_text",
    "open_store",
    "parse_manifest",
]

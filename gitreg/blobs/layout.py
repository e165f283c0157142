"""Where things lie in a bucket: the keys of a store (schemas/README.md, "The store")."""

from __future__ import annotations

import re

from gitreg.blobs.manifest import Manifest
from gitreg.errors import InvalidInput

MARKER = "gitreg-store"
"""The key of the mark that a store carries, so that a disk that is not mounted is not taken for a new one."""
BLOBS = "sha256/"
PACKS = "packs/"
RECIPES = "recipes/"
CLAIMS = "claims/"
HOLDS = "holds/"
DAMAGED = "damaged/"
TRASH = "trash/"

SMALL = 1 << 20
"""Files below this size, in bytes, go into a pack where there are several."""
BIG = 32 << 20
"""Files and packs from this size, in bytes, are cut into chunks."""


_HEX = re.compile(r"[0-9a-f]{64}")
_OF_PACK = ".pack"


def blob(sha256: str) -> str:
    """Give the key of bytes that are named by their own sha256: a file, a chunk of one, a manifest."""
    return _key(BLOBS, sha256)


def pack(manifest: str) -> str:
    """Give the key of the small files of the artifact whose manifest has this sha256."""
    return _key(PACKS, manifest)


def recipe(sha256: str) -> str:
    """Give the key of the list of chunks that make up the file with this sha256."""
    return _key(RECIPES, sha256)


def pack_recipe(manifest: str) -> str:
    """Give the key of the list of chunks that make up a pack."""
    return _key(RECIPES, manifest) + _OF_PACK


def names_others(key: str) -> bool:
    """Whether the object under a key is whole only together with others, which it names."""
    return key.startswith(RECIPES)


def is_weights(key: str) -> bool:
    """Whether a key is exactly one of those that `blob`, `pack`, `recipe` and `pack_recipe` give."""
    digest = digest_in(key)
    return digest is not None and key in (blob(digest), pack(digest), recipe(digest), pack_recipe(digest))


def is_pack(key: str) -> bool:
    """Whether a key is that of a pack, or of a pack's recipe: named after a set, not after their bytes."""
    return key.startswith(PACKS) or key.endswith(_OF_PACK)


def digest_in(key: str) -> str | None:
    """Give the sha256 that a key of ours ends in; None where it is no key of ours."""
    name = key.rpartition("/")[2].removesuffix(_OF_PACK)
    return name if _HEX.fullmatch(name) else None


def _key(folder: str, digest: str) -> str:
    if not _HEX.fullmatch(digest):
        raise InvalidInput(f"{digest!r} is no sha256", hint="give its 64 hexadecimal digits, in lower case")
    return f"{folder}{digest[:2]}/{digest}"


def may_be_packed(manifest: Manifest) -> bool:
    """Whether a set has several small files, so that it has a pack."""
    small = (entry for entry in manifest.files if entry.size < SMALL)
    return next(small, None) is not None and next(small, None) is not None  # asked for each file: no look at them all

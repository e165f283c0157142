"""The layout of a store: the keys of its objects (schemas/README.md, "The store")."""

from __future__ import annotations

import re

from gitreg.blobs.manifest import Manifest
from gitreg.errors import InvalidInput

MARKER = "gitreg-store"
"""The key of a store's marker, which distinguishes an unmounted disk from a new store."""
BLOBS = "sha256/"
PACKS = "packs/"
RECIPES = "recipes/"
CLAIMS = "claims/"
HOLDS = "holds/"
DAMAGED = "damaged/"
TRASH = "trash/"

SMALL = 1 << 20
"""Size in bytes; several files below it share a pack."""
BIG = 32 << 20
"""Size in bytes; files and packs of at least this size are cut into chunks."""


_HEX = re.compile(r"[0-9a-f]{64}")
_OF_PACK = ".pack"


def blob(sha256: str) -> str:
    """Return the key of bytes named by their own sha256: a file, a chunk, a manifest."""
    return _key(BLOBS, sha256)


def pack(manifest: str) -> str:
    """Return the key of the pack of an artifact's small files, by the sha256 of its manifest."""
    return _key(PACKS, manifest)


def recipe(sha256: str) -> str:
    """Return the key of the recipe of the file with this sha256."""
    return _key(RECIPES, sha256)


def pack_recipe(manifest: str) -> str:
    """Return the key of the recipe of a pack, by the sha256 of the artifact's manifest."""
    return _key(RECIPES, manifest) + _OF_PACK


def names_others(key: str) -> bool:
    """Return whether the object at a key refers to other objects, without which it is incomplete: a recipe."""
    return key.startswith(RECIPES)


def is_weights(key: str) -> bool:
    """Return whether a key is one that `blob`, `pack`, `recipe` or `pack_recipe` returns."""
    digest = digest_in(key)
    return digest is not None and key in (blob(digest), pack(digest), recipe(digest), pack_recipe(digest))


def is_pack(key: str) -> bool:
    """Return whether a key is that of a pack or of a pack's recipe: named after a manifest, not after its own bytes."""
    return key.startswith(PACKS) or key.endswith(_OF_PACK)


def digest_in(key: str) -> str | None:
    """Return the sha256 at the end of a key; None if it is not a key of a store."""
    name = key.rpartition("/")[2].removesuffix(_OF_PACK)
    return name if _HEX.fullmatch(name) else None


def _key(folder: str, digest: str) -> str:
    if not _HEX.fullmatch(digest):
        raise InvalidInput(f"{digest!r} is no sha256", hint="give its 64 hexadecimal digits, in lower case")
    return f"{folder}{digest[:2]}/{digest}"


def may_be_packed(manifest: Manifest) -> bool:
    """Return whether a set has at least two small files, so that they are stored as a pack."""
    small = (entry for entry in manifest.files if entry.size < SMALL)
    return next(small, None) is not None and next(small, None) is not None  # called for each file: stops at the second

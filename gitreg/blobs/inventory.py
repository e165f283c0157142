"""The check which files of many sets a bucket has; only recipes are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gitreg.blobs import keys as layout
from gitreg.blobs.buckets.bucket import NoSuchObjectError, ObjectReader
from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.pack import pack_size
from gitreg.blobs.format.recipe import Chunk, parse_recipe
from gitreg.blobs.manifest import Manifest
from gitreg.errors import InvalidDocument


def missing_of(manifests: Sequence[Manifest], objects: ObjectReader) -> dict[str, list[FileEntry]]:
    """Return the missing files of each set, by the digest of its manifest; complete sets are left out.

    Each file is searched at its expected key first, and at its other possible keys only if it is not found there.
    """
    sizes = {layout.blob(entry.sha256): entry.size for manifest in manifests for entry in manifest.files}
    packs = {layout.pack(each.hex): _pack_size(each) for each in manifests if layout.may_be_packed(each)}
    sizes |= packs
    alone = {entry for manifest in manifests for entry in manifest.files if entry.size >= layout.SMALL}
    present = _present(packs.keys() | {_expected(entry) for entry in alone}, sizes, objects)

    second = {layout.pack_recipe(hex_) for hex_ in map(layout.digest_in, packs.keys() - present) if hex_}
    second |= {_second(entry) for entry in alone if _expected(entry) not in present}
    present |= _present(second, sizes, objects)

    loose = {
        layout.blob(entry.sha256)
        for manifest in manifests
        if not _pack_in(present, manifest)
        for entry in manifest.files
        if entry.size < layout.SMALL
    }
    present |= _present(loose, sizes, objects)
    return {
        manifest.digest: absent
        for manifest in manifests
        if (absent := [entry for entry in manifest.files if not _lies_in(present, manifest, entry)])
    }


def _pack_size(manifest: Manifest) -> int:
    return pack_size(Chunk(entry.sha256, entry.size) for entry in manifest.files if entry.size < layout.SMALL)


def _expected(entry: FileEntry) -> str:
    return layout.recipe(entry.sha256) if entry.size >= layout.BIG else layout.blob(entry.sha256)


def _second(entry: FileEntry) -> str:
    return layout.blob(entry.sha256) if entry.size >= layout.BIG else layout.recipe(entry.sha256)


def _present(keys: set[str], sizes: Mapping[str, int], objects: ObjectReader) -> set[str]:
    """Return the keys that exist with the right size; of recipes, those whose chunks all exist too."""
    present = _found(keys, sizes, objects)
    chunks: dict[str, dict[str, int]] = {}
    for key in sorted(present):
        if key.startswith(layout.RECIPES):
            try:
                chunks[key] = {layout.blob(c.sha256): c.size for c in parse_recipe(objects.read(key))}
            except (InvalidDocument, NoSuchObjectError):
                present.remove(key)
    wanted = {key: size for needed in chunks.values() for key, size in needed.items()}
    found = _found(wanted.keys(), wanted, objects) if wanted else set()
    return present - {key for key, needed in chunks.items() if not needed.keys() <= found}


def _found(keys: Collection[str], sizes: Mapping[str, int], objects: ObjectReader) -> set[str]:
    found = objects.find(sorted(keys)) if keys else {}
    return {key for key, info in found.items() if info.size == sizes.get(key, max(0, info.size))}


def _pack_in(present: set[str], manifest: Manifest) -> bool:
    return layout.pack(manifest.hex) in present or layout.pack_recipe(manifest.hex) in present


def _lies_in(present: set[str], manifest: Manifest, entry: FileEntry) -> bool:
    if layout.blob(entry.sha256) in present or layout.recipe(entry.sha256) in present:
        return True
    return entry.size < layout.SMALL and layout.may_be_packed(manifest) and _pack_in(present, manifest)

"""The tensors in safetensors files, read from the headers alone (8 bytes of length, then JSON)."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO

from gitreg.blobs import keys
from gitreg.blobs.fsspec_filesystem import ResolvedPath, open_by_parts
from gitreg.cards.values import TensorInfo
from gitreg.errors import GitregError

if TYPE_CHECKING:
    from gitreg.blobs.manifest import Manifest
    from gitreg.sdk.registry import Registry

_LONGEST_HEADER = 16 * 1024 * 1024  # bytes; the format's own limit is 100 MB, too much for a card
_MOST_FILES = 64
_LONGEST_NAME = 300  # characters


def tensors_of(registry: Registry, manifest: Manifest) -> list[TensorInfo]:
    """Return the tensors in the safetensors files of a manifest.

    Every byte is verified, as in :mod:`gitreg.blobs.fsspec_filesystem`. A file that cannot be read adds no tensors,
    nor does a large file of which the store cannot return a part, since that would download all of it.
    """
    found = ResolvedPath(manifest, lambda: registry.session.stores, registry.session.environment.cache())
    tensors: list[TensorInfo] = []
    files = [entry for entry in manifest.files if entry.path.endswith(".safetensors")]
    for entry in files[:_MOST_FILES]:
        try:
            file: BinaryIO | None = open_by_parts(found, entry)
            if file is None and entry.size < keys.BIG:
                file = found.cache.open(manifest, registry.session.stores, entry.path)
            if file is not None:
                with closing(file):
                    tensors += _read_header(file)
        except (GitregError, OSError):  # the card's checks report it
            continue
    return tensors


def _read_header(file: BinaryIO) -> list[TensorInfo]:
    """Return the tensors that a header lists; an empty list if the header is invalid."""
    length = int.from_bytes(file.read(8), "little")
    if length > _LONGEST_HEADER:
        return []
    try:
        header: dict[str, Any] = json.loads(file.read(length))
        return [
            TensorInfo(name[:_LONGEST_NAME], str(each["dtype"])[:_LONGEST_NAME], [int(n) for n in each["shape"][:64]])
            for name, each in header.items()
            if name != "__metadata__"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return []

"""The lists of this user, each in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gitreg.blobs.file_io import replacing, write_all
from gitreg.blobs.os_errors import readable_os_errors

_DENIED = "set XDG_CONFIG_HOME to a folder that you may write to"


def read_list(path: Path) -> list[Any]:
    """Return the items of a file; an empty list if it is missing or damaged."""
    with suppress(OSError, ValueError, RecursionError):
        data = json.loads(path.read_text())
        return data if isinstance(data, list) else []
    return []


def write_list(path: Path, items: Sequence[Any]) -> None:
    """Write a list into a file, replacing it atomically."""
    with readable_os_errors("note what you trust", path, _DENIED):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as descriptor:
            write_all(descriptor, json.dumps(items, indent=1).encode() + b"\n", 0)

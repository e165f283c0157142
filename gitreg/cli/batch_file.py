"""The file of a batch: a list of versions to save."""

from __future__ import annotations

import sys
from pathlib import Path

from gitreg.documents.schemas import check
from gitreg.documents.yaml import loads
from gitreg.errors import NotFound
from gitreg.sdk.verbs.save import Saving, sources


def read_batch(path: str) -> list[Saving]:
    """Return the versions to save that a YAML or JSON file lists (schemas/batch.schema.json).

    Parameters
    ----------
    path:
        The path of the file; ``-`` is standard input.

    Raises
    ------
    InvalidDocument
        The file is not such a list.
    NotFound
        The file cannot be read.
    """
    where = "standard input" if path == "-" else path
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise NotFound(f"cannot read {where}: {error.strerror}", hint="--batch names a file, or - for input") from None
    listed = loads(content, where, as_written=True)
    check("batch", listed, where)
    savings = []
    for each in listed:
        kind = each.get("type", "model")
        artifacts = {name: Path(artifact) for name, artifact in each.get("artifacts", {}).items()}
        found = sources(kind, list(map(Path, each.get("paths", ()))), artifacts)
        fields = {name: each[name] for name in ("metadata", "tags", "description", "inputs", "stage") if name in each}
        savings.append(Saving(each["model"], found, kind, **fields))
    return savings

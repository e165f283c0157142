"""The fast writer of documents with long lists of files, which it writes without the YAML emitter.

`dumps` returns byte for byte the same as :func:`gitreg.documents.yaml.dumps` (a record of 1,000 files: 1 ms, not 24).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitreg.documents import yaml

_STANDS_FOR = "files-of-artifact-"
# Paths that need no quotes. No scalar that YAML 1.1 or 1.2 reads as something else than text has a slash; one that
# begins with a letter has no dot and is not longer than "false". Keys over 128 bytes are written in another style.
_PATH = re.compile(r"(?=[^/]*/|[A-Za-z_](?:[^.]*\.|.{5}))[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}")
# Digests that need no quotes: 64 hexadecimal digits are a number only if all are decimal digits, "e" or "b".
_SHA256 = re.compile(r"(?=[0-9be]*[acdf])[0-9a-f]{64}")


def dumps(data: Mapping[str, Any]) -> bytes:
    """Return a document in the canonical form; see :func:`gitreg.documents.yaml.dumps`."""
    artifacts = data.get("artifacts")
    if not isinstance(artifacts, Mapping):
        return yaml.dumps(data)
    tables: dict[str, str] = {}
    short: dict[Any, Any] = {}
    for name, artifact in artifacts.items():
        short[name] = artifact
        if isinstance(artifact, Mapping) and (table := _table(artifact.get("files"))) is not None:
            stand_in = f"{_STANDS_FOR}{len(tables)}"
            short[name] = {**artifact, "files": stand_in}
            tables[f"\n    files: {stand_in}\n"] = f"\n    files:\n{table}"
    text = yaml.dumps({**data, "artifacts": short}).decode()
    for line, table in tables.items():
        if text.count(line) != 1:  # another value of the document equals the placeholder
            return yaml.dumps(data)
        text = text.replace(line, table)
    return text.encode()


def _table(files: Any) -> str | None:
    """Return the lines of a list of files; None if it is empty, or the emitter is needed to write it."""
    if not isinstance(files, Mapping) or not files:
        return None
    lines = []
    for path, entry in files.items():
        if type(path) is not str or not _PATH.fullmatch(path):
            return None
        if type(entry) is not dict or list(entry)[:2] != ["size", "sha256"]:
            return None
        size, sha256 = entry["size"], entry["sha256"]
        if type(size) is not int or type(sha256) is not str or not _SHA256.fullmatch(sha256):
            return None
        lines.append(f"      {path}:\n        size: {size}\n        sha256: {sha256}\n")
        if len(entry) > 2:
            if len(entry) > 3 or entry.get("executable") is not True:
                return None
            lines.append("        executable: true\n")
    return "".join(lines)

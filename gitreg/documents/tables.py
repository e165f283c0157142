"""Writing a document whose artifacts list many files: the lists are most of it, and need no YAML emitter.

`dumps` gives, byte for byte, what :func:`gitreg.documents.yaml.dumps` gives (a record of 1,000 files: 1 ms, and 24).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitreg.documents import yaml

_STANDS_FOR = "files-of-artifact-"
# Each of these is written as it is. Of what YAML 1.1 or 1.2 takes for something else than text, nothing holds a slash,
# and what begins with a letter holds no dot and is no longer than "false". Keys over 128 bytes are written otherwise.
_PATH = re.compile(r"(?=[^/]*/|[A-Za-z_](?:[^.]*\.|.{5}))[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}")
# Sixty-four hexadecimal digits can be a number only where they are digits, with an "e" or, after a zero, a "b".
_SHA256 = re.compile(r"(?=[0-9be]*[acdf])[0-9a-f]{64}")


def dumps(data: Mapping[str, Any]) -> bytes:
    """Write a document in the canonical form; see :func:`gitreg.documents.yaml.dumps`."""
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
        if text.count(line) != 1:  # somebody says these very words elsewhere
            return yaml.dumps(data)
        text = text.replace(line, table)
    return text.encode()


def _table(files: Any) -> str | None:
    """Write what each file is; None where the emitter would have to be asked how, or there are none."""
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

"""What is signed when somebody approves a version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NAMESPACE = "gitreg"
"""What the signature is for: one that the same key made for Git, or a login, is none here."""


def statement(document: Mapping[str, Any]) -> bytes:
    """Give what an approval's signature is over: all its other fields, as ``jq -cS 'del(.signature)'`` prints them."""
    said = {field: value for field, value in document.items() if field != "signature"}
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"

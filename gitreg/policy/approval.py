"""The statement that an approval signs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NAMESPACE = "gitreg"
"""The namespace of the SSH signature: a signature that the same key made for Git or a login does not count here."""


def statement(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that an approval signs: all its other fields, as ``jq -cS 'del(.signature)'`` prints them."""
    signed_fields = {field: value for field, value in document.items() if field != "signature"}
    return json.dumps(signed_fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"

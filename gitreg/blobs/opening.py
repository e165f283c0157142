"""From the URL in a registry to the store."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from gitreg.blobs.folder import FolderBucket
from gitreg.blobs.store import Store
from gitreg.errors import InvalidInput

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def open_store(url: str) -> Store:
    """Open the store at ``file:///...`` or at an absolute path; nothing is read or made yet.

    Raises
    ------
    InvalidInput
        Another scheme, a chain of schemes (``::``), or a relative path.
    """
    hint = "give an absolute path or file:///..."
    scheme = _SCHEME.match(url)
    if "::" in url and scheme:
        raise InvalidInput(f"gitreg does not open chained stores: {url!r}", hint=hint)
    if scheme and scheme[1].lower() != "file":
        raise InvalidInput(f"gitreg does not open {scheme[1]}:// stores; known: file", hint=hint)
    path = url
    if scheme:
        host, slash, rest = url[scheme.end() :].removeprefix("//").partition("/")
        if host or not url[scheme.end() :].startswith("//"):
            raise InvalidInput(f"{url!r} names a machine, or no absolute path", hint=hint)
        path = unquote(slash + rest, errors="surrogateescape")
    if not path.startswith("/") or "\0" in path:
        raise InvalidInput(f"store {url!r} is no absolute path", hint=hint)
    return Store(FolderBucket(Path(path)))

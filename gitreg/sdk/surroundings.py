"""What surrounds a run: Python, the platform, the packages, the command, the code."""

from __future__ import annotations

import platform
import re
import shlex
import sys
from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING, Any

from gitreg.git.source import patch_of, source_of

if TYPE_CHECKING:
    from gitreg.sdk.opened import OpenRegistry


def environment() -> dict[str, Any]:
    """Give Python's version, the platform, and the installed packages with theirs."""
    packages = {}
    for each in metadata.distributions():
        # `name` and `version` parse the whole file as an e-mail, which takes ten times as long.
        head = (each.read_text("METADATA") or each.read_text("PKG-INFO") or "").partition("\n\n")[0]
        name, version = (re.search(rf"(?m)^{field}: *(\S+)", head) for field in ("Name", "Version"))
        if name and version:
            packages[name[1]] = version[1]
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def this_command() -> tuple[str, ...]:
    """Give the command that this process was started by."""
    return tuple(sys.orig_argv)


def spelled(words: tuple[str, ...]) -> str:
    """Give a command as it would be typed."""
    return shlex.join(words)


def source(registry: OpenRegistry) -> dict[str, Any] | None:
    """Give the code that the current folder holds, as a record says it."""
    found = source_of(registry.ambient.folder, env=registry.ambient.env, but=registry.ledger.ref)
    return {key: value for key, value in asdict(found).items() if value is not None} if found else None


def patch(registry: OpenRegistry) -> str | None:
    """Give what the code in the current folder changes beside its commit; None where it changes nothing."""
    return patch_of(registry.ambient.folder, env=registry.ambient.env) or None

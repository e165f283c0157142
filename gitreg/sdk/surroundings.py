"""What surrounds a run: Python, the platform, the packages, the command, the code."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gitreg.git.source import patch_of, source_of

if TYPE_CHECKING:
    from gitreg.sdk.opened import OpenRegistry


def environment() -> dict[str, Any]:
    """Give Python's version, the platform, and the installed packages with theirs."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(_packages(), key=lambda item: item[0].lower())),
    }


def _packages() -> Iterator[tuple[str, str]]:
    """Give the installed packages by the names of their folders, which the wheel format (PEP 427) prescribes.

    To read each one's metadata, as importlib.metadata does, takes as long as a short run.
    """
    seen = set()
    for folder in sys.path:
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for entry in names:
            name, _, version = entry.removesuffix(".dist-info").partition("-")
            if entry.endswith(".dist-info") and version and name not in seen:  # the first on the path is imported
                seen.add(name)
                yield name.replace("_", "-"), version


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

"""The environment of a run: Python, the platform, the packages, the command, the code."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING, Any

from gitreg.documents.files import read_data
from gitreg.documents.layout import REGISTRY_FILE, Key
from gitreg.errors import InvalidDocument
from gitreg.git.code_revision import patch_of, source_of

if TYPE_CHECKING:
    from gitreg.git import Repository
    from gitreg.sdk.session import Session


def environment() -> dict[str, Any]:
    """Return the version of Python, the platform, and the installed packages with their versions."""
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
    """Return the command that started this process."""
    return tuple(sys.orig_argv)


def spelled(words: tuple[str, ...]) -> str:
    """Return a command as a line for a shell."""
    return shlex.join(words)


def source(registry: Session) -> dict[str, Any] | None:
    """Return the code revision of the current folder as a record states it; None if it is the registry itself."""

    def is_code(repository: Repository, commit: str) -> bool:
        return not _is_checked_out(registry, repository, commit)

    found = source_of(registry.environment.folder, env=registry.environment.env, is_code=is_code)
    return {key: value for key, value in asdict(found).items() if value is not None} if found else None


def _is_checked_out(registry: Session, repository: Repository, commit: str) -> bool:
    """Return whether a repository has the registry checked out at a commit: the open one, or another clone of it.

    A registry in a folder of the code's own branch does not count: the code is checked out with it.
    """
    branch = registry.branch
    if branch.root:
        return False
    if repository.head_branch() == branch.ref and os.path.samefile(repository.common_dir, branch.repository.common_dir):
        return True
    content, identity = repository.read(commit, REGISTRY_FILE), registry.snapshot().settings.id
    if content is None or identity is None:
        return False
    with suppress(InvalidDocument):
        return bool(read_data(Key("registry"), content).get("id") == identity)
    return False


def patch(registry: Session) -> str | None:
    """Return the uncommitted changes of tracked files in the current folder's repository as a patch; None if none."""
    return patch_of(registry.environment.folder, env=registry.environment.env) or None

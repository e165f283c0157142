"""The distribution that gitreg comes in: the name by which pip installs it, its version, and hints that name it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "git-model-registry"
"""The one name to install; ``gitreg`` on the package index is a stranger's."""


def requirement(*extras: str) -> str:
    """Return what pip calls the distribution, with the extras that are not empty."""
    chosen = ",".join(sorted({extra for extra in extras if extra}))
    return f"{NAME}[{chosen}]" if chosen else NAME


def install_command(extra: str) -> str:
    """Return the command that installs the packages of an extra, whatever gitreg itself was installed from."""
    distribution = _installed()
    texts = (distribution.requires or []) if distribution else []
    names = [re.split(r"[^\w.-]", text)[0] for text in texts if re.search(rf"extra == ['\"]{extra}['\"]", text)]
    return f"pip install {' '.join(names) or shlex.quote(requirement(extra))}"


def installed_version() -> str | None:
    """Return the version of the installed distribution; None where the code runs without being installed."""
    distribution = _installed()
    return distribution.version if distribution else None


def _installed() -> Distribution | None:
    from importlib import metadata  # takes longer than Python to start

    try:
        return metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        return None

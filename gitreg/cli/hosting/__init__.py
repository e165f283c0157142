"""Texts for Git hosts: pipelines, and rules, with the registry's own names filled in.

The texts lie beside this module, as they are, for people to read; ``@NAME@`` in them stands for a value.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from gitreg.errors import InvalidInput
from gitreg.registry.review.forges import host_of

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry

PIPELINES = {"github": ".github/workflows/gitreg.yml", "gitlab": ".gitlab-ci.yml"}
"""Where each host looks for its pipeline, in the repository."""
RULES = ("github", "gitlab", "gitea")
"""The hosts whose rules are known."""

_PLAIN = re.compile(r"[\w./+-]+")


def stores(registry: Registry) -> list[str]:
    """Return the URLs of the stores that a registry names, the first of them its own."""
    settings = registry.session.snapshot().settings
    return [url for url in (settings.store, *settings.replicas) if url is not None]


def pipeline(registry: Registry, host: str, *, install: str) -> str:
    """Return the pipeline that a host runs for a registry.

    Parameters
    ----------
    install:
        The requirement by which its jobs install gitreg.

    Raises
    ------
    InvalidInput
        A name of the registry's cannot stand in a pipeline.
    """
    urls = stores(registry)
    trust = f"gitreg trust {shlex.join(urls)}" if urls else "true # gitreg.yaml names no store"
    return _fill(registry, f"ci-{host}.yml", TRUST=trust, INSTALL=f"pip install {shlex.quote(install)}")


def rules(registry: Registry, host: str) -> str:
    """Return the rules that a host should be given for a registry, as a shell script.

    Raises
    ------
    InvalidInput
        The registry's remote is at no host, or a name cannot stand in a script.
    """
    settings = registry.session.snapshot().settings
    remote = settings.remote or "origin"
    url = registry.session.branch.repository.remotes.url(remote)
    if url is None:
        raise InvalidInput(
            f"there is no remote {remote}: the rules name the repository on its Git host",
            hint=f"`git remote add {remote} URL`, then `gitreg remote set {remote}` publishes the registry",
        )
    found = host_of(url, {})
    if found is None:
        raise InvalidInput(
            f"the remote {remote} is not on a Git host",
            hint=f"`git remote set-url {remote} URL` names one",
        )
    folder = f"/{registry.session.branch.root}" if registry.session.branch.root else ""
    owners = [
        f"{folder}/gitreg.yaml  @your/maintainers",
        *(f"{folder}/models/**/stages/{stage}.yaml  @your/{stage}-approvers" for stage in settings.stages),
    ]
    return _fill(
        registry,
        f"protect-{host}.sh",
        HOST=found.name,
        PATH=found.path,
        ID=quote(found.path, safe=""),
        BRANCH_ID=quote(registry.session.branch.name, safe=""),
        CODEOWNERS="\n".join(owners),
    )


def _fill(registry: Registry, name: str, **values: str) -> str:
    """Fill a text in; what a registry calls its branch, stages and folder must not end a quotation there."""
    settings, branch = registry.session.snapshot().settings, registry.session.branch
    names = {
        "BRANCH": branch.name,
        "PREFIX": settings.prefix,
        "STAGE": settings.stages[-1] if settings.stages else "production",
        "FOLDER": f"{branch.root}/" if branch.root else "",
    }
    for placeholder, value in (names | {key: values[key] for key in ("HOST", "PATH") if key in values}).items():
        if value and not _PLAIN.fullmatch(value):
            raise InvalidInput(
                f"the {placeholder.lower()} {value!r} cannot stand in a script as it is", hint="write that file by hand"
            )
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    for placeholder, value in (names | values).items():
        text = text.replace(f"@{placeholder}@", value)
    return text

"""The requirement by which jobs elsewhere install the gitreg that runs here, from its installation (PEP 610)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gitreg.distribution import NAME, requirement
from gitreg.errors import GitregError
from gitreg.git import Repository


def running_requirement(*extras: str, env: Mapping[str, str]) -> str:
    """Return the requirement by which pip installs this gitreg elsewhere, with extras of it.

    From a package index it is pinned to the version; from a repository to the commit; from an archive to its URL and
    hash. A folder is the commit that its work tree is at, at the remote ``origin`` if it has one.
    """
    name = requirement(*extras)
    try:
        distribution = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:  # it runs from its sources
        return f"{name} @ {_folder_url(_sources(), env)}"
    origin: dict[str, Any] = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not origin:
        return f"{name}=={distribution.version}"
    url = str(origin["url"])
    if "dir_info" in origin:
        return f"{name} @ {_folder_url(Path(unquote(urlsplit(url).path)), env)}"
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
        return f"{name} @ {_with_fragment(url, subdirectory=origin.get('subdirectory'))}"
    hashes = origin["archive_info"].get("hashes") or {}
    return f"{name} @ {_with_fragment(url, subdirectory=origin.get('subdirectory'), sha256=hashes.get('sha256'))}"


def _folder_url(folder: Path, env: Mapping[str, str]) -> str:
    """Return the URL of a folder at the commit of its work tree; of the folder itself where no commit has it."""
    clean_env = {name: value for name, value in env.items() if not name.startswith("GIT_")}
    try:
        repository = Repository.discover(folder, env=clean_env)
    except GitregError:
        return folder.as_uri()
    with repository:
        commit = repository.read_ref(repository.head_branch() or "HEAD")
        top = repository.work_tree
        if commit is None or top is None:
            return folder.as_uri()
        within = folder.resolve().relative_to(top.resolve()).as_posix()
        if repository.read(commit, "pyproject.toml" if within == "." else f"{within}/pyproject.toml") is None:
            return folder.as_uri()
        remote = repository.remotes.url("origin")
    url = f"git+{_as_url(remote, top) if remote else top.as_uri()}@{commit}"
    return _with_fragment(url, subdirectory=None if within == "." else within)


def _as_url(address: str, top: Path) -> str:
    """Return the address of a remote as pip takes it: a URL, with the user that Git hosts have for SSH.

    Parameters
    ----------
    top:
        The work tree, from which a relative path starts.
    """
    if "://" in address:
        return address.replace("ssh://", "ssh://git@", 1) if address.startswith("ssh://") else address
    host, colon, path = address.partition(":")
    if colon and "/" not in host:
        return f"ssh://{host if '@' in host else f'git@{host}'}/{path.removeprefix('/')}"
    return (top / address).resolve().as_uri()


def _with_fragment(url: str, **values: str | None) -> str:
    fragment = "&".join(f"{key}={value}" for key, value in values.items() if value)
    return f"{url}#{fragment}" if fragment else url


def _sources() -> Path:
    return Path(__file__).parents[3]

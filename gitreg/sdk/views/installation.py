"""The installation for a bug report: versions, the registry that is found and why, folders, variables."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from gitreg.blobs.cache.prune import cached_artifacts
from gitreg.blobs.urls import shown
from gitreg.distribution import NAME, installed_version
from gitreg.errors import GitregError
from gitreg.git.program import find_git
from gitreg.git.urls import hide_login
from gitreg.registry.discovery.location import RegistryRoot, spelled_place
from gitreg.registry.discovery.mirrors import is_address
from gitreg.sdk.environment import REGISTRY_VARIABLE, VARIABLES, Environment
from gitreg.sdk.registry import Registry

_FRAMEWORKS = (
    "numpy", "pandas", "polars", "pyarrow", "scikit-learn", "xgboost", "xgboost-cpu", "lightgbm", "torch",
    "safetensors", "transformers", "sentence-transformers", "onnx", "keras", "metaflow", "mlflow", "zenml",
)  # fmt: skip
_SECRET = re.compile("TOKEN|SECRET|PASSWORD")


def describe(environment: Environment, repo: str | None) -> dict[str, Any]:
    """Return the facts, without logins and tokens, as plain data; no remote and no store is contacted.

    Parameters
    ----------
    repo:
        The registry that an option names; None takes GITREG_REGISTRY, else the current folder and those above it.
    """
    return {
        "gitreg": installed_version(),
        "python": f"{platform.python_version()} ({sys.executable})",
        "git": _git_version(environment),
        "platform": platform.platform(),
        "libraries": dict(_libraries()),
        "registry": _registry(environment, repo),
        "cache": _cache(environment),
        "config": str(environment.config_folder),
        "variables": {
            variable.name: "***" if _SECRET.search(variable.name) else hide_login(environment.env[variable.name])
            for variable in VARIABLES
            if variable.name in environment.env
        },
    }


def _git_version(environment: Environment) -> str | None:
    """Return the version of git and the path of the program; None where there is none."""
    git = find_git(environment.env)
    if git is None:
        return None
    version = git.run("version", cwd=environment.folder).stdout.decode(errors="replace")
    return f"{version.removeprefix('git version ').strip()} ({git.path})"


def _libraries() -> Iterator[tuple[str, str | None]]:
    """Yield the requirements and those of extras with their versions, None if absent, then the frameworks found."""

    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    try:
        requirements = requires(NAME) or ()
    except PackageNotFoundError:  # the code runs without being installed
        requirements = ()
    names = dict.fromkeys(re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements)
    yield from ((name, installed(name)) for name in names if name != NAME)
    for name in _FRAMEWORKS:
        if name not in names and (found := installed(name)) is not None:
            yield name, found


def _registry(environment: Environment, repo: str | None) -> dict[str, Any]:
    """Return where the registry is and why it is this one; ``error`` if none is found."""
    named = repo if repo is not None else environment.env.get(REGISTRY_VARIABLE)
    if repo is not None:
        why = "--repo"
    elif named:
        why = REGISTRY_VARIABLE
    else:
        why = "GIT_DIR" if environment.env.get("GIT_DIR") else "the current folder, upwards"
    facts: dict[str, Any] = {"folder": None, "branch": None, "store": None, "remote": None, "why": why, "error": None}
    if named and is_address(named):  # opening it would ask the remote
        return facts | {"folder": hide_login(named)}
    try:
        with Registry.open(repo) as registry:
            branch = registry.session.branch
            facts |= {"folder": str(registry.folder), "branch": spelled_place(RegistryRoot(branch.name, branch.root))}
            facts |= {"store": shown(registry.store_url), "remote": registry.session.snapshot().settings.remote}
    except GitregError as error:
        facts["error"] = hide_login(str(error))
    return facts


def _cache(environment: Environment) -> dict[str, Any]:
    """Return the folder of the cache, its size and its limit in bytes (None: a fifth of the disk)."""
    try:
        cache = environment.cache()
    except GitregError as error:  # GITREG_CACHE_SIZE is no size
        return {"folder": str(environment.cache_folder), "size": None, "limit": None, "error": str(error)}
    size = sum(each.size for each in cached_artifacts(cache.layout))
    return {"folder": str(environment.cache_folder), "size": size, "limit": cache.limit, "error": None}

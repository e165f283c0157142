"""Which code a folder holds: its commit, whether it was changed since, and where it is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from gitreg.errors import GitregError
from gitreg.git.config import without_filters
from gitreg.git.discovery import describe
from gitreg.git.program import find_git
from gitreg.git.repository import Repository


@dataclass(frozen=True)
class Source:
    """The code that was there.

    Parameters
    ----------
    repository:
        The URL of the remote ``origin``, without credentials; None where there is none.
    commit:
        The commit that is checked out.
    dirty:
        Whether tracked files differ from it; None where no git program could be asked.
    """

    repository: str | None
    commit: str
    dirty: bool | None


def source_of(
    folder: Path, *, env: Mapping[str, str], is_code: Callable[[Repository, str], bool] = lambda _, __: True
) -> Source | None:
    """Return the code that a folder holds; None outside a repository or before its first commit.

    Parameters
    ----------
    is_code:
        Returns whether what a repository has checked out, at a commit, is code; None is returned where it is not.
    """
    try:
        repository = Repository.discover(folder, env=env)
    except GitregError:
        return None
    with repository:
        commit = repository.read_ref(repository.head_branch() or "HEAD")
        top = repository.work_tree
        if commit is None or top is None or not is_code(repository, commit):
            return None
        git = find_git(env)
        if git is None:
            return Source(None, commit, None)
        status = git.run(
            *_where(repository, top), "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all",
            cwd=top, settings=without_filters(git, describe(repository.git_dir, found_at=top)),
        )  # fmt: skip
        remote = git.run(*_where(repository, top), "config", "--get", "remote.origin.url", cwd=top)
        url = remote.stdout.decode(errors="replace").strip()
        return Source(_public(url) or None, commit, bool(status.stdout) if status.returncode == 0 else None)


def patch_of(folder: Path, *, env: Mapping[str, str]) -> str:
    """Give what the tracked files of a work tree change beside its commit, as ``git apply`` takes it.

    Empty where nothing is changed, where there is no repository, and where no git program can be asked.
    """
    try:
        repository = Repository.discover(folder, env=env)
    except GitregError:
        return ""
    with repository:
        top, git = repository.work_tree, find_git(env)
        if top is None or git is None:
            return ""
        diff = git.run(
            *_where(repository, top), "diff", "HEAD",
            "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all",
            cwd=top, settings=without_filters(git, describe(repository.git_dir, found_at=top)),
        )  # fmt: skip
        return diff.stdout.decode(errors="replace") if diff.returncode == 0 else ""


def _where(repository: Repository, top: Path) -> tuple[str, str]:
    """Return the options that name a repository: found by GIT_DIR, it need not be where its files are."""
    return f"--git-dir={repository.git_dir}", f"--work-tree={top}"


def _public(url: str) -> str:
    """Leave user and password out of a URL (``git@host:path`` has no secret in it)."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

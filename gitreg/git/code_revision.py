"""The revision of the code in a folder: its commit, uncommitted changes, and the URL of its remote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitreg.errors import GitregError
from gitreg.git.config import without_filters
from gitreg.git.discovery import describe
from gitreg.git.program import find_git
from gitreg.git.repository import Repository
from gitreg.git.urls import hide_login


@dataclass(frozen=True)
class CodeRevision:
    """The revision of the code in a folder.

    Parameters
    ----------
    repository:
        The URL of the remote ``origin``, without credentials; None where there is none.
    commit:
        The id of the commit that is checked out.
    dirty:
        True if tracked files differ from the commit; None where there is no git program, or it fails.
    """

    repository: str | None
    commit: str
    dirty: bool | None


def source_of(
    folder: Path, *, env: Mapping[str, str], is_code: Callable[[Repository, str], bool] = lambda _, __: True
) -> CodeRevision | None:
    """Return the revision of the code in a folder; None outside a repository or before its first commit.

    Parameters
    ----------
    is_code:
        Returns whether the content of a repository at a commit is code; where not, None is returned.
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
            return CodeRevision(None, commit, None)
        status = git.run(
            *_where(repository, top), "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all",
            cwd=top, settings=without_filters(git, describe(repository.git_dir, found_at=top)),
        )  # fmt: skip
        remote = git.run(*_where(repository, top), "config", "--get", "remote.origin.url", cwd=top)
        url = remote.stdout.decode(errors="replace").strip()
        return CodeRevision(hide_login(url) or None, commit, bool(status.stdout) if status.returncode == 0 else None)


def patch_of(folder: Path, *, env: Mapping[str, str]) -> str:
    """Return the uncommitted changes of tracked files in a work tree, as a patch for ``git apply``.

    It is empty where nothing is changed, where there is no repository, and where there is no git program or it fails.
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
    """Return the git options that name a repository: with GIT_DIR set, it need not lie above its files."""
    return f"--git-dir={repository.git_dir}", f"--work-tree={top}"

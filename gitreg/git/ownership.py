"""The check of a repository's owner: the configuration of another user's repository is not used without consent.

It follows git's ensure_valid_ownership (setup.c; safe.directory in git-config(1)); dulwich has no such check. As git,
it asks nothing of a repository that GIT_DIR names, and takes root by sudo for the user who called it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gitreg.errors import Refused
from gitreg.git.discovery import RepositoryLayout
from gitreg.git.program import find_git


def check_owner(layout: RepositoryLayout, env: Mapping[str, str]) -> None:
    """Refuse a repository of another user, unless the user's Git configuration calls it safe.

    Raises
    ------
    Refused
        The repository belongs to another user.
    """
    if env.get("GIT_DIR") or not hasattr(os, "geteuid"):  # Windows: its owners are no numbers
        return
    us, sudo = os.geteuid(), env.get("SUDO_UID", "")
    ours = {us, int(sudo)} if us == 0 and sudo.isdecimal() else {us}
    folders = [folder for folder in (layout.work_tree, layout.git_dir, layout.common_dir) if folder is not None]
    if all(folder.stat().st_uid in ours for folder in folders):
        return
    from gitreg.git.config import read_config  # rarely needed: most repositories belong to the user

    safe: list[str] = []
    for value in read_config(find_git(env), env, None).get_all("safe.directory", from_user_only=True):
        safe = [*safe, value] if value else []  # an empty value clears the list
    if not any(_covers(pattern, folder, env) for pattern in safe for folder in folders):
        raise Refused(
            f"{folders[0]} belongs to another user",
            hint=f"if you trust it, run `git config --global --add safe.directory {folders[0]}`",
        )


def _covers(pattern: str, folder: Path, env: Mapping[str, str]) -> bool:
    if pattern.startswith("~/"):
        pattern = env.get("HOME", "") + pattern[1:]
    if pattern == "*" or (pattern.endswith("/*") and str(folder).startswith(pattern[:-1])):
        return True
    return os.path.realpath(pattern) == str(folder) if pattern.startswith("/") else False

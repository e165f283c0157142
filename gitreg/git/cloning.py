"""Clones of repositories, made without the git program."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.git.program import speaking_of_none
from gitreg.git.values import RefUpdate

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore

    from gitreg.git.repository import Repository

_TRACKING = "refs/remotes/origin/"


def clone_by_dulwich(url: str, path: Path, env: Mapping[str, str]) -> None:
    """Clone a repository with its work tree into a folder that is empty or does not exist, as ``git clone`` does.

    Files are written as they are in the commit: filters and conversion of line ends need the git program.

    Raises
    ------
    NotFound, Unreachable
        There is no repository at the address, or it does not answer; the folder is left as it was before.
    """
    there_before = path.exists()
    try:
        _clone(url, path, env)
    except BaseException:
        for left in path.iterdir() if path.exists() else ():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        if not there_before and path.exists():
            path.rmdir()
        raise


def _clone(url: str, path: Path, env: Mapping[str, str]) -> None:
    from dulwich.repo import Repo

    from gitreg.git.repository import Repository  # imported late: it imports this module

    path.mkdir(exist_ok=True)
    with Repo.init(str(path)) as made:
        settings = made.get_config()
        settings.set((b"remote", b"origin"), b"url", url.encode())
        settings.set((b"remote", b"origin"), b"fetch", f"+refs/heads/*:{_TRACKING}*".encode())
        settings.write_to_path()
        with Repository.discover(path, env=speaking_of_none(env)) as here:
            remote = here.remote_by_dulwich("origin")
            branch = remote.head()
            _pack_refs(here, remote.bring([f"+refs/heads/*:{_TRACKING}*", "refs/tags/*:refs/tags/*"]))
            _check_out(here, made.object_store, path, branch)


def _pack_refs(here: Repository, updates: Sequence[RefUpdate]) -> None:
    """Write the first refs of a repository into ``packed-refs``: 10,000 separate files would take a minute."""
    if updates:  # dulwich cannot read an empty file
        lines = [f"{update.new} {update.name}\n".encode("utf-8", "surrogateescape") for update in updates]
        lines.sort(key=lambda line: line.partition(b" ")[2])
        (here.common_dir / "packed-refs").write_bytes(b"# pack-refs with: sorted \n" + b"".join(lines))


def _check_out(here: Repository, store: DiskObjectStore, path: Path, branch: str | None) -> None:
    from dulwich.index import build_index_from_tree
    from dulwich.objects import ObjectID

    if branch is None or not branch.startswith("refs/heads/"):
        return
    short = branch.removeprefix("refs/heads/")
    (here.git_dir / "HEAD").write_text(f"ref: {branch}\n")
    commit = here.read_ref(f"{_TRACKING}{short}")
    if commit is None:
        return
    here.update_refs([RefUpdate(branch, commit, None)], reason="clone")
    tree = ObjectID(here.commit(commit).tree.encode())
    build_index_from_tree(str(path), str(here.git_dir / "index"), store, tree)

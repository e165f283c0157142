"""Creation of repositories: new ones as by ``git init``, clones and mirrors."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from gitreg.errors import AlreadyExists, GitregError
from gitreg.git.config import read_config
from gitreg.git.named_programs import way_to
from gitreg.git.program import find_git
from gitreg.git.remote.protocol import broken_off, hide_login
from gitreg.git.values import check_ref_name


def create(path: Path, branch: str, env: Mapping[str, str]) -> None:
    """Create a folder and in it a repository with a work tree, whose unborn branch has the given name.

    Raises
    ------
    AlreadyExists
        The folder is a repository already.
    InvalidInput
        The branch is not a valid name.
    """
    check_ref_name(f"refs/heads/{branch}")
    if (path / ".git").exists():
        raise AlreadyExists(f"{path} is a Git repository already", hint="use it, or choose another folder")
    path.mkdir(parents=True, exist_ok=True)
    git = find_git(env)
    if git is None:
        from dulwich.repo import Repo  # the slowest import of all, needed only without the git program

        Repo.init(str(path), default_branch=branch.encode()).close()
        return
    result = git.run("init", "--quiet", f"--initial-branch={branch}", cwd=path)
    if result.returncode:
        raise GitregError(
            f"git could not make a repository at {path}: {result.stderr.decode(errors='replace').strip()}",
            hint="look at the folder's rights",
        )


def clone(url: str, path: Path, env: Mapping[str, str]) -> None:
    """Clone a repository into a folder, which is created; the remote is called ``origin``.

    Raises
    ------
    AlreadyExists
        The folder exists and is not empty.
    NotFound, Unreachable
        There is no repository at the address, or it does not answer.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise AlreadyExists(f"{path} is there already", hint="name another folder, or run `gitreg pull` in this one")
    path.parent.mkdir(parents=True, exist_ok=True)
    git = find_git(env)
    if git is None:
        from gitreg.git.cloning import clone_by_dulwich

        clone_by_dulwich(url, path, env)
        return
    way = way_to(read_config(git, env, None), env, url, push=False)
    done = git.converse("clone", "--quiet", "--", url, str(path), cwd=path.parent, variables=way.variables)
    if done.returncode:
        raise broken_off(hide_login(url), done.stderr.decode("utf-8", "replace"))


def create_mirror(path: Path, url: str, env: Mapping[str, str]) -> None:
    """Create the bare repository of a mirror; the mirrored repository is its remote ``origin``, nothing is fetched."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    git = find_git(env)
    if git is None:
        from dulwich.repo import Repo

        with closing(Repo.init_bare(str(path))) as made:
            config = made.get_config()
            config.set((b"remote", b"origin"), b"url", url.encode())
            config.write_to_path()
        return
    for command in (("init", "--quiet", "--bare"), ("--git-dir", str(path), "config", "remote.origin.url", url)):
        done = git.run(*command, cwd=path)
        if done.returncode:
            raise GitregError(
                f"git could not make a mirror at {path}: {done.stderr.decode(errors='replace').strip()}",
                hint="look at the rights of the cache's folder",
            )

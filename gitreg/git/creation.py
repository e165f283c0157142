"""Creation of repositories: new ones as by ``git init``, clones, and bare mirrors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.errors import AlreadyExists, GitregError
from gitreg.git.config import read_config
from gitreg.git.program import configured, find_git, without_repository
from gitreg.git.protected_config import remote_command
from gitreg.git.remote.protocol import connection_error
from gitreg.git.repository import Repository
from gitreg.git.urls import hide_login
from gitreg.git.values import RefUpdate, check_ref_name

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore

_TRACKING = "refs/remotes/origin/"


def create_repository(path: Path, *, branch: str, env: Mapping[str, str]) -> Repository:
    """Create a repository with a work tree in a folder, as ``git init`` does, and open it.

    Parameters
    ----------
    branch:
        The short name of the branch for the first commit.

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
    else:
        result = git.run("init", "--quiet", f"--initial-branch={branch}", cwd=path)
        if result.returncode:
            raise GitregError(
                f"git could not make a repository at {path}: {result.stderr.decode(errors='replace').strip()}",
                hint="look at the folder's rights",
            )
    return Repository.discover(path, env=without_repository(env))


@contextmanager
def new_folder(path: Path) -> Iterator[None]:
    """Create the parents of a folder; where the block fails, remove all that it made, and leave the rest as it was.

    Raises
    ------
    AlreadyExists
        The folder exists and is not empty.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise AlreadyExists(f"{path} is there already", hint="name another folder, or run `gitreg pull` in this one")
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for left in path.iterdir() if path.is_dir() else ():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        for folder in missing:
            with suppress(OSError):  # it was never made, or somebody else uses it by now
                folder.rmdir()
        raise


def clone_repository(url: str, path: Path, *, env: Mapping[str, str]) -> Repository:
    """Clone a repository into a folder, which is created, and open it; the remote is called ``origin``.

    Raises
    ------
    AlreadyExists
        The folder exists and is not empty.
    NotFound, Unreachable
        There is no repository at the address, or it does not answer; the folder is left as it was before.
    """
    git = find_git(env)
    with new_folder(path):
        if git is None:
            _clone_by_dulwich(url, path, env)
        else:
            way = remote_command(read_config(git, env, None), env, url, push=False)
            done = git.converse("clone", "--quiet", "--", url, str(path), cwd=path.parent, variables=way.variables)
            if done.returncode:
                raise connection_error(hide_login(url), done.stderr.decode("utf-8", "replace"))
    return Repository.discover(path, env=without_repository(env))


def check_out(clone: Repository, branch: str, *, env: Mapping[str, str]) -> None:
    """Check out a branch of ``origin`` in a new clone, in place of what was checked out."""
    path, git = clone.work_tree, find_git(env)
    assert path is not None
    if git is not None:
        done = git.run("checkout", "--quiet", "-B", branch, "--track", f"origin/{branch}", cwd=path)
        if done.returncode:
            raise GitregError(
                f"git could not check out {branch}: {done.stderr.decode(errors='replace').strip()}",
                hint="`git clone` the repository, and look there",
            )
        return
    from dulwich.repo import Repo

    for left in path.iterdir():
        if left.name != ".git":
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    with Repo(str(path)) as made:
        _check_out(clone, made.object_store, path, f"refs/heads/{branch}")


def add_remote(repository: Repository, name: str, url: str) -> None:
    """Write a further remote into the configuration of a repository, as ``git remote add`` does."""
    from dulwich.config import ConfigFile

    config = ConfigFile.from_path(str(repository.common_dir / "config"))
    config.set((b"remote", name.encode()), b"url", url.encode("utf-8", "surrogateescape"))
    config.set((b"remote", name.encode()), b"fetch", f"+refs/heads/*:refs/remotes/{name}/*".encode())
    config.write_to_path()


def mirror_repository(path: Path, url: str, *, env: Mapping[str, str]) -> Repository:
    """Open the bare repository of a mirror, created if missing; its remote ``origin`` is the mirrored one.

    The mirror's configuration has the URL without its secrets; this process alone knows the whole one.
    """
    public = hide_login(url)
    if not (path / "HEAD").exists():
        _create_mirror(path, public, env)
    known = without_repository(env)
    if public != url:
        known = configured(known, [(f"url.{url}.insteadOf", public)])
    return Repository.discover(path, env=known)


def _create_mirror(path: Path, url: str, env: Mapping[str, str]) -> None:
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


def _clone_by_dulwich(url: str, path: Path, env: Mapping[str, str]) -> None:
    """Clone without the git program, into a folder that is empty or does not exist.

    Files are written as they are in the commit: filters and conversion of line ends need the git program.
    """
    from dulwich.repo import Repo

    path.mkdir(exist_ok=True)
    with Repo.init(str(path)) as made:
        settings = made.get_config()
        settings.set((b"remote", b"origin"), b"url", url.encode())
        settings.set((b"remote", b"origin"), b"fetch", f"+refs/heads/*:{_TRACKING}*".encode())
        settings.write_to_path()
        with Repository.discover(path, env=without_repository(env)) as clone:
            remote = clone.remotes.open_by_dulwich("origin")
            branch = remote.head()
            _pack_refs(clone, remote.bring([f"+refs/heads/*:{_TRACKING}*", "refs/tags/*:refs/tags/*"]))
            _check_out(clone, made.object_store, path, branch)


def _pack_refs(clone: Repository, updates: Sequence[RefUpdate]) -> None:
    """Write the first refs of a repository into ``packed-refs``: 10,000 separate files would take a minute."""
    if updates:  # dulwich cannot read an empty file
        lines = [f"{update.new} {update.name}\n".encode("utf-8", "surrogateescape") for update in updates]
        lines.sort(key=lambda line: line.partition(b" ")[2])
        (clone.common_dir / "packed-refs").write_bytes(b"# pack-refs with: sorted \n" + b"".join(lines))


def _check_out(clone: Repository, store: DiskObjectStore, path: Path, branch: str | None) -> None:
    from dulwich.index import build_index_from_tree
    from dulwich.objects import ObjectID

    if branch is None or not branch.startswith("refs/heads/"):
        return
    short = branch.removeprefix("refs/heads/")
    (clone.git_dir / "HEAD").write_text(f"ref: {branch}\n")
    commit = clone.read_ref(f"{_TRACKING}{short}")
    if commit is None:
        return
    if clone.read_ref(branch) != commit:
        clone.update_refs([RefUpdate(branch, commit, None)], reason="clone")
    tree = ObjectID(clone.commit(commit).tree.encode())
    build_index_from_tree(str(path), str(clone.git_dir / "index"), store, tree)

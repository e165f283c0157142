"""The remotes of a repository, by the configuration of Git."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.errors import GitregError
from gitreg.git.config import Config
from gitreg.git.discovery import discover
from gitreg.git.objects.store import ObjectStore
from gitreg.git.program import Git
from gitreg.git.protected_config import RemoteCommand, ignored_keys, remote_command, urls_of
from gitreg.git.remote.git_program import GitRemote
from gitreg.git.remote.partial_clone import PROMISOR, bring, left_out, not_to_be_had
from gitreg.git.remote.protocol import Remote
from gitreg.git.urls import hide_login, hide_password

if TYPE_CHECKING:
    from gitreg.git.remote.dulwich_client import DulwichRemote, LocalRepository


class Remotes:
    """The remotes of a repository: their addresses, and the connections to them.

    Parameters
    ----------
    repository:
        The local repository.
    git:
        The git program; None where there is none.
    env, objects:
        The user's environment, and the objects of the repository.
    write:
        Writes an object of a type and content to the repository, and returns its id.
    config:
        Returns the configuration as it was first read.
    read_config:
        Reads the current configuration.
    """

    def __init__(
        self,
        repository: LocalRepository,
        git: Git | None,
        env: Mapping[str, str],
        objects: ObjectStore,
        write: Callable[[str, bytes], str],
        *,
        config: Callable[[], Config],
        read_config: Callable[[], Config],
    ) -> None:
        self._repository = repository
        self._git = git
        self._env = env
        self._objects = objects
        self._write = write
        self._config = config
        self._read_config = read_config
        self._folder = repository.work_tree or repository.git_dir
        self._warned: set[str] = set()

    def open(self, address: str) -> Remote:
        """Return another repository, for fetches and pushes; nothing is sent to it yet.

        Parameters
        ----------
        address:
            The name of a remote in Git's configuration, or a URL.
        """
        if self._git is None:
            return self.open_by_dulwich(address)

        def way(push: bool) -> RemoteCommand:
            return remote_command(self._checked_config(), self._env, address, push=push)

        return GitRemote(self._git, self._repository.git_dir, self._folder, address, way)

    def bring_missing(self, commit: str, folder: str, *, history: bool) -> None:
        """Fetch what a partial clone lacks (:meth:`gitreg.git.Repository.bring_missing`)."""
        if self._git is None:
            raise not_to_be_had("that needs the git program")
        oids = left_out(self._git, self._repository.git_dir, commit, folder, history=history)
        if not oids:
            return
        names = [found[1] for _, key, _ in self._config().settings if (found := PROMISOR.fullmatch(key))]
        if not names:
            raise not_to_be_had("no remote has promised it")
        remote = self.open(names[0])
        assert isinstance(remote, GitRemote)
        bring(remote, oids)

    def open_by_dulwich(self, address: str) -> DulwichRemote:
        """Return another repository as `open` does, without the git program."""
        from gitreg.git.remote.dulwich_client import DulwichRemote  # slow to import, for machines without git only

        return DulwichRemote(self._repository, self._objects, self._write, self._checked_config, self._env, address)

    def names(self) -> list[str]:
        """Return the names of the remotes that have a URL, sorted."""
        keys = [key for _, key, _ in self._config().settings if key.startswith("remote.") and key.endswith(".url")]
        return sorted({key.removeprefix("remote.").removesuffix(".url") for key in keys})

    def has(self, name: str) -> bool:
        """Return whether the present configuration has a remote of that name."""
        return self._read_config().get(f"remote.{name}.url") is not None

    def url(self, name: str) -> str | None:
        """Return the URL of a remote without the login in it; None where there is no such remote."""
        url = self._config().get(f"remote.{name}.url")
        return hide_login(url) if url else None

    def address(self, name: str) -> str | None:
        """Return the URL that a remote is fetched from, by the user's insteadOf, without the password in it.

        For a local folder, this is the absolute path of its Git folder, or the configured path where no repository is
        there.

        Returns
        -------
        str or None:
            None where there is no such remote.
        """
        if self._config().get(f"remote.{name}.url") is None:
            return None
        (url, *_) = urls_of(self._config(), name, push=False)
        url = url.removeprefix("file://")
        if "://" in url or ":" in url.partition("/")[0]:
            return hide_password(url)
        folder = self._folder / url
        with suppress(GitregError):
            found = discover(folder, {})
            if found.git_dir == folder.resolve() or (folder / ".git").exists():  # not a repository above the folder
                return str(found.common_dir)
        return str(folder)

    def folder(self, address: str) -> Path | None:
        """Return the Git folder of a remote that is a local folder; None for every other remote."""
        (url, *_) = urls_of(self._read_config(), address, push=True)
        folder = self._folder / url.removeprefix("file://")
        try:
            return discover(folder, {}).common_dir if folder.is_dir() else None
        except GitregError:
            return None

    def ignored_keys(self) -> list[str]:
        """Return the keys by which the repository names programs and protocols; they are ignored for remotes."""
        return ignored_keys(self._read_config())

    def _checked_config(self) -> Config:
        """Read the current configuration; warn once of each key of the repository that is ignored."""
        config = self._read_config()
        new = [key for key in ignored_keys(config) if key not in self._warned]
        if new:
            self._warned.update(new)
            warnings.warn(
                f"ignored {', '.join(new)} of this repository: only your own configuration names programs", stacklevel=2
            )
        return config

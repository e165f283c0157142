"""The one class of the Git layer: a repository as bytes at paths, commits, tags, refs and work trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gitreg.git.discovery import shared_with_group
from gitreg.git.loose import write_loose
from gitreg.git.program import NO_HOOKS, QUARANTINE, Git, find_git, speaking_of_none
from gitreg.git.reading import ReadOnlyRepository
from gitreg.git.values import RefUpdate, Signature

if TYPE_CHECKING:
    from gitreg.git.config import Config
    from gitreg.git.named_programs import Way
    from gitreg.git.remote import Remote
    from gitreg.git.remote_dulwich import DulwichRemote
    from gitreg.git.signing import Signer
    from gitreg.git.worktrees import WorkTrees


class Repository(ReadOnlyRepository):
    """A Git repository that can be written to.

    What writes is imported by the methods that write, so that readers, who are many, start fast.
    """

    @classmethod
    def create(cls, path: Path, *, branch: str, env: Mapping[str, str]) -> Self:
        """Make a repository in a folder, as ``git init`` does, and open it.

        Parameters
        ----------
        branch:
            The short name of the branch that the first commit will be on.

        Raises
        ------
        AlreadyExists
            The folder is a repository already.
        InvalidInput
            The branch is no name for one.
        """
        from gitreg.git.creation import create

        create(path, branch, env)
        return cls.discover(path, env=speaking_of_none(env))

    @classmethod
    def clone(cls, url: str, path: Path, *, env: Mapping[str, str]) -> Self:
        """Clone a repository into a folder, which is made, and open it; its remote is called ``origin``.

        Raises
        ------
        AlreadyExists
            The folder is there, and not empty.
        NotFound, Unreachable
            There is no repository at the address, or it does not answer.
        """
        from gitreg.git.creation import clone

        clone(url, path, env)
        return cls.discover(path, env=speaking_of_none(env))

    @classmethod
    def mirror(cls, path: Path, url: str, *, env: Mapping[str, str]) -> Self:
        """Open a bare repository for copies of what another one holds, its remote ``origin``; made where it is not."""
        if not (path / "HEAD").exists():
            from gitreg.git.creation import create_mirror

            create_mirror(path, url, env)
        return cls.discover(path, env=speaking_of_none(env))

    # -- writing -----------------------------------------------------------------------------------------------------

    def build_commit(
        self,
        parent: str | None,
        changes: Mapping[str, bytes | None],
        *,
        message: str,
        author: Signature,
        committer: Signature,
        sign: bool = True,
    ) -> str:
        """Write a commit that changes files, and return its id; no ref moves.

        Parameters
        ----------
        parent:
            The commit to build on; None for a first commit.
        changes:
            Paths to new content, None to remove; emptied folders vanish, executable files stay executable.

        sign:
            Whether to sign it where the user's Git says so.

        Raises
        ------
        InvalidInput
            A path cannot stand in Git (empty, absolute, ``..``, ``.git``), or is a file here and a folder there.
        """
        from gitreg.git.writing import build_commit

        return build_commit(
            self._objects, self._write, self._signer, parent, changes,
            message=message, author=author, committer=committer, sign=sign,
        )  # fmt: skip

    def build_tag(self, name: str, target: str, *, message: str, tagger: Signature) -> str:
        """Write an annotated tag and return its id; no ref moves.

        Parameters
        ----------
        name:
            As after ``refs/tags/``.
        target:
            The object that it tags.

        Raises
        ------
        InvalidInput
            The target is not here.
        """
        from gitreg.git.writing import build_tag

        return build_tag(self._objects, self._write, self._signer, name, target, message=message, tagger=tagger)

    def sign_statement(self, payload: bytes, *, namespace: str, key: str | None = None) -> bytes:
        """Return the user's SSH signature over a statement (:meth:`gitreg.git.signing.Signer.sign_statement`)."""
        return self._signer.sign_statement(payload, namespace=namespace, key=key)

    def update_refs(self, updates: Sequence[RefUpdate], *, reason: str) -> None:
        """Move refs in one transaction: all of them, or none.

        Waits up to a second where another process holds a ref.

        Parameters
        ----------
        reason:
            One line for the reflog.

        Raises
        ------
        Conflict
            A ref is not where it should be, or stayed locked; the message names it.
        Refused
            A ref's name is in the way of another's.
        InvalidInput
            A name cannot be a ref.
        IntegrityError
            A ref would point to an object that is not here.
        """
        from gitreg.git.transaction import update_refs

        update_refs(self._git, self._refs, self._objects, updates, reason=reason, group=self._group)

    def lock(self, *, timeout: float) -> AbstractContextManager[None]:
        """Hold the lock that gitreg's own writers take; it ends with the process, however that ends.

        Parameters
        ----------
        timeout:
            Seconds to wait for it.

        Raises
        ------
        Conflict
            Another process, or another ``with`` of this one, held it all that time.
        """
        from gitreg.git.locking import writers_lock

        return writers_lock(self.common_dir, timeout=timeout, group=self._group)

    def identity(self, *, time: int, offset: int) -> Signature:
        """Return who commits, by Git's configuration and environment.

        Parameters
        ----------
        time, offset:
            Now, in seconds since the epoch, and the zone in minutes east of UTC; ``GIT_COMMITTER_DATE`` goes before.

        Raises
        ------
        InvalidInput
            Git does not know who the user is.
        """
        from gitreg.git.identity import identity

        return identity("committer", self._config, self._env, time=time, offset=offset)

    def author_identity(self, *, time: int, offset: int) -> Signature:
        """Return who writes, as `identity`, by ``GIT_AUTHOR_*`` and ``author.*``."""
        from gitreg.git.identity import identity

        return identity("author", self._config, self._env, time=time, offset=offset)

    # -- other repositories ------------------------------------------------------------------------------------------

    def remote(self, address: str) -> Remote:
        """Give another repository, to fetch from and push to; it is not asked anything yet.

        Parameters
        ----------
        address:
            The name of a remote in Git's configuration, or a URL.
        """
        if self._git is not None:
            from gitreg.git.named_programs import way_to
            from gitreg.git.remote_git import GitRemote

            def way(push: bool) -> Way:
                return way_to(self._config_for_remotes(), self._env, address, push=push)

            return GitRemote(self._git, self.git_dir, self.work_tree or self.git_dir, address, way)
        return self.remote_by_dulwich(address)

    def option(self, name: str) -> str | None:
        """Return what Git's configuration says under a name of ours (``gitreg.settings``); None where it is silent."""
        return self._config.get(name)

    def remote_url(self, name: str) -> str | None:
        """Return the address of a remote, without any password in it; None where there is no such remote."""
        from gitreg.git.remote import hide_login

        url = self._config.get(f"remote.{name}.url")
        return hide_login(url) if url else None

    def address_of(self, remote: str) -> str | None:
        """Return the address that a remote is fetched from, by the user's insteadOf, with no password in it.

        Of a folder that is the absolute path of its Git folder, or what is said where it is not there.

        Returns
        -------
        str or None:
            None where there is no such remote.
        """
        from gitreg.errors import GitregError
        from gitreg.git.discovery import discover
        from gitreg.git.named_programs import urls_of
        from gitreg.git.remote import hide_password

        if self._config.get(f"remote.{remote}.url") is None:
            return None
        (url, *_) = urls_of(self._config, remote, push=False)
        url = url.removeprefix("file://")
        if "://" in url or ":" in url.partition("/")[0]:
            return hide_password(url)
        folder = (self.work_tree or self.git_dir) / url
        with suppress(GitregError):
            found = discover(folder, {})
            if found.git_dir == folder.resolve() or (folder / ".git").exists():  # not one around it
                return str(found.common_dir)
        return str(folder)

    def folder_of(self, address: str) -> Path | None:
        """Return the Git folder of a remote that is a folder of this machine, None for every other."""
        from gitreg.errors import GitregError
        from gitreg.git.config import read_config
        from gitreg.git.discovery import discover
        from gitreg.git.named_programs import urls_of

        (url, *_) = urls_of(read_config(self._git, self._env, self._layout), address, push=True)
        folder = (self.work_tree or self.git_dir) / url.removeprefix("file://")
        try:
            return discover(folder, {}).common_dir if folder.is_dir() else None
        except GitregError:
            return None

    def remote_by_dulwich(self, address: str) -> DulwichRemote:
        """Give another repository as `remote` does where there is no git program."""
        from gitreg.git.remote_dulwich import DulwichRemote

        return DulwichRemote(self, self._objects, self._write, self._config_for_remotes, self._env, address)

    def named_programs(self) -> list[str]:
        """Return the keys by which this repository names programs and protocols, which are not used for remotes."""
        from gitreg.git.config import read_config
        from gitreg.git.named_programs import named_programs

        return named_programs(read_config(self._git, self._env, self._layout))

    def _config_for_remotes(self) -> Config:
        """Read the configuration as it is now; what is ignored of it is told once."""
        from gitreg.git.config import read_config
        from gitreg.git.named_programs import named_programs

        config = read_config(self._git, self._env, self._layout)
        new = [key for key in named_programs(config) if key not in self._told]
        if new:
            import warnings

            self._told.update(new)
            warnings.warn(
                f"ignored {', '.join(new)} of this repository: only your own configuration names programs", stacklevel=2
            )
        return config

    # -- work trees --------------------------------------------------------------------------------------------------

    def follow(self, branch: str, old: str | None, new: str) -> AbstractContextManager[None]:
        """Let every work tree that has a branch checked out follow the move made inside the ``with``.

        As ``git merge --ff-only`` would: a user's uncommitted work, staged or not, is never touched. Call it while
        holding `lock`, after `finish_following`. Rights and room are taken before the branch moves. What cannot follow
        all the same (a file was changed in that moment) is kept for `finish_following`, and named by
        `unfinished_following`; nothing moves before it is finished.

        Parameters
        ----------
        branch:
            The full name of the branch.
        old, new:
            The commits that it moves from (None: it is unborn) and to.

        Raises
        ------
        Refused
            Uncommitted work is in the way, or a work tree lags from before; raised on entering, before anything moves.
        GitregError
            A work tree cannot be written, or its disk is full; likewise.
        WorkTreeLags
            A work tree could not follow; the branch has moved.
        WorkTreeBusy
            Another process holds the index of a work tree, and did so for a second.
        """
        return self._work_trees.follow(branch, old, new)

    def finish_following(self) -> list[Path]:
        """Bring up to date the work trees that a killed process left behind, and return them.

        Call it while holding `lock`. Where the branch did not move after all, there is nothing to do. Where
        uncommitted work is in the way, the work tree stays as it is and is named by `unfinished_following`.
        """
        return self._work_trees.finish()

    def unfinished_following(self) -> list[Path]:
        """Return the work trees that a killed process, or one that is moving the branch now, has left behind."""
        return self._work_trees.unfinished()

    def changed_work_trees(self, branch: str, commit: str) -> list[Path]:
        """Return the work trees on a branch in which a file of a commit was changed or removed, staged or not.

        Parameters
        ----------
        branch:
            The full name of the branch.
        commit:
            The commit that they are held against.
        """
        return self._work_trees.changed(branch, commit)

    # -- hooks -------------------------------------------------------------------------------------------------------

    @contextmanager
    def staged(self) -> Iterator[tuple[Repository, str]]:
        """Give the commit that ``git commit`` would make of what is staged, and the repository to read it from.

        Raises
        ------
        InvalidInput
            A conflict is not resolved.
        """
        from gitreg.git.staging import staged_commit

        assert self._git is not None  # it is git that asks
        head = self.head_branch()
        parent = self.read_ref(head) if head else self.read_ref("HEAD")
        with staged_commit(self._git, self._layout, self._env, parent) as (folder, commit):
            env = {**self._env, QUARANTINE: str(folder)}
            with type(self)(self._layout, env) as reading:
                yield reading, commit

    def hooks_folder(self) -> tuple[Path, bool]:
        """Return the folder in which git looks for hooks, and whether the user chose it for all repositories."""
        from gitreg.git.config import THE_USERS

        told = [
            (scope, value)
            for scope, key, value in self._config.settings
            if key == "core.hookspath" and (scope, value) != ("command", NO_HOOKS)  # which is our own
        ]
        if not told:
            return self.common_dir / "hooks", False
        scope, folder = told[-1]
        return (self.work_tree or self.git_dir) / Path(folder).expanduser(), scope in THE_USERS

    # -- what is made when it is used first --------------------------------------------------------------------------

    @cached_property
    def _git(self) -> Git | None:
        return find_git(self._env)

    @cached_property
    def _config(self) -> Config:
        from gitreg.git.config import read_config

        return read_config(self._git, self._env, self._layout)

    @cached_property
    def _told(self) -> set[str]:
        """The settings of this repository of which the user knows that they are ignored."""
        return set()

    @cached_property
    def _signer(self) -> Signer:
        from gitreg.git.signing import Signer

        return Signer(self._config, self._env, self.object_format)

    @cached_property
    def _group(self) -> bool:
        return shared_with_group(self.common_dir)

    def _write(self, kind: str, content: bytes) -> str:
        return write_loose(self._objects.folders[0], kind, content, self.object_format, group=self._group)

    @cached_property
    def _work_trees(self) -> WorkTrees:
        from gitreg.git.worktrees import WorkTrees

        return WorkTrees(self._layout, self._git, self._objects, self._refs)

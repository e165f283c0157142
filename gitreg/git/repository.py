"""The main class of the Git layer: a repository as files at paths, commits, tags, refs and work trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.git import objects, refs
from gitreg.git.discovery import shared_with_group
from gitreg.git.objects.loose import write_loose
from gitreg.git.program import NO_HOOKS, QUARANTINE, Git, find_git
from gitreg.git.read_repository import ReadOnlyRepository
from gitreg.git.values import Identity, RefUpdate

if TYPE_CHECKING:
    from gitreg.git.config import Config
    from gitreg.git.remote.remotes import Remotes
    from gitreg.git.signing import Signer
    from gitreg.git.worktrees.worktrees import WorkTrees


class Repository(ReadOnlyRepository):
    """A Git repository that can be changed.

    Modules that write are imported only by the methods that need them, so that readers, the most frequent users, start
    fast.
    """

    # -- writing -----------------------------------------------------------------------------------------------------

    def build_commit(
        self,
        parent: str | None,
        changes: Mapping[str, bytes | None],
        *,
        message: str,
        author: Identity,
        committer: Identity,
        sign: bool = True,
    ) -> str:
        """Write a commit that changes files, and return its id; no ref moves.

        Parameters
        ----------
        parent:
            The parent commit; None for a first commit.
        changes:
            New contents by path, None to remove a file; empty folders vanish, executable files stay executable.
        sign:
            True to sign the commit where the user's Git is configured to sign; False never signs.

        Raises
        ------
        InvalidInput
            A path is not valid in Git (empty, absolute, ``..``, ``.git``), or names both a file and a folder.
        """
        return objects.writer.build_commit(
            self._objects, self._write, self._signer, parent, changes,
            message=message, author=author, committer=committer, sign=sign,
        )  # fmt: skip

    def build_tag(self, name: str, target: str, *, message: str, tagger: Identity) -> str:
        """Write an annotated tag and return its id; no ref moves.

        Parameters
        ----------
        name:
            The name without ``refs/tags/``.
        target:
            The id of the object that the tag points to.

        Raises
        ------
        InvalidInput
            The target is not in this repository.
        """
        return objects.writer.build_tag(
            self._objects, self._write, self._signer, name, target, message=message, tagger=tagger
        )

    def sign_statement(self, payload: bytes, *, namespace: str, key: str | None = None) -> bytes:
        """Return the user's SSH signature over a statement (:meth:`gitreg.git.signing.Signer.sign_statement`)."""
        return self._signer.sign_statement(payload, namespace=namespace, key=key)

    def update_refs(self, updates: Sequence[RefUpdate], *, reason: str) -> None:
        """Move refs in one transaction by compare-and-swap: all of them, or none.

        Waits up to a second for a ref that another process has locked.

        Parameters
        ----------
        reason:
            A line for the reflog.

        Raises
        ------
        Conflict
            A ref is not at its expected place, or stayed locked; the message names it.
        Refused
            The name of a ref is above or below that of another ref.
        InvalidInput
            A name is not valid for a ref.
        IntegrityError
            A ref would point to an object that is not in this repository.
        """
        refs.transaction.update_refs(self._git, self._refs, self._objects, updates, reason=reason, group=self._group)

    def lock(self, *, timeout: float) -> AbstractContextManager[None]:
        """Lock the repository against gitreg's other writers for a ``with`` block; the lock ends with the process.

        Parameters
        ----------
        timeout:
            Seconds to wait for the lock.

        Raises
        ------
        Conflict
            Another process, or another ``with`` block of this one, has the lock all that time.
        """
        return refs.locking.writers_lock(self.common_dir, timeout=timeout, group=self._group)

    def identity(self, *, time: int, offset: int) -> Identity:
        """Return the committer by Git's configuration and environment, with a time.

        Parameters
        ----------
        time, offset:
            The current time in seconds since the epoch, and the time zone in minutes east of UTC;
            ``GIT_COMMITTER_DATE`` takes precedence.

        Raises
        ------
        InvalidInput
            Git does not know who the user is.
        """
        return self._identity("committer", time, offset)

    def author_identity(self, *, time: int, offset: int) -> Identity:
        """Return the author, as `identity` does the committer, by ``GIT_AUTHOR_*`` and ``author.*``."""
        return self._identity("author", time, offset)

    def _identity(self, role: str, time: int, offset: int) -> Identity:
        from gitreg.git.identity import identity

        return identity(role, self._config, self._env, self._git, time=time, offset=offset)

    # -- other repositories ------------------------------------------------------------------------------------------

    @cached_property
    def remotes(self) -> Remotes:
        """Other repositories, by the configuration of this one."""
        from gitreg.git.remote.remotes import Remotes

        return Remotes(
            self, self._git, self._env, self._objects, self._write,
            config=lambda: self._config, read_config=self._read_config,
        )  # fmt: skip

    def bring_missing(self, commit: str, folder: str = "", *, history: bool = True) -> None:
        """Fetch what a partial clone has left out of a commit; in any other repository nothing is done.

        Parameters
        ----------
        folder:
            The folder of the commit that is needed, "" for all.
        history:
            True to fetch what was left out of all earlier commits, too.

        Raises
        ------
        NotFound
            The remote does not answer, or there is no git program.
        """
        if self.is_partial:
            self.remotes.bring_missing(commit, folder, history=history)

    def option(self, name: str) -> str | None:
        """Return the value of gitreg's own setting in Git's configuration (``gitreg.settings``); None where not set."""
        return self._config.get(name)

    # -- work trees --------------------------------------------------------------------------------------------------

    def follow(self, branch: str, old: str | None, new: str) -> AbstractContextManager[None]:
        """Update every work tree that has a branch checked out after the ``with`` block has moved the branch.

        As with ``git merge --ff-only``, uncommitted work, staged or not, is never touched. Call it while holding
        `lock`, after `finish_following`. Write permission and disk space are reserved before the branch moves. A work
        tree that cannot follow all the same (a file was changed in that moment) is left to `finish_following`, and
        named by `unfinished_following`; the branch cannot move again before that is finished.

        Parameters
        ----------
        branch:
            The full name of the branch.
        old, new:
            The commits before (None: the branch is unborn) and after the move.

        Raises
        ------
        Refused
            Uncommitted work is in the way, or a work tree has not followed an earlier move; raised before the block
            runs.
        GitregError
            A work tree cannot be written, or its disk is full; raised before the block runs.
        WorkTreeLags
            A work tree could not follow; the branch has moved.
        WorkTreeBusy
            Another process kept the index of a work tree locked for a second.
        """
        return self._work_trees.follow(branch, old, new)

    def finish_following(self) -> list[Path]:
        """Update the work trees that a killed process left behind, and return them.

        Call it while holding `lock`. Where the branch did not move, nothing is done. Where uncommitted work is in the
        way, the work tree stays as it is and is named by `unfinished_following`.
        """
        return self._work_trees.finish()

    def unfinished_following(self) -> list[Path]:
        """Return the work trees that have not followed yet, of a killed process or of one that is moving the branch."""
        if not any(path.suffix == ".json" for path in self._following()):
            return []  # every first read asks: nothing is imported for it
        return self._work_trees.unfinished()

    def _following(self) -> Iterator[Path]:
        with suppress(FileNotFoundError, NotADirectoryError):
            yield from (self.common_dir / "gitreg" / "following").iterdir()

    def changed_work_trees(self, branch: str, commit: str) -> list[Path]:
        """Return the work trees on a branch in which a file of a commit was changed or removed, staged or not.

        Parameters
        ----------
        branch:
            The full name of the branch.
        commit:
            The commit to compare with.
        """
        return self._work_trees.changed(branch, commit)

    # -- hooks -------------------------------------------------------------------------------------------------------

    @contextmanager
    def staged(self) -> Iterator[tuple[Repository, str]]:
        """Yield a repository with the staged commit, and its id: the commit that ``git commit`` would make.

        Raises
        ------
        InvalidInput
            A conflict is not resolved.
        """
        from gitreg.git.worktrees.index import staged_commit

        assert self._git is not None  # this is called by a hook of git
        head = self.head_branch()
        parent = self.read_ref(head) if head else self.read_ref("HEAD")
        with staged_commit(self._git, self._layout, self._env, parent) as (folder, commit):
            env = {**self._env, QUARANTINE: str(folder)}
            with type(self)(self._layout, env) as reading:
                yield reading, commit

    def hooks_folder(self) -> tuple[Path, bool]:
        """Return the folder in which git looks for hooks, and whether the user configured it for all repositories."""
        from gitreg.git.config import THE_USERS

        configured = [
            (scope, value)
            for scope, key, value in self._config.settings
            if key == "core.hookspath" and (scope, value) != ("command", NO_HOOKS)  # set by gitreg itself
        ]
        if not configured:
            return self.common_dir / "hooks", False
        scope, folder = configured[-1]
        return (self.work_tree or self.git_dir) / Path(folder).expanduser(), scope in THE_USERS

    # -- created at the first use ------------------------------------------------------------------------------------

    @cached_property
    def _git(self) -> Git | None:
        return find_git(self._env)

    @cached_property
    def _config(self) -> Config:
        return self._read_config()

    def _read_config(self) -> Config:
        from gitreg.git.config import read_config

        return read_config(self._git, self._env, self._layout)

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
        from gitreg.git.worktrees.worktrees import WorkTrees

        return WorkTrees(self._layout, self._git, self._objects, self._refs)

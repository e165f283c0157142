"""Every failure that a person can meet, each with the exit code that the command line gives it.

An error says what is wrong and where in its message, and what to do about it in its hint. Nothing below the command
line prints or exits: it raises one of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class GitregError(Exception):
    """Something failed.

    Parameters
    ----------
    message:
        One sentence: what is wrong, and where (a file, a field, a reference).
    hint:
        One sentence: what to do about it. None where there is nothing to do.
    """

    exit_code = 1
    has_lines = False
    """Whether the message quotes another program, whose lines are kept."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint: str | None = None
        if hint:
            self.advise(hint)

    def __str__(self) -> str:
        return self.message

    def advise(self, hint: str) -> None:
        """Say what to do about it, beside what was said already; a traceback shows it, too."""
        self.hint = f"{self.hint}; {hint}" if self.hint else hint
        self.add_note(f"hint: {hint}")


class InvalidDocument(GitregError):
    """A YAML file that cannot be read as what it should be.

    Parameters
    ----------
    where:
        The file, as a path inside the registry or on disk.
    pointer:
        The place inside it as a JSON pointer (RFC 6901), "" for the whole document.
    reason:
        What is wrong there.
    """

    def __init__(self, where: str, pointer: str, reason: str, *, hint: str | None = None) -> None:
        place = f"{where} at {pointer}" if pointer else where
        super().__init__(f"{place}: {reason}", hint=hint)
        self.where = where
        self.pointer = pointer
        self.reason = reason


class InvalidInput(GitregError):
    """What the caller asked for makes no sense: a name, an option, a value."""

    exit_code = 2


class NotFound(GitregError):
    """What was asked for is not there."""

    exit_code = 3


class Refused(GitregError):
    """A rule of the registry forbids it."""

    exit_code = 4


class UnsafeCode(Refused):
    """A file can run code when it is loaded, and who asked for it neither trusts the registry nor allowed that.

    Parameters
    ----------
    argument:
        What allows it for one call, as it is typed there.
    """

    def __init__(self, message: str, *, argument: str = "unsafe_code=True") -> None:
        super().__init__(message, hint=f"if you trust who made it: {argument}; for this registry: gitreg trust --code")

    def allowed_by(self, argument: str) -> UnsafeCode:
        """Return the error for a place where another argument allows it."""
        return UnsafeCode(self.message, argument=argument)


class Protected(Refused):
    """A stage is entered by pull request only."""


class AlreadyExists(Refused):
    """A model or a version of that name is there already."""


class Conflict(GitregError):
    """Somebody else was faster, or holds what is needed; trying again may succeed."""

    exit_code = 5


class Locked(Conflict):
    """A ref cannot be moved because its lock file is there: of a process at work, or left by one that was killed.

    Parameters
    ----------
    path:
        The lock file, on the machine that has the repository.
    """

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message, hint="if no Git process is running there, remove that file")
        self.path = path


class WorkTreeLags(GitregError):
    """A branch has moved, and a work tree that has it checked out could not follow: a commit there would undo it.

    Parameters
    ----------
    branch, commit:
        The branch, and where it is now.
    work_trees:
        The folders that lag, each to why.
    """

    def __init__(self, branch: str, commit: str, work_trees: Mapping[Path, str]) -> None:
        lagging = "; ".join(f"the work tree {folder} could not follow: {why}" for folder, why in work_trees.items())
        super().__init__(
            f"{branch} has moved to {commit[:12]}, but {lagging}",
            hint="it is done, do not repeat it; make no commit there before `gitreg doctor --repair` has mended it",
        )


class CloneLags(GitregError):
    """A remote's branch has moved, and the clone that moved it could not follow.

    Parameters
    ----------
    branch, commit:
        The remote's branch, and where it is now.
    why:
        What stopped the clone.
    """

    def __init__(self, branch: str, commit: str, why: GitregError) -> None:
        super().__init__(
            f"{branch} has moved to {commit[:12]}, but this clone did not follow: {why.message}",
            hint=f"it is done, do not repeat it; {f'{why.hint}; then' if why.hint else 'then'}: `gitreg pull`",
        )


class WorkTreeBusy(Conflict):
    """Another process holds a work tree's index, or was killed while it did: trying again at once will not help."""


class TooLarge(GitregError):
    """Something is larger than may be read.

    Parameters
    ----------
    what:
        What it is.
    size:
        Its size in bytes, or that of what has to be read for it.
    limit:
        How much may be read.
    kind:
        Git's word for the kind of object that it is, where it is one.
    """

    def __init__(self, what: str, size: int, limit: int, *, kind: str = "") -> None:
        super().__init__(
            f"{what} is {size:,} bytes long, more than the {limit:,} that fit", hint="remove it, or make it smaller"
        )
        self.size = size
        self.limit = limit
        self.kind = kind


class IntegrityError(GitregError):
    """Bytes are not what the record says they are, or are missing."""

    exit_code = 6

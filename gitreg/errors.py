"""The errors of gitreg, each with the exit code of the command line.

The message of an error names the problem and its place; the hint names the remedy. Code below the command line never
prints or exits: it raises one of these errors.
"""

from __future__ import annotations

import os
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class GitregError(Exception):
    """The base class of all errors of gitreg.

    Parameters
    ----------
    message:
        The problem and its place (a file, a field, a reference), in one sentence.
    hint:
        The remedy, in one sentence; None if there is none.
    correction:
        The text that the caller wrote, and the one that was probably meant; None if there is none.
    """

    kind = "failed"
    """A stable word for the class, for programs; each class has its own."""
    exit_code = 1
    """The exit code of the command line."""
    has_lines = False
    """True if the message quotes the output of another program, whose lines are kept."""

    def __init__(self, message: str, *, hint: str | None = None, correction: tuple[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint: str | None = None
        self.correction = correction
        if correction:
            self.advise(f"did you mean {correction[1]!r}?")
        if hint:
            self.advise(hint)

    def __str__(self) -> str:
        return self.message

    def advise(self, hint: str) -> None:
        """Add a hint to the ones that the error has; a traceback shows it, too."""
        before = self.hint or ""
        self.hint = f"{before}{'' if before.endswith('?') else ';'} {hint}" if before else hint
        self.add_note(f"hint: {hint}")

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython and notebooks show: calls in the user's own code, the message, the hint.

        The frames inside of gitreg are left out; ``%debug`` has them all.
        """
        from traceback import extract_tb  # a start without an error does without it

        calls = takewhile(lambda frame: not frame.filename.startswith(_PACKAGE), extract_tb(self.__traceback__))
        lines = []
        for frame in calls:
            if f"{os.sep}IPython{os.sep}" not in frame.filename:
                place = frame.filename if os.path.exists(frame.filename) else "Cell"
                function = "" if frame.name == "<module>" else f", in {frame.name}"
                lines += [f"{place}, line {frame.lineno}{function}", f"    {frame.line}", ""]
        return [*lines, f"{type(self).__name__}: {self.message}", *getattr(self, "__notes__", ())]


_PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


class InvalidDocument(GitregError):
    """A file that is not a valid document of its kind.

    Parameters
    ----------
    where:
        The file, as a path inside the registry or on disk.
    pointer:
        The place inside it as a JSON pointer (RFC 6901), "" for the whole document.
    reason:
        The problem at that place.
    """

    kind = "invalid_document"

    def __init__(self, where: str, pointer: str, reason: str, *, hint: str | None = None) -> None:
        place = f"{where} at {pointer}" if pointer else where
        super().__init__(f"{place}: {reason}", hint=hint)
        self.where = where
        self.pointer = pointer
        self.reason = reason


class InvalidInput(GitregError):
    """An argument of the caller is not valid: a name, an option, a value."""

    kind = "invalid_input"
    exit_code = 2


class NotFound(GitregError):
    """The requested object does not exist."""

    kind = "not_found"
    exit_code = 3


class Refused(GitregError):
    """A rule of the registry forbids the operation."""

    kind = "refused"
    exit_code = 4


class UnsafeCode(Refused):
    """A file can run code when it is loaded; the user has neither trusted the registry for code nor allowed it.

    Parameters
    ----------
    argument:
        The argument or option that allows it for one call, as the user types it.
    """

    kind = "unsafe_code"

    def __init__(self, message: str, *, argument: str = "unsafe_code=True") -> None:
        super().__init__(message, hint=f"if you trust who made it: {argument}; for this registry: gitreg trust --code")

    def allowed_by(self, argument: str) -> UnsafeCode:
        """Return the same error with another argument that allows the load."""
        return UnsafeCode(self.message, argument=argument)


class Protected(Refused):
    """A version can enter this stage by pull request only."""

    kind = "protected"


class AlreadyExists(Refused):
    """An object of that name exists already."""

    kind = "already_exists"


class Conflict(GitregError):
    """Another process changed or locked the same refs or files; a retry may succeed."""

    kind = "conflict"
    exit_code = 5


class Locked(Conflict):
    """A ref cannot be moved because of its lock file, of an active process or left by one that was killed.

    Parameters
    ----------
    path:
        The path of the lock file, on the machine that has the repository.
    """

    kind = "locked"

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message, hint="if no Git process is running there, remove that file")
        self.path = path


class WorkTreeLags(GitregError):
    """A branch has moved, but a work tree of the branch could not be updated: a commit there would undo the move.

    Parameters
    ----------
    branch, commit:
        The branch, and the commit that it is at now.
    work_trees:
        The folders of the work trees that lag, each with the reason.
    """

    kind = "work_tree_lags"

    def __init__(self, branch: str, commit: str, work_trees: Mapping[Path, str]) -> None:
        lagging = "; ".join(f"the work tree {folder} could not follow: {why}" for folder, why in work_trees.items())
        super().__init__(
            f"{branch} has moved to {commit[:12]}, but {lagging}",
            hint="it is done, do not repeat it; make no commit there before `gitreg doctor --repair` has mended it",
        )


class CloneLags(GitregError):
    """A branch on the remote has moved, but the local branch could not be updated.

    Parameters
    ----------
    branch, commit:
        The branch on the remote, and the commit that it is at now.
    why:
        The error that stopped the update.
    """

    kind = "clone_lags"

    def __init__(self, branch: str, commit: str, why: GitregError) -> None:
        super().__init__(
            f"{branch} has moved to {commit[:12]}, but this clone did not follow: {why.message}",
            hint=f"it is done, do not repeat it; {f'{why.hint}; then' if why.hint else 'then'}: `gitreg pull`",
        )


class WorkTreeBusy(Conflict):
    """The Git index of a work tree is locked by another process, or by one that was killed: a retry at once fails."""

    kind = "work_tree_busy"


class TooLarge(GitregError):
    """An object or file is larger than the limit for reading.

    Parameters
    ----------
    name:
        The name of the object or file, for the message.
    size:
        The size in bytes, or that of the data which has to be read for it.
    limit:
        The limit in bytes.
    object_type:
        The type of the Git object (``blob``, ``commit``, ``tree``, ``tag``); "" for anything else.
    """

    kind = "too_large"

    def __init__(self, name: str, size: int, limit: int, *, object_type: str = "") -> None:
        super().__init__(
            f"{name} is {size:,} bytes long, more than the {limit:,} that fit", hint="remove it, or make it smaller"
        )
        self.size = size
        self.limit = limit
        self.object_type = object_type


class IntegrityError(GitregError):
    """The bytes differ from the record, or are missing."""

    kind = "integrity"
    exit_code = 6


class Unreachable(GitregError):
    """The error that a remote did not answer completely; it is not known whether it did the operation."""

    kind = "unreachable"


class Declined(Refused):
    """The error that a remote refuses to move refs, and would refuse it again.

    Parameters
    ----------
    refs:
        The refs that are refused for their own sake, not only because others are refused.
    protected:
        True if the remote accepts changes of the branch by pull request only.
    """

    kind = "declined"
    has_lines = True

    def __init__(self, message: str, *, hint: str | None, refs: Sequence[str] = (), protected: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.refs = tuple(refs)
        self.protected = protected


class StaleRefs(Conflict):
    """The error that refs of a remote have moved since they were read.

    Parameters
    ----------
    refs:
        The refs that have moved, as far as the remote names them.
    """

    kind = "stale_refs"

    def __init__(self, message: str, *, refs: Sequence[str]) -> None:
        super().__init__(message, hint="read again and try again")
        self.refs = tuple(refs)


class NotAtomic(GitregError):
    """The error that a remote cannot move several refs atomically."""

    kind = "not_atomic"


class OvertakenError(Refused):
    """The error for a target that another process changed after it was checked, so that it must be checked again."""

    kind = "overtaken"

    def __init__(self, path: Path | str) -> None:
        super().__init__(f"{path} changed while it was to be written", hint="see who else writes there; run it again")


class AbsentError(IntegrityError):
    """The error for an object that a store does not have."""

    kind = "missing"


class StoreGoneError(GitregError):
    """The error for a missing store: its disk is not mounted, its address is wrong, or it was never created."""

    kind = "store_missing"

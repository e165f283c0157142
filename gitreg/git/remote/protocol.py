"""Remote repositories: fetches, pushes, and atomic updates of their refs.

The git program is used where there is one, with the user's credential helpers, SSH configuration, proxies and hooks;
otherwise dulwich.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gitreg.errors import (
    Conflict,
    Declined,
    GitregError,
    IntegrityError,
    Locked,
    NotAtomic,
    NotFound,
    Refused,
    StaleRefs,
    Unreachable,
)
from gitreg.git.urls import hide_login

if TYPE_CHECKING:
    from gitreg.git.values import RefUpdate


class Remote(Protocol):
    """The operations on a remote repository."""

    name: str
    """The name or URL for messages, without a login in it."""

    def fetch(self, refspecs: Sequence[str], *, depth: int | None = None) -> None:
        """Fetch refs and the objects that they need into this repository.

        Parameters
        ----------
        refspecs:
            Refspecs as for ``git fetch``, with full names; tags are fetched only where they match one.
        depth:
            The number of commits of history to fetch; None for all that are missing here.

        Raises
        ------
        NotFound
            The remote does not exist, or has no ref of a name that is given without ``*``.
        IntegrityError
            A local tag would move; or the remote lacks objects that its refs need (a shallow clone).
        Conflict
            Another local ref would move to an object that is not its descendant, without ``+``.
        Unreachable
            The remote did not answer completely.
        """

    def refs(self, *patterns: str) -> dict[str, str]:
        """Return the remote's refs with their object ids; ``<name>^{}`` is the object that an annotated tag points to.

        Parameters
        ----------
        patterns:
            Full names, in which ``*`` stands for any text.

        Raises
        ------
        NotFound, Unreachable
            As for `fetch`.
        """

    def head(self) -> str | None:
        """Return the full name of the branch that the remote's HEAD points to; None where it is unknown."""

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool = True, options: Sequence[str] = ()) -> str:
        """Move the remote's refs by compare-and-swap, all of them or none.

        A ref that is already at its new place stays there, whatever its expected old place.

        Parameters
        ----------
        updates:
            The moves; ``old`` is as for `gitreg.git.Repository.update_refs`.
        atomic:
            False moves the refs one by one, for a remote without atomic pushes.
        options:
            Push options (``git push --push-option``).

        Returns
        -------
        str:
            The remote's messages to the user, one a line.

        Raises
        ------
        StaleRefs
            A ref has moved since it was read, or is locked by another process.
        Declined
            The remote's rules or hooks forbid it. Where it hides some refs (receive.hideRefs in git-config(1)),
            git's own server moves the others even in an atomic push; push again without the refs that the error
            names.
        NotAtomic
            The remote cannot move several refs atomically; nothing was moved.
        Unreachable
            The remote did not answer completely; the refs may have moved.
        """


PEELED = "^{}"
"""The suffix of an annotated tag's name that means the object that it points to."""


def pattern_of(text: str) -> re.Pattern[str]:
    """Return a compiled pattern for whole names, in which each ``*`` is a group that matches any text."""
    return re.compile("(.*)".join(map(re.escape, text.split("*"))), re.DOTALL)


def matching(refs: Mapping[str, str], patterns: Sequence[str]) -> dict[str, str]:
    """Return the refs whose names match one of the patterns, including the objects that annotated tags point to."""
    wanted = [pattern_of(pattern) for pattern in patterns]
    return {
        name: oid for name, oid in refs.items() if any(each.fullmatch(name.removesuffix(PEELED)) for each in wanted)
    }


# -- errors of pushes and fetches ----------------------------------------------------------------------------------


class Rejection(NamedTuple):
    """A ref that did not move, and the reason in the words of git or the server."""

    ref: str
    why: str


_STALE = re.compile(
    r"stale info|fetch first|non-fast-forward|already exists|needs force|incorrect old value|cannot lock ref"
    r"|failed to update ref|failed to lock|Unable to create|but expected|reference already exists|is at [0-9a-f]{40}"
    r"|failed to write|unable to migrate|failed to remove|reference is missing|cannot update the ref"
)
_OVERTAKEN = re.compile(r"(refs/\S+) is at (?:[0-9a-f]{12}|nothing) by now")  # the message of gitreg's own hooks
_LOCK = re.compile(r"Unable to create '([^']*\.lock)': File exists")
_LOCKED_REF = re.compile(r"lock ref '([^']+)'")
_ONLY_WITH_OTHERS = re.compile(r"atomic push fail|atomic transaction failed|transaction aborted")
_PROTECTED = re.compile(
    r"protected branch|GH006|GH013|protected ref|not allowed to push|through a (?:pull|merge) request"
)


def rejected(remote: str, rejections: Sequence[Rejection], output: str) -> GitregError:
    """Return the error for refs that a remote did not move.

    Parameters
    ----------
    remote:
        The name of the remote, for the message.
    rejections:
        The refs that did not move, at least one.
    output:
        The server's messages to the user, one a line.

    Returns
    -------
    GitregError:
        A `Locked`, a `Stale` or a `Declined`.
    """
    own = [one for one in rejections if not _ONLY_WITH_OTHERS.search(one.why)]
    if not own and (held := _STALE.search(output)):  # one ref of an atomic push has moved since it was read
        locked = _LOCKED_REF.search(output)
        own = [Rejection(locked[1] if locked else rejections[0].ref, held[0])]
    own = own or list(rejections)
    if overtaken := _OVERTAKEN.search(output):
        own = [Rejection(overtaken[1], "fetch first")]
    if (held := _LOCK.search(output)) and all(_STALE.search(one.why) for one in own):
        path = held[1].replace("/./", "/")
        return Locked(f"{own[0].ref} of {remote} is locked by another process: {path} is there", path=path)
    declined = [one for one in own if not _STALE.search(one.why)]
    if not declined:
        return StaleRefs(f"{remote} has moved {own[0].ref} ({own[0].why})", refs=[one.ref for one in own])
    reasons = "; ".join(dict.fromkeys(one.why for one in declined))
    messages = _in_lines(output)
    protected = bool(_PROTECTED.search(f"{reasons} {messages}"))
    refs = [one.ref for one in declined]
    named = ", ".join(refs[:3]) + (f" and {len(refs) - 3} more" if len(refs) > 3 else "")
    return Declined(
        f"{remote} declines to move {named}: {reasons}" + (f": {messages}" if messages else ""),
        hint="propose it instead: --pr" if protected else "ask who keeps that repository, or read what its hooks say",
        refs=refs,
        protected=protected,
    )


_NO_ATOMIC = re.compile(r"does not support (?:--)?atomic|atomic push not supported")
_INCOMPLETE = re.compile(r"did not send all necessary objects|shallow roots are not allowed to be updated")
_HOOK = re.compile(r"^error: failed to push some refs to .*\n?", re.MULTILINE)
_NO_OPTIONS = re.compile(r"does not support push options")
_WOULD_CLOBBER = re.compile(r"! \[rejected\]\s+(\S+)\s+->.*would clobber existing tag")
_WOULD_NOT_FOLLOW = re.compile(r"! \[rejected\]\s+(\S+)\s+->.*non-fast-forward")
_NOT_ALLOWED = re.compile(r"transport '([^']*)' not allowed")
_NOT_OURS = re.compile(r"dubious ownership in repository at '([^'\n]*)'")
_NO_SUCH_REF = re.compile(r"couldn't find remote ref (\S+)")
_NO_REPOSITORY = re.compile(
    r"does not appear to be a git repository|[Rr]epository (?:'[^']*' )?not found|repository .* does not exist"
    r"|not a git repository|ERROR: .* not found|project you were looking for could not be found"
    r"|returned error: 404|repository '[^']*' not found"
)
_LOGIN = re.compile(
    r"Authentication failed|could not read Username|could not read Password|Permission denied \(|returned error: 40[13]"
    r"|http resp 40[13]|Host key verification failed|terminal prompts disabled|access denied|Invalid username or"
)
_FULL = re.compile(r"No space left on device|Disk quota exceeded|disk quota exceeded")
_PROGRAM = re.compile(r"^fatal: (?!.*the remote end hung up unexpectedly$)", re.MULTILINE)
"""The git program's own last line, which says that it went no further; those of a remote begin with ``remote:``."""
_AFTER_IT = re.compile(r"^.*the remote end hung up unexpectedly$", re.MULTILINE)
_NO_ANSWER = re.compile(
    r"unable to (?:access|look up|connect)|[Cc]ould not (?:resolve|read from remote)|early EOF|RPC failed"
    r"|protocol error|unexpected|[Tt]ime[d-]* ?out|[Cc]onnect|unreachable|[Rr]eset by peer|[Bb]roken pipe"
    r"|(?:read|write) error|bad line length|SSL|TLS|HTTP|http|curl|ssh|kex_exchange|gnutls|\bexpected "
)
_NOISE = re.compile(
    r"^(?:hint: .*|To .*|Everything up-to-date|Done|\s*"
    r"|Could not read from remote repository\.|Please make sure you have the correct access rights"
    r"|and the repository exists\.)$"
)


def _in_lines(text: str) -> str:
    """Return the start of a hook's messages, without empty lines and surplus blanks."""
    return "\n".join(" ".join(line.split()) for line in text[:2000].splitlines() if line.strip())


def moved_tag(remote: str, ref: str) -> IntegrityError:
    """Return the error for a tag that differs between a remote and this repository."""
    return IntegrityError(
        f"the tag {ref} of {remote} is not the one that is here",
        hint="a version's tag never moves: find out who moved it; `gitreg doctor` says which is right",
    )


def not_following(remote: str, ref: str) -> Conflict:
    """Return the error for a ref of a remote that is not a descendant of the local one, in a fetch without force."""
    return Conflict(f"{ref} of {remote} does not follow from what is here", hint="find out who rewrote its history")


def no_such_remote(name: str, place: str) -> NotFound:
    """Return the error for a remote that a repository does not have; an address in its stead is without its login."""
    hint = f"`git clone URL`, or `git remote add {name} URL`, comes first; `git remote -v` lists them"
    if ":" in name or name.startswith((".", "/", "~")):
        hint = "that is an address: `git remote add origin URL` gives it the name origin"
    return NotFound(f"there is no remote {hide_login(name)!r} {place}", hint=hint)


def no_such_ref(remote: str, ref: str) -> NotFound:
    """Return the error for a ref that a remote does not have."""
    return NotFound(f"{remote} has no {ref}", hint="name another branch, or push that one first")


def incomplete(remote: str) -> IntegrityError:
    """Return the error for a remote that lacks, or does not send, objects that its refs need."""
    return IntegrityError(
        f"{remote} does not have all that its refs lead to",
        hint="it is damaged, or itself a shallow clone: run `git fsck` or `git fetch --unshallow` there",
    )


def connection_error(remote: str, output: str) -> GitregError:
    """Return the error for a connection to a remote that did not come to its end.

    Parameters
    ----------
    remote:
        The name of the remote, for the message.
    output:
        The output of git or the other side, from which the cause is read.

    Returns
    -------
    GitregError:
        A subclass by the cause: `Refused` where git itself refuses, `Unreachable` where the cause is not recognised.
    """
    words = hide_login(output)
    lines = [line.removeprefix("fatal: ").removeprefix("error: ").strip() for line in words.splitlines()]
    telling = " ".join(line for line in lines if not _NOISE.match(line))[:500] or "it said nothing"
    if _NO_ATOMIC.search(words):
        return NotAtomic(f"{remote} cannot move several refs together")
    if match := _NOT_ALLOWED.search(words):
        return Refused(
            f"{remote} is reached by the protocol {match[1]!r}, which your own configuration does not allow",
            hint=f"if you want that: git config --global protocol.{match[1]}.allow always",
        )
    if match := _NOT_OURS.search(words):
        return Refused(
            f"{remote} belongs to another user",
            hint=f"if you trust it, run `git config --global --add safe.directory {match[1]}` on its machine",
        )
    if match := _WOULD_CLOBBER.search(words):
        return moved_tag(remote, match[1])
    if match := _WOULD_NOT_FOLLOW.search(words):
        return not_following(remote, match[1])
    if match := _NO_SUCH_REF.search(words):
        return no_such_ref(remote, match[1])
    if _INCOMPLETE.search(words):
        return incomplete(remote)
    if _HOOK.search(words):  # although the remote has refused no ref
        messages = _in_lines(_HOOK.sub("", words))
        return Declined(f"this repository's own pre-push hook declines: {messages}", hint="do what it says")
    if _NO_OPTIONS.search(words):
        return Declined(f"{remote} takes no push options", hint="do by hand what they ask for")
    if _FULL.search(words):
        return GitregError(
            f"a disk is full, here or where {remote} is: {telling}", hint="make room on that disk and run it again"
        )
    if _LOGIN.search(words):
        return Unreachable(
            f"{remote} does not let us in: {telling}", hint="log in as git itself does it, and try again"
        )
    if f"'{remote}' does not appear to be a git repository" in words and not {"/", ":"} & set(remote):
        return NotFound(  # git took the name for a folder
            f"there is no remote {remote!r} in this clone's configuration",
            hint=f"`git remote add {remote} URL`, then again; `git remote -v` lists them",
        )
    if _NO_REPOSITORY.search(words):
        return NotFound(
            f"there is no repository at {remote}: {telling}",
            hint="correct its address; of a clone, `git remote -v` shows it",
        )
    if _PROGRAM.search(words) and not _NO_ANSWER.search(_AFTER_IT.sub("", words)):
        return Refused(
            f"git goes no further with {remote}: {telling}",
            hint="what it says is often a matter of its configuration: `git config --list --show-origin`",
        )
    return Unreachable(
        f"{remote} cannot be reached: {telling}", hint="check the network and the address, and try again"
    )

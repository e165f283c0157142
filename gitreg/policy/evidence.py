"""What gates ask about a version that is to enter a stage. Whoever gathers it may do so when it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from gitreg.contents import Finding


class Said(NamedTuple):
    """Statements about a version.

    Parameters
    ----------
    sealed:
        By its record.
    now:
        By its record and by annotations, each key with its newest value.
    """

    sealed: Mapping[str, Any]
    now: Mapping[str, Any]


class Incumbent(NamedTuple):
    """The version that holds the stage now, or that the alias names."""

    reference: str
    metadata: Said


class Approval(NamedTuple):
    """One approval as it lies in the registry, whatever it is worth.

    Parameters
    ----------
    who:
        Whose it claims to be.
    digest:
        Of the record that was approved; None where the approval cannot be read.
    problem:
        Why it cannot be read.
    registry:
        The id of the registry that it is for; None where it names none.
    until:
        When it expires, in seconds since the epoch; None: never.
    """

    who: str
    digest: str | None = None
    problem: str | None = None
    registry: str | None = None
    until: int | None = None


class Proof(NamedTuple):
    """Proof of a version's author: its tag, or the commit that brought it, has a known key's signature.

    Parameters
    ----------
    proven:
        None where that cannot be looked at here.
    problem:
        Why it is not, or not known.
    """

    proven: bool | None
    problem: str = ""


class Seal(NamedTuple):
    """What is known of the signature on a version's tag.

    Parameters
    ----------
    signer:
        The person, among those that the registry knows, whose key made it.
    problem:
        Why nobody is known to have.
    checked:
        Whether that could be looked at.
    what:
        What is signed, where it is not the version's tag: of a change of the settings, its commit.
    kind:
        What made it: ``ssh``, ``openpgp`` or ``x509``; None where there is no signature.
    """

    signer: str | None = None
    problem: str = ""
    checked: bool = True
    what: str = ""
    kind: str | None = None


class Held(NamedTuple):
    """The longest time for which a version held a stage without a break.

    Parameters
    ----------
    seconds:
        0: it never did.
    since:
        When that began, in seconds since the epoch.
    seen:
        Whether a receipt says so, and not the committers' clocks alone.
    """

    seconds: float
    since: int = 0
    seen: bool = False


class Contents(NamedTuple):
    """The worst verdicts on the files of an artifact; None where nobody looked.

    Parameters
    ----------
    recorded:
        By its record.
    read:
        By who read the bytes here.
    """

    recorded: Finding | None
    read: Finding | None


class Evidence(Protocol):
    """The facts about one version and one stage."""

    @property
    def reference(self) -> str:
        """How to speak of the version."""

    @property
    def digest(self) -> str:
        """The digest of its record."""

    @property
    def subject(self) -> str:
        """The kind of thing whose digest approvals name: a record, or a change of the settings."""

    @property
    def stage_now(self) -> str | None:
        """The stage that it holds."""

    @property
    def promoter(self) -> str | None:
        """The e-mail of who promotes; None where that is not known."""

    @property
    def incumbent(self) -> Incumbent | None:
        """The version that is where it is to go, if that is another one."""

    @property
    def metadata(self) -> Said:
        """Statements about the version."""

    @property
    def card(self) -> Mapping[str, Any]:
        """The fields of its model's card, its text as ``readme``."""

    @property
    def sealed_artifacts(self) -> Collection[str]:
        """The names of the artifacts that its record has."""

    @property
    def linked_artifacts(self) -> Collection[str]:
        """The names of those that were linked to it later."""

    @property
    def files_follow(self) -> bool:
        """Whether its files are yet to be stored, so that what is asked of them is answered later."""

    @property
    def seal(self) -> Seal:
        """Who signed its tag."""

    @property
    def approvals(self) -> Sequence[Approval]:
        """All approvals of the version for the stage."""

    @property
    def registry(self) -> str | None:
        """The registry's id; None where it has none."""

    @property
    def now(self) -> float | None:
        """The time in seconds since the epoch; None where no clock is at hand."""

    @property
    def authors(self) -> Collection[str]:
        """The persons who made the version (:meth:`person`)."""

    @property
    def proof(self) -> Proof:
        """The proof of its author."""

    def person(self, email: str) -> str:
        """Return the one word by which the person who has an e-mail, or is called so, is told from all others."""

    def files(self, artifact: str) -> Sequence[str] | None:
        """Give the paths of an artifact's files; None where they cannot be told."""

    def contents(self, artifact: str) -> Contents:
        """Return what an artifact's files are."""

    def held_for(self, stage: str) -> Held | None:
        """Return for how long the version held a stage; None where no clock is at hand."""

    def is_signed(self, approval: Approval) -> bool | None:
        """Say whether a key of the person made an approval's signature; None where that cannot be looked at here."""

    def run(self, command: Sequence[str]) -> bool | None:
        """Run a command and say whether it succeeded; None where commands are not run."""

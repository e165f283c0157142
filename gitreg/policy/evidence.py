"""The evidence: all facts that gates read about a version that is to enter a stage; it may be gathered lazily."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from gitreg.contents import Finding


class VersionMetadata(NamedTuple):
    """The metadata of a version.

    Parameters
    ----------
    sealed:
        The metadata of the record.
    now:
        The metadata of the record and of its annotation, the newest value of each key.
    """

    sealed: Mapping[str, Any]
    now: Mapping[str, Any]


class Incumbent(NamedTuple):
    """The version that is in the stage now, or that the alias points to."""

    reference: str
    metadata: VersionMetadata


class Approval(NamedTuple):
    """One approval as it is written in the registry, before it is checked.

    Parameters
    ----------
    who:
        The person who is named as its author.
    digest:
        The digest of the record that was approved; None if the approval cannot be read.
    problem:
        The reason why it cannot be read.
    registry:
        The id of the registry that it is for; None if it names none.
    until:
        The time at which it expires, in seconds since the epoch; None: never.
    """

    who: str
    digest: str | None = None
    problem: str | None = None
    registry: str | None = None
    until: int | None = None


class Proof(NamedTuple):
    """The proof of a version's author: its tag, or the commit that added it, has the signature of a known key.

    Parameters
    ----------
    proven:
        True if the signature is valid; None if it cannot be checked here.
    problem:
        The reason why the author is not proven, or the check is not possible.
    """

    proven: bool | None
    problem: str = ""


class SealEvidence(NamedTuple):
    """The signature on a version's seal, its tag.

    Parameters
    ----------
    signer:
        The person in ``people`` whose key made the signature; None: nobody is known.
    problem:
        The reason why no signer is known.
    checked:
        True if the signature could be checked.
    what:
        The name of the signed object if it is not the version's tag: for a change of the settings, its commit.
    kind:
        The format of the signature: ``ssh``, ``openpgp`` or ``x509``; None if there is no signature.
    """

    signer: str | None = None
    problem: str = ""
    checked: bool = True
    what: str = ""
    kind: str | None = None


class StageStay(NamedTuple):
    """The longest time for which a version was in a stage without a break.

    Parameters
    ----------
    seconds:
        The length of that time; 0: it never was in the stage.
    since:
        The start of that time, in seconds since the epoch.
    seen:
        True if a receipt confirms it; False if it comes from the committers' clocks alone.
    """

    seconds: float
    since: int = 0
    seen: bool = False


class Contents(NamedTuple):
    """The worst content verdicts on the files of an artifact; None: they were not scanned.

    Parameters
    ----------
    recorded:
        The worst verdict in the record.
    read:
        The worst verdict of a scan of the bytes here.
    """

    recorded: Finding | None
    read: Finding | None


class Evidence(Protocol):
    """The facts about one version and one stage."""

    @property
    def reference(self) -> str:
        """The reference of the version."""

    @property
    def digest(self) -> str:
        """The digest of the version's record."""

    @property
    def subject(self) -> str:
        """The kind of thing whose digest approvals name: a record, or a change of the settings."""

    @property
    def stage_now(self) -> str | None:
        """The stage that the version is in; None: no stage."""

    @property
    def promoter(self) -> str | None:
        """The e-mail of the promoter; None if it is not known."""

    @property
    def place(self) -> str:
        """The words for being in the stage or at the alias: ``in production``."""

    @property
    def incumbent(self) -> Incumbent | None:
        """The other version that is in the stage now, or that the alias points to; None if there is none."""

    @property
    def metadata(self) -> VersionMetadata:
        """The metadata of the version."""

    @property
    def card(self) -> Mapping[str, Any]:
        """The fields of the model's card; ``readme`` is its text."""

    @property
    def sealed_artifacts(self) -> Collection[str]:
        """The names of the artifacts in the version's record."""

    @property
    def linked_artifacts(self) -> Collection[str]:
        """The names of the artifacts that were linked to the version after it was sealed."""

    @property
    def files_follow(self) -> bool:
        """Return whether the version's files are not stored yet, so that gates on files are evaluated later."""

    @property
    def seal(self) -> SealEvidence:
        """The signature on the version's tag."""

    @property
    def approvals(self) -> Sequence[Approval]:
        """All approvals of the version for the stage."""

    @property
    def registry(self) -> str | None:
        """The id of the registry; None if it has none."""

    @property
    def now(self) -> float | None:
        """The present time in seconds since the epoch; None if there is no clock."""

    @property
    def authors(self) -> Collection[str]:
        """The persons who made the version (:meth:`person`)."""

    @property
    def proof(self) -> Proof:
        """The proof of the version's author."""

    def person(self, email: str) -> str:
        """Return the unique identifier of the person with that e-mail or name."""

    def files(self, artifact: str) -> Sequence[str] | None:
        """Return the paths of an artifact's files; None if they cannot be listed."""

    def contents(self, artifact: str) -> Contents:
        """Return the worst content verdicts on an artifact's files."""

    def time_in_stage(self, stage: str) -> StageStay | None:
        """Return the longest time for which the version was in a stage; None if there is no clock."""

    def is_signed(self, approval: Approval) -> bool | None:
        """Return whether a key of the person made the signature of an approval; None if it cannot be checked here."""

    def run(self, command: Sequence[str]) -> bool | None:
        """Return whether a command succeeds; None if commands are not run here."""

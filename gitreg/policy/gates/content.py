"""The gates on the files of a version, and on the result of a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from gitreg.contents import VERDICTS
from gitreg.policy.evidence import Evidence
from gitreg.policy.gates.base import Condition, Finding, finding
from gitreg.policy.results import Verdict


@dataclass(frozen=True, kw_only=True)
class FilesGate(Condition):
    """The gate on required artifacts and on required or forbidden files, by case-insensitive globs on path or name."""

    kind: ClassVar[str] = "files"
    artifacts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    forbidden_files: tuple[str, ...] = ()
    later: bool = False

    def _find(self, evidence: Evidence) -> Finding:
        if evidence.files_follow:
            return finding(True, "its files are looked at when they are stored")
        sealed, linked = evidence.sealed_artifacts, evidence.linked_artifacts
        counted = [*sealed, *linked] if self.later else [*sealed]
        missing = [name for name in self.artifacts if name not in counted]
        if missing:
            linked_later = [name for name in missing if name in linked]
            were = "was" if len(linked_later) == 1 else "were"
            note = f"; {_row(linked_later)} {were} linked later (see later: true)" if linked_later else ""
            are = "is" if len(missing) == 1 else "are"
            return finding(False, f"the {_artifacts(missing)} {are} missing{note}", missing=missing)
        if not (self.files or self.forbidden_files):
            are = "is" if len(self.artifacts) == 1 else "are"
            return finding(True, f"the {_artifacts(self.artifacts)} {are} there")
        paths: dict[str, Sequence[str]] = {}
        for artifact in [*sealed, *linked] if self.forbidden_files else counted:
            listed = evidence.files(artifact)
            if listed is None:
                return Verdict.UNKNOWN, f"the files of the artifact {artifact} cannot be listed here", {}
            paths[artifact] = listed
        bad = [
            path
            for listed in paths.values()
            for path in listed
            if any(_matches(path, pattern) for pattern in self.forbidden_files)
        ]
        if bad:
            more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
            return finding(False, f"{bad[0]}{more} is forbidden ({', '.join(self.forbidden_files)})", forbidden=bad)
        present = [path for artifact in counted for path in paths[artifact]]
        lacking = [pattern for pattern in self.files if not any(_matches(path, pattern) for path in present)]
        if lacking:
            return finding(False, f"no file is a {', '.join(lacking)}", missing=lacking)
        needs = [*self.artifacts, *self.files, *(f"no {pattern}" for pattern in self.forbidden_files)]
        return finding(True, f"it has {', '.join(needs)}")


def _artifacts(names: Sequence[str]) -> str:
    """Return the names of artifacts with their noun: ``artifacts model and eval``."""
    return f"artifact{'' if len(names) == 1 else 's'} {_row(names)}"


def _row(names: Sequence[str]) -> str:
    """Return names in a row, the last one after "and"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _matches(path: str, pattern: str) -> bool:
    path, pattern = path.casefold(), pattern.casefold()
    names = (path, path.rpartition("/")[2])
    return pattern in names or any(fnmatchcase(name, pattern) for name in names)


@dataclass(frozen=True, kw_only=True)
class ContentGate(Condition):
    """The gate on the worst content verdict of the sealed files, recorded or found by reading: the worse one counts."""

    kind: ClassVar[str] = "content"
    at_most: str

    def _find(self, evidence: Evidence) -> Finding:
        if evidence.files_follow:
            return finding(True, "its files are looked at when they are stored")
        found = {artifact: evidence.contents(artifact) for artifact in evidence.sealed_artifacts}
        verdicts = [
            (verdict.inside(artifact), source)
            for artifact, contents in found.items()
            for verdict, source in ((contents.recorded, "as recorded"), (contents.read, "as read here"))
            if verdict is not None
        ]
        facts: dict[str, Any] = {"at_most": self.at_most}
        if verdicts:
            worst, source = max(verdicts, key=lambda each: each[0].rank)
            facts |= {"verdict": worst.verdict, "source": source}
            if worst.rank > VERDICTS.index(self.at_most):
                return finding(
                    False, f"{worst.verdict} ({worst.why}), {source}; at most {self.at_most} is allowed", **facts
                )
        unseen = [artifact for artifact, contents in found.items() if contents == (None, None)]
        if unseen:
            sentence = f"the record does not say what the files of the {_artifacts(unseen)} are"
            return Verdict.UNKNOWN, f"{sentence}; `gitreg check` looks where it reads them", facts
        if not verdicts:
            return finding(True, "it has no sealed files", **facts)
        return finding(True, f"{worst.verdict} ({worst.why}), {source}", **facts)


@dataclass(frozen=True, kw_only=True)
class CommandGate(Condition):
    """The gate on a command that has to succeed; only ``gitreg check`` runs it, in CI, never a reader of a registry."""

    kind: ClassVar[str] = "command"
    command: tuple[str, ...]

    def _find(self, evidence: Evidence) -> Finding:
        command = " ".join(self.command)
        passed = evidence.run(self.command)
        if passed is None:
            return Verdict.UNKNOWN, f"`{command}` is run by `gitreg check` only", {}
        return finding(passed, f"`{command}` {'succeeded' if passed else 'failed'}")

"""Output of the results of commands that write."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from gitreg.cli.exit import silence
from gitreg.cli.failure import unwritable_output
from gitreg.cli.global_options import is_quiet
from gitreg.cli.output import emit, print_heading, print_line, print_text, warn
from gitreg.cli.sentences import moved_sentence, sentence
from gitreg.cli.table import Cell
from gitreg.registry.query.rows import version_row

if TYPE_CHECKING:
    from gitreg.registry.writing.commit import Outcome
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.session import Session
    from gitreg.sdk.verbs.remotes import Pulled


@contextmanager
def after_the_work(work: str = "the work") -> Iterator[None]:
    """Print in the body what was done: if standard output cannot be written, standard error says that it is done."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        unwritable = unwritable_output(error)
        if unwritable is None:
            raise
        silence(sys.stdout)
        with suppress(OSError):
            warn(f"{work} is done, but {unwritable.message}")


def report(registry: Registry, outcome: Outcome, output: str, *, nothing: str = "nothing to do") -> None:
    """Print the outcome of a write: a sentence in the past tense, and the commit's short id; if quiet, the versions.

    For programs: ``changed``, ``commit`` (null where nothing was committed), ``subject`` and, where the command
    concerns one version, ``version`` as ``gitreg show`` prints it, or ``versions`` where it concerns several; a
    proposal has ``proposal``. A dry run has ``files`` instead: the new content of each file, null if it is removed.

    Parameters
    ----------
    nothing:
        The sentence where nothing was changed.
    """
    dry = bool(outcome.written) and outcome.commit is None  # then the output is all that it does
    with nullcontext() if dry else after_the_work(repr(outcome.changes.subject or "the work")):
        _report(registry, outcome, output, nothing)


def _report(registry: Registry, outcome: Outcome, output: str, nothing: str) -> None:
    changes = outcome.changes
    if output == "table" and is_quiet():
        for model, version in changes.versions or filter(None, [changes.version]):
            print_line(f"{model}@{version}")
        return
    if output == "table":
        _tell(outcome, nothing)
        return
    data: dict[str, Any] = {
        "changed": bool(outcome.written),
        "commit": outcome.commit,
        "subject": changes.subject or None,
    }
    if outcome.proposal:
        data["proposal"] = outcome.proposal._asdict()
    if outcome.written and outcome.commit is None:
        data["files"] = {path: _text(content) for path, content in outcome.written.items()}
    elif changes.version is not None:
        data["version"] = version_row(registry.session.about(outcome))
    elif changes.versions:
        data["versions"] = [version_row(version) for version in registry.session.about_all(outcome)]
    emit(data, output, columns=("changed", "commit", "subject"))


@after_the_work()
def report_moved(session: Session, moved: Pulled, output: str, *, verb: str) -> None:
    """Print the move of a branch: ``branch``, ``before`` and ``after`` for programs.

    They get ``gone`` and ``stages`` too: the commits that a rewrite of history removed, and the stages that it moved.

    Parameters
    ----------
    verb:
        ``Pulled`` or ``Pushed``.
    """
    if output != "table":
        emit(moved.row(), output, columns=("branch", "before", "after"))
        return
    if is_quiet():
        return
    after = Cell((moved.after or "")[:10], dim=True)
    if moved.before == moved.after:
        print_line(f"Nothing to {verb.removesuffix('ed').lower()}: {moved.branch} has nothing new  ", after)
    elif moved.rewrite is not None:
        print_line(f"Followed the rewritten history of {moved.branch}, from {(moved.before or '')[:10]} to  ", after)
    else:
        print_line(f"{moved_sentence(session.branch.repository, moved, verb)}  ", after)
    for commit, subject in moved.rewrite.gone if moved.rewrite else ():
        print_line(f"gone: {commit[:10]} {subject}")
    for stage, before, holder in moved.rewrite.stages if moved.rewrite else ():
        print_line(f"{stage}: {before or 'nothing'} -> {holder or 'nothing'}")


def _tell(outcome: Outcome, nothing: str) -> None:
    if not outcome.written:
        print_line(nothing)
    elif outcome.commit is None:
        print_line(f"Would commit: {outcome.changes.subject}")
        for path, content in outcome.written.items():
            print_heading(path if content is not None else f"{path} (removed)")
            print_text(_text(content) or "")
    elif outcome.proposal is None:
        print_line(f"{sentence(outcome.changes)}  ", Cell(outcome.commit[:10], dim=True))
    else:
        print_line(f"Proposed: {outcome.changes.subject}  ", Cell(outcome.commit[:10], dim=True))
        print_line(f"It waits on the branch {outcome.proposal.branch}; nothing has moved yet")
        if outcome.proposal.url:
            done = "The pull request is" if outcome.proposal.opened else "Open the pull request"
            print_line(f"{done}: {outcome.proposal.url}")


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")

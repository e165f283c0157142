"""Batches: many versions in one commit and one push."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gitreg.errors import InvalidInput
from gitreg.progress import NO_PROGRESS, Progress
from gitreg.registry.operations.batches import check_all_saveable, save_versions
from gitreg.registry.operations.versions import NewVersion, check_saveable
from gitreg.registry.state.registry_refs import tagged_numbers
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.writing.changes import Changes
from gitreg.registry.writing.commit import Operation, Outcome
from gitreg.sdk.verbs.save import Files, Saving, describe, publish, put, sources, surrounded, written
from gitreg.units import counted

if TYPE_CHECKING:
    from gitreg.sdk.session import Session


class Batch:
    """Versions that become one commit when the ``with`` block ends; if the block raises, none of them is committed.

    Files are stored at once. Numbers are assigned at the end, consecutively.

    Parameters
    ----------
    message:
        Text to add to the message of the commit.

    Attributes
    ----------
    outcome:
        The outcome of the commit, after the block; None if nothing was saved.
    """

    def __init__(self, session: Session, message: str = "", progress: Progress | None = None) -> None:
        self._session = session
        self._message = message
        self._progress = progress or NO_PROGRESS
        self._stack = ExitStack()
        self._pending: list[tuple[Saving, Mapping[str, Files], NewVersion]] = []
        self.outcome: Outcome | None = None

    def __repr__(self) -> str:
        state = repr(self.outcome.commit[:10]) if self.outcome and self.outcome.commit else "not committed"
        return f"Batch({counted(len(self._pending), 'version')}, {state})"

    def __enter__(self) -> Self:
        self._url = self._session.store_url
        self._store = self._stack.enter_context(self._session.saving(self._progress))
        self._new_version = surrounded(self._session)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if kind is None and self._pending:
                self.outcome = self._publish()

    @property
    def versions(self) -> list[ModelVersion]:
        """The versions, in the order in which they were saved; an empty list before the end of the block."""
        return self._session.about_all(self.outcome) if self.outcome else []

    def save(
        self,
        model: str,
        *contents: Any,
        artifacts: Mapping[str, Any] | None = None,
        type: str = "model",  # noqa: A002 - the word of the format
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        description: str | None = None,
        inputs: Sequence[str] = (),
        stage: str | None = None,
        unsafe_pickle: bool = False,
    ) -> None:
        """Store the files or the object of a new version of a model, as :meth:`gitreg.Registry.save` does.

            with registry.batch("Nightly") as batch:
                batch.save("iris", estimator)
                batch.save("ranker", "ranker.bst")

        The versions in ``inputs`` have to exist before the batch.

        Raises
        ------
        GitregError
            As :meth:`gitreg.Registry.save` raises it.

        Examples
        --------
        >>> with registry.batch() as batch:
        ...     batch.save("iris", "model.bst")
        >>> batch.versions[0].reference
        'iris@4'
        """
        found = sources(type, contents, artifacts or {}, unsafe_pickle=unsafe_pickle)
        self.add(Saving(model, found, type, metadata or {}, tags, description, inputs, stage))

    def add(self, saving: Saving) -> None:
        """Store the files of one new version and add it to the batch."""
        new = self._new_version(saving)
        check_saveable(self._session.snapshot(), new, context=self._session.context())
        files = self._stack.enter_context(written(saving))
        new = replace(new, artifacts=put(self._store, saving, files, self._session.verdicts))
        self._pending.append((saving, files, new))

    def _publish(self) -> Outcome:
        operation = _operation(self._session, [new for _, _, new in self._pending], self._message)
        return publish(self._session, self._store, self._session.into(self._url, operation), self._put_again)

    def _put_again(self) -> bool:
        same = [
            put(self._store, saving, files, self._session.verdicts) == new.artifacts
            for saving, files, new in self._pending
        ]
        return all(same)


def save_all(
    session: Session,
    savings: Sequence[Saving],
    *,
    message: str = "",
    progress: Progress = NO_PROGRESS,
    dry_run: bool = False,
) -> Outcome:
    """Save many versions in one commit and return the outcome; a dry run stores and commits nothing.

    Errors that do not depend on the files are raised before any file is stored.

    Raises
    ------
    GitregError
        As :meth:`gitreg.Registry.save` raises it.
    InvalidInput
        The list is empty.
    """
    if not savings:
        raise InvalidInput("there is nothing to save", hint="a batch is a list of what to save")
    new_version = surrounded(session)
    news = [new_version(saving) for saving in savings]
    check_all_saveable(session.snapshot(), news, context=session.context())
    if dry_run:
        with ExitStack() as stack:
            news = [
                replace(new, artifacts=describe(each, stack.enter_context(written(each)), progress, session.verdicts))
                for new, each in zip(news, savings, strict=True)
            ]
        return session.commit(_operation(session, news, message), dry_run=True)
    with Batch(session, message, progress) as batch:
        for saving in savings:
            batch.add(saving)
    assert batch.outcome is not None
    return batch.outcome


def _operation(session: Session, news: Sequence[NewVersion], message: str) -> Operation:
    context = session.context()

    def operation(snapshot: Snapshot) -> Changes:
        given = partial(tagged_numbers, session.branch.repository, snapshot)
        return save_versions(snapshot, news, given=given, context=context, message=message)

    return operation

"""The active run of a context, as the code below :mod:`gitreg.sdk.runs` sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from gitreg.sdk.environment import RUN_VARIABLE

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactDocument
    from gitreg.registry.drafts import Draft
    from gitreg.registry.state.snapshot import ModelVersion, Snapshot
    from gitreg.sdk.session import Session

    class ArtifactsOfRun(Protocol):
        """The artifacts of a run; handles are :class:`gitreg.ArtifactVersion`, models are :class:`gitreg.Model`."""

        def save(
            self,
            data: Any,
            name: str,
            version: str | None = None,
            *,
            artifact_type: str = "data",
            metadata: Mapping[str, Any] | None = None,
            unsafe_pickle: bool = False,
        ) -> Any:
            """Save an object into the draft and return its handle."""

        def find(self, name: str, version: str | int | None = None) -> Any:
            """Return the handle of an artifact in the draft; None if there is none."""

        def link(self, artifact: str, model: Any = None, *, key: str | None = None) -> None:
            """Link an artifact to a version of the draft."""

        def note_input(self, used: ArtifactDocument | ModelVersion, snapshot: Snapshot) -> None:
            """Note a version that was loaded as an input of the step, or of the run."""

    class ActiveRun(Protocol):
        """A run while it executes (:class:`gitreg.sdk.runs.run.Run`)."""

        outer: Any

        @property
        def session(self) -> Session:
            """The open registry that it writes to."""

        @property
        def artifacts(self) -> ArtifactsOfRun:
            """The artifacts that it saves, links and uses."""

        @property
        def is_joined(self) -> bool:
            """True if another process began the run."""

        def read_draft(self) -> Draft:
            """Return its draft as it is now."""


_ACTIVE: ContextVar[ActiveRun | None] = ContextVar("gitreg_run", default=None)
_BEGUN: list[ActiveRun] = []
"""The runs that this process began and that have not ended, in the order in which they began."""


def active_run() -> ActiveRun | None:
    """Return the active run: that of this context, else the only one of this process, else the one that started it.

    A thread begins with a new context, in which no run is set. None if no run is active.
    """
    run = _ACTIVE.get() or _only_run()
    if run is None and not _BEGUN and os.environ.get(RUN_VARIABLE):
        # by its name, for it stands above this module; few processes have a parent run
        parent: ActiveRun | None = import_module("gitreg.sdk.runs.attach").parent_run()
        return parent
    return run


def run_here() -> ActiveRun | None:
    """Return the run in whose block this context is; None if there is none, or if another process began it."""
    run = _ACTIVE.get()
    return None if run is None or run.is_joined else run


@contextmanager
def active(run: ActiveRun) -> Iterator[None]:
    """Make a run the active one in the block."""
    run.outer = _ACTIVE.get()
    token = _ACTIVE.set(run)
    _BEGUN.append(run)
    try:
        yield
    finally:
        _BEGUN.remove(run)
        with suppress(ValueError):  # the block may end in another context, as in a notebook, where the token is invalid
            _ACTIVE.reset(token)


def _only_run() -> ActiveRun | None:
    """Return the run of this process, of nested runs the innermost; None if several are independent."""
    outer = {id(each.outer) for each in _BEGUN}
    innermost = [each for each in _BEGUN if id(each) not in outer]
    return innermost[0] if len(innermost) == 1 else None

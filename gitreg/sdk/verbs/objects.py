"""Objects of Python (estimators, tables, arrays) as artifacts: written to files, and read again."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gitreg import materializers
from gitreg.errors import InvalidInput, UnsafeCode
from gitreg.registry.state.manifests import choose_artifact
from gitreg.sdk.verbs.find import find_version
from gitreg.sdk.verbs.load import load_files, note_input, tell_yanked

if TYPE_CHECKING:
    from gitreg.sdk.session import Session

FILE, FOLDER = "path", "folder"
"""The values of ``materializer`` in a record for a file and for a folder that were saved as such."""


def write_object(value: object, stack: ExitStack, *, unsafe_pickle: bool) -> tuple[Path, str]:
    """Write an object to a temporary folder, and return the folder and the name of the materializer.

    Parameters
    ----------
    stack:
        The folder is removed when it closes.
    unsafe_pickle:
        True to pickle an object that no safe format supports.

    Raises
    ------
    InvalidInput
        No materializer takes the object, its files would not restore it, or its library is not installed.
    """
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="gitreg-")))
    return folder, materializers.write(value, folder, unsafe_pickle=unsafe_pickle)


def read_object(folder: Path, materializer: str, *, unsafe_pickle: bool, expected: Any = None) -> Any:
    """Return the object in a folder, by the ``materializer`` of its record; of a folder saved as such, the folder.

    Raises
    ------
    InvalidInput
        The files are damaged, or the library of the materializer is not installed.
    Refused
        The files could run code, and ``unsafe_pickle`` is False.
    """
    if materializer == FOLDER:
        return folder
    return materializers.read(folder, materializer, unsafe_pickle=unsafe_pickle, expected=expected)


def load_object(
    session: Session,
    reference: str,
    *,
    artifact: str | None = None,
    unsafe_pickle: bool = False,
    expected: type | None = None,
) -> Any:
    """Return the object that a version was saved from (:meth:`gitreg.Registry.load_object`)."""
    version = find_version(session, reference)
    tell_yanked(version)
    record = choose_artifact(version, artifact)
    if record.materializer is None:
        named = f"the artifact {artifact!r} of {version.reference}" if artifact else version.reference
        raise InvalidInput(f"{named} was saved as files", hint="registry.load gives their folder")
    try:
        folder = load_files(session, record, model=version.model, what=version.reference, unsafe_code=unsafe_pickle)
    except UnsafeCode as error:
        raise error.allowed_by("unsafe_pickle=True") from error
    note_input(session, version)
    return read_object(folder, record.materializer, unsafe_pickle=unsafe_pickle, expected=expected)

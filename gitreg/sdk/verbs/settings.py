"""The settings of a registry, and its other files that people write: shown, set and edited, each in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from gitreg.documents.files import read_data
from gitreg.documents.layout import Key, parse_path
from gitreg.errors import InvalidDocument, InvalidInput, NotFound, Refused
from gitreg.names import check_stage
from gitreg.registry.operations.settings import set_field
from gitreg.registry.writing.changes import Changes
from gitreg.registry.writing.commit import Outcome
from gitreg.sdk.verbs.remotes import set_remote
from gitreg.sdk.verbs.settings_rules import judged
from gitreg.sdk.verbs.stores import set_store
from gitreg.suggestions import nearest

if TYPE_CHECKING:
    from gitreg.documents.types import RegistryDocument
    from gitreg.registry.state.branch import RegistryBranch
    from gitreg.registry.state.snapshot import Snapshot
    from gitreg.sdk.session import Session

FIELDS = ("description", "remote", "store", "stages")
"""The settings that are shown and set by name."""

_EDITED = ("registry", "model", "card", "annotation")
"""The kinds of files that are edited as text; records never change, and pointers move by commands of their own."""


def values(session: Session) -> dict[str, str | list[str] | None]:
    """Return the settings `FIELDS` by name; the store by its address, None where there is no value."""
    settings = session.snapshot().settings
    return {
        "description": settings.description,
        "remote": settings.remote,
        "store": session.store_url,
        "stages": list(settings.stages),
    }


def set_value(session: Session, name: str, given: Sequence[str]) -> Outcome:
    """Set one of the settings `FIELDS` in one commit, and return the outcome.

    Parameters
    ----------
    given:
        All stages in their order; of any other setting its one value.

    Raises
    ------
    InvalidInput
        There is no setting of that name, it has one value, or it cannot have this one.
    Refused
        A rule forbids the change, as that of a stage that a version holds.
    GitregError
        As `set_store` and `set_remote` raise it.
    """
    check_name(name)
    if name == "stages":
        return session.commit(judged(session, partial(_set_stages, stages=tuple(given))))
    if len(given) != 1:
        raise InvalidInput(f"{name} has one value, not {len(given)}", hint=f'`gitreg config set {name} "..."`')
    if name == "store":
        return set_store(session, given[0])
    if name == "remote":
        return set_remote(session, given[0])
    return session.commit(judged(session, partial(set_field, field=name, value=given[0] or None)))


def _set_stages(snapshot: Snapshot, stages: tuple[str, ...]) -> Changes:
    if twice := next((stage for stage in stages if stages.count(stage) > 1), None):
        raise InvalidInput(f"the stage {twice} is named twice", hint="name all stages once, in their order")
    for stage in stages:
        check_stage(stage)
    return set_field(snapshot, "stages", stages)


def check_name(name: str) -> str:
    """Return the name of a setting.

    Raises
    ------
    InvalidInput
        There is no such setting.
    """
    if name not in FIELDS:
        near = nearest(name, FIELDS, most=1)
        raise InvalidInput(
            f"gitreg config has no setting {name!r}",
            hint=None if near else f"there are {', '.join(FIELDS)}; all else: `gitreg edit`",
            correction=(name, near[0]) if near else None,
        )
    return name


# -- text --------------------------------------------------------------------------------------------------------------


def read_text(session: Session, path: str) -> bytes:
    """Return the content of a file on the registry's branch that people write; nothing for a card that is new.

    Parameters
    ----------
    path:
        The path inside of the registry: ``gitreg.yaml``, ``models/iris/model.yaml``, ``models/iris/README.md``.

    Raises
    ------
    NotFound
        There is no such file.
    Refused
        It is a sealed record, or a file that a command of its own writes.
    """
    return _content(session.branch, session.snapshot(), _key(path)) or b""


def write_text(session: Session, path: str, before: bytes, after: bytes) -> Outcome:
    """Write a file on the registry's branch in one commit, and return the outcome.

    Parameters
    ----------
    before:
        The content that was edited.

    Raises
    ------
    InvalidInput
        The new content is not valid, or causes another problem of the registry.
    Refused
        Somebody else has changed the file since, the settings policy forbids the change, or it names another store or
        remote: a command of its own looks after what lies there.
    """
    key = _key(path)

    def operation(snapshot: Snapshot) -> Changes:
        if (_content(session.branch, snapshot, key) or b"") != before:
            raise Refused(f"{path} was changed by somebody else meanwhile", hint="edit it again")
        if key.kind == "registry":
            _check_places(snapshot.settings, after)
        return Changes({key: after}, f"Edit {path}", trailers=(("Operation", "edit"),))

    return session.commit(judged(session, operation))


def _check_places(before: RegistryDocument, text: bytes) -> None:
    """Refuse another store or remote: weights, branch and tags have to be there before a file names it."""
    try:
        after = read_data(Key("registry"), text)
    except InvalidDocument:
        return  # told by the rules of a merge
    for field, command in (("store", "store set URL --copy"), ("remote", "remote set NAME")):
        if after.get(field) not in {None, getattr(before, field)}:
            raise Refused(f"gitreg.yaml names another {field}: {after[field]}", hint=f"`gitreg {command}` sets it")


def _key(path: str) -> Key:
    key = parse_path(path)
    if key is None:
        raise _no_file(path)
    if key.kind not in _EDITED:
        raise Refused(
            f"{path} is not edited as text",
            hint="records are sealed; `gitreg promote`, `gitreg alias` and `gitreg approve` write the rest",
        )
    return key


def _content(branch: RegistryBranch, snapshot: Snapshot, key: Key) -> bytes | None:
    """Return the content of a file; None for a card that a model does not have yet."""
    content = branch.repository.read(snapshot.commit, f"{branch.root}/{key.path}" if branch.root else key.path)
    if content is None and (key.kind != "card" or key.model not in snapshot.model_names()):
        raise _no_file(key.path)
    return content


def _no_file(path: str) -> NotFound:
    return NotFound(f"{path} is no file of the registry", hint="name gitreg.yaml, or models/MODEL/README.md")

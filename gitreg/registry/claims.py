"""Who keeps weights in a store that several registries may share, so that none collects another's.

A clone remembers the claims that it has left and read: one that is gone later was removed by somebody, or the store was
restored from an older copy, and with it others may be gone of which nobody here knows. So nothing is collected then.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from gitreg.blobs import Store
from gitreg.errors import GitregError, NotFound, Refused
from gitreg.git import Repository
from gitreg.git.program import speaking_of_none
from gitreg.registry.ledger import Ledger

_CLONE_ID = "clone-id"
_PATIENCE = 10.0  # seconds
_WEEK = "%G-W%V"  # a claim is renewed by the first save of a week: who keeps a store can see whose are old


def leave_claim(ledger: Ledger, store: Store) -> None:
    """Say in the store that this registry keeps weights there."""
    name, said = _claim(ledger, _clone_id(ledger.repository) or _make_clone_id(ledger.repository))
    text = _text({**said, "renewed": datetime.now(UTC).strftime(_WEEK)})
    if store.claim(name, text):
        _remember(ledger.repository, store, {name: said["repository"]})


@contextmanager
def other_registries(ledger: Ledger, store: Store, *, env: Mapping[str, str]) -> Iterator[list[Ledger]]:
    """Open the other registries that keep weights in the store.

    Raises
    ------
    Refused
        One of them cannot be read, or its claim is gone, so that what it needs is not known.
    """
    clone = _clone_id(ledger.repository)
    own = _claim(ledger, clone)[0] if clone else ""
    opened: list[Ledger] = []
    claims = store.claims()
    _check_none_vanished(ledger.repository, store, claims)
    try:
        read = {own: str(ledger.repository.common_dir)} if own in claims else {}
        for name, text in claims.items():
            if name != own:
                other = _open(name, text, store, env)
                opened.append(other)
                read[name] = str(other.repository.common_dir)
        _remember(ledger.repository, store, read)
        yield opened
    finally:
        for other in opened:
            other.close()
            other.repository.close()


def _check_none_vanished(repository: Repository, store: Store, claims: Collection[str]) -> None:
    for name, place in _remembered(repository).get(store.url, {}).items():
        if name not in claims:
            raise Refused(
                f"the claim of {place} on {store.url} is gone, and others may be gone with it",
                hint=f"let each registry that keeps weights there save once, then collect; if that one needs nothing "
                f"there any more, remove {name} from {_note(repository)}",
            )


def _note(repository: Repository) -> Path:
    return repository.common_dir / "gitreg" / "claims.json"


def _remembered(repository: Repository) -> dict[str, dict[str, str]]:
    """Return the claims that this clone has left or read: by the store's address, to whose they are, by name."""
    try:
        said = json.loads(_note(repository).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Refused(
            f"{_note(repository)} cannot be read: {error}",
            hint="it says which claims on stores this clone has seen; remove it if all of them are still there",
        ) from None
    return {url: dict(names) for url, names in said.items()}


def _remember(repository: Repository, store: Store, names: Mapping[str, str]) -> None:
    """Note claims that are in a store, for `_check_none_vanished`."""
    with suppress(OSError):  # a repository that is only readable here
        said = _remembered(repository)
        known = said.setdefault(store.url, {})
        if names.items() <= known.items():
            return
        known.update(names)
        note = _note(repository)
        note.parent.mkdir(exist_ok=True)
        aside = note.with_name(f"{note.name}.{os.getpid()}-{threading.get_ident()}")
        aside.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        os.replace(aside, note)


def _claim(ledger: Ledger, clone: str) -> tuple[str, dict[str, str]]:
    said = {
        "repository": str(ledger.repository.common_dir),
        "clone": clone,
        "branch": ledger.branch,
        "root": ledger.root,
    }
    return f"{sha256(_text(said)).hexdigest()[:32]}.json", said


def _text(said: Mapping[str, str]) -> bytes:
    return json.dumps(said, indent=1).encode() + b"\n"


def _clone_id(repository: Repository) -> str | None:
    """Give what tells this clone from one in the same folder of another machine; None before its first claim."""
    try:
        return (repository.common_dir / "gitreg" / _CLONE_ID).read_text().strip()
    except FileNotFoundError:
        return None


def _make_clone_id(repository: Repository) -> str:
    with repository.lock(timeout=_PATIENCE):
        made = _clone_id(repository)
        if made is None:
            made = os.urandom(16).hex()
            path = repository.common_dir / "gitreg" / _CLONE_ID
            aside = path.with_suffix(".new")
            aside.write_text(f"{made}\n")
            os.replace(aside, path)
    return made


def _open(name: str, text: bytes, store: Store, env: Mapping[str, str]) -> Ledger:
    place, heard = f"claims/{name}", ""
    try:
        said = json.loads(text)
        place = said["repository"]
        heard = f" (it last saved there in the week {said['renewed']})" if "renewed" in said else ""
        repository = Repository.discover(Path(place), env=speaking_of_none(env))
        if "clone" in said and said["clone"] != _clone_id(repository):
            repository.close()
            raise NotFound("the repository there is another one; its own is perhaps on another machine")
        other = Ledger(repository, said["branch"], said["root"])
        other.snapshot()
    except (ValueError, KeyError, TypeError, GitregError, OSError) as error:
        raise Refused(
            f"{place} keeps weights in {store.url} too{heard}, and cannot be read: {error}",
            hint=f"collect where it can be read; if it is gone for good, remove claims/{name} from the store",
        ) from None
    return other

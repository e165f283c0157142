"""Who keeps weights in a store that several registries may share, so that none collects another's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from gitreg.blobs import Store
from gitreg.errors import GitregError, NotFound, Refused
from gitreg.git import Repository
from gitreg.git.program import speaking_of_none
from gitreg.registry.ledger import Ledger

_CLONE_ID = "clone-id"
_PATIENCE = 10.0  # seconds


def leave_claim(ledger: Ledger, store: Store) -> None:
    """Say in the store that this registry keeps weights there."""
    store.claim(*_claim(ledger, _clone_id(ledger.repository) or _make_clone_id(ledger.repository)))


@contextmanager
def other_registries(ledger: Ledger, store: Store, *, env: Mapping[str, str]) -> Iterator[list[Ledger]]:
    """Open the other registries that keep weights in the store.

    Raises
    ------
    Refused
        One of them cannot be read, so that what it needs is not known.
    """
    clone = _clone_id(ledger.repository)
    own = _claim(ledger, clone)[0] if clone else None
    opened: list[Ledger] = []
    try:
        for name, text in store.claims().items():
            if name != own:
                opened.append(_open(name, text, store, env))
        yield opened
    finally:
        for other in opened:
            other.close()
            other.repository.close()


def _claim(ledger: Ledger, clone: str) -> tuple[str, bytes]:
    said = {
        "repository": str(ledger.repository.common_dir),
        "clone": clone,
        "branch": ledger.branch,
        "root": ledger.root,
    }
    text = json.dumps(said, indent=1).encode() + b"\n"
    return f"{sha256(text).hexdigest()[:32]}.json", text


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
    place = f"claims/{name}"
    try:
        said = json.loads(text)
        place = said["repository"]
        repository = Repository.discover(Path(place), env=speaking_of_none(env))
        if "clone" in said and said["clone"] != _clone_id(repository):
            repository.close()
            raise NotFound("the repository there is another one; its own is perhaps on another machine")
        other = Ledger(repository, said["branch"], said["root"])
        other.snapshot()
    except (ValueError, KeyError, TypeError, GitregError, OSError) as error:
        raise Refused(
            f"{place} keeps weights in {store.url} too, and cannot be read: {error}",
            hint=f"collect where it can be read; if it is gone for good, remove claims/{name} from the store",
        ) from None
    return other

"""Who keeps weights in a store that several registries may share, so that none collects another's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from gitreg.blobs import Store
from gitreg.errors import GitregError, Refused
from gitreg.git import Repository
from gitreg.registry.ledger import Ledger


def leave_claim(ledger: Ledger, store: Store) -> None:
    """Say in the store that this registry keeps weights there."""
    store.claim(*_claim(ledger))


@contextmanager
def other_registries(ledger: Ledger, store: Store, *, env: Mapping[str, str]) -> Iterator[list[Ledger]]:
    """Open the other registries that keep weights in the store.

    Raises
    ------
    Refused
        One of them cannot be read, so that what it needs is not known.
    """
    own = _claim(ledger)[0]
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


def _claim(ledger: Ledger) -> tuple[str, bytes]:
    said = {"repository": str(ledger.repository.common_dir), "branch": ledger.branch, "root": ledger.root}
    text = json.dumps(said, indent=1).encode() + b"\n"
    return f"{sha256(text).hexdigest()[:32]}.json", text


def _open(name: str, text: bytes, store: Store, env: Mapping[str, str]) -> Ledger:
    place = f"claims/{name}"
    try:
        said = json.loads(text)
        place = said["repository"]
        env = {key: value for key, value in env.items() if key != "GIT_DIR"}
        other = Ledger(Repository.discover(Path(place), env=env), said["branch"], said["root"])
        other.snapshot()
    except (ValueError, KeyError, TypeError, GitregError, OSError) as error:
        raise Refused(
            f"{place} keeps weights in {store.url} too, and cannot be read: {error}",
            hint=f"collect where it can be read; if it is gone for good, remove claims/{name} from the store",
        ) from None
    return other

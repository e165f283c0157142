"""Words in a store of who keeps weights there, so that none of several registries and clones collects another's.

A registry with a remote has one claim, whoever saves from whichever clone: it is named by its id and its remote, for an
id alone can be copied. What that claim stands for is what the remote has. A clone that holds what the remote lacks (a
draft, commits of ``--local``) has a claim of its own beside it, while it does; so has each clone of a registry without
a remote, for good.

A clone remembers the claims that it has left and read, those of other clones for a while excepted: one that is gone
later was removed by somebody, or the store was restored from an older copy, and with it others may be gone of which
nobody here knows. So nothing is collected then.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gitreg.blobs import Store
from gitreg.errors import Refused
from gitreg.git import Repository
from gitreg.git.discovery import shared_with_group
from gitreg.git.locking import writers_lock
from gitreg.registry.ledger import Ledger

_CLONE_ID = "clone-id"
_KNOWN = "known"
_PATIENCE = 10.0  # seconds
_WEEK = "%G-W%V"  # a claim is renewed by the first save of a week: who keeps a store can see whose are old
_NETWORK = (
    r"(?:(?P<scheme>https?|ssh|git)://(?:(?P<user>[^@/\s]*)@)?(?P<host>[^/\s]+)|(?:(?P<who>[^@/:\s]+)@)?(?P<machine>[\w.-]+):)"
    r"(?P<path>(?!//)\S*?)(?:\.git)?/*"
)


class Claim(NamedTuple):
    """A claim on a store.

    Parameters
    ----------
    name:
        Its name in the store.
    said:
        What it says, but for when it was renewed.
    """

    name: str
    said: Mapping[str, str]

    @property
    def place(self) -> str:
        """How to speak of who left it: the address of a registry's remote, or the Git folder of a clone."""
        return self.said.get("repository") or self.said["remote"]


class Claims:
    """The claims that one clone of a registry leaves in stores.

    Parameters
    ----------
    remote:
        The name of the remote that the registry is published to; None where it has none.
    """

    def __init__(self, ledger: Ledger, remote: str | None) -> None:
        self._ledger = ledger
        self._repository = ledger.repository
        self._remote = remote

    def leave(self, store: Store, *, unpublished: bool) -> None:
        """Leave word in a store that this registry keeps weights there.

        Parameters
        ----------
        unpublished:
            Whether this clone keeps some of which the remote does not know, or not yet.
        """
        registry = self.of_registry(make=True)
        if registry is not None:
            self._leave(store, registry)
        if registry is None or unpublished:
            folder = self._repository.common_dir
            own = self._of_clone(clone_id(folder) or _make_clone_id(folder))
            known = registry is not None and _is_known(store, own)
            self._leave(store, own, **{_KNOWN: "to other clones"} if known else {})

    def _leave(self, store: Store, claim: Claim, **more: str) -> None:
        new = store.claim(claim.name, _text({**claim.said, **more, "renewed": datetime.now(UTC).strftime(_WEEK)}))
        if new or "repository" in claim.said:
            self.remember(store, [claim])

    def drop(self, store: Store, *, leave: bool) -> None:
        """Take back the clone's own claim on a store, once the remote has all that it keeps there.

        The registry's claim takes its place. A claim that is older than those of registries is only pointed there, for
        other clones remember it.

        Parameters
        ----------
        leave:
            Whether the registry's claim is left where it is not there; else nothing is done then, nor where the clone's
            own is gone: a collection has to be stopped by that.
        """
        registry, own = self.of_registry(make=leave), self.of_clone()
        if registry is None or own is None:
            return
        text = store.read_claim(own.name)
        if leave:
            self._leave(store, registry)
        elif text is None or store.read_claim(registry.name) is None:
            return
        if text is not None and _is_known(store, own):
            store.claim(own.name, _text({**own.said, _KNOWN: "to other clones", "replaced_by": registry.name}))
        elif text is not None:
            store.drop_claim(own.name)
        self.forget(store, own.name)

    def stores_with_own(self) -> list[str]:
        """Return the addresses of the stores where the clone remembers that it left a claim of its own."""
        said = self._remembered()
        own = self.of_clone() if said else None
        return [url for url, names in said.items() if own is not None and own.name in names]

    # -- whose they are ----------------------------------------------------------------------------------------------

    def of_registry(self, *, make: bool = False) -> Claim | None:
        """Return the claim that all clones of the registry share; None where it has no remote, or no id.

        Parameters
        ----------
        make:
            Whether a remote that is a folder gets an id of its own, where it has none yet: the folders of two machines
            may be of the same name.
        """
        settings = self._ledger.snapshot().settings
        address = self._repository.address_of(self._remote) if self._remote and settings.id else None
        if address is None or settings.id is None:
            return None
        said = {"registry": settings.id, "remote": address, "branch": self._ledger.branch, "root": self._ledger.root}
        if not os.path.isabs(address):
            found = re.fullmatch(_NETWORK, address)
            if found is None:
                return None
            place = [_place(found)]
        elif os.path.exists(os.path.join(address, "HEAD")):
            said["clone"] = ""
            with suppress(OSError):  # it can only be read from here, or not even that
                said["clone"] = clone_id(Path(address)) or (_make_clone_id(Path(address)) if make else "")
            place = [address, said["clone"]]
        else:
            return None
        return Claim(_name([settings.id, *place, self._ledger.branch, self._ledger.root]), said)

    def of_clone(self) -> Claim | None:
        """Return the clone's own claim; None where it never left one."""
        clone = clone_id(self._repository.common_dir)
        return self._of_clone(clone) if clone else None

    def _of_clone(self, clone: str) -> Claim:
        said = {
            "repository": str(self._repository.common_dir),
            "clone": clone,
            "branch": self._ledger.branch,
            "root": self._ledger.root,
        }
        name = f"{sha256(_text(said)).hexdigest()[:32]}.json"
        registry = self._ledger.snapshot().settings.id if self._remote else None
        return Claim(name, said if registry is None else {**said, "registry": registry})

    # -- what is remembered ------------------------------------------------------------------------------------------

    def check_none_vanished(self, store: Store, there: Collection[str]) -> None:
        """Refuse to go on where a claim is gone that this clone left or read before.

        Raises
        ------
        Refused
            One is gone.
        """
        for name, place in self._remembered().get(store.url, {}).items():
            if name not in there:
                raise Refused(
                    f"the claim of {place} on {store.url} is gone, and others may be gone with it",
                    hint="let each registry that keeps weights there save once, then collect; if that one needs "
                    f"nothing there any more, remove {name} from {_note(self._repository)}",
                )

    def remember(self, store: Store, claims: Iterable[Claim]) -> None:
        """Note claims that are in a store, for `check_none_vanished`."""
        names = {claim.name: claim.place for claim in claims}
        said = self._remembered()
        known = said.setdefault(store.url, {})
        if not names.items() <= known.items():
            known.update(names)
            self._note(said)

    def forget(self, store: Store, name: str) -> None:
        """Note that a claim is no more in a store, and that this is right."""
        said = self._remembered()
        if said.get(store.url, {}).pop(name, None) is not None:
            self._note(said)

    def _remembered(self) -> dict[str, dict[str, str]]:
        """Return the claims that this clone has left or read: by the store's address, to whose they are, by name."""
        note = _note(self._repository)
        try:
            said = json.loads(note.read_text(encoding="utf-8"))
            return {url: dict(names) for url, names in said.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Refused(
                f"{note} cannot be read: {error}",
                hint="it says which claims on stores this clone has seen; remove it if all of them are still there",
            ) from None

    def _note(self, said: Mapping[str, Mapping[str, str]]) -> None:
        note = _note(self._repository)
        with suppress(OSError):  # a repository that is only readable here
            note.parent.mkdir(exist_ok=True)
            aside = note.with_name(f"{note.name}.{os.getpid()}-{threading.get_ident()}")
            aside.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
            os.replace(aside, note)


def read_claim(name: str, text: bytes) -> Claim:
    """Return a claim that lies in a store.

    Raises
    ------
    ValueError
        It is none.
    """
    said: Any = json.loads(text)
    if not isinstance(said, dict) or not {"repository", "remote"} & said.keys():
        raise ValueError("it is no claim")
    if not all(isinstance(value, str) for value in said.values()):
        raise ValueError("it does not say who left it")
    return Claim(name, said)


def _is_known(store: Store, own: Claim) -> bool:
    """Return whether other clones may remember a clone's claim: it was left before registries had claims."""
    text = store.read_claim(own.name)
    try:
        said = None if text is None else read_claim(own.name, text).said
    except ValueError:  # damaged: whatever it was
        return True
    return said is not None and ("registry" not in said or _KNOWN in said)


def is_plain_address(address: str) -> bool:
    """Return whether an address is of a folder, or of a machine that Git itself speaks to."""
    return os.path.isabs(address) or re.fullmatch(_NETWORK, address) is not None


def clone_id(folder: Path) -> str | None:
    """Return what tells the repository of a Git folder from one in the same folder of another machine.

    Returns
    -------
    str or None:
        None before its first claim.
    """
    try:
        return (folder / "gitreg" / _CLONE_ID).read_text().strip()
    except FileNotFoundError:
        return None


def _make_clone_id(folder: Path) -> str:
    with writers_lock(folder, timeout=_PATIENCE, group=shared_with_group(folder)):
        made = clone_id(folder)
        if made is None:
            made = os.urandom(16).hex()
            path = folder / "gitreg" / _CLONE_ID
            aside = path.with_suffix(".new")
            aside.write_text(f"{made}\n")
            os.replace(aside, path)
    return made


def _place(found: re.Match[str]) -> str:
    """Return the same for all ways to one repository of a machine: by https, by ssh, with and without ``.git``.

    Hosts know everybody as the user ``git`` by ssh, and by the login's own name by https; another user of ssh may be
    one with a home of his own, where the path begins.
    """
    user = (found["user"] or "").partition(":")[0] if found["scheme"] == "ssh" else found["who"] or ""
    host = (found["host"] or found["machine"]).lower()
    return f"{user if user != 'git' else ''}@{host}/{found['path'].strip('/')}"


def _name(parts: Iterable[str]) -> str:
    return f"{sha256(json.dumps(list(parts)).encode()).hexdigest()[:32]}.json"


def _note(repository: Repository) -> Path:
    return repository.common_dir / "gitreg" / "claims.json"


def _text(said: Mapping[str, str]) -> bytes:
    return json.dumps(said, indent=1).encode() + b"\n"

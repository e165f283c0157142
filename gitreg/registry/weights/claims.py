"""Claims: small files in a blob store that name its store users, so that garbage collection keeps their blobs.

A registry with a remote has one claim for all its clones, named by the registry's id and its remote, as an id alone can
be copied. That claim stands for all that the remote has. A clone with something that the remote lacks (a draft, commits
of ``--local``) has a claim of its own in addition, as long as that is so. Each clone of a registry without a remote
always has its own.

A clone remembers the claims that it has left and read, except temporary ones of other clones. If a remembered claim is
missing later, somebody removed it, or the store was restored from an older copy; unknown claims may be missing, too. So
nothing is collected then.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gitreg.blobs.file_io import replacing, write_all
from gitreg.blobs.store import Store
from gitreg.errors import Refused
from gitreg.git import Repository
from gitreg.git.discovery import shared_with_group
from gitreg.git.refs.locking import writers_lock
from gitreg.registry.state.branch import RegistryBranch

_CLONE_ID = "clone-id"
_KNOWN = "known"
_PATIENCE = 10.0  # seconds
_WEEK = "%G-W%V"  # the first save of a week renews a claim, so that old ones can be seen
_NETWORK = (
    r"(?:(?P<scheme>https?|ssh|git)://(?:(?P<user>[^@/\s]*)@)?(?P<host>[^/\s]+)|(?:(?P<who>[^@/:\s]+)@)?(?P<machine>[\w.-]+):)"
    r"(?P<path>(?!//)\S*?)(?:\.git)?/*"
)


class Claim(NamedTuple):
    """A claim of a store user: a registry or a clone that keeps blobs in a store.

    Parameters
    ----------
    name:
        The file name of the claim in the store.
    fields:
        The fields of the claim. Where this clone made it, without the time of its renewal.
    """

    name: str
    fields: Mapping[str, str]

    @property
    def place(self) -> str:
        """The owner of the claim, for messages: the address of a registry's remote, or the Git folder of a clone."""
        return self.fields.get("repository") or self.fields["remote"]


class Claims:
    """The claims that one clone of a registry leaves in stores.

    Parameters
    ----------
    remote:
        The name of the remote that the registry is published to; None where it has none.
    """

    def __init__(self, branch: RegistryBranch, remote: str | None) -> None:
        self._branch = branch
        self._repository = branch.repository
        self._remote = remote

    def leave(self, store: Store, *, unpublished: bool) -> None:
        """Write claims to a store: the registry's, and the clone's own where it is needed.

        Parameters
        ----------
        unpublished:
            True if this clone has versions or drafts in the store that the remote does not know yet.
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
        new = store.claim(claim.name, _text({**claim.fields, **more, "renewed": datetime.now(UTC).strftime(_WEEK)}))
        if new or "repository" in claim.fields:
            self.remember(store, [claim])

    def drop(self, store: Store, *, leave: bool) -> None:
        """Remove the clone's own claim on a store, once the remote has all that the clone keeps there.

        The registry's claim replaces it. A claim that other clones may remember is not removed, but names its
        replacement.

        Parameters
        ----------
        leave:
            True to write the registry's claim first. False does nothing where the registry's or the clone's own claim
            is missing, as a missing claim has to stop a collection.
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
            store.claim(own.name, _text({**own.fields, _KNOWN: "to other clones", "replaced_by": registry.name}))
        elif text is not None:
            store.drop_claim(own.name)
        self.forget(store, own.name)

    def stores_with_own(self) -> list[str]:
        """Return the addresses of the stores in which the clone remembers a claim of its own."""
        remembered = self._remembered()
        own = self.of_clone() if remembered else None
        return [url for url, names in remembered.items() if own is not None and own.name in names]

    # -- owners of claims --------------------------------------------------------------------------------------------

    def of_registry(self, *, make: bool = False) -> Claim | None:
        """Return the claim that all clones of the registry share; None without a registry id or a known kind of remote.

        Parameters
        ----------
        make:
            True to write a clone id into a remote that is a folder without one: folders of two machines may have the
            same path.
        """
        settings = self._branch.snapshot().settings
        address = self._repository.remotes.address(self._remote) if self._remote and settings.id else None
        if address is None or settings.id is None:
            return None
        fields = {"registry": settings.id, "remote": address, "branch": self._branch.name, "root": self._branch.root}
        if not os.path.isabs(address):
            found = re.fullmatch(_NETWORK, address)
            if found is None:
                return None
            place = [_place(found)]
        elif os.path.exists(os.path.join(address, "HEAD")):
            fields["clone"] = ""
            with suppress(OSError):  # the folder may be read-only or unreadable
                fields["clone"] = clone_id(Path(address)) or (_make_clone_id(Path(address)) if make else "")
            place = [address, fields["clone"]]
        else:
            return None
        return Claim(_name([settings.id, *place, self._branch.name, self._branch.root]), fields)

    def of_clone(self) -> Claim | None:
        """Return the clone's own claim; None where it never wrote one."""
        clone = clone_id(self._repository.common_dir)
        return self._of_clone(clone) if clone else None

    def _of_clone(self, clone: str) -> Claim:
        fields = {
            "repository": str(self._repository.common_dir),
            "clone": clone,
            "branch": self._branch.name,
            "root": self._branch.root,
        }
        name = f"{sha256(_text(fields)).hexdigest()[:32]}.json"
        registry = self._branch.snapshot().settings.id if self._remote else None
        return Claim(name, fields if registry is None else {**fields, "registry": registry})

    # -- remembered claims -------------------------------------------------------------------------------------------

    def check_none_vanished(self, store: Store, present: Collection[str]) -> None:
        """Raise Refused if a claim that this clone remembers is missing in a store.

        Parameters
        ----------
        present:
            The names of the claims in the store.

        Raises
        ------
        Refused
            A remembered claim is missing, or the note of remembered claims cannot be read.
        """
        for name, place in self._remembered().get(store.url, {}).items():
            if name not in present:
                raise Refused(
                    f"the claim of {place} on {store.url} is gone, and others may be gone with it",
                    hint="let each registry that keeps weights there save once, then collect; if that one needs "
                    f"nothing there any more, remove {name} from {_note(self._repository)}",
                )

    def remember(self, store: Store, claims: Iterable[Claim]) -> None:
        """Write the names of claims in a store to the clone's note, for `check_none_vanished`."""
        names = {claim.name: claim.place for claim in claims}
        remembered = self._remembered()
        known = remembered.setdefault(store.url, {})
        if not names.items() <= known.items():
            known.update(names)
            self._note(remembered)

    def forget(self, store: Store, name: str) -> None:
        """Remove a claim from the clone's note, after it was removed from the store on purpose."""
        remembered = self._remembered()
        if remembered.get(store.url, {}).pop(name, None) is not None:
            self._note(remembered)

    def _remembered(self) -> dict[str, dict[str, str]]:
        """Return the claims that this clone remembers: by store address, a dict from claim name to owner."""
        note = _note(self._repository)
        try:
            data = json.loads(note.read_text(encoding="utf-8"))
            return {url: dict(names) for url, names in data.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Refused(
                f"{note} cannot be read: {error}",
                hint="it says which claims on stores this clone has seen; remove it if all of them are still there",
            ) from None

    def _note(self, remembered: Mapping[str, Mapping[str, str]]) -> None:
        note = _note(self._repository)
        with suppress(OSError):  # a read-only repository
            note.parent.mkdir(exist_ok=True)
            with replacing(note) as descriptor:
                write_all(descriptor, _text(remembered), 0)


def read_claim(name: str, text: bytes) -> Claim:
    """Return a claim parsed from its file in a store.

    Raises
    ------
    ValueError
        The text is no claim.
    """
    fields: Any = json.loads(text)
    if not isinstance(fields, dict) or not {"repository", "remote"} & fields.keys():
        raise ValueError("it is no claim")
    if not all(isinstance(value, str) for value in fields.values()):
        raise ValueError("it does not say who left it")
    return Claim(name, fields)


def _is_known(store: Store, own: Claim) -> bool:
    """Return whether other clones may remember a clone's claim: it dates from before registries had claims."""
    text = store.read_claim(own.name)
    try:
        fields = None if text is None else read_claim(own.name, text).fields
    except ValueError:  # damaged, so either is possible
        return True
    return fields is not None and ("registry" not in fields or _KNOWN in fields)


def is_plain_address(address: str) -> bool:
    """Return whether an address is an absolute path, or a URL of a protocol built into Git (http, ssh, git)."""
    return os.path.isabs(address) or re.fullmatch(_NETWORK, address) is not None


def clone_id(folder: Path) -> str | None:
    """Return the clone id of a Git folder, which tells it from a folder of the same path on another machine.

    Returns
    -------
    str or None:
        32 hexadecimal digits; None before the first claim.
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
            with replacing(folder / "gitreg" / _CLONE_ID) as descriptor:
                write_all(descriptor, f"{made}\n".encode(), 0)
    return made


def _place(found: re.Match[str]) -> str:
    """Return one name for all addresses of a repository on a machine: https or ssh, with or without ``.git``.

    The user counts only for ssh, and only if it is not ``git``: the path of another user may begin in that user's home.
    """
    user = (found["user"] or "").partition(":")[0] if found["scheme"] == "ssh" else found["who"] or ""
    host = (found["host"] or found["machine"]).lower()
    return f"{user if user != 'git' else ''}@{host}/{found['path'].strip('/')}"


def _name(parts: Iterable[str]) -> str:
    return f"{sha256(json.dumps(list(parts)).encode()).hexdigest()[:32]}.json"


def _note(repository: Repository) -> Path:
    return repository.common_dir / "gitreg" / "claims.json"


def _text(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, indent=1).encode() + b"\n"

"""Persons, as ``people`` in ``gitreg.yaml`` names them: by e-mails that are theirs, and public SSH keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any


class People:
    """The persons whom a registry knows; anybody else is a person of their own.

    Parameters
    ----------
    said:
        ``people`` of ``gitreg.yaml``: by name, which is an e-mail of theirs too, a list of keys, or
        ``{emails: [...], keys: [...]}``.
    """

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.keys: Mapping[str, Sequence[str]] = {name: _part(entry, "keys") for name, entry in said.items()}
        self.emails: Mapping[str, Sequence[str]] = {
            name: (name, *_part(entry, "emails")) for name, entry in said.items()
        }
        self._owners = {email.casefold(): name for name, emails in self.emails.items() for email in emails}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all, in the file's order."""
        return tuple(self.keys)

    def find(self, email: str) -> str | None:
        """Return the name of the person who has an e-mail, or is called so; None for nobody who is known."""
        return self._owners.get(email.casefold())

    def person(self, email: str) -> str:
        """Return the one word by which a person is told from all others, whichever of their e-mails is given."""
        return (self.find(email) or email).casefold()

    def persons(self, emails: Iterable[str]) -> frozenset[str]:
        """Return the persons who have some e-mails."""
        return frozenset(self.person(email) for email in emails if email)

    def any_is(self, email: str, named: Collection[str]) -> bool:
        """Return whether the person who has an e-mail is one of those that are named by any of theirs."""
        return self.person(email) in self.persons(named)


def _part(entry: Any, part: str) -> tuple[str, ...]:
    if isinstance(entry, Mapping):
        return tuple(entry.get(part, ()))
    return tuple(entry) if part == "keys" else ()

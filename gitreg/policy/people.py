"""The people in ``gitreg.yaml``: names, e-mails and public SSH keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any


class People:
    """The persons that a registry knows; every unknown e-mail counts as a person of its own.

    Parameters
    ----------
    people:
        The field ``people`` of ``gitreg.yaml``: by name, which is an e-mail of the person too, a list of keys or
        ``{emails: [...], keys: [...]}``.
    """

    def __init__(self, people: Mapping[str, Any]) -> None:
        self.keys: Mapping[str, Sequence[str]] = {name: _part(entry, "keys") for name, entry in people.items()}
        self.emails: Mapping[str, Sequence[str]] = {
            name: (name, *_part(entry, "emails")) for name, entry in people.items()
        }
        self._owners = {email.casefold(): name for name, emails in self.emails.items() for email in emails}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all persons, in the order of the file."""
        return tuple(self.keys)

    def find(self, email: str) -> str | None:
        """Return the name of the person with that e-mail or name; None if the person is not known."""
        return self._owners.get(email.casefold())

    def person(self, email: str) -> str:
        """Return the unique identifier of a person, the same for each of the person's e-mails."""
        return (self.find(email) or email).casefold()

    def persons(self, emails: Iterable[str]) -> frozenset[str]:
        """Return the identifiers of the persons with these e-mails; empty e-mails are left out."""
        return frozenset(self.person(email) for email in emails if email)

    def any_is(self, email: str, named: Collection[str]) -> bool:
        """Return whether the person with an e-mail is among those that the e-mails in ``named`` belong to."""
        return self.person(email) in self.persons(named)


def _part(entry: Any, part: str) -> tuple[str, ...]:
    if isinstance(entry, Mapping):
        return tuple(entry.get(part, ()))
    return tuple(entry) if part == "keys" else ()

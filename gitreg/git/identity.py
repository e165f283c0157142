"""The author or committer of a commit, with the time, as git determines it (git-var(1), git-commit-tree(1)).

One difference: where no address is configured, git makes one up from the host's name; here that is an error, for the
sake of the audit log (as with user.useConfigOnly).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from gitreg.errors import InvalidInput
from gitreg.git.config import Config
from gitreg.git.program import Git
from gitreg.git.values import Identity, without_crud

_RAW_DATE = re.compile(r"(@\d+|\d{9,})(?:\s+([+-])(\d{2})(\d{2}))?")


def identity(role: str, config: Config, env: Mapping[str, str], git: Git | None, *, time: int, offset: int) -> Identity:
    """Return the name, address and time of the user in a role.

    Parameters
    ----------
    role:
        ``committer`` or ``author``.
    git:
        The git program, which reads dates in more forms; None where there is none.
    time, offset:
        The current time in seconds since the epoch, and the time zone in minutes east of UTC;
        ``GIT_COMMITTER_DATE`` and ``GIT_AUTHOR_DATE`` take precedence.

    Raises
    ------
    InvalidInput
        No name or no address is configured, or the date in the environment is not a date.
    """
    prefix = f"GIT_{role.upper()}"
    names = (env.get(f"{prefix}_NAME"), config.get(f"{role}.name"), config.get("user.name"))
    emails = (env.get(f"{prefix}_EMAIL"), config.get(f"{role}.email"), config.get("user.email"), env.get("EMAIL"))
    # As in git, a variable or setting that is set but empty is not skipped: it is an error.
    name = without_crud(next((raw for raw in names if raw is not None), ""))
    email = without_crud(next((raw for raw in emails if raw is not None), ""))
    if not name or not email:
        hint = 'run `git config --global user.name "Your Name"` and `git config --global user.email you@example.com`'
        if not env.get("HOME"):  # where git has no file for --global
            hint = "set GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL"
        raise InvalidInput("git does not know who you are", hint=hint)
    if date := env.get(f"{prefix}_DATE"):
        found = _date_by_git(git, date) if git else _parse_date(date)
        if found is None:
            raise InvalidInput(
                f"{prefix}_DATE is {date!r}, which is no date", hint="write it as 2026-11-22T10:00:00+01:00"
            )
        time, offset = found
    return Identity(name, email, time, offset)


def _date_by_git(git: Git, text: str) -> tuple[int, int] | None:
    """Return the time and zone of a date as git reads it; None where git does not take it for one."""
    someone = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@x", "GIT_AUTHOR_DATE": text}
    asked = git.run("var", "GIT_AUTHOR_IDENT", cwd=Path("/"), variables=someone)
    return _raw_date(asked.stdout.decode(errors="replace").rpartition("> ")[2]) if not asked.returncode else None


def _parse_date(text: str) -> tuple[int, int] | None:
    """Return the time and zone of a date in git's raw format, ISO 8601 or RFC 2822 (git-commit(1), DATE FORMATS).

    Without a zone it is that of this machine.
    """
    if raw := _raw_date(text):
        return raw
    from email.utils import parsedate_to_datetime  # imports half of the email package

    for read in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError):
            moment = read(text.strip())
            if ":" in text:  # a day alone is no date for git, either
                return int(moment.timestamp()), _minutes(moment if moment.tzinfo else moment.astimezone())
    return None


def _raw_date(text: str) -> tuple[int, int] | None:
    raw = _RAW_DATE.fullmatch(text.strip())
    if raw is None:
        return None
    if not raw[2]:
        return int(raw[1].removeprefix("@")), _minutes(
            datetime.fromtimestamp(int(raw[1].removeprefix("@"))).astimezone()
        )
    minutes = int(raw[3]) * 60 + int(raw[4])
    return int(raw[1].removeprefix("@")), -minutes if raw[2] == "-" else minutes


def _minutes(moment: datetime) -> int:
    """Return the zone of a moment in minutes east of UTC."""
    zone = moment.utcoffset()
    return int(zone.total_seconds()) // 60 if zone is not None else 0

"""The author or committer of a commit, with the time, as git determines it (git-var(1), git-commit-tree(1)).

One difference: where no address is configured, git makes one up from the host's name; here that is an error, for the
sake of the audit log (as with user.useConfigOnly).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from gitreg.errors import InvalidInput
from gitreg.git.config import Config
from gitreg.git.values import Identity, without_crud

_RAW_DATE = re.compile(r"@?(\d+)(?:\s+([+-])(\d{2})(\d{2}))?")


def identity(role: str, config: Config, env: Mapping[str, str], *, time: int, offset: int) -> Identity:
    """Return the name, address and time of the user in a role.

    Parameters
    ----------
    role:
        ``committer`` or ``author``.
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
        raise InvalidInput(
            "git does not know who you are",
            hint='run `git config --global user.name "Your Name"` and `git config --global user.email you@example.com`',
        )
    if date := env.get(f"{prefix}_DATE"):
        time, offset = _parse_date(date, f"{prefix}_DATE")
    return Identity(name, email, time, offset)


def _parse_date(text: str, where: str) -> tuple[int, int]:
    """Return the time and zone of a date in git's raw format, ISO 8601 or RFC 2822 (git-commit(1), DATE FORMATS)."""
    if raw := _RAW_DATE.fullmatch(text.strip()):
        minutes = int(raw[3]) * 60 + int(raw[4]) if raw[2] else 0
        return int(raw[1]), -minutes if raw[2] == "-" else minutes
    from email.utils import parsedate_to_datetime  # imports half of the email package

    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text.strip())
        except ValueError:
            continue
        zone = moment.utcoffset()
        if zone is not None:
            return int(moment.timestamp()), int(zone.total_seconds()) // 60
    raise InvalidInput(f"{where} is {text!r}, which is no date", hint="write it as 2026-11-22T10:00:00+01:00")

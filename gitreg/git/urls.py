"""URLs of remotes without their secrets, for messages, records and configurations."""

from __future__ import annotations

import re

from gitreg.errors import InvalidInput

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(\S*)")
_SCP = re.compile(r"(?<![^\s'\"(])[\w.+-]+:(?!//)\S*@(?=[\w.-]+:)")  # user:password@host:path
_TOKEN = re.compile(
    r"(?i)([?&;][^=&\s]*(?:token|secret|passw|api_?key|access_?key|auth|credential|sig)[^=&\s]*=)[^&\s#'\"]+"
)
_MASK = "***"


def hide_login(text: str) -> str:
    """Return a text in which URLs are without users, passwords and tokens.

    The user of ``git@host:path`` stays, which is no secret.
    """
    if "@" not in text and "://" not in text:
        return text
    return _SCP.sub("", _URL.sub(lambda found: found[1] + _without_secrets(found[2]), text))


def hide_password(url: str) -> str:
    """Return a URL without its password; the user stays in an ssh URL, where it names the account on the machine."""
    public = hide_login(url)
    if not url.startswith("ssh://") or public == url:
        return public
    user = re.split("[:@]", url.removeprefix("ssh://"), maxsplit=1)[0]
    return f"ssh://{user}@{public.removeprefix('ssh://')}"


def check_login(url: str) -> None:
    """Raise InvalidInput for a login that git would read as something else, and print a part of: with a raw @ or /.

    Raises
    ------
    InvalidInput
        The user or the password in the URL has an @, a / or a # in it.
    """
    found = _URL.fullmatch(url)
    if found is None:
        return
    authority, _, path = found[2].partition("/")
    login, at, host = authority.rpartition("@")
    _, colon, port = authority.partition(":")
    unfinished = colon and not authority.startswith("[") and port and not port.isdigit()
    short = ":" in login and "@" in path and not re.match(r"\[|localhost|[^:]*\.", host)
    if "@" in login or (not at and unfinished) or short:
        raise InvalidInput(
            f"the login in {hide_login(url)} has a sign in it that ends one",
            hint="write @ as %40, / as %2F and # as %23, or leave the login to a credential helper",
        )


def _without_secrets(rest: str) -> str:
    """Return what follows ``://`` in a URL, without login and tokens; a password may be written with @ and / in it.

    Where there is a password, it is taken to end at the last @: rather a path is cut short than a password shown.
    """
    authority, _, path = rest.partition("/")
    name, colon, port = authority.partition("@")[0].partition(":")
    is_port = not port or port.rstrip("'\",;.)").isdigit()
    is_host = (is_port and ("." in name or name == "localhost")) or name.startswith("[")
    if "@" in authority and not colon:
        rest = rest[authority.rindex("@") + 1 :]
    elif "@" in authority or (colon and "@" in path and not is_host):
        rest = rest.rpartition("@")[2]
    elif not is_port and not is_host:  # the beginning of a password, cut off at a #
        rest = f"{name}:{_MASK}"
    return _TOKEN.sub(rf"\1{_MASK}", rest)

"""URLs of remotes without their secrets, for messages and records."""

from __future__ import annotations

import re

_USERINFO = re.compile(r"(\w+://)[^/@\s]*@")
_PASSWORD = re.compile(r"(ssh://[^/@:\s]*):[^/@\s]*@")


def hide_login(text: str) -> str:
    """Return a text in which URLs are without users and passwords."""
    return _USERINFO.sub(r"\1", text)


def hide_password(url: str) -> str:
    """Return a URL without its password; the user stays in an ssh URL, where it names the account on the machine."""
    return _PASSWORD.sub(r"\1@", url) if url.startswith("ssh://") else hide_login(url)

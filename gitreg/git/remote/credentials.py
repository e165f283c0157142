"""The user's login for an HTTP server, found without the git program.

The sources are those of git itself (gitcredentials(7)): credential helpers in the user's configuration, and the file
``~/.netrc`` of curl. The ``store`` helper is a part of git, so its file is read directly.
"""

from __future__ import annotations

import netrc
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitreg.git.config import Config
from gitreg.git.remote.connections import Login


def find_login(config: Config, env: Mapping[str, str], folder: Path, url: str) -> Login | None:
    """Return the login for a URL, or None where none is found or the URL contains the password.

    Parameters
    ----------
    folder:
        The working folder of the credential helpers.
    """
    asked = urlsplit(url)
    if asked.password is not None:
        return None
    host = asked.hostname or ""
    if asked.port:
        host += f":{asked.port}"
    home = Path(env.get("HOME", "/nonexistent"))
    for helper in _helpers(config, f"{asked.scheme}://{host}"):
        program, *arguments = helper.split()
        if program == "store":
            named = [Path(word.removeprefix("--file=").replace("~", str(home), 1)) for word in arguments]
            found = _stored(named or [home / ".git-credentials"], asked.scheme, host, asked.username)
        else:
            about = f"protocol={asked.scheme}\nhost={host}\n" + (
                f"username={asked.username}\n" if asked.username else ""
            )
            found = _ask_helper(helper, env, folder, about)
        if found:
            return found
    return _from_netrc(home / ".netrc", asked.hostname or "", asked.username)


def _helpers(config: Config, site: str) -> list[str]:
    """Return the user's credential helpers for all sites and for this one; those named by a repository are ignored."""
    helpers: list[str] = []
    for key in ("credential.helper", f"credential.{site}.helper"):
        for value in config.get_all(key, from_user_only=True):
            helpers = [*helpers, value] if value else []
    return helpers


def _stored(files: list[Path], scheme: str, host: str, user: str | None) -> Login | None:
    for line in (line for file in files if file.is_file() for line in file.read_text().split()):
        entry = urlsplit(line)
        entry_host = unquote(entry.netloc.rpartition("@")[2])
        if (entry.scheme, entry_host) == (scheme, host) and entry.username and entry.password is not None:
            login = Login(unquote(entry.username), unquote(entry.password))
            if user in (None, login.user):
                return login
    return None


def _ask_helper(helper: str, env: Mapping[str, str], folder: Path, about: str) -> Login | None:
    command = helper[1:] if helper.startswith("!") else helper if helper.startswith("/") else f"git-credential-{helper}"
    done = subprocess.run(
        ["sh", "-c", f"{command} get"],
        cwd=folder,
        env=dict(env),
        input=about.encode(),
        capture_output=True,
        check=False,
    )
    fields = dict(_pairs(done.stdout.decode("utf-8", "replace")))
    return Login(fields["username"], fields["password"]) if {"username", "password"} <= fields.keys() else None


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, _, value = line.partition("=")
        yield key, value


def _from_netrc(file: Path, host: str, user: str | None) -> Login | None:
    try:
        found = netrc.netrc(file).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return None
    return Login(found[0], found[2] or "") if found and user in (None, found[0]) else None

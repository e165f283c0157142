"""Programs and protocols named by a repository's own configuration, which are ignored for its remotes.

Otherwise the person who hands over a repository, or may write to its folder, could run programs as the user who fetches
and pushes there. The user's own configuration and environment may name them (git-config(1), git(1)).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gitreg.errors import Refused
from gitreg.git.config import THE_USERS, Config
from gitreg.git.urls import check_login, hide_login

_NAMES_ONE = re.compile(
    r"protocol\.(?:.*\.)?allow|core\.(?:sshcommand|gitproxy|askpass|alternaterefscommand)"
    r"|remote\..*\.(?:uploadpack|receivepack|vcs)|credential\.(?:.*\.)?helper|url\..*\.(?:push)?insteadof"
    r"|gpg\.(?:.*\.)?(?:program|defaultkeycommand)",
    re.DOTALL,
)
_SPELLED = {
    name.lower(): name
    for name in (
        "sshCommand", "gitProxy", "askPass", "alternateRefsCommand", "insteadOf", "pushInsteadOf", "defaultKeyCommand",
    )
}  # fmt: skip
_PLAIN = frozenset({"http", "https", "git", "ssh", "file"})
"""The protocols that git speaks without a helper program, by git's names (git-config(1), protocol.allow)."""
_BY_URL = _PLAIN | {"git+ssh", "ssh+git"}
_SCHEME = re.compile(r"([A-Za-z0-9][A-Za-z0-9+.-]*)(::|://)")
_ANY_VALUE = re.compile(r"protocol\.(.*)\.allow", re.DOTALL)
_NO_VALUES: Mapping[str, str] = {}


class RemoteCommand(NamedTuple):
    """The arguments and settings of git for a remote, by which only the user's configuration names programs.

    Parameters
    ----------
    address:
        The address to pass to git in place of the remote.
    options:
        Options of the git command.
    settings:
        Pairs of key and value that take precedence over all configuration, in order.
    variables:
        Environment variables to add to the user's own.
    """

    address: str
    options: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    variables: Mapping[str, str] = _NO_VALUES


def ignored_keys(config: Config) -> list[str]:
    """Return the keys by which a repository's own configuration names programs and protocols, sorted."""
    return sorted({_spelled(key) for scope, key, _ in config.settings if _is_ignored(scope, key)})


def without_programs(config: Config) -> Config:
    """Return a configuration without the programs and protocols that the repository names."""
    return Config(tuple(setting for setting in config.settings if not _is_ignored(*setting[:2])))


def _moves_own_refs(config: Config, address: str) -> bool:
    """Return whether git moves local refs with those of a remote, whatever it is asked for: in a mirror.

    Each fetch and push follows what ``remote.<name>.fetch`` maps; in ``refs/remotes/`` that is what users expect.
    """
    mapped = (each.partition(":")[2] for each in config.get_all(f"remote.{address}.fetch"))
    return config.is_true(f"remote.{address}.mirror") or any(to and not to.startswith("refs/remotes/") for to in mapped)


def check_protocol(config: Config, env: Mapping[str, str], address: str, *, push: bool) -> None:
    """Refuse a remote that needs a helper program, unless the user's own configuration allows its protocol.

    Parameters
    ----------
    address:
        The name of a remote in the configuration, or a URL.
    push:
        True for a push, False for a fetch.

    Raises
    ------
    Refused
        The remote needs a program that the user does not allow.
    InvalidInput
        The login in its URL would be read as something else (:func:`gitreg.git.urls.check_login`).
    """
    own = without_programs(config)
    for url in urls_of(config, address, push=push):
        check_login(url)
        helper = _helper(url)
        if helper is not None and not _is_allowed(own, env, helper):
            named = ", which this repository names" if url != address else ""
            raise Refused(
                f"{hide_login(address)} is spoken to by a program ({helper}::){named}",
                hint=f"if you want that: git config --global protocol.{helper}.allow always",
            )


def remote_command(config: Config, env: Mapping[str, str], address: str, *, push: bool) -> RemoteCommand:
    """Return the arguments and settings with which git reaches a remote.

    Parameters
    ----------
    address:
        The name of a remote in the configuration, or a URL.
    push:
        True for a push, False for a fetch.

    Raises
    ------
    Refused
        As for `check_protocol`.
    """
    check_protocol(config, env, address, push=push)
    own = without_programs(config)
    urls = urls_of(config, address, push=push)
    asked = {*_PLAIN, *(found[1] for _, key, _ in own.settings if (found := _ANY_VALUE.fullmatch(key)))}
    asked.update(helper for url in urls if (helper := _helper(url)))
    variables = {"GIT_ALLOW_PROTOCOL": ":".join(sorted(each for each in asked if _is_allowed(own, env, each)))}
    ignored = {key for scope, key, _ in config.settings if _is_ignored(scope, key)}
    foreign = _moves_own_refs(config, address)
    if not ignored and not foreign:
        return RemoteCommand(address, variables=variables)
    settings = list(_instead(own, env, ignored))
    if "core.gitproxy" in ignored and "GIT_PROXY_COMMAND" not in env:
        variables["GIT_PROXY_COMMAND"] = _proxy(own, urls[0])
    pack = "receivepack" if push else "uploadpack"
    options = []
    if f"remote.{address}.{pack}" in ignored:  # git uses the first value that it reads, that of the repository
        program = own.get(f"remote.{address}.{pack}") or ("git-receive-pack" if push else "git-upload-pack")
        options.append(f"--{'receive' if push else 'upload'}-pack={program}")
    if foreign or f"remote.{address}.vcs" in ignored or any(key.endswith("insteadof") for key in ignored):
        # None of these can be overridden. So use a random name, about which the repository has no settings.
        alias = f"gitreg-remote://{os.urandom(16).hex()}"
        settings += [(f"url.{urls[0]}.{name}", alias) for name in ("insteadof", "pushinsteadof")]
        address = alias
    return RemoteCommand(address, tuple(options), tuple(settings), variables)


def _is_ignored(scope: str, key: str) -> bool:
    return scope not in THE_USERS and _NAMES_ONE.fullmatch(key) is not None


def _spelled(key: str) -> str:
    section, _, name = key.rpartition(".")
    return f"{hide_login(section)}.{_SPELLED.get(name, name)}"


def _instead(own: Config, env: Mapping[str, str], ignored: set[str]) -> Sequence[tuple[str, str]]:
    """Return the user's own values for ignored keys, or git's defaults."""
    defaults = {
        "core.sshcommand": shlex.quote(env.get("GIT_SSH") or "ssh"),
        "core.askpass": env.get("SSH_ASKPASS", ""),
        "core.alternaterefscommand": "true",  # prints no refs of alternates
        "gpg.program": "gpg",
        "gpg.openpgp.program": own.get("gpg.program") or "gpg",
        "gpg.x509.program": "gpgsm",
        "gpg.ssh.program": "ssh-keygen",
        "gpg.ssh.defaultkeycommand": "true",
    }
    settings = [(key, own.get(key) or defaults[key]) for key in sorted(ignored & defaults.keys())]
    if any(key.startswith("credential.") for key in ignored):
        helpers = [(key, value) for _, key, value in own.settings if re.fullmatch(r"credential\.(?:.*\.)?helper", key)]
        settings += [("credential.helper", ""), *helpers]  # an empty value clears the list
    return settings


def _proxy(own: Config, url: str) -> str:
    """Return the user's proxy command for the git protocol, by git's rules for core.gitProxy; "" for none."""
    host = (re.match(r"git://(?:[^/@]*@)?([^/:]*)", url) or ["", ""])[1]
    for value in own.get_all("core.gitproxy"):
        command, _, domain = value.partition(" for ")
        if not domain or host == domain or host.endswith(f".{domain}"):
            return "" if command == "none" else command
    return ""


def urls_of(config: Config, address: str, *, push: bool) -> list[str]:
    """Return the URLs of a remote, rewritten by the user's insteadOf; an address that is no remote is itself a URL."""
    own = without_programs(config)
    for_push = own.get_all(f"remote.{address}.pushurl") if push else []
    urls = for_push or own.get_all(f"remote.{address}.url") or [address]
    kinds = ["pushinsteadof", "insteadof"] if push and not for_push else ["insteadof"]
    return [next((found for kind in kinds if (found := _rewritten(own, url, kind))), url) for url in urls]


def _rewritten(own: Config, url: str, kind: str) -> str | None:
    """Return a URL rewritten by the longest fitting prefix of the user's insteadOf, or None where none fits."""
    fitting = [
        (value, key[len("url.") : -len(f".{kind}")])
        for _, key, value in own.settings
        if key.startswith("url.") and key.endswith(f".{kind}") and url.startswith(value)
    ]
    longest = max(fitting, key=lambda each: len(each[0]), default=None)
    return longest[1] + url[len(longest[0]) :] if longest else None


def _helper(url: str) -> str | None:
    """Return the name of the program ``git-remote-<name>`` that git runs for a URL; None for git's own protocols."""
    found = _SCHEME.match(url)
    return found[1] if found and (found[2] == "::" or found[1] not in _BY_URL) else None


def _is_allowed(own: Config, env: Mapping[str, str], protocol: str) -> bool:
    """Return whether the user allows a protocol; one with a helper program needs explicit permission."""
    listed = env.get("GIT_ALLOW_PROTOCOL")
    if listed is not None:
        return protocol in listed.split(":")
    usual = ("user" if protocol == "file" else "always") if protocol in _PLAIN else "never"
    policy = own.get(f"protocol.{protocol}.allow") or own.get("protocol.allow") or usual
    return policy == "always" or (policy == "user" and env.get("GIT_PROTOCOL_FROM_USER", "1") not in ("0", "false"))

"""The configuration of Git, and the scope of each setting: only the user's own settings may name programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from gitreg.errors import InvalidInput
from gitreg.git.discovery import RepositoryLayout, read_plain_config
from gitreg.git.program import Git

THE_USERS = frozenset({"system", "global", "command"})
_FILTER = re.compile(r"filter\..+\.(?:clean|smudge|process|required)", re.DOTALL)
_TRUE = frozenset({"true", "yes", "on", "1", ""})


class Config(NamedTuple):
    """All settings in the order in which git reads them: of several values of a key, the last one counts.

    Parameters
    ----------
    settings:
        Triples of scope, key and value. The scope is one of git's ``system``, ``global``, ``local``, ``worktree``,
        ``command``; the section and the name in the key are in lower case.
    """

    settings: tuple[tuple[str, str, str], ...]

    def get(self, key: str, *, from_user_only: bool = False) -> str | None:
        """Return the last value of a key, or None where it is not set.

        Parameters
        ----------
        from_user_only:
            True to ignore settings of the repository: for keys that name a program.
        """
        found = None
        for scope, name, value in self.settings:
            if name == key and (scope in THE_USERS or not from_user_only):
                found = value
        return found

    def get_all(self, key: str, *, from_user_only: bool = False) -> list[str]:
        """Return all values of a key, in the order in which git reads them."""
        return [v for scope, k, v in self.settings if k == key and (scope in THE_USERS or not from_user_only)]

    def is_true(self, key: str) -> bool:
        """Return whether a switch is on."""
        value = self.get(key)
        return value is not None and value.lower() in _TRUE


def without_filters(git: Git, layout: RepositoryLayout) -> dict[str, str]:
    """Return settings that replace the filters named by a repository with the user's own, or with none.

    For commands that read or write files of a work tree: git would run such a filter, which is a program.
    """
    own = b"".join(_bytes(path) for path in (layout.common_dir / "config", layout.git_dir / "config.worktree")).lower()
    if b"filter" not in own and b"include" not in own:
        return {}  # the common case, found without starting a process
    config = read_config(git, git.env, layout)
    named = {key for scope, key, _ in config.settings if scope not in THE_USERS and _FILTER.fullmatch(key)}
    return {key: config.get(key, from_user_only=True) or "" for key in sorted(named)}


def read_config(git: Git | None, env: Mapping[str, str], layout: RepositoryLayout | None) -> Config:
    """Read the configuration with the git program, or with dulwich where there is none.

    Parameters
    ----------
    layout:
        The repository; None for the user's own settings alone.

    Raises
    ------
    InvalidInput
        A configuration file cannot be read.
    """
    if git is None:
        return Config(tuple(_by_dulwich(env, layout)))
    where = ["--git-dir", str(layout.git_dir)] if layout else []
    result = git.run(*where, "config", "--show-scope", "-z", "--list", cwd=layout.git_dir if layout else Path("/"))
    if result.returncode:
        raise InvalidInput(
            f"Git's configuration cannot be read: {result.stderr.decode(errors='replace').strip()}",
            hint="correct it with `git config --edit`",
        )
    fields = result.stdout.decode("utf-8", "surrogateescape").split("\0")
    settings = []
    for scope, setting in zip(fields[::2], fields[1::2], strict=False):
        key, _, value = setting.partition("\n")
        settings.append((scope, key, value))
    return Config(tuple(settings))


def _by_dulwich(env: Mapping[str, str], layout: RepositoryLayout | None) -> Iterator[tuple[str, str, str]]:
    from dulwich.config import ConfigFile  # heavy, and only for machines without a git program

    home = env.get("HOME", "")
    xdg = env.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    places = []
    if env.get("GIT_CONFIG_NOSYSTEM", "").lower() not in ("1", "true", "yes", "on"):
        places.append(("system", env.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig")))
    if "GIT_CONFIG_GLOBAL" in env:
        places.append(("global", env["GIT_CONFIG_GLOBAL"]))
    else:
        places += [("global", f"{xdg}/git/config")] * bool(xdg) + [("global", f"{home}/.gitconfig")] * bool(home)
    if layout:
        places.append(("local", str(layout.common_dir / "config")))
        if read_plain_config(layout.common_dir / "config").get("extensions.worktreeconfig", "").lower() in _TRUE - {""}:
            places.append(("worktree", str(layout.git_dir / "config.worktree")))
    for scope, path in places:
        if not path or not Path(path).is_file():
            continue
        try:
            file = ConfigFile.from_path(path)
        except (ValueError, OSError) as error:
            raise InvalidInput(f"{path} cannot be read: {error}", hint="correct it") from error
        for section in file.sections():
            middle = [part.decode("utf-8", "surrogateescape") for part in section]
            prefix = ".".join([middle[0].lower(), *middle[1:]])
            for name, value in file.items(section):
                yield scope, f"{prefix}.{name.decode().lower()}", value.decode("utf-8", "surrogateescape")
    count = env.get("GIT_CONFIG_COUNT", "0")
    for number in range(int(count) if count.isdigit() else 0):
        first, _, rest = env.get(f"GIT_CONFIG_KEY_{number}", "").partition(".")
        subsection, dot, last = rest.rpartition(".")  # a URL, for example, keeps its case
        yield "command", f"{first.lower()}.{subsection}{dot}{last.lower()}", env.get(f"GIT_CONFIG_VALUE_{number}", "")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""

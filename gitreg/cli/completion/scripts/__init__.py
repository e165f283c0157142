"""The scripts that complete gitreg, git-reg and git reg, and the folders in which each shell looks for them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

_HERE = Path(__file__).parent

SHELLS = {
    "bash": {"gitreg": "gitreg.bash", "git-reg": "gitreg.bash"},
    "zsh": {"_gitreg": "gitreg.zsh", "_git-reg": "git-reg.zsh"},
    "fish": {"gitreg.fish": "gitreg.fish", "git-reg.fish": "gitreg.fish"},
}
"""For each shell, the names under which it looks for completions when they are asked for, and the scripts."""


def script(shell: str) -> str:
    """Return the script of a shell."""
    return _text(next(iter(SHELLS[shell].values())))


def folder(shell: str, env: Mapping[str, str], home: Path) -> Path:
    """Return the user's own folder for the completions of a shell."""
    data = Path(env.get("XDG_DATA_HOME") or home / ".local" / "share")
    if shell == "bash":
        return Path(env.get("BASH_COMPLETION_USER_DIR") or data / "bash-completion") / "completions"
    if shell == "zsh":
        return data / "zsh" / "site-functions"
    return Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "fish" / "completions"


def install(shell: str, folder: Path) -> list[Path]:
    """Write the scripts of a shell into a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in SHELLS[shell].items():
        (folder / name).write_text(_text(source), encoding="utf-8")
    return [folder / name for name in SHELLS[shell]]


def uninstall(shell: str, folder: Path) -> list[Path]:
    """Remove the scripts of a shell from a folder, and return the paths of those that were there."""
    found = [folder / name for name in SHELLS[shell] if (folder / name).is_file()]
    for path in found:
        path.unlink()
    return found


def next_steps(shell: str, folder: Path) -> list[str]:
    """Return what a user does to complete with what was installed."""
    if shell == "fish":
        return ["Open a new shell to use it."]
    if shell == "bash":
        line = f"source {shlex.quote(str(folder / 'gitreg'))}"
        return [
            "Open a new shell to use it, where the package bash-completion is installed;",
            f"else, and for this shell: {line}",
        ]
    line = f"fpath=({shlex.quote(str(folder))} $fpath)"
    return [
        "Add this line to ~/.zshrc, before the one that calls compinit, and open a new shell:",
        line,
        "Where compinit is not called there yet, add this one instead:",
        f"{line}; autoload -Uz compinit; compinit",
    ]


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")

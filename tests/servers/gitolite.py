"""Gitolite behind an OpenSSH server of its own: it says who may write to which repository, and calls their hooks."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

from tests.servers import sshd
from tests.servers.running import Programs, need, program

HOW = "apt-get install --no-install-recommends gitolite3 openssh-server"

_SHELL = Path("/usr/share/gitolite3/gitolite-shell")
_RULES = """
repo gitolite-admin
    RW+ = ada
repo CREATOR/..*
    C   = ada eve
    RW+ = ada eve
"""


def start(folder: Path, programs: Programs) -> dict[str, str]:
    """Start it; return what its clients need to know, and where its repositories are."""
    need(["gitolite", "sshd", "ssh-keygen"], HOW)
    home = folder / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "USER": getpass.getuser(), "LOGNAME": getpass.getuser()}

    def gitolite(*arguments: str) -> None:
        subprocess.run(
            [str(program("gitolite")), *arguments], env=env, check=True, timeout=60, capture_output=True, cwd=home
        )

    gitolite("setup", "-a", "ada")
    (home / ".gitolite/conf/gitolite.conf").write_text(_RULES)
    gitolite("compile")
    answer = sshd.start(folder, programs)
    key = Path(answer["key"]).with_suffix(".pub")
    told = f"env HOME={home} USER={env['USER']} {_SHELL}"
    # The server reads this file anew for each connection.
    key.write_text(f'command="{told} ada",restrict {key.read_text()}')
    return answer | {"repositories": str(home / "repositories")}

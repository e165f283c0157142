"""OpenSSH's server, for SFTP and Git: it lets in the user who started it, by a key made for that."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

from tests.servers.running import Programs, accepts, free_ports, need, program, wait_until

HOW = "apt-get install --no-install-recommends openssh-server"

_CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/id.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
PidFile none
AcceptEnv GIT_PROTOCOL
# No file of the user's own is read at each login, and no key exchange that takes a tenth of a second.
SetEnv HOME={folder}
KexAlgorithms curve25519-sha256
Subsystem sftp internal-sftp
"""


def start(folder: Path, programs: Programs) -> dict[str, str]:
    """Start it; return what its clients need to know."""
    need(["sshd", "ssh-keygen"], HOW)
    (port,) = free_ports(1)
    for name in ("host", "id"):
        command = [str(program("ssh-keygen")), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, timeout=60)
    (folder / "sshd_config").write_text(_CONFIGURATION.format(port=port, folder=folder))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # it insists on this folder when root starts it
    programs.start("sshd", "-D", "-e", "-f", str(folder / "sshd_config"))
    wait_until(lambda: accepts(port), "sshd", programs.log("sshd"))
    return {
        "port": str(port),
        "user": getpass.getuser(),
        "key": str(folder / "id"),
        "host_key": (folder / "host.pub").read_text(),
    }

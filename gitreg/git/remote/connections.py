"""Connections to other repositories without the git program: HTTP(S) by urllib3, SSH by the ssh program, local folders.

They are clients of dulwich, configured as git would be: with the user's proxies, headers, certificates, login and ssh
command. Output of the other side beside the protocol is kept, because it tells why a connection broke off.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from gitreg.errors import Refused
from gitreg.git.config import Config

if TYPE_CHECKING:
    from dulwich.client import GitClient, SubprocessWrapper
    from dulwich.config import ConfigDict
    from urllib3 import BaseHTTPResponse

_PATIENCE = 60.0  # seconds that an HTTP server may be silent, as in `gitreg.git.remote.git_program`
_SCHEMES = frozenset({"http", "https", "ssh", "git+ssh", "git", "file"})


class Login(NamedTuple):
    """The name and the password of a user of an HTTP server."""

    user: str
    password: str


class RemoteConnection(NamedTuple):
    """A connection to a repository.

    Parameters
    ----------
    path:
        The place of the repository, in the form that the client expects.
    is_local:
        True if the repository is a folder on this machine.
    """

    client: GitClient
    path: str
    is_local: bool
    ssh: _Ssh

    def complaints(self) -> str:
        """Close the connection, and return the text that ssh and Git on the other side wrote beside the protocol."""
        self.ssh.close()
        self.ssh.complaints.seek(0)
        return self.ssh.complaints.read().decode("utf-8", "replace").strip()


def url_of(config: Config, address: str, *, push: bool) -> str:
    """Return the URL of a remote; an address that is no configured remote is returned as it is."""
    own = config.get_all(f"remote.{address}.pushurl") if push else []
    return next(iter(own or config.get_all(f"remote.{address}.url")), address)


@contextmanager
def connected(
    config: Config, env: Mapping[str, str], folder: Path, url: str, login: Login | None, *, push: bool
) -> Iterator[RemoteConnection]:
    """Open a connection to a repository, and close it at the end.

    Parameters
    ----------
    folder:
        The folder from which a relative path starts.
    login:
        The login for an HTTP server; None where none is needed, or the URL contains it.

    Raises
    ------
    Refused
        The protocol needs the git program.
    """
    from dulwich.client import AbstractHttpGitClient, SSHGitClient, TraditionalGitClient, get_transport_and_path

    scheme, separator, _ = url.partition("://")
    if "::" in url.partition("/")[0] or (separator and scheme not in _SCHEMES):
        raise Refused(f"{scheme} is spoken by the git program only", hint="install git, or use HTTPS or SSH")
    with tempfile.TemporaryFile() as complaints:
        client, path = get_transport_and_path(
            url,
            config=_for_dulwich(config),
            operation="push" if push else "pull",
            username=login.user if login else None,
            password=login.password if login else None,
        )
        is_local = not isinstance(client, AbstractHttpGitClient | TraditionalGitClient)
        ssh, http = _Ssh(env, config, complaints), None
        if isinstance(client, SSHGitClient):
            client.ssh_vendor = ssh  # type: ignore[assignment]
        elif isinstance(client, AbstractHttpGitClient):
            client.pool_manager = http = _Http(config, url)  # type: ignore[attr-defined]
        try:
            yield RemoteConnection(client, str(folder / path) if is_local else path, is_local, ssh)
        finally:
            ssh.close()
            client.close()
            if http:
                http.close()


class _Http:
    """The urllib3 pool as dulwich uses it; error responses, which dulwich leaves open, are closed with it."""

    def __init__(self, config: Config, url: str) -> None:
        from dulwich.client import default_urllib3_manager
        from urllib3 import Retry

        # Wait for a silent server once: by default, urllib3 asks four times.
        self._retries = Retry(total=None, connect=1, read=0, redirect=5, status=0, other=0)
        self._pool = default_urllib3_manager(_for_dulwich(config), base_url=url, timeout=_PATIENCE)
        self._answers: list[BaseHTTPResponse] = []
        self.headers = self._pool.headers

    def request(self, method: str, url: str, **options: Any) -> BaseHTTPResponse:
        self._answers.append(self._pool.request(method, url, retries=self._retries, **options))
        return self._answers[-1]

    def close(self) -> None:
        for each in self._answers:
            each.close()
        self._pool.clear()


def _for_dulwich(config: Config) -> ConfigDict:
    from dulwich.config import ConfigDict

    given = ConfigDict()
    for _, key, value in config.settings:
        section, _, name = key.rpartition(".")
        kind, dot, rest = section.partition(".")
        # `_Ssh` chooses the ssh command.
        if key != "core.sshcommand":
            parts = (kind.encode(), rest.encode("utf-8", "surrogateescape")) if dot else (kind.encode(),)
            given.add(parts, name.encode(), value.encode("utf-8", "surrogateescape"))
    return given


class _Ssh:
    """The ssh program, run as git runs it (connect.c of git); dulwich calls such a class a vendor."""

    def __init__(self, env: Mapping[str, str], config: Config, complaints: IO[bytes]) -> None:
        self._env = env
        self._config = config
        self.complaints = complaints
        self._open: list[Callable[[], None]] = []

    def run_command(
        self,
        host: str,
        command: bytes,
        username: str | None = None,
        port: int | None = None,
        protocol_version: int | None = None,
        **_: object,
    ) -> SubprocessWrapper:
        from dulwich.client import SubprocessWrapper

        destination = f"{username}@{host}" if username else host
        if destination.startswith("-"):
            raise Refused(f"{destination!r} is no host", hint="correct the remote's address (`git remote -v`)")
        words = ["-o", "SendEnv=GIT_PROTOCOL", *(["-p", str(port)] if port else []), destination, command.decode()]
        configured = self._env.get("GIT_SSH_COMMAND") or self._config.get("core.sshcommand")
        if configured:  # run by a shell, as git does
            words = ["sh", "-c", f"{configured} {shlex.join(words)}"]
        else:
            words = [self._env.get("GIT_SSH") or "ssh", *words]
        version = {} if b"receive-pack" in command else {"GIT_PROTOCOL": "version=2"}
        process = subprocess.Popen(
            words,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,  # a file: a full pipe that nobody reads would block the process
            env={**self._env, **version},
        )
        pipes = SubprocessWrapper(process)
        self._open.append(pipes.close)
        pipes.close = None  # type: ignore[assignment, method-assign] # dulwich does not close it on a hang-up
        return pipes

    def close(self) -> None:
        while self._open:
            self._open.pop()()

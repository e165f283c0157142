"""Ways to another repository where there is no git program: HTTP(S) by urllib3, SSH by the ssh program, local folders.

They are dulwich's clients, given what git would give them: the user's proxies, headers and certificates, login and ssh
command. What the other side says besides the protocol is kept, for it tells why a conversation broke off.
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

_PATIENCE = 60.0  # seconds that an HTTP server may say nothing, as for `gitreg.git.remote_git`
_SCHEMES = frozenset({"http", "https", "ssh", "git+ssh", "git", "file"})


class Login(NamedTuple):
    """A user of an HTTP server."""

    user: str
    password: str


class Connection(NamedTuple):
    """A way to a repository.

    Parameters
    ----------
    path:
        Where the repository is, as the client wants to be told.
    is_local:
        Whether it is a folder of this machine.
    """

    client: GitClient
    path: str
    is_local: bool
    ssh: _Ssh

    def complaints(self) -> str:
        """End it, and return what the ssh program and the other side's Git wrote beside the protocol."""
        self.ssh.close()
        self.ssh.complaints.seek(0)
        return self.ssh.complaints.read().decode("utf-8", "replace").strip()


def url_of(config: Config, address: str, *, push: bool) -> str:
    """Return the URL of a remote by its name in the configuration; what is no such name is one itself."""
    own = config.get_all(f"remote.{address}.pushurl") if push else []
    return next(iter(own or config.get_all(f"remote.{address}.url")), address)


@contextmanager
def connected(
    config: Config, env: Mapping[str, str], folder: Path, url: str, login: Login | None, *, push: bool
) -> Iterator[Connection]:
    """Open a way to a repository, and close all of it.

    Parameters
    ----------
    folder:
        What a relative path starts from.
    login:
        For an HTTP server; None where the URL says enough.

    Raises
    ------
    Refused
        It cannot be reached without a git program.
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
            yield Connection(client, str(folder / path) if is_local else path, is_local, ssh)
        finally:
            ssh.close()
            client.close()
            if http:
                http.close()


class _Http:
    """urllib3 as dulwich uses it, which forgets the answers that tell of an error, and their connections."""

    def __init__(self, config: Config, url: str) -> None:
        from dulwich.client import default_urllib3_manager
        from urllib3 import Retry

        # A silent server is waited for once: urllib3 itself asks four times.
        self._retries = Retry(total=None, connect=1, read=0, redirect=5, status=0, other=0)
        self._pool = default_urllib3_manager(_for_dulwich(config), base_url=url, timeout=_PATIENCE)
        self._answers: list[BaseHTTPResponse] = []
        self.headers = self._pool.headers

    def request(self, method: str, url: str, **how: Any) -> BaseHTTPResponse:
        self._answers.append(self._pool.request(method, url, retries=self._retries, **how))
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
        # The command is for `_Ssh` to choose.
        if key != "core.sshcommand":
            parts = (kind.encode(), rest.encode("utf-8", "surrogateescape")) if dot else (kind.encode(),)
            given.add(parts, name.encode(), value.encode("utf-8", "surrogateescape"))
    return given


class _Ssh:
    """The ssh program, run as git runs it (git's connect.c): what dulwich calls a vendor."""

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
        if configured:  # for a shell, as git hands it to one
            words = ["sh", "-c", f"{configured} {shlex.join(words)}"]
        else:
            words = [self._env.get("GIT_SSH") or "ssh", *words]
        version = {} if b"receive-pack" in command else {"GIT_PROTOCOL": "version=2"}
        process = subprocess.Popen(
            words,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,  # a pipe that nobody empties would stop it
            env={**self._env, **version},
        )
        pipes = SubprocessWrapper(process)
        self._open.append(pipes.close)
        pipes.close = None  # type: ignore[assignment, method-assign] # dulwich forgets it when it is hung up on
        return pipes

    def close(self) -> None:
        while self._open:
            self._open.pop()()

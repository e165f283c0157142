"""One SSH connection to a machine, shared by threads and reopened when it is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Any, TypeVar

from gitreg.tracing import trace

_ATTEMPTS = 4
_CONNECT = 20  # seconds to connect and log in
_ALIVE = 10  # seconds between keepalive messages; three without an answer end the connection

Result = TypeVar("Result")


class SftpConnection:
    """An SFTP connection to a machine.

    Parameters
    ----------
    host, port, user:
        As for `ssh`; None leaves them to ~/.ssh/config or the defaults.
    """

    def __init__(self, host: str, port: int | None, user: str | None) -> None:
        self._host = host
        self._options: dict[str, Any] = {}
        if port:
            self._options["port"] = port
        if user:
            self._options["username"] = user
        self._lock: Any = None
        self._made = Lock()
        self._ssh: Any = None
        self._sftp: Any = None

    def run(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Run some work with an `asyncssh.SFTPClient`; if the connection is lost, run all of it again, with backoff.

        Raises
        ------
        OSError, asyncssh.Error
            The network or the server fails or refuses.
        """
        from fsspec.asyn import get_loop, sync

        return sync(get_loop(), self._run, work)  # type: ignore[no-any-return]

    async def _run(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        import asyncssh
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

        lost = (asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, ConnectionError)
        again = AsyncRetrying(
            retry=retry_if_exception_type(lost),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            reraise=True,
            before_sleep=lambda tried: trace(f"store: try {tried.attempt_number} failed, once more"),
        )

        async def attempt() -> Result:
            sftp = await self._client()
            try:
                return await work(sftp)
            except asyncssh.SFTPNoConnection:  # the channel is closed, but the connection may not know it yet
                if self._sftp is sftp:
                    self._ssh = None
                raise

        result: Result = await again(attempt)
        return result

    async def _client(self) -> Any:
        import asyncio

        import asyncssh

        with self._made:
            self._lock = self._lock or asyncio.Lock()
        async with self._lock:
            if self._ssh is None or self._ssh.is_closed():
                self._ssh = await asyncssh.connect(
                    self._host,
                    connect_timeout=_CONNECT,
                    login_timeout=_CONNECT,
                    keepalive_interval=_ALIVE,
                    **self._options,
                )
                self._sftp = await self._ssh.start_sftp_client()
            return self._sftp

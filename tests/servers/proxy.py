"""A proxy between a client and a real server that does what networks and services do on a bad day."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_STEP = 64 << 10
_NEVER = 1 << 30
_BUSY = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 61\r\nConnection: close\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message>Later</Message></Error>\n"
)


@dataclass
class Proxy:
    """What goes wrong, and how much went through.

    Parameters
    ----------
    port:
        The server's.
    busy:
        So many connections to come are answered by 503.
    cut_down, cut_up:
        Connections are cut after so many bytes from, or to, the server; the first `cuts` of them.
    stall_up:
        After so many bytes to the server, counted over all connections, nothing goes to it any more.
    silent:
        So many connections to come are never answered.
    cut_request:
        The HTTP request of this number, from 1, does not reach the server, nor does a later one.
    cut_answer:
        The HTTP request of this number does its work, and its answer does not reach the client; later ones are cut.
    """

    port: int
    busy: int = 0
    cut_down: int | None = None
    cut_up: int | None = None
    cuts: int = _NEVER
    stall_up: int | None = None
    silent: int = 0
    cut_request: int | None = None
    cut_answer: int | None = None
    requests: int = 0
    up: int = 0
    down: int = 0
    connections: int = 0
    _listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: list[socket.socket] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def at(self) -> int:
        return int(self._listening.getsockname()[1])

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.append(client)
            threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._ended.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for each in self._open:
                _close(each)

    def _take(self, name: str) -> bool:
        with self._lock:
            left: int = getattr(self, name)
            setattr(self, name, max(0, left - 1))
            return left > 0

    def _connection(self, client: socket.socket) -> None:
        if self._take("silent"):
            self._ended.wait()
            return
        if self._take("busy"):
            with suppress(OSError):
                client.recv(_STEP)
                client.sendall(_BUSY)
                client.settimeout(2)
                while client.recv(_STEP):  # a body that is on its way, lest the answer is lost to a reset
                    pass
            _close(client)
            return
        server = socket.create_connection(("127.0.0.1", self.port))
        with self._lock:
            self._open.append(server)
        back = threading.Thread(target=self._pass_on, args=(server, client, "down"), daemon=True)
        back.start()
        self._pass_on(client, server, "up")

    def _pass_on(self, source: socket.socket, target: socket.socket, way: str) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(_STEP):
                if self._is_cut(source, data, way):
                    break
                with self._lock:
                    limit: int | None = getattr(self, f"cut_{way}")
                if limit is not None and passed + len(data) > limit and self._take("cuts"):
                    target.sendall(data[: limit - passed])
                    break
                if way == "up" and self.stall_up is not None and self.up >= self.stall_up:
                    self._ended.wait()
                    return
                target.sendall(data)
                passed += len(data)
                with self._lock:
                    setattr(self, way, getattr(self, way) + len(data))
        _close(source)
        _close(target)

    def _is_cut(self, source: socket.socket, data: bytes, way: str) -> bool:
        with self._lock:
            if way == "up":
                self.requests += data.startswith((b"GET ", b"POST "))
                last = min(self.cut_request or _NEVER, (self.cut_answer or _NEVER) + 1)
                return self.requests >= last
            if self.cut_answer is None or self.requests < self.cut_answer:
                return False
        source.settimeout(1)  # the server shall finish its work, also where it keeps the connection
        with suppress(OSError):
            while data and not data.endswith(b"0\r\n\r\n"):
                data = source.recv(_STEP)
        return True


def _close(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    made = Proxy(port)
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join()

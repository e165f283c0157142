"""Networks that cut, stall and refuse, writers that are killed: no wrong byte, no part of an object under its name."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.buckets.upload import PIECE
from gitreg.blobs.urls import open_bucket
from gitreg.errors import GitregError
from tests.blobs.buckets.test_contract import name, sha256_of, upload
from tests.servers.buckets import Servers, prepare, use_ssh
from tests.servers.proxy import Proxy, proxy

MIB = 1 << 20


def port_of(said: dict[str, str]) -> int:
    return int(said["port"]) if "port" in said else int(re.findall(r":(\d+)", said["endpoint"])[0])


@pytest.fixture(params=["radosgw", "azurite", "sshd"])  # Swift is asked through the same client as radosgw
def between(
    request: pytest.FixtureRequest, tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Proxy, str]]:
    """A proxy, and the URL of an empty bucket behind it."""
    url = prepare(request.param, tmp_path, servers, monkeypatch)
    with proxy(port_of(servers[request.param])) as made:
        through(made, request.param, servers, tmp_path, monkeypatch)
        yield made, url


def through(made: Proxy, backend: str, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = servers[backend]
    if backend == "sshd":
        use_ssh(said, tmp_path, monkeypatch, port=made.at)
        return
    there = f":{port_of(said)}"
    if backend == "azurite":
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", said["connection"].replace(there, f":{made.at}"))
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", said["endpoint"].replace(there, f":{made.at}"))


@pytest.mark.slow
def test_a_connection_cut_in_the_middle_of_an_object_gives_the_whole_or_nothing(between: tuple[Proxy, str]) -> None:
    made, url = between
    bucket = open_bucket(url)
    data = os.urandom(6 * MIB)
    bucket.write("a/key", data)
    made.cut_down, made.cuts = 2 * MIB, 2
    assert open_bucket(url).read("a/key") == data
    assert made.cuts == 0
    made.cut_down = None
    made.cut_up, made.cuts = 2 * MIB, 2
    open_bucket(url).write("a/second", data, sha256(data).hexdigest())
    assert made.cuts == 0
    made.cut_up = None
    assert open_bucket(url).read("a/second") == data


@pytest.mark.slow
@pytest.mark.parametrize("between", ["radosgw", "swift"], indirect=True)
def test_a_service_that_checks_signatures_refuses_bytes_that_are_not_what_they_are_said_to_be(
    between: tuple[Proxy, str],
) -> None:
    bucket = open_bucket(between[1])
    with pytest.raises(GitregError):
        bucket.write("a/key", b"some bytes", sha256(b"other bytes").hexdigest())
    assert not bucket.find(["a/key"])


@pytest.mark.slow
@pytest.mark.parametrize("between", ["radosgw", "sshd"], indirect=True)  # Azure's client tries for minutes
def test_a_network_that_cuts_each_time_ends_in_words_and_publishes_nothing(between: tuple[Proxy, str]) -> None:
    made, url = between
    open_bucket(url).write("a/key", bytes(6 * MIB))
    made.cut_up = made.cut_down = 3 * MIB
    with pytest.raises(GitregError, match=r"connection failed|no answer|fails or is overloaded") as error:
        open_bucket(url).read("a/key")
    assert url.split("/")[2] in str(error.value)
    with pytest.raises(GitregError):
        open_bucket(url).write("a/second", os.urandom(6 * MIB))
    made.cut_up = made.cut_down = None
    bucket = open_bucket(url)
    assert [info.key for info in bucket.list("a/")] == ["a/key"]


@pytest.mark.slow
@pytest.mark.parametrize("between", ["radosgw", "swift"], indirect=True)
def test_a_busy_service_is_asked_again_and_then_given_up_in_words(between: tuple[Proxy, str]) -> None:
    made, url = between
    made.busy = 2
    open_bucket(url).write("a/key", b"x")
    made.busy = 2
    assert open_bucket(url).read("a/key") == b"x"
    made.busy = 1000
    with pytest.raises(GitregError, match="fails or is overloaded"):
        open_bucket(url).read("a/key")


@pytest.mark.slow
@pytest.mark.parametrize("between", ["azurite"], indirect=True)
def test_azure_is_asked_again_after_a_while(between: tuple[Proxy, str]) -> None:
    """Its client waits 15 seconds; giving up takes it minutes."""
    made, url = between
    made.busy = 1
    open_bucket(url).write("a/key", b"x")
    assert made.busy == 0
    assert open_bucket(url).read("a/key") == b"x"


@pytest.mark.slow
@pytest.mark.parametrize("between", ["radosgw", "sshd"], indirect=True)
def test_a_network_that_falls_silent_is_waited_for_only_so_long(
    between: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gitreg.blobs.buckets import s3, sftp_connection

    monkeypatch.setattr(s3, "_READ", 1)
    monkeypatch.setattr(sftp_connection, "_CONNECT", 2)
    monkeypatch.setattr(sftp_connection, "_ALIVE", 1)
    made, url = between
    bucket = open_bucket(url)
    bucket.write("a/key", b"x")
    made.silent, made.stall_up = 1000, 0
    with pytest.raises(GitregError, match=r"no answer|connection failed"):
        bucket.write("a/second", bytes(MIB))


@pytest.mark.slow
@pytest.mark.parametrize("between", ["radosgw", "swift", "azurite"], indirect=True)
def test_an_interrupted_upload_goes_on_without_sending_again_what_is_there(
    between: tuple[Proxy, str], tmp_path: Path
) -> None:
    made, url = between
    data = os.urandom(8 * PIECE + 12345)
    (tmp_path / "file").write_bytes(data)
    killed_after(made, url, tmp_path / "file", 5 * PIECE)
    bucket = open_bucket(url)
    assert bucket.find([name(sha256_of(data))]) == {}
    before = made.up
    upload(bucket, tmp_path / "file")
    assert made.up - before < len(data) - PIECE  # at least one of five pieces had arrived
    assert bucket.read(name(sha256_of(data))) == data
    assert list(bucket.unfinished()) == []


@pytest.mark.slow
@pytest.mark.parametrize("between", ["radosgw"], indirect=True)
@pytest.mark.parametrize("more", [False, True], ids=["as many parts", "more parts"])
def test_parts_of_other_bytes_are_sent_again(between: tuple[Proxy, str], tmp_path: Path, more: bool) -> None:
    """Somebody began an upload under this key with bytes of his own."""
    import boto3

    made, url = between
    data = os.urandom(3 * PIECE)
    (tmp_path / "file").write_bytes(data)
    client = boto3.session.Session().client("s3")
    place, _, prefix = url.removeprefix("s3://").partition("/")
    at = {"Bucket": place, "Key": f"{prefix}/{name(sha256_of(data))}"}
    foreign = client.create_multipart_upload(**at)["UploadId"]
    client.upload_part(**at, UploadId=foreign, PartNumber=1, Body=data[:PIECE])
    client.upload_part(**at, UploadId=foreign, PartNumber=2, Body=bytes(PIECE))
    if more:  # Ceph refuses to complete an upload without them
        client.upload_part(**at, UploadId=foreign, PartNumber=4, Body=b"too many")
    client.close()
    before = made.up
    bucket = open_bucket(url)
    upload(bucket, tmp_path / "file")
    assert more or PIECE < made.up - before < 2.5 * PIECE  # the first part was good
    assert bucket.read(name(sha256_of(data))) == data
    assert list(bucket.unfinished()) == []


@pytest.mark.slow
def test_a_killed_writer_leaves_no_object_and_what_it_left_is_found(between: tuple[Proxy, str], tmp_path: Path) -> None:
    made, url = between
    data = os.urandom(5 * PIECE)
    (tmp_path / "file").write_bytes(data)
    killed_after(made, url, tmp_path / "file", 3 * PIECE)
    bucket = open_bucket(url)
    key = name(sha256_of(data))
    assert bucket.find([key]) == {}
    assert list(bucket.list("sha256/")) == []
    left = list(bucket.unfinished())
    if not url.startswith("az"):  # Azure keeps that to itself, and removes it
        assert len(left) == 1
        assert 0 <= left[0].size <= len(data)
        assert abs(left[0].mtime - bucket.now()) < 60
    for each in left:
        bucket.discard(each)
        bucket.discard(each)
    assert list(bucket.unfinished()) == []
    upload(bucket, tmp_path / "file")
    assert bucket.read(key) == data


def killed_after(made: Proxy, url: str, path: Path, nbytes: int) -> None:
    """Upload a file in a process that is killed when so many bytes have gone through."""
    code = (
        "import os, sys\n"
        "from gitreg.blobs.urls import open_bucket\n"
        "from gitreg.progress import NO_PROGRESS\n"
        "name = lambda digest: f'sha256/{digest[:2]}/{digest}'\n"
        "open_bucket(sys.argv[1]).upload(os.open(sys.argv[2], os.O_RDONLY), name, NO_PROGRESS)\n"
    )
    made.stall_up = made.up + nbytes
    writer = subprocess.Popen([sys.executable, "-c", code, url, str(path)])
    deadline = time.monotonic() + 60
    while made.up < made.stall_up:
        assert writer.poll() is None, "the writer ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.3)  # what is on its way arrives
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    made.stall_up = None


@pytest.mark.slow
@pytest.mark.parametrize("url", ["folder", "radosgw", "azurite", "sshd"], indirect=True)
def test_memory_stays_bounded_whatever_the_size(url: str, tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells the peak of a program's memory")
    with open(tmp_path / "file", "wb") as file:
        file.writelines(os.urandom(10 * MIB) for _ in range(40))
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from gitreg.blobs.urls import open_bucket\n"
        "from gitreg.progress import NO_PROGRESS\n"
        "name = lambda digest: f'sha256/{digest[:2]}/{digest}'\n"
        "open_bucket(sys.argv[1]).upload(os.open(sys.argv[2], os.O_RDONLY), name, NO_PROGRESS)\n"
        "print(Path('/proc/self/status').read_text())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, url, str(tmp_path / "file")], check=True, capture_output=True, text=True
    )
    peak = re.findall(r"VmHWM:\s+(\d+) kB", done.stdout)[0]  # ru_maxrss would count what the tests had when they forked
    assert int(peak) * 1024 < 250 * MIB


class _Redirecting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(301)
        self.send_header("Location", f"https://127.0.0.1{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.slow
def test_an_endpoint_that_redirects_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, value in {"HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(GitregError, match="redirects to another address"):
            open_bucket("s3://bucket/a").read("key")
        server.shutdown()


@pytest.mark.slow
def test_the_reasons_are_words(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(bucket: Bucket) -> str:
        with pytest.raises(GitregError) as error:
            bucket.read("a/key")
        text = f"{error.value} {error.value.hint}"
        assert "wrongsecret" not in text
        assert error.value.__cause__ is None
        return text

    prepare("radosgw", tmp_path, servers, monkeypatch)
    assert "no such bucket" in said(open_bucket("s3://none"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrongsecret")
    assert "does not accept these credentials" in said(open_bucket("s3://tests"))
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no credentials" in said(open_bucket("s3://tests"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "no such profile" in said(open_bucket("s3://tests"))

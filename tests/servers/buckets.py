"""Where the servers' buckets are, and what the protocols' own tools find of them in the environment."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

import pytest

from tests.servers.running import NotInstalled
from tests.servers.shared import server

HERE = ["folder", "memory"]
CLIENTS = ("AWS_", "AZURE_", "STORAGE_EMULATOR_HOST", "FSSPEC_", "GCSFS_")
"""The beginnings of the variables by which a server's clients find it."""
SERVERS = ["radosgw", "swift", "azurite", "gcs", "sshd"]
S3 = ["radosgw", "swift"]


class Servers:
    """The servers that this process uses; what is not installed skips the test that asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: dict[str, tuple[object, dict[str, str]]] = {}

    def __getitem__(self, name: str) -> dict[str, str]:
        if name not in self._used:
            context = server(name, self._folder)
            try:
                self._used[name] = (context, context.__enter__())
            except NotInstalled as error:
                pytest.skip(f"{name}: {error}")
        return self._used[name][1]

    def close(self) -> None:
        for context, _ in self._used.values():
            context.__exit__(None, None, None)  # type: ignore[attr-defined]


def prepare(name: str, tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> str:
    own = secrets.token_hex(6)
    if name == "folder":
        return str(tmp_path / "bucket")
    if name == "memory":
        return f"memory://tests/{own}"
    if name in S3:
        use_s3(servers[name], tmp_path, monkeypatch)
        return f"s3://tests/some folder/{own}"
    if name == "azurite":
        use_azure(servers[name], monkeypatch)
        return f"az://tests/{own}"
    if name == "gcs":
        use_google(servers[name], monkeypatch)
        return f"gs://tests/{own}"
    use_ssh(servers[name], tmp_path, monkeypatch)
    return f"sftp://store{tmp_path}/bucket"


def use_s3(said: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str | None = None) -> None:
    import boto3

    monkeypatch.setenv("HOME", str(home))  # nobody's own ~/.aws
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", said["key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", said["secret"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", said["region"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", said["endpoint"])
    client = boto3.session.Session().client("s3")  # boto3's own session keeps the credentials of the test before
    with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket="tests")
    client.close()
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)


def use_azure(said: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", said["connection"])
    client = BlobServiceClient.from_connection_string(said["connection"])
    with client, contextlib.suppress(ResourceExistsError):
        client.create_container("tests")


def use_google(said: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", said["endpoint"])
    monkeypatch.setenv("FSSPEC_GCS_TOKEN", "anon")
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # it asks by gRPC, which the server does not speak


def use_ssh(said: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch, port: int | None = None) -> None:
    """Give a home folder in whose .ssh the server is called `store`."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    at = port or int(said["port"])
    (folder / "config").write_text(
        f"Host store\n  HostName 127.0.0.1\n  Port {at}\n  User {said['user']}\n  IdentityFile {said['key']}\n"
    )
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{at} {said['host_key']}")

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.blobs.buckets.errors import scrub
from gitreg.blobs.urls import open_bucket
from gitreg.errors import GitregError, InvalidInput

KNOWN = "known: file, s3, gs, gcs, az, abfs, abfss, sftp, ssh, memory"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://host/x", f"does not open http:// stores; {KNOWN}"),
        ("reference://x", "does not open reference"),
        ("simplecache::s3://bucket", "chained"),
        ("file://host/x", "names a machine"),
        ("s3:bucket", "names no bucket"),
        ("s3://", "names no bucket"),
        ("s3:///folder", "names no bucket"),
        ("az://-x/folder", "names no container"),
        ("s3://bucket/a/../b", "in its path"),
        ("s3://bucket//a", "in its path"),
        ("s3://bucket/a%00b", "in its path"),
        ("s3://bucket:9000/a", "has no port"),
        ("sftp://machine:x/a", "is no URL"),
        ("sftp:///a", "names no machine"),
        ("weights", "no absolute path"),
    ],
)
def test_a_url_that_names_no_bucket_is_refused_in_words(url: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        open_bucket(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIAHIDDEN:hidden@bucket/a",
        "s3://hidden@bucket/a",
        "gs://bucket/a?token=hidden",
        "az://container/a?sv=1&sig=hidden",
        "abfs://container:hidden@account.dfs.core.windows.net/a",
        "sftp://ada:hidden@machine/a",
        "sftp://machine/a#hidden",
    ],
)
def test_a_url_with_credentials_is_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(InvalidInput, match="no password, key or option") as error:
        open_bucket(url)
    assert "hidden" not in f"{error.value} {error.value.hint}".lower()


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "s3://bucket/a folder/b",
        "gs://bucket/a",
        "az://container/a",
        "abfs://container@account.dfs.core.windows.net/a",
        "sftp://ada@machine:2222/srv/weights",
        "ssh://machine/srv",
        "memory://name/a",
    ],
)
def test_opening_a_bucket_asks_nobody(url: str) -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('connected')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from gitreg.blobs.urls import open_bucket\n"
        "print(open_bucket(sys.argv[1]).url)\n"
        "heavy = {'boto3', 'botocore', 'gcsfs', 'adlfs', 'azure', 'asyncssh', 'fsspec'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [url.replace(" ", "%20"), "[]"]


def test_a_protocol_whose_packages_are_missing_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitreg.blobs.urls.find_spec", lambda name: None)
    packages = {
        "s3://b": "boto3 tenacity", "gs://b": "gcsfs", "az://c": "adlfs", "sftp://m/a": "asyncssh tenacity",
    }  # fmt: skip
    for url, names in packages.items():
        with pytest.raises(InvalidInput) as error:
            open_bucket(url)
        assert error.value.hint == f"pip install {names}"


@pytest.mark.parametrize(
    "text",
    [
        "https://account.blob.core.windows.net/c/b?sv=2024&sig=hidden%2Fhidden&se=2026",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hidden==;",
        "Authorization: Bearer hidden",
        "{'aws_secret_access_key': 'hidden', 'region': 'eu'}",
        'X-Amz-Security-Token="hidden"',
        "sftp://ada:hidden@machine/srv",
        "GET /b?X-Amz-Credential=hidden&X-Amz-Signature=hidden",
        "Authorization: SharedKey hidden:hidden",
    ],
)
def test_what_a_library_says_is_passed_on_without_secrets(text: str) -> None:
    assert "hidden" not in scrub(f"failed: {text} twice")
    assert scrub(f"failed: {text} twice").startswith("failed: ")


def test_what_tells_no_secret_is_passed_on() -> None:
    assert scrub("No such container: weights\n (status 404)") == "No such container: weights (status 404)"


@pytest.mark.slow  # Google's library tries for half a minute
def test_google_without_credentials_says_how_to_log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that can be tested of Google's storage without an account there; the rest of its way is that of `memory`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("FSSPEC_GCS_TOKEN", "google_default")
    with pytest.raises(GitregError, match=r"^gs://bucket/a: "):
        open_bucket("gs://bucket/a").read("key")

"""The opening of a store from its URL in a registry."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from gitreg.blobs import buckets
from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.buckets.traced_bucket import traced
from gitreg.blobs.store import Store
from gitreg.distribution import install_command
from gitreg.errors import InvalidInput

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HINT = "give an absolute path, or a URL like s3://bucket/folder"
_SECRET = re.compile(r"(?<=://)[^@\s]*:\S*(?=@)|(?<=[?#]).+")
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class _Protocol(NamedTuple):
    extra: str
    modules: tuple[str, ...]
    named: str  # the part of the URL after ://


_S3 = _Protocol("s3", ("boto3", "tenacity"), "bucket")
_GCS = _Protocol("gcs", ("gcsfs",), "bucket")
_AZURE = _Protocol("azure", ("adlfs",), "container")
_SFTP = _Protocol("sftp", ("asyncssh", "tenacity"), "machine")
_REMOTE = {
    "s3": _S3,
    "gs": _GCS,
    "gcs": _GCS,
    "az": _AZURE,
    "abfs": _AZURE,
    "abfss": _AZURE,
    "sftp": _SFTP,
    "ssh": _SFTP,
    "memory": _Protocol("", (), "name"),
}


def open_store(url: str, *, own: bool = False) -> Store:
    """Return the store in the bucket at a URL; see `open_bucket` and, for `own`, `Store`."""
    return Store(traced(open_bucket(url)), own=own)


def open_bucket(url: str) -> Bucket:
    """Return the bucket at an absolute path or a URL; nothing is read or created yet.

    Parameters
    ----------
    url:
        An absolute path, ``file:///path``, ``s3://bucket/folder``, ``gs://bucket/folder``, ``az://container/folder``
        (or ``abfs://container@account.dfs.core.windows.net/folder``), ``sftp://user@machine:port/path`` or
        ``memory://name/folder``. Credentials are found as the protocol's own tools find them, never in the URL.

    Raises
    ------
    InvalidInput
        An unknown protocol, or one whose extra is not installed; a chain of protocols (``::``); a relative
        path; a password or key in the URL.
    """
    scheme = _SCHEME.match(url)
    if "::" in url and scheme:
        raise InvalidInput("gitreg does not open chained stores (::)", hint=_HINT)
    name = scheme[1].lower() if scheme else "file"
    if name == "file":
        return FolderBucket(_folder(url, scheme))
    if name not in _REMOTE:
        known = ", ".join(["file", *_REMOTE])
        raise InvalidInput(f"gitreg does not open {name}:// stores; known: {known}", hint=_HINT)
    parts, path = _parts(url, name)
    _check_installed(name)
    return _open_remote(name, parts, path)


def one_spelling(url: str) -> str:
    """Return the URL or path of a store in the spelling that all URLs of it share, for comparisons."""
    scheme, colons, _ = url.partition("://")
    return open_bucket(url).url if not colons or scheme.lower() == "file" else unquote(url).rstrip("/")


def extra_of(url: str) -> str:
    """Return the extra of gitreg's distribution that the store at a URL needs; empty where it needs none."""
    scheme = _SCHEME.match(url)
    return _REMOTE[name].extra if scheme and (name := scheme[1].lower()) in _REMOTE else ""


def shown(url: str) -> str:
    """Return a URL with passwords, keys and options masked, for messages; a URL with such parts is never opened."""
    return _SECRET.sub("***", url) if "://" in url else url


def _folder(url: str, scheme: re.Match[str] | None) -> Path:
    path = url
    if scheme:
        host, slash, rest = url[scheme.end() :].removeprefix("//").partition("/")
        if host or not url[scheme.end() :].startswith("//"):
            raise InvalidInput(f"{shown(url)!r} names a machine, or no absolute path", hint=_HINT)
        path = unquote(slash + rest, errors="surrogateescape")
    if not path.startswith("/") or "\0" in path:
        raise InvalidInput(f"store {url!r} is no absolute path", hint=_HINT)
    return Path(path)


def _parts(url: str, name: str) -> tuple[SplitResult, str]:
    """Split a URL and check it; error messages never repeat a part that may be secret.

    Returns
    -------
    Its parts, and its path without ``/`` at both ends.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidInput(f"that is no URL of a {name} store", hint=_HINT) from None
    user = parts.username
    azure = name in {"abfs", "abfss", "az"}
    if (
        parts.password is not None
        or parts.query
        or parts.fragment
        or (user and not azure and name not in {"sftp", "ssh"})
    ):
        raise InvalidInput(
            f"the URL of a {name} store has no password, key or option in it",
            hint="leave them out: credentials are found where the protocol's own tools find them",
        )
    if port is not None and name not in {"sftp", "ssh"}:
        raise InvalidInput(f"the URL of a {name} store has no port", hint=_HINT)
    place = user if azure and user else parts.hostname
    if not url[len(name) + 1 :].startswith("//") or not place or not _PLACE.fullmatch(place):
        raise InvalidInput(
            f"the URL of a {name} store names no {_REMOTE[name].named}", hint=f"write it as {name}://..."
        )
    path = unquote(parts.path).removeprefix("/").removesuffix("/")
    if "\0" in path or any(part in {"", ".", ".."} for part in path.split("/") if path):
        raise InvalidInput(f"the URL of a {name} store has an empty part, . or .. in its path", hint=_HINT)
    return parts, path


def _check_installed(name: str) -> None:
    protocol = _REMOTE[name]
    if any(find_spec(module) is None for module in protocol.modules):
        raise InvalidInput(
            f"{name}:// stores need packages that are not installed", hint=install_command(protocol.extra)
        )


def _open_remote(name: str, parts: SplitResult, path: str) -> Bucket:
    place = parts.netloc.rpartition("@")[2]
    prefix = f"{path}/" if path else ""
    url = f"{name}://{parts.netloc}/{quote(path)}".rstrip("/")
    if name == "s3":
        return buckets.s3.S3Bucket(url, place, prefix)
    if _REMOTE[name] is _AZURE:
        account = place.partition(".")[0] if parts.username else None
        return buckets.azure.AzureBucket(url, account, parts.username or place, prefix)
    if _REMOTE[name] is _SFTP:
        return buckets.sftp.SftpBucket(url, parts.hostname or "", parts.port, parts.username, f"/{path}")
    return buckets.fsspec_bucket.FilesystemBucket(
        url,
        lambda: _filesystem(name),
        f"/{place}/{path}".rstrip("/") if name == "memory" else f"{place}/{path}".rstrip("/"),
    )


def _filesystem(name: str) -> object:
    import fsspec

    return fsspec.filesystem(name, use_listings_cache=False, skip_instance_cache=True)

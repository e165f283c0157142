from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.blobs.files import FileEntry
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.urls import open_store
from gitreg.errors import InvalidInput
from tests.blobs.helpers import contents, fetch, put


def test_a_path_and_its_url_open_the_same_store(tmp_path: Path, model: Path) -> None:
    folder = tmp_path / "a b%20ü"
    store = open_store(folder.as_uri())
    manifest = put(store, model)
    assert store.url == folder.as_uri() == open_store(str(folder)).url
    assert contents(fetch(open_store(str(folder)), manifest, tmp_path / "out")) == contents(model)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://host/x", "does not open http:// stores; known: file"),
        ("simplecache::file:///x", "chained"),
        ("reference::/x", "chained"),
        ("file://host/x", "names a machine"),
        ("file:x", "names a machine, or no absolute path"),
        ("weights", "no absolute path"),
        ("../weights", "no absolute path"),
        ("", "no absolute path"),
        ("file:///a%00b", "no absolute path"),
    ],
)
def test_any_other_url_is_refused_in_words(url: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        open_store(url)


def test_opening_makes_nothing(tmp_path: Path) -> None:
    manifest = Manifest.of([FileEntry("a", 1, "0" * 64)])
    assert open_store(str(tmp_path / "store")).missing([manifest]) == {manifest.digest: list(manifest.files)}
    assert not (tmp_path / "store").exists()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {"fsspec", "filelock", "logging", "concurrent.futures", "asyncio", "subprocess"}
    code = f"import sys, gitreg.blobs; print(sorted({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"

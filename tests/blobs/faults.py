"""Programs that save and load in processes of their own, and what must hold whatever became of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from hashlib import sha256
from pathlib import Path

import pytest

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.format.pack import FOOTER_SIZE, parse_table, table_size
from gitreg.blobs.format.recipe import parse_recipe

ROOT = Path(__file__).parents[2]

SMALL_SIZES = """
from gitreg.blobs import keys
from gitreg.blobs.format import chunking
keys.SMALL, keys.BIG = 1 << 10, 8 << 10
chunking.SMALLEST, chunking.USUAL, chunking.LARGEST, chunking._WINDOW = 256, 1 << 10, 4 << 10, 8 << 10
"""

PUT = """
import sys; from pathlib import Path
from gitreg.blobs.urls import open_store
from gitreg.errors import GitregError
from tests.blobs.helpers import put
try:
    for source in sys.argv[2:]:
        put(open_store(sys.argv[1]), Path(source))
except GitregError as error:
    sys.exit(f"{error} | {error.hint}")
"""

LOAD = """
import sys; from pathlib import Path
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.urls import open_store
from gitreg.errors import GitregError
from tests.blobs.helpers import put
store = open_store(sys.argv[1])
try:
    manifest = put(store, Path(sys.argv[2]))
    Cache(Path(sys.argv[3])).checkout(manifest, store)
    Cache(Path(sys.argv[3])).export(manifest, store, Path(sys.argv[4]))
except GitregError as error:
    sys.exit(f"{error} | {error.hint}")
"""

CHECK = """
import sys; from pathlib import Path
from gitreg.blobs.buckets.folder import FolderBucket
from tests.blobs.faults import assert_whole
assert_whole(FolderBucket(Path(sys.argv[1])))
"""


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; a module of these tests can be imported in it."""
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def need_strace() -> str:
    strace = shutil.which("strace")
    if not strace or run([strace, "true"]).returncode:
        pytest.skip("strace does not run here")
    return strace


def injected(fault: str, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program with a fault in its system calls, as strace injects it."""
    return run([need_strace(), "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}", *command])


def in_namespace(script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount."""
    if run(["unshare", "-rm", "true"]).returncode:
        pytest.skip("this machine does not let us make a mount namespace (unshare -rm)")
    return run(["unshare", "-rm", "sh", "-ec", textwrap.dedent(script)])


def assert_whole(bucket: Bucket) -> None:
    """Everything under a final name is what its name says, and what it names is there."""
    for info in bucket.list(keys.BLOBS):
        assert sha256(bucket.read(info.key)).hexdigest() == keys.digest_in(info.key), info.key
    for info in bucket.list(keys.PACKS):
        data = bucket.read(info.key)
        assert_pack(data)
    for info in bucket.list(keys.RECIPES):
        chunks = parse_recipe(bucket.read(info.key))
        data = b"".join(bucket.read(keys.blob(chunk.sha256)) for chunk in chunks)
        assert len(data) == sum(chunk.size for chunk in chunks), info.key
        if info.key.endswith(".pack"):
            assert_pack(data)
        else:
            assert sha256(data).hexdigest() == keys.digest_in(info.key), info.key


def assert_pack(data: bytes) -> None:
    table = data[-table_size(data[-FOOTER_SIZE:]) :]
    spans = parse_table(table)
    for digest, span in spans.items():
        assert sha256(data[span.start : span.stop]).hexdigest() == digest


def left_in(folder: Path) -> list[str]:
    """Give what killed writers left in a store."""
    return [info.key for info in FolderBucket(folder).unfinished()]

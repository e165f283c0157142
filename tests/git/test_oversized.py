"""Objects larger than may be read are told by their headers, and cost no memory."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from gitreg.errors import TooLarge
from gitreg.git import Oversized, Repository
from gitreg.git.history.replay import WORTH_A_PROCESS
from gitreg.git.objects.packs import LARGEST_ON_THE_WAY
from tests.git.conftest import ADA, BRANCH, Env, commit, git, make

SMALL = b"0" * 99  # made by a delta from the huge one


def test_what_is_too_large_is_not_read_loose_or_packed(repo: Repository, folder: Path, env: Env) -> None:
    head = commit(repo, {"small": b"x" * 1000, "large": b"x" * 1001})
    oids = dict(repo.walk(head))
    for _ in range(2):
        assert repo.read_blob(oids["small"], limit=1000) == repo.read(head, "small", limit=1000) == b"x" * 1000
        assert repo.read_blob(oids["large"]) == b"x" * 1001
        with pytest.raises(TooLarge, match=r"is 1,001 bytes long, more than the 1,000 that fit") as caught:
            repo.read(head, "large", limit=1000)
        assert caught.value.size == 1001
        assert repo.object_type(oids["large"]) == "blob"
        git(folder, env, "gc", "-q", "--prune=now")


def test_what_is_too_large_is_not_read_from_an_alternate(
    plain: Repository, tmp_path: Path, env: Env, either_env: Env
) -> None:
    commit(plain, {"packed": b"x" * 1001})
    git(plain.common_dir, env, "gc", "-q", "--prune=now")
    git(tmp_path, env, "clone", "-q", "--shared", "-b", "registry", "normal", "shared")
    head = commit(plain, {"loose": b"y" * 1001})
    with Repository.discover(tmp_path / "shared", env=either_env) as clone:
        for oid in dict(clone.walk(head)).values():
            assert len(clone.read_blob(oid, limit=1001)) == 1001
            with pytest.raises(TooLarge):
                clone.read_blob(oid, limit=1000)


@pytest.mark.slow
@pytest.mark.parametrize("by_offset", ["true", "false"])
def test_a_file_made_by_deltas_is_read_by_its_own_size(plain: Repository, env: Env, by_offset: str) -> None:
    texts = [b"".join(hashlib.sha1(bytes([n, n < turn])).digest() for n in range(200)) for turn in range(20)]
    texts = [text + bytes(len(texts) - turn) for turn, text in enumerate(texts)]
    heads = [commit(plain, {"f": text}) for text in texts]
    git(plain.common_dir, env, "-c", f"repack.useDeltaBaseOffset={by_offset}", "repack", "-adfq")
    oids = [dict(plain.walk(head))["f"] for head in heads]
    pack = next((plain.common_dir / "objects/pack").glob("*.idx"))
    assert "chain length = 3" in git(plain.common_dir, env, "verify-pack", "-v", str(pack))  # or this shows nothing
    git(plain.common_dir, env, "prune-packed")
    for oid, text in zip(oids, texts, strict=True):
        assert plain.read_blob(oid, limit=len(text)) == text
        with pytest.raises(TooLarge) as caught:
            plain.read_blob(oid, limit=len(text) - 1)
        assert caught.value.size == len(text)


def test_a_delta_whose_compression_begins_with_large_tables_is_read(plain: Repository, env: Env) -> None:
    base = b"base"
    text = bytes(random.Random(1).choices(range(256), [2 ** (n % 11) for n in range(256)], k=6000))
    inserts = [bytes([len(part), *part]) for part in (text[at : at + 127] for at in range(0, len(text), 127))]
    delta = number(len(base)) + number(len(text)) + b"".join(inserts)
    assert not zlib.decompressobj().decompress(zlib.compress(delta)[:100])  # or this shows nothing
    pack = pack_of(entry_header(3, len(base)) + zlib.compress(base), delta)
    subprocess.run(["git", "index-pack", "--stdin"], cwd=plain.common_dir, env=env, input=pack, check=True)
    oid = hashlib.sha1(b"blob %d\0" % len(text) + text).hexdigest()
    assert plain.read_blob(oid, limit=len(text)) == text


@pytest.mark.slow
@pytest.mark.parametrize("length", [3, WORTH_A_PROCESS + 3])
def test_a_replay_goes_on_after_a_file_that_is_too_large(
    tmp_path: Path, env: Env, either_env: Env, length: int
) -> None:
    folder = make(tmp_path, env, "bare")
    stream = []
    for n in range(1, length + 1):
        stream.append(f"commit {BRANCH}\nmark :{n}\ncommitter A <a@x> {n} +0000\ndata 1\nm")
        size = 1001 if n == 2 else 5
        stream.append(f"M 100644 inline a\ndata {size}\n{n:0{size}}\nM 100644 inline b\ndata 1\n{n % 7}")
    git(folder, env, "fast-import", "--quiet", stdin="\n".join(stream) + "\n")
    with Repository.discover(folder, env=either_env) as repo:
        head = repo.read_ref(BRANCH)
        assert head
        line = repo.line(head)[::-1]
        told = [dict(files) for _, files in repo.replay(None, line, limit=1000)]
        large = dict(repo.walk(line[1]))["a"]
        assert told[1] == {"a": Oversized(large, 1001), "b": b"2"}
        assert [files["a"] for n, files in enumerate(told, 1) if n != 2] == [
            f"{n:05}".encode() for n in range(1, length + 1) if n != 2
        ]
        skipping = [None if n % 2 else dict(files) for n, (_, files) in enumerate(repo.replay(None, line), 1)]
        assert skipping[1] == {"a": f"{2:01001}".encode(), "b": b"2"}


@pytest.mark.slow
def test_a_commit_is_found_beside_a_tag_of_something_huge(plain: Repository, env: Env) -> None:
    """A tag may point to anything; what is no commit by its size is none."""
    oid = commit(plain, {"f": bytes(LARGEST_ON_THE_WAY + 1)})
    blob = dict(plain.walk(oid))["f"]
    tag = plain.build_tag("huge", blob, message="m", tagger=ADA)
    git(plain.common_dir, env, "update-ref", "refs/tags/huge", tag)
    assert plain.peel(tag) is None
    assert plain.tag(blob) is None
    assert plain.resolve("huge") is None
    assert plain.object_type(blob) == "blob"
    assert len(plain.read_blob(blob)) == LARGEST_ON_THE_WAY + 1


# -- a bomb ----------------------------------------------------------------------------------------------------------

BOMB = 400_000_000


def number(value: int) -> bytes:
    """Seven bits a byte, the lowest first, as in a delta."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def entry_header(kind: int, size: int) -> bytes:
    first, rest = kind << 4 | size & 15, size >> 4
    return bytes([first | 128]) + number(rest) if rest else bytes([first])


def pack_of(entry: bytes, delta: bytes) -> bytes:
    """A pack of an entry and of a delta to it."""
    back = len(entry)
    distance = [back & 127]
    while back := back >> 7:
        back -= 1
        distance.insert(0, back & 127 | 128)
    second = entry_header(6, len(delta)) + bytes(distance) + zlib.compress(delta)
    pack = b"PACK" + (2).to_bytes(4, "big") + (2).to_bytes(4, "big") + entry + second
    return pack + hashlib.sha1(pack).digest()


def bomb_pack() -> tuple[bytes, str, str]:
    """A pack of a huge object and of a small one made from it, and their ids."""
    packer, name = zlib.compressobj(1), hashlib.sha1(f"blob {BOMB}".encode() + b"\0")
    piece = b"0" * 4_000_000
    body = bytearray()
    for _ in range(BOMB // len(piece)):
        body += packer.compress(piece)
        name.update(piece)
    huge = entry_header(3, BOMB) + bytes(body) + packer.flush()
    delta = number(BOMB) + number(len(SMALL)) + bytes([0b10010000, len(SMALL)])
    return pack_of(huge, delta), name.hexdigest(), hashlib.sha1(b"blob 99\0" + SMALL).hexdigest()


READ = """
import json, sys, pathlib
from gitreg.git import Oversized, Repository
with Repository.discover(pathlib.Path(sys.argv[1]), env={"PATH": sys.argv[2], "HOME": "/"}) as repo:
    line = repo.line(repo.read_ref("refs/heads/registry"))[::-1]
    told = {}
    for _, files in repo.replay(None, line, limit=4 * 1024 * 1024):
        for path, content in files:
            told[path] = content.size if isinstance(content, Oversized) else len(content)
print(json.dumps(told))
"""
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, check=True)
print(json.dumps([json.loads(done.stdout), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


@pytest.mark.slow
def test_a_bomb_costs_no_memory(tmp_path: Path, env: Env) -> None:
    pack, huge, small = bomb_pack()
    assert len(pack) < 3_000_000
    for length in (2, WORTH_A_PROCESS + 5):
        folder = tmp_path / str(length)
        git(tmp_path, env, "init", "-q", "--bare", "-b", "registry", str(folder))
        subprocess.run(["git", "index-pack", "--stdin"], cwd=folder, input=pack, check=True, capture_output=True)
        stream = []
        for n in range(1, length + 1):
            stream.append(f"commit {BRANCH}\nmark :{n}\ncommitter A <a@x> {n} +0000\ndata 1\nm")
            stream.append(
                f"M 100644 {huge} huge\nM 100644 {small} small" if n == 2 else f"M 100644 inline {n}\ndata 1\nx"
            )
        git(folder, env, "fast-import", "--quiet", stdin="\n".join(stream) + "\n")
        for path in (env["PATH"], str(tmp_path)):
            command = [sys.executable, "-c", MEASURED, sys.executable, "-c", READ, str(folder), path]
            told, memory = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            assert told["huge"] == BOMB
            assert told["small"] >= BOMB  # small itself, but nobody can read it without the huge one
            assert told["1"] == 1
            assert memory < 200 * 1024

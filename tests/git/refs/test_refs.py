from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import InvalidInput
from gitreg.git import RefUpdate, Repository
from gitreg.git.refs.refs import Refs
from tests.git.conftest import BRANCH, Env, commit, git

OID = "0123456789" * 4
NAMES = st.sets(
    st.builds(
        lambda kind, model, n: f"refs/{kind}/{model}@{n}",
        st.sampled_from(["tags", "heads", "stages/a"]),
        st.sampled_from(["iris", "iris-2", "iris/x", "a", "zz", "ü", "Iris", "i"]),
        st.integers(0, 40),
    ),
    max_size=60,
)


def packed(names: set[str], *, peeled: set[str], header: bool) -> bytes:
    lines = [b"# pack-refs with: peeled fully-peeled sorted "] if header else []
    order = sorted(names, key=str.encode, reverse=not header)
    for name in order:
        lines.append(f"{OID} {name}".encode())
        if name in peeled:
            lines.append(b"^" + b"f" * 40)
    return b"".join(line + b"\n" for line in lines)


@given(NAMES, NAMES, st.booleans(), st.data())
def test_bisecting_packed_refs_finds_what_a_linear_reading_finds(
    names: set[str], others: set[str], header: bool, data: st.DataObject
) -> None:
    peeled = data.draw(st.sets(st.sampled_from(sorted(names)))) if names else set()
    prefix = data.draw(
        st.sampled_from(["refs/", "refs/tags/", "refs/tags/iris", "refs/tags/iris@1", "refs/stages/a/ü@", "refs/zz"])
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "packed-refs").write_bytes(packed(names, peeled=peeled, header=header))
        refs = Refs(Path(folder), Path(folder), 40)
        for name in names | others:
            assert refs.read(name) == (OID if name in names else None)
        assert refs.under(prefix) == {name: OID for name in sorted(names) if name.startswith(prefix)}


@pytest.fixture
def refs(tmp_path: Path) -> Refs:
    for folder in ("refs/heads", "refs/tags"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    return Refs(tmp_path, tmp_path, 40)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"# pack-refs with: sorted", b"garbage", b"# c\n\n^" + b"a" * 40 + b"\n"]
)
def test_an_empty_or_odd_packed_refs_holds_no_refs(refs: Refs, content: bytes) -> None:
    (refs.common_dir / "packed-refs").write_bytes(content)
    assert refs.read("refs/heads/main") is None
    assert refs.under("refs/") == {}


def test_a_packed_refs_without_a_last_line_end_is_read_to_its_end(refs: Refs) -> None:
    (refs.common_dir / "packed-refs").write_text(f"# pack-refs with: sorted \n{OID} refs/heads/a\n{OID} refs/heads/b")
    assert refs.under("refs/heads/") == {"refs/heads/a": OID, "refs/heads/b": OID}
    assert refs.read("refs/heads/b") == OID


def test_a_loose_ref_wins_over_a_packed_one(refs: Refs) -> None:
    (refs.common_dir / "packed-refs").write_text(f"{OID} refs/heads/main\n")
    (refs.common_dir / "refs/heads/main").write_text("f" * 40 + "\n")
    assert refs.read("refs/heads/main") == "f" * 40
    assert refs.under("refs/heads/") == {"refs/heads/main": "f" * 40}


def test_junk_among_the_refs_is_skipped(refs: Refs) -> None:
    for name in ("good", "bad.lock", ".hidden", "with space", "short", "empty"):
        (refs.common_dir / "refs/tags" / name).write_text(OID if name != "short" else "abc")
    (refs.common_dir / "refs/tags/empty").write_text("")
    assert refs.under("refs/tags/") == {"refs/tags/good": OID}


def test_symbolic_refs_are_followed_and_a_loop_of_them_is_nothing(refs: Refs) -> None:
    (refs.common_dir / "refs/heads/main").write_text(OID)
    (refs.common_dir / "refs/heads/loop").write_text("ref: refs/heads/loop\n")
    (refs.common_dir / "refs/heads/out").write_text("ref: ../../etc/passwd\n")
    assert refs.read("HEAD") == OID
    assert refs.read("refs/heads/loop") is None
    assert refs.read("refs/heads/out") is None


@pytest.mark.parametrize(
    "name",
    ["", "main", "refs/../HEAD", "refs/heads/../../HEAD", "/etc/passwd", "refs/heads/" + "x" * 300, "refs/heads"],
)
def test_what_cannot_be_a_ref_is_none(refs: Refs, name: str) -> None:
    assert refs.read(name) is None


@pytest.mark.parametrize("prefix", ["", "ref", "heads/", "refs/../"])
def test_a_prefix_that_starts_no_ref_is_refused(refs: Refs, prefix: str) -> None:
    with pytest.raises(InvalidInput):
        refs.under(prefix)


def test_a_detached_head_is_no_branch(refs: Refs) -> None:
    assert refs.head_branch() == "refs/heads/main"
    (refs.git_dir / "HEAD").write_text(OID)
    assert refs.head_branch() is None


@pytest.mark.slow
def test_no_ref_is_ever_missing_while_git_packs_them(plain: Repository, env: Env) -> None:
    oid = commit(plain, {"a": b"a"})
    names = [f"refs/tags/m{n % 7}/t@{n}" for n in range(60)]
    plain.update_refs([RefUpdate(name, oid, None) for name in names], reason="t")
    for _ in range(15):
        with subprocess.Popen(["git", "pack-refs", "--all"], cwd=plain.git_dir, env=env) as packing:
            while packing.poll() is None:
                assert plain.read_ref(BRANCH) == oid
                assert list(plain.refs("refs/tags/")) == sorted(names)
        other = git(plain.git_dir, env, "commit-tree", "-m", "x", f"{oid}^{{tree}}")
        plain.update_refs([RefUpdate(name, other) for name in names], reason="t")
        plain.update_refs([RefUpdate(name, oid) for name in names], reason="t")

"""A registry in memory for rules, and one in a real repository for what Git has a say in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from gitreg.blobs.files import FileEntry
from gitreg.blobs.manifest import Manifest
from gitreg.documents.files import write
from gitreg.documents.layout import Key
from gitreg.documents.types import ArtifactRecord, Document, FileRecord, RegistryDocument
from gitreg.documents.yaml import dumps
from gitreg.git import Commit, Identity
from gitreg.registry.operations.versions import NewVersion, save_version
from gitreg.registry.state.index import open_index
from gitreg.registry.state.index_builder import derive
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes

NOW = "2026-11-22T10:00:00.000Z"
ADA = Identity("Ada Lovelace", "ada@example.com", 1_700_000_000, 120)


class World:
    """A branch without a repository: the index takes each change as a commit would bring it."""

    def __init__(self, stages: tuple[str, ...] = ("staging", "production")) -> None:
        self.index = open_index(None)
        self.files: dict[Key, bytes] = {}
        self._seq = 0
        self.put(Key("registry"), RegistryDocument(branch="main", stages=stages))

    def put(self, key: Key, content: Document | bytes | None) -> None:
        """Commit one file, as a person could."""
        self._commit({key: content}, "By hand\n")

    def _commit(self, files: Mapping[Key, Document | bytes | None], message: str) -> None:
        changed: dict[Key, bytes | None] = {}
        for key, content in files.items():
            new = write(key, content, self.files.get(key)) if isinstance(content, Document) else content
            if new != self.files.get(key):
                changed[key] = new
        if not changed:
            return
        self._seq += 1
        commit = Commit(f"{self._seq:040x}", "0" * 40, (), ADA, ADA, message)
        derived = ((key, None if new is None else derive(key, new)) for key, new in changed.items())
        self.index.extend([(commit, derived, False)])
        for key, new in changed.items():
            if new is None:
                self.files.pop(key, None)
            else:
                self.files[key] = new

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.index, self._seq, f"{self._seq:040x}")

    @property
    def commits(self) -> int:
        return self._seq

    def do(self, operation: Callable[..., Changes], *arguments: Any, **options: Any) -> Changes:
        """Run an operation and commit what it asks for."""
        changes = operation(self.snapshot, *arguments, **options)
        self._commit(changes.files, changes.message)
        return changes

    def save(self, model: str = "iris", name: str | None = None, *, content: str = "a", **said: Any) -> str:
        """Save a version and give its name."""
        changes = self.do(save_version, new_version(model, name, content=content, **said))
        assert changes.version is not None
        return changes.version[1]

    def stage(self, model: str, stage: str) -> str | None:
        return self.snapshot.stages(model).get(stage)

    def names(self, model: str = "iris") -> list[tuple[int, str]]:
        return [(version.number, version.version) for version in self.snapshot.versions(model)]


def new_version(model: str = "iris", name: str | None = None, *, content: str = "a", **said: Any) -> NewVersion:
    return NewVersion(model=model, name=name, created_at=NOW, artifacts={"model": artifact(content)}, **said)


def artifact(content: str) -> ArtifactRecord:
    digest = sha256(content.encode()).hexdigest()
    return ArtifactRecord(
        type="model", size=len(content), digest=Manifest.of([FileEntry("m.bin", len(content), digest)]).digest,
        files={"m.bin": FileRecord(size=len(content), sha256=digest)},
    )  # fmt: skip


def git(folder: Path, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
    """Run the real git program and give what it prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False,
        errors="surrogateescape", env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip("\n")


def commit_files(folder: Path, files: Mapping[str, bytes | str | None], message: str = "By hand") -> str:
    """Change files in the work tree and commit them with plain git, as a person would."""
    for path, content in files.items():
        target = folder / path
        if content is None:
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def record(model: str, version: str, number: int, **said: Any) -> bytes:
    """The bytes of a record as a person would write it."""
    data = {"format": 1, "kind": "model_version", "model": model, "version": version, "number": number}
    return dumps(data | {"created_at": NOW} | said)


def pointer(kind: str, version: str, **said: Any) -> bytes:
    return dumps({"format": 1, "kind": kind, "version": version} | said)


def refs(folder: Path) -> dict[str, str]:
    """The refs that clones share: not those of the one clone's own."""
    lines = (line.split() for line in git(folder, "for-each-ref", "--format=%(objectname) %(refname)").splitlines())
    return {name: oid for oid, name in lines if name.startswith(("refs/heads/", "refs/tags/", "refs/stages/"))}

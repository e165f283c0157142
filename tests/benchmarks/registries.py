"""Registries of any number of versions, made through ``git fast-import``: what many saves would have left, but sooner.

Commits, tags, mirrors and blobs are those that gitreg itself would have written; :func:`make` ends with ``gitreg
doctor`` finding nothing to say.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from gitreg import Registry
from gitreg.blobs.files import FileEntry, collect
from gitreg.blobs.manifest import Manifest
from gitreg.documents.layout import Key
from gitreg.documents.types import (
    AliasDocument,
    AnnotationDocument,
    ArtifactRecord,
    Document,
    FileRecord,
    ModelDocument,
    RegistryDocument,
    StageDocument,
    VersionDocument,
)
from gitreg.documents.yaml import dumps
from gitreg.progress import NO_PROGRESS
from gitreg.registry.state.registry_refs import mirror_ref, tag_message, tag_ref

WHO = "Ada Lovelace <ada@example.com>"
FIRST_MODEL = "iris"
MOST_MODELS = 100
_FILES = 10  # of each version
_POOL = 40  # different small files that versions share
_BEGIN = 1_750_000_000


def make(folder: Path, versions: int, env: Mapping[str, str], models: int = 0) -> None:
    """Make a registry in a new folder, its versions spread over the models: by default a tenth as many, 100 at most.

    Every fifth version is annotated, every tenth promoted to staging and then, the next time, to production; each
    model has the alias ``champion``.

    Raises
    ------
    AssertionError
        ``gitreg doctor`` finds something.
    """
    with Registry.init(folder)[0] as registry:
        settings = registry.session.snapshot().settings
        pool = _fill_store(registry, folder / ".git" / "pool")
        importing = subprocess.Popen(
            ["git", "fast-import", "--quiet", "--force"], cwd=folder, env=dict(env), stdin=subprocess.PIPE
        )
        assert importing.stdin is not None
        with importing.stdin as stream:
            _Import(stream, settings, pool).run(versions, models or models_of(versions))
        assert importing.wait() == 0
    for command in (["pack-refs", "--all"], ["gc", "--quiet"], ["reset", "--quiet", "--hard"]):
        subprocess.run(["git", *command], cwd=folder, env=dict(env), check=True)
    with Registry.open(folder) as registry:
        problems = registry.doctor()
    assert not problems, problems[:5]


def models_of(versions: int) -> int:
    return max(1, min(MOST_MODELS, versions // 10))


def _fill_store(registry: Registry, folder: Path) -> list[FileEntry]:
    folder.mkdir()
    for number in range(_POOL):
        (folder / f"{number:02}.bin").write_bytes(sha256(b"%d" % number).digest() * 100)
    with registry.session.saving(
        NO_PROGRESS
    ) as saving:  # one by one: together they would lie in a pack of that set alone
        return [entry for file in collect([folder]) for entry in saving.put([file]).files]


class _Import:
    """The stream that fast-import reads."""

    def __init__(self, stream: IO[bytes], settings: RegistryDocument, pool: list[FileEntry]) -> None:
        self._stream = stream
        self._settings = settings
        self._pool = pool
        self._mark = 0
        self._digests: dict[tuple[str, str], str] = {}
        self._artifacts: dict[str, bytes] = {}
        self._held: dict[tuple[str, str], str] = {}

    def run(self, versions: int, models: int) -> None:
        for count in range(versions):
            model = FIRST_MODEL if count % models == 0 else f"team-{count % models % 10}/model-{count % models:03}"
            for subject, files in self._steps(model, count // models + 1):
                self._commit(subject, files)

    def _steps(self, model: str, number: int) -> Iterator[tuple[str, Mapping[Key, Document]]]:
        name = str(number)
        record = self._record(model, number)
        files: dict[Key, Document] = {Key("model_version", model, name): record}
        if number == 1:
            tags = ("regression", "sklearn")
            files[Key("model", model)] = ModelDocument(
                name=model,
                created_at=record.created_at,
                license="Apache-2.0",
                description=f"What {model} is",
                tags=tags,
            )
        yield f"Save {model}@{name}", files
        digest = f"sha256:{self._digests[model, name]}"
        if number == 1:
            yield (
                f"Alias {model}@champion: 1",
                {Key("alias", model, "champion"): AliasDocument(version=name, digest=digest)},
            )
        if number % 5 == 0:
            note = AnnotationDocument(metadata={"reviewed_by": "Grace Hopper", "approved": True}, tags=("reviewed",))
            yield f"Annotate {model}@{name}", {Key("annotation", model, name): note}
        if number % 10 in (0, 1):
            stage = "production" if number % 10 else "staging"
            pointer = StageDocument(version=name, digest=digest, previous=self._held.get((model, stage)))
            self._held[model, stage] = name
            yield f"Promote {model}@{name} to {stage}", {Key("stage", model, stage): pointer}

    def _record(self, model: str, number: int) -> VersionDocument:
        picked = sorted(
            {self._pool[(number * 7 + each * 3) % len(self._pool)] for each in range(_FILES)}, key=lambda e: e.path
        )
        values = [0.5 + (number * 37 + each * 11) % 500 / 1000 for each in range(17)]
        metadata: dict[str, Any] = {"accuracy": values[0], "framework": "sklearn", "params": {"max_depth": number % 9}}
        metadata |= {f"metric_{each:02}": value for each, value in enumerate(values)}
        return VersionDocument(
            model=model,
            version=str(number),
            number=number,
            created_at=datetime.fromtimestamp(_BEGIN + self._mark * 60, UTC).isoformat().replace("+00:00", ".000Z"),
            created_by=WHO,
            description=f"Trained on the data of week {number}",
            tags=("nightly",) if number % 3 else ("nightly", "candidate"),
            metadata=metadata,
            source={
                "repository": "https://example.com/team/code.git",
                "commit": sha256(b"%d" % number).hexdigest()[:40],
                "dirty": False,
            },
            artifacts={
                "model": ArtifactRecord(
                    size=sum(entry.size for entry in picked),
                    digest=Manifest.of(picked).digest,
                    files={entry.path: FileRecord(size=entry.size, sha256=entry.sha256) for entry in picked},
                )
            },
        )

    def _commit(self, subject: str, files: Mapping[Key, Document]) -> None:
        self._mark += 1
        when = f"{WHO} {_BEGIN + self._mark * 60} +0000"
        ref = f"refs/heads/{self._settings.branch}"
        lines = [f"commit {ref}", f"mark :{self._mark}", f"author {when}", f"committer {when}"]
        self._write("\n".join(lines), (subject + "\n").encode())
        if self._mark == 1:
            self._stream.write(f"from {ref}^0\n".encode())
        after: list[tuple[str, bytes | None]] = []
        for key, document in files.items():
            content = self._text(document)
            self._write(f"M 100644 inline {key.path}", content)
            if key.kind == "model_version":
                digest = self._digests[key.model, key.name] = sha256(content).hexdigest()
                tag = tag_ref(self._settings, key.model, key.name).removeprefix("refs/tags/")
                message = tag_message(document.to_data(), digest).encode()
                after.append((f"tag {tag}\nfrom :{self._mark}\ntagger {when}", message))
            elif key.kind in ("stage", "alias"):
                after.append((f"reset {mirror_ref(self._settings, key)}\nfrom :{self._mark}", None))
        for head, data in after:
            self._write(head, data)

    def _text(self, document: Document) -> bytes:
        """Write a document; the artifacts, its last field, are of few kinds and most of the work."""
        data = document.to_data()
        artifacts = data.pop("artifacts", None)
        if artifacts is None:
            return dumps(data)
        digest = artifacts["model"]["digest"]
        if digest not in self._artifacts:
            self._artifacts[digest] = dumps({"artifacts": artifacts})
        return dumps(data) + self._artifacts[digest]

    def _write(self, head: str, data: bytes | None) -> None:
        self._stream.write(head.encode() + b"\n")
        if data is not None:
            self._stream.write(b"data %d\n%s\n" % (len(data), data))


if __name__ == "__main__":
    os.environ["GIT_COMMITTER_DATE"] = f"{_BEGIN} +0000"  # no commit is taken for older than one before it
    make(Path(sys.argv[1]), int(sys.argv[2]), os.environ, *map(int, sys.argv[3:]))

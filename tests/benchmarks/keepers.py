"""What others take for the same: DVC, Git LFS, restic, Metaflow's ``@model``, each as its manual says.

Those from PyPI live in environments that :meth:`Peer.install` makes; the others are programs of the system.
"""

from __future__ import annotations

import json
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.comparison import Took, bytes_in
from tests.benchmarks.processes import Cost, Failed, run

_FLOW = Path(__file__).with_name("flow.py")


def environment_with(folder: Path, packages: Sequence[str], env: Mapping[str, str]) -> Path:
    """Give the folder of programs of a virtual environment with these packages, made where it is not there yet.

    Raises
    ------
    Failed
        pip cannot install them.
    """
    done = folder / "installed"
    if not done.exists():
        run([sys.executable, "-m", "venv", folder], env)
        run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *packages], env)
        done.touch()
    return folder / "bin"


class Peer(ABC):
    """A program that keeps files, used in a folder of its own.

    Parameters
    ----------
    work:
        A new folder for all it needs: workspace, remote, caches.
    bin:
        What :meth:`install` gave.
    """

    name: str
    settings: str
    environment: str = ""
    packages: Sequence[str] = ()
    program: str = ""

    @classmethod
    def install(cls, environments: Path, env: Mapping[str, str]) -> Path:
        """Give the folder of the peer's programs, installing it first where it comes from PyPI.

        Raises
        ------
        Failed
            It cannot be had.
        """
        if cls.packages:
            return environment_with(environments / cls.environment, cls.packages, env)
        found = shutil.which(cls.program)
        if found is None:
            raise Failed(f"{cls.program} is not installed")
        return Path(found).parent

    def __init__(self, work: Path, bin: Path, env: Mapping[str, str]) -> None:  # noqa: A002 - as the folder is called
        work.mkdir()
        self.work = work
        self.bin = bin
        self.env = {**env, "HOME": str(work), "PATH": f"{bin}:{env['PATH']}"}
        self.workspace = work / "workspace"
        self.data = self.workspace / "data"
        self.costs: list[Cost] = []
        self.workspace.mkdir()
        self.loaded = self.data
        self.prepare()

    def place(self, source: Path) -> None:
        """Put the files into the workspace, instead of those that were there: where a user has them."""
        shutil.rmtree(self.data, ignore_errors=True)
        run(["cp", "-r", source, self.data], self.env)

    def remove(self) -> None:
        """Remove all of it."""
        run(["chmod", "-R", "u+w", self.work], self.env)
        shutil.rmtree(self.work)

    @abstractmethod
    def prepare(self) -> None:
        """Make what is made once: repositories, remotes, settings."""

    @abstractmethod
    def save(self) -> Took:
        """Keep the workspace's data, also where others can get it."""

    @abstractmethod
    def load(self) -> Took:
        """Give the data from there, in the folder ``loaded``, to somebody who has nothing yet."""

    @abstractmethod
    def stored(self) -> int:
        """Give the bytes that it keeps where others can get them."""

    def run(self, *command: str | Path, cwd: Path | None = None) -> Cost:
        cost = run(command, self.env, cwd=cwd or self.workspace)
        self.costs.append(cost)
        return cost


class Dvc(Peer):
    name = "dvc"
    settings = "add and push to a local remote, pull without cache; cache.type reflink,copy (its default)"
    environment = "dvc"
    packages = ("dvc",)

    def prepare(self) -> None:
        self.run("git", "init", "--quiet")
        self.run(self.bin / "dvc", "init", "--quiet")
        self.run(self.bin / "dvc", "config", "core.analytics", "false")
        self.run(self.bin / "dvc", "config", "core.check_update", "false")
        self.run(self.bin / "dvc", "remote", "add", "--default", "local", self.work / "remote")

    def save(self) -> Took:
        return Took.whole(self.run(self.bin / "dvc", "add", "data"), self.run(self.bin / "dvc", "push"))

    def load(self) -> Took:
        shutil.rmtree(self.data)
        shutil.rmtree(self.workspace / ".dvc" / "cache")
        shutil.rmtree(self.workspace / ".dvc" / "tmp", ignore_errors=True)
        return Took.whole(self.run(self.bin / "dvc", "pull"))

    def stored(self) -> int:
        return bytes_in(self.work / "remote")


class GitLfs(Peer):
    name = "git-lfs"
    settings = "add, commit and push to a bare repository by file://, clone from it"
    program = "git-lfs"

    def prepare(self) -> None:
        self.loaded = self.work / "clone" / "data"
        self.run("git", "init", "--quiet", "--bare", self.work / "remote.git")
        self.run("git", "lfs", "install", "--skip-repo")
        self.run("git", "init", "--quiet", "--initial-branch=main")
        self.run("git", "lfs", "track", "data/**")
        self.run("git", "remote", "add", "origin", (self.work / "remote.git").as_uri())

    def save(self) -> Took:
        return Took.whole(
            self.run("git", "add", "."),
            self.run("git", "commit", "--quiet", "--message", "Save"),
            self.run("git", "push", "--quiet", "origin", "HEAD:main"),
        )

    def load(self) -> Took:
        remote = (self.work / "remote.git").as_uri()
        return Took.whole(self.run("git", "clone", "--quiet", "--branch", "main", remote, self.work / "clone"))

    def stored(self) -> int:
        return bytes_in(self.work / "remote.git")


class Restic(Peer):
    name = "restic"
    settings = "backup to a local repository, restore; the default compression"
    program = "restic"

    def prepare(self) -> None:
        self.loaded = self.work / "restored" / "data"
        self.env |= {
            "RESTIC_REPOSITORY": str(self.work / "repository"),
            "RESTIC_PASSWORD": "benchmark",
            "RESTIC_CACHE_DIR": str(self.work / "cache"),
        }
        self.run("restic", "init")

    def save(self) -> Took:
        return Took.whole(self.run("restic", "backup", "data"))

    def load(self) -> Took:
        return Took.whole(self.run("restic", "restore", "latest", "--target", self.work / "restored"))

    def stored(self) -> int:
        return bytes_in(self.work / "repository")


class Metaflow(Peer):
    name = "Metaflow @model, tar"
    settings = (
        "current.model.save and .load alone, inside a step; local datastore; the default storage_format, nothing hashed"
    )
    environment = "metaflow"
    packages = ("metaflow", "metaflow-checkpoint")
    storage_format = "tar"

    def prepare(self) -> None:
        self.loaded = self.work / "loaded"
        self.env |= {
            "METAFLOW_HOME": str(self.work / "home"),
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(self.work / "datastore"),
            "METAFLOW_USER": "ada",
        }
        shutil.copy(_FLOW, self.workspace)

    def save(self) -> Took:
        return self._step("save", self.data)

    def load(self) -> Took:
        return self._step("load", self.loaded)

    def stored(self) -> int:
        return bytes_in(self.work / "datastore")

    def _step(self, action: str, path: Path) -> Took:
        report = self.work / "report.json"
        words: list[str | Path] = [
            "--action",
            action,
            "--storage_format",
            self.storage_format,
            "--path",
            path,
            "--report",
            report,
            "--kept",
            self.work / "kept.json",
        ]
        cost = self.run(self.bin / "python", _FLOW.name, "--no-pylint", "run", *words)
        return Took(json.loads(report.read_text()), cost.memory)


class MetaflowFiles(Metaflow):
    name = "Metaflow @model, files"
    settings = "as above with storage_format files: loading makes symbolic links into the datastore"
    storage_format = "files"


PEERS: Sequence[type[Peer]] = (Dvc, GitLfs, Restic, Metaflow, MetaflowFiles)

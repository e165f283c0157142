"""Other registries doing what gitreg does, each as its manual says: GTO, MLflow, ZenML, Hugging Face's cache.

Each begins with as many versions of one model. What has a program is asked by it, else by the shortest script.
"""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha1
from pathlib import Path

from tests.benchmarks.keepers import environment_with
from tests.benchmarks.processes import PROGRAM, Cost, run

REGISTER, POINT, ASK, FIND = "a version is registered", "a stage is given", "a model's versions", "what is cached"
Actions = Mapping[str, Callable[[int], Cost]]


class Rival(ABC):
    """A registry in a folder of its own.

    Parameters
    ----------
    work:
        A new folder.
    bin:
        Where its programs are.
    versions:
        How many versions of its one model there are to begin with.
    """

    name: str
    environment: str
    packages: Sequence[str]

    @classmethod
    def install(cls, environments: Path, env: Mapping[str, str]) -> Path:
        """Give the folder of its programs, installed first where they are not."""
        return environment_with(environments / cls.environment, cls.packages, env)

    def __init__(self, work: Path, bin: Path, env: Mapping[str, str], versions: int) -> None:  # noqa: A002
        work.mkdir()
        self.work = work
        self.bin = bin
        self.env = {**env, "HOME": str(work), "PATH": f"{bin}:{env['PATH']}"}
        self.versions = versions
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Make the registry."""

    @abstractmethod
    def actions(self) -> Actions:
        """Give what it can do, each by the number of the round."""

    def run(self, *command: str | Path) -> Cost:
        return run(command, self.env, cwd=self.work)

    def python(self, script: str) -> Cost:
        return self.run(self.bin / "python", "-c", script)


class Gto(Rival):
    name = "gto"
    environment = "gto"
    packages = ("gto",)

    def prepare(self) -> None:
        self.run("git", "init", "--quiet")
        for number in range(self.versions):
            self._commit()
            self.run("git", "tag", "--message", "Registering", f"iris@v0.0.{number}")

    def actions(self) -> Actions:
        gto = self.bin / "gto"

        def register(number: int) -> Cost:
            self._commit()  # as its user has before
            return self.run(gto, "register", "iris", "--version", f"v1.0.{number}")

        return {
            REGISTER: register,
            POINT: lambda n: self.run(gto, "assign", "iris", "--version", f"v0.0.{n}", "--stage", "production"),
            ASK: lambda _: self.run(gto, "show", "iris", "--json", "--av", "1"),
        }

    def _commit(self) -> None:
        """Make a commit: each holds one version of a model."""
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", "Train")


class MlFlow(Rival):
    name = "mlflow, SQLite"
    environment = "mlflow"
    packages = ("mlflow",)

    def prepare(self) -> None:
        self.env |= {"MLFLOW_TRACKING_URI": f"sqlite:///{self.work}/mlflow.db", "MLFLOW_DISABLE_TELEMETRY": "true"}
        (self.work / "model").mkdir()
        (self.work / "model" / "small.bin").write_bytes(b"weights")
        create = f"[client.create_model_version('iris', {str(self.work / 'model')!r}) for _ in range({self.versions})]"
        self.python(f"{_MLFLOW}client.create_registered_model('iris'); {create}")

    def actions(self) -> Actions:
        model = str(self.work / "model")
        return {
            REGISTER: lambda _: self.python(f"{_MLFLOW}client.create_model_version('iris', {model!r})"),
            POINT: lambda n: self.python(f"{_MLFLOW}client.set_registered_model_alias('iris', 'production', {n + 2})"),
            ASK: lambda _: self.python(f"{_MLFLOW}print(len(client.search_model_versions(\"name='iris'\")))"),
        }


_MLFLOW = "from mlflow import MlflowClient; client = MlflowClient(); "


class ZenMl(Rival):
    name = "zenml, local SQLite"
    environment = "zenml"
    packages = ("zenml[local]",)

    def prepare(self) -> None:
        self.env |= {
            "ZENML_CONFIG_PATH": str(self.work / "config"),
            "ZENML_ANALYTICS_OPT_IN": "false",
            "ZENML_LOGGING_VERBOSITY": "ERROR",
        }
        create = f"[client.create_model_version('iris') for _ in range({self.versions})]"
        self.python(f"{_ZENML}client.create_model('iris'); {create}")

    def actions(self) -> Actions:
        move = "client.update_model_version('iris', '{}', stage='production', force=True)"
        return {
            REGISTER: lambda _: self.python(f"{_ZENML}client.create_model_version('iris')"),
            POINT: lambda n: self.python(_ZENML + move.format(n + 2)),
            ASK: lambda _: self.python(f"{_ZENML}print(len(client.list_model_versions(model='iris', size=100)))"),
        }


_ZENML = "from zenml.client import Client; client = Client(); "


class HuggingFace(Rival):
    name = "huggingface_hub, offline"
    environment = "huggingface_hub"
    packages = ("huggingface_hub",)

    def prepare(self) -> None:
        """Lay out the cache as its documentation says: blobs, a snapshot of links to them, a ref to the snapshot."""
        self.env["HF_HUB_CACHE"] = str(self.work / "hub")
        top = self.work / "hub" / "models--ada--iris"
        snapshot = top / "snapshots" / sha1(b"iris", usedforsecurity=False).hexdigest()
        for folder in (top / "refs", top / "blobs", snapshot):
            folder.mkdir(parents=True)
        (top / "refs" / "main").write_text(snapshot.name)
        for number in range(10):
            (top / "blobs" / f"{number:040}").write_bytes(b"%d" % number)
            (snapshot / f"{number}.bin").symlink_to(f"../../blobs/{number:040}")

    def actions(self) -> Actions:
        script = "from huggingface_hub import snapshot_download as get; print(get('ada/iris', local_files_only=True))"
        return {FIND: lambda _: self.python(script)}


class Gitreg(Rival):
    name = "gitreg"
    environment = ""
    packages = ()

    @classmethod
    def install(cls, environments: Path, env: Mapping[str, str]) -> Path:
        return Path(PROGRAM).parent

    def prepare(self) -> None:
        make: list[str | Path] = [self.bin / "python", "-m", "tests.benchmarks.registries", self.work / "registry"]
        run([*make, str(self.versions), "1"], self.env)

    def actions(self) -> Actions:
        def save(number: int) -> Cost:
            (self.work / "small.bin").write_bytes(b"weights %d" % number)
            return self._gitreg("save", "iris", self.work / "small.bin")

        return {
            REGISTER: save,
            POINT: lambda n: self._gitreg("promote", f"iris@{n + 2}", "production", "--force"),
            ASK: lambda _: self._gitreg("list", "iris", "--json"),
            FIND: lambda _: self._gitreg("load", "iris@1"),
        }

    def _gitreg(self, *words: str | Path) -> Cost:
        return self.run(self.bin / "gitreg", "--repo", self.work / "registry", *words)


RIVALS: Sequence[type[Rival]] = (Gto, MlFlow, ZenMl, HuggingFace)


def remove(rival: Rival) -> None:
    run(["chmod", "-R", "u+w", rival.work], rival.env)
    shutil.rmtree(rival.work)

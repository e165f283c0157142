"""The requirement in the jobs of ``gitreg ci``: that of the gitreg that wrote them, or the one asked for."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitreg.distribution import NAME
from tests.system.forge import jobs
from tests.system.world import PROGRAMS, Person, write

pytestmark = pytest.mark.slow

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def installed(person: Person, folder: Path, direct_url: dict[str, Any] | None) -> Person:
    """Return the person with an installation whose records by pip, in a folder that comes first, name its origin."""
    files = {f"{NAME.replace('-', '_')}-9.8.dist-info/METADATA": f"Metadata-Version: 2.4\nName: {NAME}\nVersion: 9.8\n"}
    if direct_url is not None:
        files[f"{NAME.replace('-', '_')}-9.8.dist-info/direct_url.json"] = json.dumps(direct_url)
    write(folder, files)
    return person.with_env(PYTHONPATH=str(folder))


def installs(person: Person, *options: str, host: str = "github") -> str:
    """Return the one requirement that every job of the pipeline gives to pip."""
    pipeline = person.gitreg("ci", host, "--out", "-", *options).out
    found = {
        script.strip()
        for job in jobs(pipeline)
        for script in job
        if script.startswith("pip ")
    }  # fmt: skip
    assert pipeline.count("pip install") == 3
    (command,) = found
    pip, install, spec = shlex.split(command)
    assert (pip, install) == ("pip", "install")
    return spec


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_what_came_from_an_index_is_pinned_to_its_version(registry: Person, tmp_path: Path, host: str) -> None:
    assert installs(installed(registry, tmp_path / "site", None), host=host) == f"{NAME}==9.8"


@pytest.mark.parametrize(
    ("said", "spec"),
    [
        (
            {"url": "https://example.com/g.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"git+https://example.com/g.git@{COMMIT}",
        ),
        (
            {"url": "ssh://git@example.com/g", "vcs_info": {"vcs": "git", "commit_id": COMMIT}, "subdirectory": "a/b"},
            f"git+ssh://git@example.com/g@{COMMIT}#subdirectory=a/b",
        ),
        (
            {"url": "https://example.com/g.whl", "archive_info": {"hashes": {"sha256": "ab"}, "hash": "sha256=ab"}},
            "https://example.com/g.whl#sha256=ab",
        ),
        ({"url": "https://example.com/g.whl", "archive_info": {}}, "https://example.com/g.whl"),
    ],
)  # fmt: skip
def test_what_came_from_a_url_is_taken_from_there_again(
    registry: Person, tmp_path: Path, said: dict[str, Any], spec: str
) -> None:
    assert installs(installed(registry, tmp_path / "site", said)) == f"{NAME} @ {spec}"


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://ada:secret@example.com/g.git", "https://example.com/g.git"),
        ("git@example.com:team/g.git", "ssh://git@example.com/team/g.git"),
        ("ssh://git@example.com:22/g.git", "ssh://git@example.com:22/g.git"),
        ("/srv/g.git", "file:///srv/g.git"),
        (None, None),
    ],
)
@pytest.mark.parametrize("within", [".", "python"])
def test_what_came_from_a_clone_is_the_commit_there_at_its_remote(
    registry: Person, tmp_path: Path, remote: str | None, url: str | None, within: str
) -> None:
    clone = registry.at(tmp_path / "the clone")
    write(clone.here / within, {"pyproject.toml": ""})
    clone.git("init", "-q")
    if remote:
        clone.git("remote", "add", "origin", remote)
    clone.git("add", "-A")
    clone.git("commit", "-qm", "x")
    head = clone.git("rev-parse", "HEAD")
    said = {"url": (clone.here / within).resolve().as_uri(), "dir_info": {"editable": True}}
    part = "" if within == "." else f"#subdirectory={within}"
    spec = installs(installed(registry, tmp_path / "site", said))
    assert spec == f"{NAME} @ git+{url or clone.here.resolve().as_uri()}@{head}{part}"


@pytest.mark.parametrize("repository", [False, True])
def test_a_folder_that_no_commit_has_is_named_as_it_is_with_a_word_of_warning(
    registry: Person, tmp_path: Path, repository: bool
) -> None:
    folder = write(tmp_path / "sources", {"pyproject.toml": ""})
    if repository:  # one that has something else
        registry.at(folder).git("init", "-q")
        registry.at(folder).git("commit", "-q", "--allow-empty", "-m", "x")
    there = installed(registry, tmp_path / "site", {"url": folder.as_uri(), "dir_info": {}})
    assert installs(there) == f"{NAME} @ {folder.as_uri()}"
    assert "--install" in there.gitreg("ci", "gitlab").err


@pytest.mark.parametrize(
    ("stores", "extras"),
    [(["s3://b/x"], "[s3]"), (["/srv/x", "gs://b/x", "az://c/x"], "[azure,gcs]"), (["/srv/x"], "")],
)  # fmt: skip
def test_the_extras_are_those_of_the_stores_that_the_registry_names(
    registry: Person, tmp_path: Path, stores: list[str], extras: str
) -> None:
    settings = registry.here / "gitreg.yaml"
    text = "\n".join(line for line in settings.read_text().splitlines() if not line.startswith("store:"))
    settings.write_text(f"{text}\nstore: {stores[0]}\nreplicas: {json.dumps(stores[1:])}\n")
    registry.git("commit", "-qam", "stores")
    there = installed(registry, tmp_path / "site", None)
    assert installs(there) == f"{NAME}{extras}==9.8"
    assert installs(there, "--install", "mine[x] == 1") == "mine[x] == 1", "what is asked for is taken as it is"


@pytest.mark.parametrize("spec", ["git+https://h/r@main#egg=x", "./my gitreg's wheel.whl", "x; python_version > '3'"])
@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_what_is_asked_for_reaches_pip_as_one_word(registry: Person, host: str, spec: str) -> None:
    assert installs(registry, "--install", spec, host=host) == spec


@pytest.mark.parametrize("spec", ["", " ", "-r requirements.txt", "x\ny", "x\x1b[0m"])
def test_what_is_no_requirement_is_refused(registry: Person, spec: str) -> None:
    registry.gitreg("ci", "github", f"--install={spec}", code=2)
    assert not (registry.here / ".github").exists()


PROJECT = f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{NAME}"
version = "9.8"
[tool.hatch.build.targets.wheel]
include = ["module.py"]
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["commit", "wheel", "folder", "editable"])
def test_pip_takes_what_is_said_of_an_installation_that_pip_made(registry: Person, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("hatchling")
    pytest.importorskip("editables")
    sources = registry.at(write(tmp_path / "sources", {"pyproject.toml": PROJECT, "module.py": ""}))
    sources.git("init", "-q")
    sources.git("add", "-A")
    sources.git("commit", "-qm", "x")
    head = sources.git("rev-parse", "HEAD")

    def pip(command: str, *options: str | Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "pip", command, "-q", "--no-deps", "--no-build-isolation", *map(str, options)],
            env=registry.env, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    if kind == "wheel":
        pip("wheel", "--wheel-dir", tmp_path, sources.here)
    what: dict[str, list[str | Path]] = {
        "commit": [f"git+{sources.here.as_uri()}"],
        "wheel": [*tmp_path.glob("*.whl")],
        "folder": [sources.here],
        "editable": ["-e", sources.here],
    }
    pip("install", "--target", tmp_path / "site", *what[kind])
    spec = installs(registry.with_env(PYTHONPATH=str(tmp_path / "site")))
    assert ("#sha256=" if kind == "wheel" else f"@{head}") in spec
    pip("install", "--target", tmp_path / "again", spec)
    assert (tmp_path / "again/module.py").is_file()


def test_the_version_that_the_program_shows_is_the_distributions(registry: Person, tmp_path: Path) -> None:
    assert installed(registry, tmp_path / "site", None).gitreg("--version").out == "gitreg 9.8\n"
    assert (PROGRAMS / "git-reg").exists()

"""What tests of several packages share."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.disk import Disk
from tests.servers.buckets import Servers

pytest_plugins = ["tests.git.faraway"]

# How long an example takes tells of the machine's load, not of the code; a folder that examples share is made for that.
for profile, examples in {"fast": 20, "whole": 100}.items():
    settings.register_profile(
        profile,
        max_examples=examples,
        deadline=None,
        derandomize="CI" in os.environ,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )

_ALL_SLOW = re.compile(r"^pytestmark = .*\bmark\.slow\b", re.MULTILINE)

OF_THE_TESTS = ("GITREG_FUZZ", "GITREG_EXAMPLES", "GITREG_TEST_THREADS_SECONDS")
"""Variables that tests themselves read: how long they look for faults."""

OF_THE_DEVELOPER = (
    "GIT_", "GITREG_", "XDG_", "LC_", "LANG", "AWS_", "AZURE_", "GOOGLE_", "METAFLOW_", "SSH_",
    "EMAIL", "EDITOR", "VISUAL", "PAGER", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLUMNS", "LINES",
    "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
)  # fmt: skip
"""The beginnings of variables that change the behaviour of gitreg, or of a program that it runs."""


def pytest_configure(config: pytest.Config) -> None:
    """Look at fewer examples where the slow tests are left out."""
    settings.load_profile("fast" if "not slow" in config.option.markexpr else "whole")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files of slow tests alone, where those are left out: what they import takes seconds in each worker."""
    if config.option.markexpr == "not slow" and collection_path.suffix == ".py":
        return _ALL_SLOW.search(collection_path.read_text()) is not None or None
    return None


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a third of the time tests wait for a disk or a server."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget the developer's home, and their settings of Git and gitreg: a test says all that it needs.

    Nothing waits for the disk either; ``disk`` records what is synced, for the tests of that. New repositories have the
    usual folders, and none of the sample hooks.
    """
    top = tmp_path_factory.mktemp("nobody")
    for folder in ("home", "template/hooks", "template/info"):
        (top / folder).mkdir(parents=True)
    (top / "template" / "info" / "exclude").touch()
    (top / "gitconfig").write_text(f"[core]\n\tfsync = none\n[init]\n\ttemplateDir = {top / 'template'}\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(OF_THE_DEVELOPER) and name not in OF_THE_TESTS:
                patch.delenv(name)
        patch.setenv("GIT_CONFIG_SYSTEM", str(top / "gitconfig"))
        patch.setenv("HOME", str(top / "home"))
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("TZ", "UTC")
        patch.setattr(os, "fsync", lambda _: None)
        umask = os.umask(0o022)
        yield
        os.umask(umask)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Servers]:
    base = tmp_path_factory.getbasetemp()
    found = Servers((base if worker_id == "master" else base.parent) / "servers")
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """What this process asks of the disk while the test runs."""
    return Disk(monkeypatch)


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the temporary one's."""
    shared_memory = Path("/dev/shm")
    if not os.access(shared_memory, os.W_OK) or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm is no file system of its own here")
    folder = shared_memory / f"gitreg-test-{os.urandom(8).hex()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)

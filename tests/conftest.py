"""What tests of several packages share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.disk import Disk
from tests.servers.buckets import Servers

pytest_plugins = ["tests.git.faraway"]

# How long an example takes tells of the machine's load, not of the code; a folder that examples share is made for that.
settings.register_profile(
    "gitreg",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("gitreg")

OF_THE_TESTS = ("GITREG_FUZZ", "GITREG_EXAMPLES", "GITREG_TEST_THREADS_SECONDS")
"""Variables that tests themselves read: how long they look for faults."""


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a third of the time tests wait for a disk or a server."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget the developer's home, and their settings of Git and gitreg: a test says all that it needs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("GIT_", "GITREG_", "XDG_")) and name not in OF_THE_TESTS:
                patch.delenv(name)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("HOME", str(tmp_path_factory.mktemp("nobodys-home")))
        yield


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

"""What tests of several packages share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers.buckets import Servers

pytest_plugins = ["tests.git.faraway"]


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a third of the time tests wait for a disk or a server."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Servers]:
    base = tmp_path_factory.getbasetemp()
    found = Servers((base if worker_id == "master" else base.parent) / "servers")
    try:
        yield found
    finally:
        found.close()

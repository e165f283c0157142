"""What tests of several packages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.buckets import Servers

pytest_plugins = ["tests.git.faraway"]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Servers]:
    base = tmp_path_factory.getbasetemp()
    found = Servers((base if worker_id == "master" else base.parent) / "servers")
    try:
        yield found
    finally:
        found.close()

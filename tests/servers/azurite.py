"""Microsoft's Azurite: Azure's blob storage, in memory."""

from __future__ import annotations

from pathlib import Path

from tests.servers.running import Programs, accepts, free_ports, need, wait_until

HOW = "npm install --global azurite"
# Azurite's own account and key, which its documentation publishes
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def start(folder: Path, programs: Programs) -> dict[str, str]:
    """Start it; return what its clients need to know."""
    need(["azurite-blob"], HOW)
    (port,) = free_ports(1)
    programs.start(
        *("azurite-blob", "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)),
        *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
    )
    wait_until(lambda: accepts(port), "azurite", programs.log("azurite-blob"))
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    return {
        "endpoint": endpoint,
        "connection": f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};",
    }

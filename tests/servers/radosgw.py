"""Ceph's S3: a monitor, one storage daemon that keeps all in memory, and the gateway."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from tests.servers.running import Programs, free_ports, need, program, wait_until

HOW = "apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common"
KEY, SECRET = "test", "testtest"

_CONFIGURATION = """
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{mon}
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
osd crush chooseleaf type = 0
osd crush update on start = false
osd objectstore = memstore
memstore device bytes = 8589934592
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}
admin socket =
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[client.rgw]
debug rgw = 0
rgw frontends = beast endpoint=127.0.0.1:{rgw}
rgw gc obj min wait = 3
rgw gc processor period = 3
rgw gc processor max time = 3
"""


def start(folder: Path, programs: Programs) -> dict[str, str]:
    """Start it; return what its clients need to know."""
    need(["radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "ceph-authtool", "monmaptool"], HOW)
    mon, rgw = free_ports(2)
    fsid, conf = str(uuid.uuid4()), folder / "ceph.conf"
    conf.write_text(_CONFIGURATION.format(fsid=fsid, folder=folder, mon=mon, rgw=rgw))
    for name in ("mon", "osd"):
        (folder / name).mkdir()

    def run(*command: str) -> None:
        done = subprocess.run(
            [program(command[0]) or command[0], *command[1:]], capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")

    def ceph(*command: str) -> None:
        run("ceph", "-c", str(conf), *command)

    keys, osd = str(folder / "keyring"), str(uuid.uuid4())
    run("ceph-authtool", "--create-keyring", keys, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    everything = ["--cap", "mon", "allow *", "--cap", "osd", "allow *"]
    for name in ("client.admin", "client.rgw", "osd.0"):
        run("ceph-authtool", keys, "--gen-key", "-n", name, *everything)
    monmap = str(folder / "monmap")
    run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{mon}]", monmap)
    run("ceph-mon", "-c", str(conf), "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keys)
    programs.start("ceph-mon", "-f", "-c", str(conf), "-i", "a")
    ceph("--connect-timeout", "60", "auth", "import", "-i", keys)
    ceph("osd", "new", osd)
    run("ceph-osd", "-c", str(conf), "-i", "0", "--mkfs", "--osd-uuid", osd)
    ceph("osd", "crush", "add", "osd.0", "1", "root=default", "host=h")
    programs.start("ceph-osd", "-f", "-c", str(conf), "-i", "0")
    programs.start("radosgw", "-f", "-c", str(conf), "-n", "client.rgw")
    wait_until(lambda: _serves(rgw), "radosgw", programs.log("radosgw"), seconds=120)
    run(
        *("radosgw-admin", "-c", str(conf), "-n", "client.rgw", "user", "create"),
        *("--uid=test", "--display-name=test", f"--access-key={KEY}", f"--secret={SECRET}"),
    )
    return {"endpoint": f"http://127.0.0.1:{rgw}", "key": KEY, "secret": SECRET, "region": "us-east-1"}


def _serves(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True

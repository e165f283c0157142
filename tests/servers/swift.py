"""OpenStack Swift with its s3api: an S3 without conditional puts. One replica, on a plain folder."""

from __future__ import annotations

import getpass
import subprocess
import sys
from pathlib import Path

from tests.servers.running import Programs, accepts, free_ports, need, program, wait_until

HOW = "apt-get install --no-install-recommends swift-proxy swift-account swift-container swift-object memcached"

_COMMON = "[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n"
_COMMON += "[storage-policy:0]\nname = gold\ndefault = yes\n[swift-constraints]\n"
_STORAGE = """
[DEFAULT]
devices = {folder}/devices
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
recon_cache_path = {folder}
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
_PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors gatekeeper cache s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
allow_multipart_uploads = yes
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:copy]
use = egg:swift#copy
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
"""
# Debian's programs read /etc/swift/swift.conf whatever swift_dir says; theirs is one line around `run_wsgi`.
_RUN = """
import sys
from swift.common import utils
utils.SWIFT_CONF_FILE = sys.argv[1] + "/swift.conf"
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[2], sys.argv[3] + "-server"))
"""


def start(folder: Path, programs: Programs) -> dict[str, str]:
    """Start it; return what its clients need to know."""
    names = ("object", "container", "account")
    need(["memcached", "swift-ring-builder", "swift-proxy-server", *(f"swift-{name}-server" for name in names)], HOW)
    user = getpass.getuser()
    memcached, proxy, *ports = free_ports(5)
    (folder / "devices" / "one").mkdir(parents=True)
    (folder / "swift.conf").write_text(_COMMON)
    (folder / "run.py").write_text(_RUN)
    programs.start("memcached", "-l", "127.0.0.1", "-p", str(memcached), *(["-u", user] if user == "root" else []))
    for name, port in zip(names, ports, strict=True):
        for change in (["create", "4", "1", "0"], ["add", f"r1z1-127.0.0.1:{port}/one", "1"], ["rebalance"]):
            command = [str(program("swift-ring-builder")), str(folder / f"{name}.builder"), *change]
            subprocess.run(command, check=change[0] != "rebalance", capture_output=True, timeout=60)
        text = _STORAGE.format(folder=folder, port=port, user=user, name=name)
        (folder / f"{name}.conf").write_text(text)
    (folder / "proxy.conf").write_text(_PROXY.format(folder=folder, port=proxy, user=user, memcached=memcached))
    for name in (*names, "proxy"):
        programs.start(_python(), str(folder / "run.py"), str(folder), str(folder / f"{name}.conf"), name, log=name)
    for name, port in zip((*names, "proxy"), (*ports, proxy), strict=True):
        wait_until(lambda at=port: accepts(at), f"swift's {name} server", programs.log(name))  # type: ignore[misc]
    return {"endpoint": f"http://127.0.0.1:{proxy}", "key": "test:tester", "secret": "testing", "region": "us-east-1"}


def _python() -> str:
    """The interpreter that Debian's Swift runs with, which is not the one of a virtual environment."""
    first = Path(str(program("swift-proxy-server"))).read_text().splitlines()[0]
    return first.removeprefix("#!").split()[0] if first.startswith("#!") else sys.executable

"""Git over smart HTTP with passwords: nginx, fcgiwrap and git http-backend."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

from tests.servers.running import Programs, accepts, free_ports, need, wait_until

HOW = "apt-get install --no-install-recommends git nginx-light fcgiwrap"
USER, PASSWORD = "ada", "s3cr3t-pass"

_AT_ONCE = 16  # requests that git answers at the same time
_CONFIGURATION = """
user {user};
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/bodies;
  fastcgi_temp_path {folder}/answers;
  proxy_temp_path {folder}/unused1;
  uwsgi_temp_path {folder}/unused2;
  scgi_temp_path {folder}/unused3;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 0;
    auth_basic "git";
    auth_basic_user_file {folder}/users;
    location /forbidden/ {{ return 403; }}
    location /broken/ {{ return 500; }}
    location / {{
      fastcgi_pass unix:{folder}/cgi;
      fastcgi_read_timeout 300s;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT {folder}/repositories;
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param GIT_CONFIG_NOSYSTEM 1;
      fastcgi_param HOME {folder};
      fastcgi_param PATH_INFO $uri;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
    }}
  }}
}}
"""


def start(folder: Path, programs: Programs) -> dict[str, str]:
    """Start it; return where repositories are put, and how they are reached."""
    need(["git", "nginx", "fcgiwrap"], HOW)
    (port,) = free_ports(1)
    core = subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True, timeout=60).stdout
    (folder / "repositories").mkdir()
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (folder / "nginx.conf").write_text(
        _CONFIGURATION.format(
            user=getpass.getuser(), folder=folder, port=port, backend=Path(core.strip()) / "git-http-backend"
        )
    )
    programs.start("fcgiwrap", "-c", str(_AT_ONCE), "-s", f"unix:{folder}/cgi")
    wait_until((folder / "cgi").is_socket, "fcgiwrap", programs.log("fcgiwrap"))
    # Before it has read where to log, it would complain about a folder that only root may write to.
    programs.start("nginx", "-e", "stderr", "-c", str(folder / "nginx.conf"))
    wait_until(lambda: accepts(port), "nginx", programs.log("nginx"))
    return {
        "port": str(port),
        "repositories": str(folder / "repositories"),
        "user": USER,
        "password": PASSWORD,
    }

"""Where a login comes from without a git program: wherever git itself would have it from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.errors import Unreachable
from gitreg.git import RefUpdate, Repository
from tests.git.conftest import Env, git
from tests.git.faraway import MAIN, World, by_http
from tests.servers.gitremotes import Far

pytestmark = pytest.mark.slow


def without_login(far: Far) -> str:
    return far.url.replace("ada:s3cr3t-pass@", "")


def works(world: World, url: str) -> None:
    with Repository.discover(world.here.git_dir, env=world.far.env) as here:
        oid = world.commit(a="one")
        here.remotes.open(url).push([RefUpdate(MAIN, oid, None)])
        assert here.remotes.open(url).refs(MAIN) == {MAIN: oid}


def by_store(home: Path, far: Far, env: Env) -> None:
    (home / ".git-credentials").write_text(
        f"http://ada:other@localhost:{far.port}\nhttp://ada:s3cr3t-pass@127.0.0.1:{far.port}\n"
    )
    git(home, env, "config", "--global", "credential.helper", "store")


def by_store_elsewhere(home: Path, far: Far, env: Env) -> None:
    (home / "logins").write_text(f"http://ada:s3cr3t-pass@127.0.0.1%3a{far.port}\n")
    git(home, env, "config", "--global", "credential.helper", "store --file ~/logins")


def by_program(home: Path, far: Far, env: Env) -> None:
    helper = home / "helper"
    helper.write_text(
        f"#!/bin/sh\ntest \"$1\" = get || exit 0\ncat > '{home}/asked'\necho username=ada\necho password=s3cr3t-pass\n"
    )
    helper.chmod(0o755)
    git(home, env, "config", "--global", f"credential.http://127.0.0.1:{far.port}.helper", str(helper))


def by_shell(home: Path, far: Far, env: Env) -> None:
    git(home, env, "config", "--global", "credential.helper", "!echo username=ada; echo password=s3cr3t-pass; :")


def by_netrc(home: Path, far: Far, env: Env) -> None:
    (home / ".netrc").write_text("machine 127.0.0.1 login ada password s3cr3t-pass\n")
    (home / ".netrc").chmod(0o600)


def by_header(home: Path, far: Far, env: Env) -> None:
    header = "Authorization: Basic YWRhOnMzY3IzdC1wYXNz"  # as GitHub's checkout action leaves it
    git(home, env, "config", "--global", f"http.http://127.0.0.1:{far.port}/.extraheader", header)


@by_http
@pytest.mark.parametrize("given", [by_store, by_store_elsewhere, by_program, by_shell, by_netrc, by_header])
def test_a_login_is_found(world: World, far: Far, env: Env, given: Callable[[Path, Far, Env], None]) -> None:
    given(Path(env["HOME"]), far, env)
    works(world, without_login(far))


@by_http
def test_a_repository_cannot_name_a_helper(world: World, far: Far, env: Env, tmp_path: Path) -> None:
    git(world.here.git_dir, env, "config", "credential.helper", f"!touch {tmp_path}/run; :")
    with pytest.warns(UserWarning, match="ignored credential.helper"), pytest.raises(Unreachable, match="let us in"):
        works(world, without_login(far))
    assert not (tmp_path / "run").exists()


@by_http
def test_a_helper_that_knows_a_wrong_password_is_asked_once(
    world: World, far: Far, env: Env, tmp_path: Path, way: tuple[str, str]
) -> None:
    helper = f"!echo x >> {tmp_path}/asked; echo username=ada; echo password=wr0ng; :"
    git(tmp_path, env, "config", "--global", "credential.helper", helper)
    with pytest.raises(Unreachable, match="does not let us in") as caught:
        world.here.remotes.open(without_login(far)).refs(MAIN)
    assert "wr0ng" not in caught.value.message
    asked = (tmp_path / "asked").read_text().split()
    assert len(asked) == (1 if way[0] == "no git" else 2)  # git tells it that the password was wrong


@by_http
def test_the_address_is_found_by_what_git_is_configured_to_put_in_its_place(world: World, far: Far, env: Env) -> None:
    base = far.url.rpartition("/")[0]
    git(world.here.git_dir, env, "config", "--global", f"url.{base}/.insteadOf", "models:")
    git(world.here.git_dir, env, "remote", "add", "team", f"models:{far.path.name}")
    works(world, "team")

"""The mirror of a stage does not follow a pointer that its policy refuses, whoever would move it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitreg.cli.main import cli
from gitreg.errors import Refused
from gitreg.hooks.client_hooks import post_merge
from gitreg.registry.discovery.location import Location
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.remotes import clone, pull, sync
from tests.registry.support import commit_files, git, pointer

pytestmark = pytest.mark.slow

MIRROR = "refs/stages/iris@production"
POINTER = "models/iris/stages/production.yaml"
STAYS = f"{MIRROR} stays where it is: iris@2 holds production, but: metric: accuracy is 0.1"


@pytest.fixture
def two(one: Registry, hub: Path, weights: Path, tmp_path: Path) -> Iterator[Registry]:
    """A clone made before somebody with plain git put iris@2 into production, which no gate lets in."""
    one.save("iris", weights, metadata={"accuracy": 0.9}, stage="production")
    one.save("iris", weights, metadata={"accuracy": 0.1})
    said = (one.folder / "gitreg.yaml").read_text()
    gates = "policies: {production: {gates: [{metric: accuracy, at_least: 0.9}]}}\n"
    commit_files(one.folder, {"gitreg.yaml": f"{said}{gates}"})
    git(one.folder, "push", "-q", "origin", "main")
    with Registry(clone(str(hub), tmp_path / "two")) as two:
        assert two.doctor() == []
        commit_files(one.folder, {POINTER: pointer("stage", "2")})
        git(one.folder, "push", "-q", "origin", "main")
        yield two


def merged(registry: Registry) -> None:
    git(registry.folder, "pull", "-q", "origin", "main")
    branch = registry.session.branch
    post_merge(branch.repository, registry.session.environment, Location(branch.repository, branch.name, branch.root))


FOLLOWERS: dict[str, Callable[[Registry], object]] = {
    "pull": lambda registry: pull(registry.session),
    "sync": lambda registry: sync(registry.session),
    "doctor --repair": lambda registry: registry.repair(registry.doctor()),
    "a save": lambda registry: registry.save("iris", registry.folder / "gitreg.yaml"),
    "post-merge": merged,
}


@pytest.mark.slow
@pytest.mark.parametrize("who", FOLLOWERS)
def test_no_mirror_moves_to_who_was_refused_and_it_is_said(two: Registry, hub: Path, who: str) -> None:
    was = git(hub, "rev-parse", MIRROR)
    with pytest.warns(UserWarning, match=STAYS):
        FOLLOWERS[who](two)
    assert [git(folder, "rev-parse", MIRROR) for folder in (hub, two.folder)] == [was, was]


@pytest.mark.slow
def test_what_the_policy_lets_in_again_takes_the_mirror_along(two: Registry, hub: Path) -> None:
    with pytest.warns(UserWarning, match=STAYS):
        pull(two.session)
    two.rollback("iris", "production")
    at = git(hub, "rev-parse", "main")
    assert [git(folder, "rev-parse", MIRROR) for folder in (hub, two.folder)] == [at, at]
    assert two.doctor() == []


@pytest.mark.slow
def test_sync_ends_as_what_a_rule_refuses(two: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(two.folder)
    with pytest.warns(UserWarning, match=STAYS), pytest.raises(Refused, match="1 ref of stages stayed"):
        cli(["sync"], standalone_mode=False)


@pytest.mark.slow
def test_a_signature_that_is_not_here_yet_is_brought_before_it_is_asked_for(
    one: Registry, hub: Path, weights: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    said = (one.folder / "gitreg.yaml").read_text()
    policy = "policies: {production: {gates: [{signature: {by: [ada@example.com]}}]}}\n"
    commit_files(one.folder, {"gitreg.yaml": f"{said}people: {{ada@example.com: ['{public}']}}\n{policy}"})
    git(one.folder, "push", "-q", "origin", "main")
    with Registry(clone(str(hub), tmp_path / "two")) as two:
        for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), ("tag.gpgSign", "true")):
            git(one.folder, "config", name, value)
        with Registry.open(one.folder) as signing:
            signing.save("iris", weights)
            signing.promote("iris@1", "production")
        two.save("wine", weights)
        assert git(two.folder, "rev-parse", MIRROR) == git(hub, "rev-parse", MIRROR)

"""Naming the stores that hold copies: one commit each, nothing else in gitreg.yaml touched."""

from __future__ import annotations

import pytest

from gitreg.documents.layout import Key
from gitreg.errors import NotFound
from gitreg.registry.operations.stores import add_replica, remove_replica
from tests.registry.support import World


def test_a_store_is_added_once_and_removed(world: World) -> None:
    world.do(add_replica, "s3://one/place")
    world.do(add_replica, "/mnt/other")
    commits = world.commits
    world.do(add_replica, "s3://one/place")
    assert world.commits == commits
    assert list(world.snapshot.settings.replicas) == ["s3://one/place", "/mnt/other"]
    changes = world.do(remove_replica, "s3://one/place")
    assert list(world.snapshot.settings.replicas) == ["/mnt/other"]
    assert changes.message == (
        "Remove the store s3://one/place\n\nGitreg-Operation: store-remove\nGitreg-Store: s3://one/place\n"
    )
    world.do(remove_replica, "/mnt/other")
    assert b"replicas" not in world.files[Key("registry")]


def test_a_store_that_is_not_named_cannot_be_removed(world: World) -> None:
    with pytest.raises(NotFound, match="s3://two"):
        world.do(remove_replica, "s3://two")
    world.do(add_replica, "s3://one")
    with pytest.raises(NotFound) as caught:
        world.do(remove_replica, "s3://two")
    assert caught.value.hint == "they are s3://one"


def test_what_a_person_wrote_in_the_settings_stays(world: World) -> None:
    said = b"# ours\nformat: 1\nkind: registry\nbranch: main # the truth\nprefix: models\nstages: [a]\nowner: me\n"
    world.put(Key("registry"), said)
    world.do(add_replica, "/mnt/other")
    assert world.files[Key("registry")].startswith(b"# ours\n")
    assert b"branch: main # the truth\n" in world.files[Key("registry")]
    assert b"owner: me\n" in world.files[Key("registry")]

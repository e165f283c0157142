"""Tags and mirrors as a function of the branch: lost and made again, they are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from gitreg.documents.layout import Key
from gitreg.documents.types import RegistryDocument
from gitreg.errors import GitregError
from gitreg.registry.state.registry_refs import mirror_ref, parse_tag_ref, tag_ref
from gitreg.sdk.registry import Registry
from tests.documents.test_layout import SINGLE
from tests.registry.support import git
from tests.test_names import NAMES, accepted


@given(NAMES.filter(accepted), SINGLE)
def test_a_tags_name_says_its_version(model: str, version: str) -> None:
    import unicodedata

    settings = RegistryDocument(branch="main", prefix="some/prefix")
    names = unicodedata.normalize("NFC", model), unicodedata.normalize("NFC", version)
    assert parse_tag_ref(settings, tag_ref(settings, *names)) == names


@pytest.mark.parametrize(
    "ref",
    [
        "refs/tags/v1",
        "refs/tags/models/iris",
        "refs/tags/models/a b@1",
        "refs/tags/models/%ff@1",
        "refs/heads/models/iris@1",
        "refs/tags/models/%41@1",
    ],
)
def test_a_tag_that_gitreg_would_not_make_means_no_version(ref: str) -> None:
    assert parse_tag_ref(RegistryDocument(branch="main"), ref) is None


def test_mirrors_can_be_branches() -> None:
    settings = RegistryDocument(branch="main", mirrors={"stages": "refs/heads/stages"})
    assert mirror_ref(settings, Key("stage", "team/iris", "production")) == "refs/heads/stages/team/iris@production"
    assert mirror_ref(settings, Key("alias", "iris", "best")) == "refs/aliases/iris@best"


def refs(folder: Path) -> dict[str, str]:
    lines = git(folder, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {name: oid for name, oid in map(str.split, lines) if not name.startswith("refs/heads/")}


OPERATIONS = [
    "save",
    "named",
    "promote",
    "staging",
    "rollback",
    "archive",
    "alias",
    "unalias",
    "yank",
    "delete",
    "hand",
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mirrors_only_fast_forward_and_everything_lost_comes_back_the_same(
    registry: Registry, weights: Path, seed: int
) -> None:
    import random

    chance = random.Random(seed)
    folder = registry.folder
    registry.save("team/iris", weights)
    before = refs(folder)
    for _ in range(22):
        what, number = chance.choice(OPERATIONS), chance.randint(1, 4)
        reference = f"team/iris@{number}"
        try:
            match what:
                case "save":
                    registry.save("team/iris", weights)
                case "named":
                    registry.save(f"team/iris@v-{number}", weights, description=" two\nlines ")
                case "promote":
                    registry.promote(reference, "production", force=True)
                case "staging":
                    registry.promote(reference, "staging")
                case "rollback":
                    registry.rollback("team/iris", "production")
                case "archive":
                    registry.archive(reference)
                case "alias":
                    registry.set_alias(reference, "champion")
                case "unalias":
                    registry.delete_alias("team/iris", "champion")
                case "yank":
                    registry.yank(reference)
                case "delete":
                    registry.delete_version(reference, force=True)
                case "hand":
                    git(folder, "commit", "-q", "--allow-empty", "-m", "by hand")
        except GitregError:
            continue
        now = refs(folder)
        assert set(before) <= set(now)
        for ref, oid in before.items():
            if ref.startswith("refs/tags/"):
                assert now[ref] == oid
            else:
                git(folder, "merge-base", "--is-ancestor", oid, now[ref])
        before = now
    assert registry.doctor() == []
    git(folder, "fsck", "--strict")
    for ref in before:
        git(folder, "update-ref", "-d", ref)
    git(folder, "gc", "-q", "--prune=now")
    missing = registry.doctor()
    assert {problem.where for problem in missing} == set(before)
    assert len(registry.repair(missing)) == len(before)
    assert refs(folder) == before
    assert registry.doctor() == []
    git(folder, "fsck", "--strict")

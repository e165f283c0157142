"""The rules of files: doctor and the check of a merge find the same problems, in the same words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.registry.review.pull_request_check import check
from gitreg.sdk.registry import Registry
from tests.registry.support import commit_files, git, pointer, record

WRONG: dict[str, bytes | str | None] = {
    "models/iris/notes.txt": "hello",
    "models/iris/stages/staging.yaml": pointer("stage", "9"),
    "models/iris/stages/canary.yaml": pointer("stage", "2"),
    "models/iris/stages/production.yaml": pointer("stage", "2", digest="sha256:" + "0" * 64),
    "models/iris/aliases/Champion.yaml": pointer("alias", "2"),
    "models/iris/aliases/archived.yaml": pointer("alias", "2"),
    "models/iris/aliases/production.yaml": pointer("alias", "2"),
    "models/iris/annotations/9.yaml": "format: 1\nkind: annotation\n",
    "models/iris/versions/twin.yaml": record("iris", "twin", 2),
    "models/iris/versions/4.yaml": record("iris", "4", 3),
    "models/iris/versions/Staging.yaml": record("iris", "Staging", 5),
    "models/iris/versions/latest.yaml": record("iris", "latest", 6),
    "models/rose/versions/1.yaml": record("rose", "1", 1),
    "models/tulip/model.yaml": "name: [",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:left out")
def test_a_check_before_a_merge_and_doctor_after_it_name_the_same_problems(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    registry.save("iris", weights)
    registry.set_alias("iris@2", "champion")
    base = registry.session.branch.head()
    git(registry.folder, "checkout", "-q", "-b", "proposal")
    head = commit_files(registry.folder, WRONG)
    report = check(registry.session.branch, base, head)
    git(registry.folder, "checkout", "-q", "main")
    git(registry.folder, "merge", "-q", "--ff-only", "proposal")
    after = {problem for problem in registry.doctor() if not problem.where.startswith("refs/")}
    assert sorted(map(str, set(report.problems) - set(report.unmet))) == sorted(map(str, after))
    assert {problem.where for problem in after} == {
        *WRONG.keys() - {"models/rose/versions/1.yaml", "models/iris/aliases/Champion.yaml"},
        "models/iris/aliases/champion.yaml",
        "models/rose/model.yaml",
    }

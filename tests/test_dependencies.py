"""The versions that pyproject.toml lets in are tested: the lowest by one list, newer ones by another."""

from __future__ import annotations

import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

TESTS = Path(__file__).parent
PROJECT = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["project"]
DIRECT = [
    requirement
    for text in chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    if canonicalize_name((requirement := Requirement(text)).name) != PROJECT["name"]
]


def pins(name: str) -> dict[str, Version]:
    requirements = [
        Requirement(line) for line in (TESTS / name).read_text().splitlines() if not line.startswith("#")
    ]  # fmt: skip
    return {canonicalize_name(each.name): Version(next(iter(each.specifier)).version) for each in requirements}


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_each_dependency_is_tested_at_its_lower_bound_and_newer(requirement: Requirement) -> None:
    bounds = [Version(each.version) for each in requirement.specifier if each.operator in (">=", "~=")]
    name = canonicalize_name(requirement.name)
    assert bounds == [pins("lowest.txt")[name]]
    assert pins("constraints.txt")[name] in requirement.specifier

"""The name that gitreg is installed by is one, and no text tells people to install another."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import gitreg
from gitreg.distribution import NAME, install_command, installed_version, requirement

ROOT = Path(__file__).parents[1]
TEXTS = {".cfg", ".css", ".in", ".j2", ".json", ".md", ".py", ".sh", ".toml", ".yaml", ".yml", ""}
ANOTHER = re.compile(
    r"\b(?:pipx?|tool) install\b[^\n]*[ '\"]gitreg(-metaflow)?(\[[\w,]+\])?(?=[ '\"`)]|$)|gitreg-metaflow"
    r"|--install gitreg\b",
    re.MULTILINE,
)


def texts() -> Iterator[Path]:
    """Yield what people read or run: the package, and what lies beside it where it is there."""
    for folder in (Path(gitreg.__file__).parent, *(ROOT / name for name in ("hooks", "schemas", ".github", ".ci"))):
        yield from (path for path in folder.rglob("*") if path.is_file() and path.suffix in TEXTS)
    yield from (ROOT / name for name in ("README.md", "CHANGELOG.md", "pyproject.toml"))


def test_the_distribution_that_runs_here_has_the_one_name() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"] == NAME
    assert installed_version() == metadata.version(NAME)


def test_a_requirement_names_the_extras_that_are_needed_once() -> None:
    assert requirement() == requirement("") == NAME
    assert requirement("s3", "", "azure", "s3") == f"{NAME}[azure,s3]"


def test_the_packages_of_an_extra_are_installed_by_their_own_names() -> None:
    assert install_command("s3") == "pip install boto3 tenacity"
    assert install_command("demo") == "pip install pandas scikit-learn skops"


@pytest.mark.parametrize(
    "text",
    ["pip install gitreg", "(pip install gitreg)", "pip install -q 'gitreg[s3]'", "uv tool install gitreg",
     "ci github --install gitreg==1.0"],
)  # fmt: skip
def test_the_name_of_a_stranger_is_found(text: str) -> None:
    assert ANOTHER.search(text)


def test_no_text_tells_anybody_to_install_what_is_a_strangers() -> None:
    found = {path: ANOTHER.findall(path.read_text(errors="replace")) for path in texts()}
    assert [str(path) for path, names in found.items() if names] == []

"""The files of gitreg that Metaflow's code package carries to tasks on other machines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).parents[2]
PACKAGED = HOME / "integrations" / "packaged"
"""The folder of the packaged third-party libraries on that machine; installed libraries take precedence."""

_NEEDED = (
    "dulwich", "fastjsonschema", "fsspec", "jinja2",
    "markupsafe", "pyfastcdc", "urllib3", "yaml",
)  # fmt: skip
_KINDS = (".css", ".j2", ".json", ".py", ".txt")
_LEFT_OUT = frozenset({"__pycache__", "metaflow_extension", "demo", "tests"})


def files_to_package() -> Iterator[tuple[str, str]]:
    """Yield the files of gitreg and of the libraries that a task uses, each with its path in the code package.

    Only pure Python files of the libraries are packaged, so that they run on any machine. Client libraries of buckets
    have to be installed where the task runs.
    """
    yield from _files(HOME, "gitreg")
    schemas = HOME.parent / "schemas"  # an editable install has them beside the package
    if not (HOME / "schemas").exists() and schemas.exists():
        yield from _files(schemas, "gitreg/schemas")
    for name in _NEEDED:
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            yield from _files(Path(folder), f"gitreg/integrations/packaged/{name}")


def use_packaged() -> None:
    """Append the packaged libraries to ``sys.path``, after everything that is installed."""
    if PACKAGED.is_dir() and str(PACKAGED) not in sys.path:
        sys.path.append(str(PACKAGED))


def _files(folder: Path, place: str) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder)
        if path.suffix in _KINDS and not _LEFT_OUT.intersection(within.parts):
            yield str(path), f"{place}/{within.as_posix()}"

"""What a task on another machine needs of gitreg: it travels in Metaflow's code package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).parent.parent
PACKAGED = HOME / "integrations" / "packaged"
"""Where, on that machine, lies what gitreg needs of others; what is installed there comes first."""

_NEEDED = (
    "dulwich", "fastjsonschema", "fsspec", "grandalf", "jinja2",
    "markupsafe", "pyfastcdc", "pyparsing", "urllib3", "yaml",
)  # fmt: skip
_KINDS = (".css", ".j2", ".json", ".py")
_LEFT_OUT = frozenset({"__pycache__", "metaflow_extension", "demo", "tests"})


def files_to_package() -> Iterator[tuple[str, str]]:
    """Give the files, each with its place beside the flow's own: gitreg, and the libraries that a task uses.

    Of those only what is plain Python, so that it runs on any machine. Clients of buckets are the task's own to have.
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
    """Let what was packaged be found after all that is installed."""
    if PACKAGED.is_dir() and str(PACKAGED) not in sys.path:
        sys.path.append(str(PACKAGED))


def _files(folder: Path, place: str) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder)
        if path.suffix in _KINDS and not _LEFT_OUT.intersection(within.parts):
            yield str(path), f"{place}/{within.as_posix()}"

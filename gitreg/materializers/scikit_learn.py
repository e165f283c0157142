"""scikit-learn, with skops: a zip of arrays and of JSON that names types; only trusted types are ever built."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from gitreg.errors import Refused
from gitreg.materializers.base import Materializer

_FILE = "model.skops"
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the zip format's first day
# They run no code, but a forged tree can crash Python, as can a forged file of XGBoost or LightGBM. skops 0.16 removed
# them from its trusted types for that reason; without them no forest could be loaded.
_TREES = frozenset(
    {
        "sklearn.tree._tree.Tree",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)
_SHOWN = 5  # number of type names in a message


class Sklearn(Materializer):
    """Estimators and pipelines of scikit-learn, and other objects with its interface."""

    name = "sklearn"
    types = ("sklearn.base.BaseEstimator",)
    needs = "scikit-learn skops"
    safe_from = (("skops", "0.13"),)  # CVE-2025-54412, CVE-2025-54413, CVE-2025-54886

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.skops``."""
        import io

        import skops.io

        raw = io.BytesIO()
        skops.io.dump(value, raw)
        with zipfile.ZipFile(raw) as source, zipfile.ZipFile(folder / _FILE, "x") as target:
            _copy_steadily(source, target)
        self.read(folder, trusted=True, expected=None)  # skops writes a lambda by its name, but cannot read it

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Return the object; types that skops does not trust, except trees, are built only from trusted files."""
        import skops.io

        named = skops.io.get_untrusted_types(file=folder / _FILE)
        unknown = [each for each in named if each not in _TREES]
        if unknown and not trusted:
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            raise Refused(
                f"{_FILE} holds types that skops does not trust: {', '.join(unknown[:_SHOWN])}{more}",
                hint="load it with unsafe_pickle=True if you trust who made it: they can run code or crash Python",
            )
        return skops.io.load(folder / _FILE, trusted=named)


def _copy_steadily(source: zipfile.ZipFile, target: zipfile.ZipFile) -> None:
    """Copy a skops file so that the same model gives the same bytes.

    skops names files and objects by their memory addresses, and adds the time: the addresses are replaced by numbers in
    the order of its schema, the time by a constant.
    """
    schema = json.loads(source.read("schema.json"))
    files: dict[str, str] = {}
    _renumber(schema, {}, files)
    for old, new in files.items():
        _add(target, new, source.read(old))
    _add(target, "schema.json", json.dumps(schema, indent=2).encode())


def _renumber(node: Any, objects: dict[int, int], files: dict[str, str]) -> None:
    if isinstance(node, list):
        for inner in node:
            _renumber(inner, objects, files)
    elif isinstance(node, dict):
        if isinstance(number := node.get("__id__"), int):
            node["__id__"] = objects.setdefault(number, len(objects))
        if "__loader__" in node and isinstance(old := node.get("file"), str):
            node["file"] = files.setdefault(old, f"{len(files)}{Path(old).suffix}")
        for inner in node.values():
            _renumber(inner, objects, files)


def _add(target: zipfile.ZipFile, name: str, content: bytes) -> None:
    target.writestr(zipfile.ZipInfo(name, date_time=_NO_TIME), content)

"""The layout of a registry: the path of each file, and the key that it stands for."""

from __future__ import annotations

from typing import NamedTuple

from gitreg.names import slug, unslug

REGISTRY_FILE = "gitreg.yaml"
FOLDERS = ("models", "artifacts", "runs", "approvals/settings")
"""The folders with the files of a registry, besides ``gitreg.yaml``."""
MAX_BYTES = 4 * 1024 * 1024
"""The largest size of a file, in bytes."""
_FOLDERS = {"versions": "model_version", "annotations": "annotation", "stages": "stage", "aliases": "alias"}
_APPROVALS = "approvals"
_SETTINGS = "settings"
_COLLECTIONS = {"artifacts": "artifact", "runs": "run"}
_FOLDER_OF = {kind: folder for folder, kind in _FOLDERS.items()}
_COLLECTION_OF = {kind: folder for folder, kind in _COLLECTIONS.items()}
_FILES = {"model.yaml": "model", "README.md": "card"}
_FILE_OF = {kind: name for name, kind in _FILES.items()}


class Key(NamedTuple):
    """The key of a file: its kind and the names that it belongs to.

    Parameters
    ----------
    kind:
        ``registry``, ``model``, ``card``, ``model_version``, ``annotation``, ``stage``, ``alias``, ``approval``,
        ``artifact`` or ``run``.
    model:
        The name of the model, the artifact, or the pipeline of the run; "" for the registry and for an approval of a
        change of ``gitreg.yaml``.
    name:
        The version, stage, alias or run; "" for the registry, a model and its card; for an approval
        ``<version>/<stage>/<who>``, or ``settings/<sha256>/<who>`` if it is of a change of ``gitreg.yaml``.
    """

    kind: str
    model: str = ""
    name: str = ""

    @property
    def path(self) -> str:
        """The path of the file inside the registry."""
        if self.kind == "registry":
            return REGISTRY_FILE
        if self.kind == "approval" and not self.model:
            return f"{_APPROVALS}/{slug(self.name)}.yaml"
        if self.kind in _COLLECTION_OF:
            return f"{_COLLECTION_OF[self.kind]}/{slug(self.model)}/{slug(self.name)}.yaml"
        folder = f"models/{slug(self.model)}"
        if self.kind in _FILE_OF:
            return f"{folder}/{_FILE_OF[self.kind]}"
        subfolder = _APPROVALS if self.kind == "approval" else _FOLDER_OF[self.kind]
        return f"{folder}/{subfolder}/{slug(self.name)}.yaml"


def parse_path(path: str) -> Key | None:
    """Return the key of the file at a path inside the registry; None if it is not a file of the registry.

    A path that gitreg would spell in another way (``models/my model/model.yaml``) is not a file of the registry.

    Returns
    -------
    Key | None
        The key whose path is exactly ``path``.
    """
    if path == REGISTRY_FILE:
        return Key("registry")
    parts = path.split("/")
    if len(parts) < 3:
        return None
    try:
        if parts[0] in _COLLECTIONS and len(parts) == 3 and parts[2].endswith(".yaml"):
            key = Key(_COLLECTIONS[parts[0]], unslug(parts[1]), unslug(parts[2].removesuffix(".yaml")))
            return key if key.model and key.name and key.path == path else None
        if parts[0] == _APPROVALS and len(parts) == 4 and parts[1] == _SETTINGS and parts[3].endswith(".yaml"):
            names = [parts[1], *(unslug(part) for part in (parts[2], parts[3].removesuffix(".yaml")))]
            key = Key("approval", "", "/".join(names))
            return key if all(names) and key.name.count("/") == 2 and key.path == path else None
        if parts[0] != "models":
            return None
        # Folders first: no part of a model's slug equals a folder, but a version, stage or alias may be named "model".
        if len(parts) >= 4 and parts[-2] in _FOLDERS and parts[-1].endswith(".yaml"):
            name = unslug(parts[-1].removesuffix(".yaml"))
            if not name:
                return None
            key = Key(_FOLDERS[parts[-2]], unslug("/".join(parts[1:-2])), name)
        elif len(parts) >= 6 and parts[-4] == _APPROVALS and parts[-1].endswith(".yaml"):
            names = [unslug(part) for part in (*parts[-3:-1], parts[-1].removesuffix(".yaml"))]
            if not all(names) or any("/" in part for part in names):
                return None
            key = Key("approval", unslug("/".join(parts[1:-4])), "/".join(names))
        elif parts[-1] in _FILES:
            key = Key(_FILES[parts[-1]], unslug("/".join(parts[1:-1])))
        else:
            return None
        return key if key.path == path else None
    except UnicodeError:  # bytes that are not UTF-8, escaped or raw
        return None


def model_folder(model: str) -> str:
    """Return the path of a model's folder inside the registry."""
    return f"models/{slug(model)}"

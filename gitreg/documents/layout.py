"""Which file says what: the paths of a registry, to and from what they mean."""

from __future__ import annotations

from typing import NamedTuple

from gitreg.names import slug, unslug

REGISTRY_FILE = "gitreg.yaml"
MAX_BYTES = 4 * 1024 * 1024
"""What a file may have."""
_FOLDERS = {"versions": "model_version", "annotations": "annotation", "stages": "stage", "aliases": "alias"}
_APPROVALS = "approvals"
_FOLDER_OF = {kind: folder for folder, kind in _FOLDERS.items()}
_FILES = {"model.yaml": "model", "README.md": "card"}
_FILE_OF = {kind: name for name, kind in _FILES.items()}


class Key(NamedTuple):
    """What a file is about.

    Parameters
    ----------
    kind:
        ``registry``, ``model``, ``card``, ``model_version``, ``annotation``, ``stage``, ``alias`` or ``approval``.
    model:
        The model's name, "" for the registry.
    name:
        The version, stage or alias; "" for what there is one of; of an approval ``<version>/<stage>/<who>``.
    """

    kind: str
    model: str = ""
    name: str = ""

    @property
    def path(self) -> str:
        """The file's path inside the registry."""
        if self.kind == "registry":
            return REGISTRY_FILE
        folder = f"models/{slug(self.model)}"
        if self.kind in _FILE_OF:
            return f"{folder}/{_FILE_OF[self.kind]}"
        subfolder = _APPROVALS if self.kind == "approval" else _FOLDER_OF[self.kind]
        return f"{folder}/{subfolder}/{slug(self.name)}.yaml"


def parse_path(path: str) -> Key | None:
    """Say what the file at a path inside the registry is about; None where it is none of ours.

    A path that is not spelled as gitreg would spell it (``models/my model/model.yaml``) is none of ours.
    """
    if path == REGISTRY_FILE:
        return Key("registry")
    parts = path.split("/")
    if parts[0] != "models" or len(parts) < 3:
        return None
    try:
        # Folders first: no part of a model is spelled like one, but a version, stage or alias may be called "model".
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
    except UnicodeError:  # bytes that are no UTF-8, spelled or raw
        return None


def model_folder(model: str) -> str:
    """Give the folder of a model inside the registry."""
    return f"models/{slug(model)}"

"""The parts of the wheel beside the package: manual pages, and Metaflow's extension. Run by hatchling."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

EXTENSION = "gitreg/integrations/metaflow_extension"


class PartsBesideThePackage(BuildHookInterface[Any]):
    """Add the files that other programs look for: man, and ``from metaflow import model``, which then is gitreg's."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See BuildHookInterface."""
        del version
        self._add_extension(build_data)
        self._add_manual_pages(build_data)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """See BuildHookInterface."""
        del version, build_data, artifact_path
        self.pages.cleanup()

    def _add_extension(self, build_data: dict[str, Any]) -> None:
        """Add Metaflow's extension: it looks among the distributions whose top_level.txt names metaflow_extensions.

        hatchling writes no top_level.txt of its own, and names its folder by the version.
        """
        described = f"{self.build_config.builder.artifact_project_id}.dist-info"
        build_data["force_include"] |= {
            f"{self.root}/{EXTENSION}/toplevel": "metaflow_extensions/gitreg/toplevel",
            f"{self.root}/{EXTENSION}/top_level.txt": f"{described}/top_level.txt",
        }

    def _add_manual_pages(self, build_data: dict[str, Any]) -> None:
        """Add the manual pages, made from the commands and the guides of this source."""
        self.pages = TemporaryDirectory()
        sys.path.insert(0, self.root)
        try:
            write = import_module("gitreg.cli.manpage").write
        finally:
            sys.path.remove(self.root)
        build_data["shared_data"] |= {
            str(Path(self.pages.name, page)): f"share/man/{page}" for page in write(Path(self.pages.name))
        }

"""The part of the wheel beside the package: the extension by which ``from metaflow import model`` is gitreg's."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

EXTENSION = "gitreg/integrations/metaflow_extension"


class MetaflowExtension(BuildHookInterface):
    """Metaflow looks for extensions among the distributions whose top_level.txt names ``metaflow_extensions``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See BuildHookInterface; hatchling writes no top_level.txt of its own, and names its folder by the version."""
        del version
        described = f"{self.build_config.builder.artifact_project_id}.dist-info"
        build_data["force_include"] |= {
            f"{self.root}/{EXTENSION}/toplevel": "metaflow_extensions/gitreg/toplevel",
            f"{self.root}/{EXTENSION}/top_level.txt": f"{described}/top_level.txt",
        }

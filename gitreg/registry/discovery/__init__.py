"""Finding, creating and mirroring registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.registry.discovery import creation as creation
    from gitreg.registry.discovery import location as location
    from gitreg.registry.discovery import mirrors as mirrors
    from gitreg.registry.discovery import registries as registries
else:
    __getattr__ = import_on_use(__name__)

"""Lineage: which data, runs and versions a version comes from, and what was made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.registry.lineage import graphs as graphs
else:
    __getattr__ = import_on_use(__name__)

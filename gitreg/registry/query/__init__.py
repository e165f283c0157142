"""Questions to a snapshot: filters, sorting, pages, and the comparison of two versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.registry.query import diff as diff
    from gitreg.registry.query import filters as filters
    from gitreg.registry.query import frames as frames
    from gitreg.registry.query import listing as listing
    from gitreg.registry.query import page_table as page_table
    from gitreg.registry.query import rows as rows
else:
    __getattr__ = import_on_use(__name__)

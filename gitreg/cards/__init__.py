"""Cards, and tables in notebooks: HTML from plain values; each module is imported at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.cards import notebook as notebook
    from gitreg.cards import page as page
    from gitreg.cards import roff as roff
    from gitreg.cards import values as values
else:
    __getattr__ = import_on_use(__name__)

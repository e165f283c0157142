"""The Git hooks: small scripts (shims) in ``hooks/`` call ``gitreg hook NAME``, which runs the functions here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.hooks import client_hooks as client_hooks
    from gitreg.hooks import install as install
    from gitreg.hooks import server_hooks as server_hooks
else:
    __getattr__ = import_on_use(__name__)

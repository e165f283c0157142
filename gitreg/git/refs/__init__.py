"""Refs: read and listed, moved by compare-and-swap, and the locks that guard them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.git.refs import locking as locking
    from gitreg.git.refs import refs as refs
    from gitreg.git.refs import stale_locks as stale_locks
    from gitreg.git.refs import transaction as transaction
else:
    __getattr__ = import_on_use(__name__)

"""The commits of a branch: walked, replayed on a newer base, and their merge bases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.git.history import history as history
    from gitreg.git.history import merge_base as merge_base
    from gitreg.git.history import replay as replay
else:
    __getattr__ = import_on_use(__name__)

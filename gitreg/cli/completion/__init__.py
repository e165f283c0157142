"""Completion in shells: the words for each kind of value, the answers to a shell, and its scripts.

Its modules are imported at their first use: whoever presses TAB waits for all that is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

__getattr__ = import_on_use(__name__)

if TYPE_CHECKING:
    from gitreg.cli.completion import answer, fast, offers, scripts, values

    __all__ = ["answer", "fast", "offers", "scripts", "values"]

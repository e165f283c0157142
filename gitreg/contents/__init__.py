"""Verdicts on files by their content: data, a pickle of known types, unknown, or code; nothing is imported or run.

:mod:`gitreg.contents.scanner`, which reads the files, is imported only where a file is scanned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.contents.findings import CODE, DATA, LIMITED, OPAQUE, RULES, VERDICTS, Finding, worst
from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.contents import scanner as scanner
else:
    __getattr__ = import_on_use(__name__)

__all__ = ["CODE", "DATA", "LIMITED", "OPAQUE", "RULES", "VERDICTS", "Finding", "worst"]

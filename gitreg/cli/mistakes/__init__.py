"""Wrong command lines: the problem, and the line that was probably meant; imported once a line is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.cli.mistakes import explanation as explanation
    from gitreg.cli.mistakes import line as line
    from gitreg.cli.mistakes import other_tools as other_tools
    from gitreg.cli.mistakes import places as places
else:
    __getattr__ = import_on_use(__name__)

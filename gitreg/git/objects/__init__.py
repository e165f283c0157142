"""Git objects: loose and packed ones read, new ones written, received packs taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.git.objects import loose as loose
    from gitreg.git.objects import packs as packs
    from gitreg.git.objects import parsing as parsing
    from gitreg.git.objects import receive_pack as receive_pack
    from gitreg.git.objects import store as store
    from gitreg.git.objects import writer as writer
else:
    __getattr__ = import_on_use(__name__)

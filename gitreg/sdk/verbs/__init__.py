"""The verbs of a registry, as functions over an open session; each module is imported at its first use.

The modules that a verb needs take longer to import than most commands take: who calls one verb imports that one alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.sdk.verbs import admission as admission
    from gitreg.sdk.verbs import approvals as approvals
    from gitreg.sdk.verbs import batch as batch
    from gitreg.sdk.verbs import decisions as decisions
    from gitreg.sdk.verbs import doctor as doctor
    from gitreg.sdk.verbs import drafts as drafts
    from gitreg.sdk.verbs import find as find
    from gitreg.sdk.verbs import garbage as garbage
    from gitreg.sdk.verbs import holders as holders
    from gitreg.sdk.verbs import links as links
    from gitreg.sdk.verbs import load as load
    from gitreg.sdk.verbs import models as models
    from gitreg.sdk.verbs import objects as objects
    from gitreg.sdk.verbs import pull_requests as pull_requests
    from gitreg.sdk.verbs import remotes as remotes
    from gitreg.sdk.verbs import save as save
    from gitreg.sdk.verbs import scan as scan
    from gitreg.sdk.verbs import sealed as sealed
    from gitreg.sdk.verbs import settings as settings
    from gitreg.sdk.verbs import stages as stages
    from gitreg.sdk.verbs import stores as stores
    from gitreg.sdk.verbs import trust_code as trust_code
    from gitreg.sdk.verbs import versions as versions
else:
    __getattr__ = import_on_use(__name__)

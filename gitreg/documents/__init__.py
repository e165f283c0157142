"""The files of a registry: YAML, schemas, paths, and one class for each kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.documents import deferred as deferred
    from gitreg.documents import edit as edit
    from gitreg.documents import fast_yaml as fast_yaml
    from gitreg.documents import files as files
    from gitreg.documents import layout as layout
    from gitreg.documents import normalization as normalization
    from gitreg.documents import schema_errors as schema_errors
    from gitreg.documents import schemas as schemas
    from gitreg.documents import types as types
    from gitreg.documents import validation as validation
    from gitreg.documents import yaml as yaml
else:
    __getattr__ = import_on_use(__name__)

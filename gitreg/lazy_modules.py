"""Packages whose modules are imported at their first use, so that only what runs is imported."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType


def import_on_use(package: str) -> Callable[[str], ModuleType]:
    """Return the ``__getattr__`` of a package (PEP 562), which imports a module of it when it is first asked for.

    ``from gitreg.sdk import verbs`` at the top of a module then imports none of the verbs, and ``verbs.save.save(...)``
    the one that it calls. For type checkers and for import-linter, the package imports all its modules: whoever imports
    it depends on all of them.

    Parameters
    ----------
    package:
        The ``__name__`` of the package.
    """

    def get_module(name: str) -> ModuleType:
        module = f"{package}.{name}"
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None

    return get_module

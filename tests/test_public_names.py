"""The public names: all errors, and all types that public methods return; none is imported before it is used."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from functools import cache
from importlib import import_module, metadata
from types import FunctionType
from typing import Any

import pytest

import gitreg
from gitreg import errors
from gitreg.distribution import NAME

PUBLIC = {name: getattr(gitreg, name) for name in gitreg.__all__}
SEEN_FROM_OUTSIDE = ("__call__", "__enter__", "__getitem__", "__iter__")

INSIDE = {"gitreg.sdk.runs.subprocesses.RunAddress", "gitreg.sdk.session.Session"}
"""Types that methods for gitreg's own use return; this set may only get smaller."""


def own_functions(value: Any) -> Iterator[FunctionType]:
    """Yield the public methods and properties of gitreg that a class has, or the function itself."""
    if isinstance(value, FunctionType):
        yield value
        return
    for name, member in inspect.getmembers_static(value if isinstance(value, type) else type(value)):
        if name.startswith("_") and name not in SEEN_FROM_OUTSIDE:
            continue
        function = member
        for wrapper in (
            "__func__",
            "fget",
            "func",
            "__wrapped__",
        ):  # class methods, properties, cached and decorated ones
            function = getattr(function, wrapper, None) or function
        if isinstance(function, FunctionType) and function.__module__.startswith("gitreg."):
            yield function


@cache
def names_of(module: str) -> dict[str, Any]:
    """Return the names of a module with those that only type checkers import."""
    names = dict(vars(import_module(module)))
    for statement in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(statement.body, []), f"<{module}>", "exec"), names)
    return names


def types_in(annotation: Any) -> Iterator[type]:
    """Yield the classes that an annotation consists of."""
    for part in (annotation, typing.get_origin(annotation)):
        if isinstance(part, type):
            yield part
    for part in annotation if isinstance(annotation, list) else typing.get_args(annotation):
        yield from types_in(part)


def returned(value: Any) -> set[str]:
    """Return the classes of gitreg that its public methods return."""
    hints = [typing.get_type_hints(each, names_of(each.__module__)) for each in own_functions(value)]
    classes = [each for hint in hints for each in types_in(hint.get("return"))]
    return {f"{each.__module__}.{each.__qualname__}" for each in classes if each.__module__.startswith("gitreg.")}


@pytest.mark.parametrize("name", PUBLIC)
def test_each_type_that_a_public_method_returns_is_public(name: str) -> None:
    public = {f"{each.__module__}.{each.__qualname__}" for each in PUBLIC.values() if isinstance(each, type)}
    assert returned(PUBLIC[name]) - public <= INSIDE


def test_a_returned_type_is_found_inside_of_others() -> None:
    assert "gitreg.registry.state.snapshot.ModelVersion" in returned(gitreg.Registry)
    assert "gitreg.documents.types.ArtifactRecord" in returned(gitreg.ModelVersion)
    assert "gitreg.registry.weights.verification.VerifiedItem" in returned(gitreg.Verification)


def test_every_error_is_public() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert {each.__name__ for each in classes if issubclass(each, errors.GitregError)} <= set(gitreg.__all__)


def test_type_checkers_see_the_names_that_a_program_gets() -> None:
    names = names_of("gitreg")
    assert {name for name in gitreg.__all__ if names[name] is not PUBLIC[name]} == set()


def test_the_version_is_that_of_the_installed_distribution() -> None:
    assert gitreg.__version__ == metadata.version(NAME)


def test_an_import_brings_no_module_of_gitreg_and_no_metadata() -> None:
    code = "import sys, gitreg; print([m for m in sys.modules if m.startswith(('gitreg.', 'importlib.metadata'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        gitreg.frobnicate  # noqa: B018

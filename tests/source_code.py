"""The source code of the package as syntax trees, parsed once in a process and only where a test looks at them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import gitreg

PACKAGE = Path(gitreg.__file__).parent


@cache
def trees() -> dict[Path, ast.Module]:
    """Return the syntax tree of each file of the package."""
    return {path: ast.parse(path.read_bytes()) for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def docstrings() -> list[tuple[Path, int, str]]:
    """Return the file, the line and the text of each docstring."""
    definitions = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    return [
        (path, getattr(node, "lineno", 1), text)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, definitions) and (text := ast.get_docstring(node))
    ]


@cache
def libraries() -> dict[Path, frozenset[str]]:
    """Return the packages that each file imports anywhere (``yaml``)."""
    return {path: frozenset(each.partition(".")[0] for each in imports(tree)) for path, tree in trees().items()}


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the module of each import in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)

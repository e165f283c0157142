"""Files and imports of the package: by their syntax, and by the modules that a command loads."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gitreg.sdk.registry import Registry
from tests.measuring import measured
from tests.source_code import PACKAGE, imports, libraries, trees

FIRST_PARTY_IN_FUNCTIONS = {
    "blobs": 1, "cli": 9, "documents": 1, "git": 12, "hooks": 1, "integrations": 6, "registry": 6, "sdk": 17,
}  # fmt: skip
"""How many imports of gitreg's own modules stand in functions, by package: these may fall, and never grow."""

STANDARD_IN_FUNCTIONS = 35
"""How many imports of the standard library stand in functions: this may fall, and never grow."""

HEAVY = {
    "adlfs", "asyncssh", "azure", "boto3", "botocore", "dulwich", "fastjsonschema", "fsspec", "jinja2", "jsonschema",
    "markdown_it", "markupsafe", "obstore", "pyfastcdc", "rich", "s3transfer", "tenacity", "urllib3", "yaml",
    "keras", "lightgbm", "metaflow", "numpy", "onnx", "pandas", "polars", "pyarrow", "safetensors",
    "sentence_transformers", "sklearn", "skops", "torch", "transformers", "xgboost",
}  # fmt: skip
"""Libraries that may be imported in a function: they are slow to import, or are not always installed."""

ONCE_MORE = {("policy", "people")}
"""Packages and file names that stand in two of its folders."""


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def outermost_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        else:
            yield from outermost_functions(node)


@cache
def in_functions() -> list[tuple[str, str]]:
    """Return the package and the imported module of each import in a function."""
    return [
        (package_of(path), module)
        for path, tree in trees().items()
        for function in outermost_functions(tree)
        for module in imports(function)
    ]


def test_imports_of_gitreg_itself_in_functions_do_not_grow() -> None:
    found = Counter(package for package, module in in_functions() if module.partition(".")[0] == "gitreg")
    grown = {package: count for package, count in found.items() if count > FIRST_PARTY_IN_FUNCTIONS.get(package, 0)}
    assert not grown, "import at the top of the module, or lower another such import first"


def test_imports_of_the_standard_library_in_functions_do_not_grow() -> None:
    found = [module for _, module in in_functions() if module.partition(".")[0] in sys.stdlib_module_names]
    assert len(found) <= STANDARD_IN_FUNCTIONS, Counter(found)


def test_only_heavy_libraries_are_imported_in_functions() -> None:
    known = {*sys.stdlib_module_names, *HEAVY, "gitreg"}
    assert {module for _, module in in_functions() if module.partition(".")[0] not in known} == set()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A registry with one version, whose settings a command has read before: the verdict on them is remembered."""
    top = tmp_path_factory.mktemp("imports")
    (top / "weights").write_text("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITREG_CACHE", str(top / "cache"))
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Ada")
            patch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
        registry, _ = Registry.init(top / "registry")
        with registry:
            registry.save("iris", top / "weights")
        measured([sys.executable, "-m", "gitreg", "list"], cwd=top / "registry")
        yield top / "registry"


@pytest.mark.parametrize("arguments", [["--help"], ["show", "iris@1"], ["list"]], ids=lambda words: words[0])
def test_a_command_that_reads_starts_without_heavy_libraries(folder: Path, arguments: list[str]) -> None:
    done = measured([sys.executable, "-X", "importtime", "-m", "gitreg", *arguments], cwd=folder)
    assert done.code == 0, done.err
    modules = {line.rpartition("|")[2].strip() for line in done.err.splitlines() if line.startswith("import time:")}
    assert "gitreg.cli.main" in modules
    assert not {module for module in modules if module.partition(".")[0] in HEAVY}
    assert not modules & {"asyncio", "concurrent.futures", "http.client", "importlib.metadata", "ssl", "subprocess"}


def test_every_module_has_a_docstring() -> None:
    assert not [path for path, tree in trees().items() if not ast.get_docstring(tree)]


def test_a_folder_has_at_most_30_files_of_python() -> None:
    found = Counter(path.parent for path in trees() if path.parent != PACKAGE / "cli" / "commands")
    assert not {folder: count for folder, count in found.items() if count > 30}


def test_the_name_of_a_file_stands_once_in_a_package() -> None:
    found = defaultdict(list)
    for path in trees():
        if path.parent != PACKAGE and not path.stem.startswith("__"):
            found[package_of(path), path.stem].append(path)
    assert not {key: paths for key, paths in found.items() if len(paths) > 1 and key not in ONCE_MORE}


def _contracts() -> list[dict[str, object]]:
    file = Path(__file__).parents[1] / "pyproject.toml"
    return [*tomllib.loads(file.read_text())["tool"]["importlinter"]["contracts"]]


@pytest.mark.parametrize(
    "contract", [each for each in _contracts() if each["type"] == "forbidden"], ids=lambda c: c["name"]
)
def test_a_contract_names_every_package_but_the_home_of_its_library(contract: dict[str, list[str]]) -> None:
    """A new package is held by every contract; free is only what imports such a library."""
    packages = {f"gitreg.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")}
    packages |= {f"gitreg.{path.stem}" for path in PACKAGE.glob("*.py") if path.name[0] != "_"}
    free = packages - set(contract["source_modules"])
    homes = {
        f"gitreg.{package_of(path)}"
        for path, names in libraries().items()
        if names & set(contract["forbidden_modules"])
    }
    assert free <= homes, "add these packages to source_modules"

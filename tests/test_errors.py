"""Errors: each with its exit code, its kind, its sentence and its hint."""

from __future__ import annotations

from collections.abc import Iterator
from traceback import format_exception

import pytest

from gitreg import errors
from gitreg.blobs.fsspec_filesystem import NoSuchFileError


def all_errors(base: type[errors.GitregError] = errors.GitregError) -> Iterator[type[errors.GitregError]]:
    yield base
    for derived in base.__subclasses__():
        if derived.__module__.startswith("gitreg."):
            yield from all_errors(derived)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("GitregError", 1), ("InvalidInput", 2), ("NotFound", 3), ("Refused", 4), ("AlreadyExists", 4), ("Conflict", 5),
     ("WorkTreeBusy", 5), ("IntegrityError", 6)],
)  # fmt: skip
def test_each_error_has_its_exit_code_and_keeps_its_hint(kind: str, code: int) -> None:
    error = getattr(errors, kind)("it is wrong", hint="mend it")
    assert (error.exit_code, str(error), error.hint) == (code, "it is wrong", "mend it")
    assert isinstance(error, errors.GitregError)
    error.advise("then try again")
    assert error.hint == "mend it; then try again"
    assert "hint: mend it" in "".join(format_exception(error)), "who has no command line reads it, too"


def test_each_class_of_errors_has_a_kind_of_its_own_that_never_changes() -> None:
    assert {error.__name__: error.kind for error in all_errors() if "kind" in vars(error)} == {
        "AbsentError": "missing",
        "AlreadyExists": "already_exists",
        "CloneLags": "clone_lags",
        "Conflict": "conflict",
        "Declined": "declined",
        "GitregError": "failed",
        "IntegrityError": "integrity",
        "InvalidDocument": "invalid_document",
        "InvalidInput": "invalid_input",
        "Locked": "locked",
        "NotAtomic": "not_atomic",
        "NotFound": "not_found",
        "OvertakenError": "overtaken",
        "Protected": "protected",
        "Refused": "refused",
        "StaleRefs": "stale_refs",
        "StoreGoneError": "store_missing",
        "TooLarge": "too_large",
        "Unreachable": "unreachable",
        "UnsafeCode": "unsafe_code",
        "WorkTreeBusy": "work_tree_busy",
        "WorkTreeLags": "work_tree_lags",
    }


def test_only_the_error_that_fsspec_asks_for_has_the_kind_of_another() -> None:
    assert [error for error in all_errors() if "kind" not in vars(error)] == [NoSuchFileError]


def test_an_invalid_document_names_file_pointer_and_reason() -> None:
    assert str(errors.InvalidDocument("a.yaml", "/x/0", "is none")) == "a.yaml at /x/0: is none"
    assert str(errors.InvalidDocument("a.yaml", "", "is none")) == "a.yaml: is none"
    assert errors.InvalidDocument("a.yaml", "", "is none").exit_code == 1

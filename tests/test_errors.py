"""Errors: each with its exit code, its sentence and its hint."""

from __future__ import annotations

from traceback import format_exception

import pytest

from gitreg import errors


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


def test_an_invalid_document_names_file_pointer_and_reason() -> None:
    assert str(errors.InvalidDocument("a.yaml", "/x/0", "is none")) == "a.yaml at /x/0: is none"
    assert str(errors.InvalidDocument("a.yaml", "", "is none")) == "a.yaml: is none"
    assert errors.InvalidDocument("a.yaml", "", "is none").exit_code == 1

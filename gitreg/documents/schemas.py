"""The JSON Schemas of documents and their validators.

Validators that fastjsonschema compiled (microseconds a document) check every document. Only a document that they refuse
goes to jsonschema, which takes longer to import and explains errors better.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from gitreg.documents.yaml import pointer
from gitreg.errors import InvalidDocument


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of a kind of document."""
    name = f"{kind}.schema.json"
    # The wheel has the schemas inside the package; a checkout has them at the top of the repository.
    packaged, in_checkout = (folder / "schemas" / name for folder in Path(__file__).parents[1:3])
    text = (packaged if packaged.is_file() else in_checkout).read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def check(kind: str, data: Any, where: str) -> None:
    """Raise an error if a document breaks the schema of its kind.

    Raises
    ------
    InvalidDocument
        The document breaks the schema; the error names the place and the rule.
    """
    from fastjsonschema import JsonSchemaValueException  # imported late: reading from the index needs no validator

    try:
        compiled(kind)(data)
    except JsonSchemaValueException as error:
        raise _explained(kind, data, where, error) from None


@cache
def compiled(kind: str) -> Callable[[Any], Any]:
    """Return the validator of a kind of document, which raises JsonSchemaValueException for an invalid document."""
    import fastjsonschema  # see check()

    validator: Callable[[Any], Any] = fastjsonschema.compile(schema(kind), use_default=False)
    return validator


def _explained(kind: str, data: Any, where: str, fast: Exception) -> InvalidDocument:
    from jsonschema import Draft7Validator  # imported late: needed for invalid documents only
    from jsonschema.exceptions import best_match

    error = best_match(Draft7Validator(schema(kind)).iter_errors(data))
    if error is None:
        return InvalidDocument(where, "", str(fast))
    reason = error.message if len(error.message) <= 200 else f"{error.message[:200]}..."
    hint = error.schema.get("description") if isinstance(error.schema, dict) else None
    return InvalidDocument(where, pointer(list(error.absolute_path)), reason, hint=hint)

"""The JSON Schemas, and what breaks them.

Bulk reading asks validators that fastjsonschema compiled (microseconds a document); only a document that they refuse
is shown to jsonschema, which takes longer to import and says better what is wrong.
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
    """Give the JSON Schema (draft 7) of a kind of document."""
    name = f"{kind}.schema.json"
    # The wheel carries the schemas inside the package; in a checkout they lie at the top of the repository.
    packaged, in_checkout = (folder / "schemas" / name for folder in Path(__file__).parents[1:3])
    text = (packaged if packaged.is_file() else in_checkout).read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def check(kind: str, data: Any, where: str) -> None:
    """Hold a document against the schema of its kind.

    Raises
    ------
    InvalidDocument
        It breaks the schema; the error names the place and the rule.
    """
    from fastjsonschema import JsonSchemaValueException  # the hot paths read the index and never check

    try:
        compiled(kind)(data)
    except JsonSchemaValueException as error:
        raise _explained(kind, data, where, error) from None


@cache
def compiled(kind: str) -> Callable[[Any], Any]:
    """Return the validator of a kind of document, which raises for one that breaks its schema."""
    import fastjsonschema  # see check()

    validator: Callable[[Any], Any] = fastjsonschema.compile(schema(kind), use_default=False)
    return validator


def _explained(kind: str, data: Any, where: str, fast: Exception) -> InvalidDocument:
    from jsonschema import Draft7Validator  # only for the rare document that is wrong
    from jsonschema.exceptions import best_match

    error = best_match(Draft7Validator(schema(kind)).iter_errors(data))
    if error is None:
        return InvalidDocument(where, "", str(fast))
    reason = error.message if len(error.message) <= 200 else f"{error.message[:200]}..."
    hint = error.schema.get("description") if isinstance(error.schema, dict) else None
    return InvalidDocument(where, pointer(list(error.absolute_path)), reason, hint=hint)

"""The JSON Schemas of documents and their validators.

Validators that fastjsonschema compiled (microseconds a document) check every document. Only a document that they refuse
goes to jsonschema, which takes longer to import and explains errors better (:mod:`gitreg.documents.schema_errors`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidDocument

POLICIES = "policies"
"""The part of ``gitreg.yaml`` with a check of its own: a policy that is wrong leaves the rest of the file readable."""


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of a kind of document.

    That of ``registry`` accepts any mappings, and lists of them, as policies; that of `POLICIES` is for
    ``{"policies": ...}`` alone. The file ``registry.schema.json``, for editors, is both.

    Returns
    -------
    dict[str, Any]
        The schema as plain data, a new one at each call.
    """
    name = f"{'registry' if kind == POLICIES else kind}.schema.json"
    # The wheel has the schemas inside the package; a checkout has them at the top of the repository.
    packaged, in_checkout = (folder / "schemas" / name for folder in Path(__file__).parents[1:3])
    text = (packaged if packaged.is_file() else in_checkout).read_text()
    loaded: dict[str, Any] = json.loads(text)
    if kind == POLICIES:
        return {"properties": {POLICIES: loaded["properties"][POLICIES]}, "definitions": loaded["definitions"]}
    if kind == "registry":
        policy = {"type": "object"}
        either = {"if": {"type": "array"}, "then": {"minItems": 1, "items": policy}, "else": policy}
        loaded["properties"][POLICIES] = {"type": "object", "additionalProperties": either}
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
        from gitreg.documents.schema_errors import explain  # imports jsonschema, needed for invalid documents only

        try:
            explained = explain(schema(kind), data, where)
        except ImportError:  # jsonschema is missing in a task of Metaflow: fewer words, but the right error
            explained = None
        raise explained or InvalidDocument(where, "", str(error)) from None


@cache
def compiled(kind: str) -> Callable[[Any], Any]:
    """Return the validator of a kind of document, which raises JsonSchemaValueException for an invalid document."""
    import fastjsonschema  # see check()

    # Exceptions without details: with them each holds its part of the schema, and compiling takes three times as long.
    # They are why the schemas have an `enum` of one value instead of `const`, whose message needs the details.
    validator: Callable[[Any], Any] = fastjsonschema.compile(schema(kind), use_default=False, detailed_exceptions=False)
    return validator

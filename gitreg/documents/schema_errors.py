"""The explanation of a document that breaks its schema: the place, the problem and the remedy, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitreg.documents.yaml import pointer
from gitreg.errors import InvalidDocument
from gitreg.suggestions import nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_LONGEST = 200
_MOST_VALUES = 5_000
"""The number of values up to which the errors of a document are explained: looking for all takes a millisecond each."""
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "a text",
}


def explain(schema: Mapping[str, Any], data: Any, where: str) -> InvalidDocument | None:
    """Return the error that explains best why a document breaks a schema.

    Parameters
    ----------
    schema:
        The JSON Schema (draft 7).
    where:
        The document's file.

    Returns
    -------
    InvalidDocument | None
        The error with the place, the problem and, as far as the schema describes it, the remedy; None if the document
        is valid, or too large to look for the best explanation.
    """
    from jsonschema import Draft7Validator  # Metaflow's tasks have none, and need only `known_names`
    from jsonschema.exceptions import best_match

    if _count(data) > _MOST_VALUES:
        return None
    error = best_match(Draft7Validator(schema).iter_errors(data))
    if error is None:
        return None
    inside, reason, hint = _explained(error)
    place = pointer([*error.absolute_path, *inside])
    return InvalidDocument(where, place, _shortened(reason, _LONGEST), hint=hint or None)


def known_names(name: object, known: Sequence[str], *, also: Sequence[str] = ()) -> str:
    """Return the hint for an unknown name: the nearest valid name, all that are known, and those valid besides."""
    near = nearest(str(name), [*known, *also], most=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    listed = f"the known ones are {', '.join(known)}" if known else "there is none"
    return meant + listed + (f"; {' and '.join(also)} may stand there, too" if also else "")


def _explained(error: ValidationError) -> tuple[list[str | int], str, str]:
    """Return the place below that of the error, the problem and the remedy."""
    schema: Any = error.schema
    value: Any = error.instance
    rule: Any = error.validator_value
    described = schema.get("description", "")
    shown = "empty" if value is None else _shortened(repr(value), _LONGEST // 2)
    match error.validator:
        case "additionalProperties" if rule is False:
            known = list(schema.get("properties", {}))
            field = next(field for field in value if field not in known)
            return [field], f"there is no field {field!r}", known_names(field, known)
        case "enum" if "propertyNames" in error.schema_path:
            return [value], f"there is no field {value!r} here", _sentences(known_names(value, rule), described)
        case "enum" if all(isinstance(each, str) for each in rule):
            return [], f"is {shown}", _sentences(known_names(value, rule), described)
        case "anyOf" if all(branch.keys() == {"required"} for branch in rule):
            needed = [field for branch in rule for field in branch["required"]]
            return [], f"needs one of {', '.join(needed)}", described
        case "type":
            wanted = " or ".join(_TYPES[each] for each in ([rule] if isinstance(rule, str) else rule))
            of = f" of {', '.join(schema['properties'])}" if rule == "object" and "properties" in schema else ""
            return [], f"is {shown}, not {wanted}", _sentences(f"write {wanted}{of}", described)
        case "required":
            return [], f"has no {next(field for field in rule if field not in value)}", described
        case "pattern" if rule == "\\S":
            return [], f"is {shown}", _sentences("write a text that is not empty", described)
        case "minItems" | "minProperties" if not value:
            return [], "is empty", described
        case "not":
            return [], f"is {shown}", described
        case _:
            return [], error.message, described


def _count(data: Any) -> int:
    """Return the number of values in a document."""
    inner = data.values() if isinstance(data, Mapping) else data if isinstance(data, list) else ()
    return 1 + sum(map(_count, inner))


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


def _sentences(*parts: str) -> str:
    return ". ".join(part for part in parts if part)

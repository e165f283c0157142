"""The fast reader: recognizes files in plain canonical form, so that the index need not parse each of 100,000 records.

Nearly every sealed record is as :func:`gitreg.documents.yaml.dumps` wrote it. One regular expression for each kind
describes such texts: the known fields in order, indented by two spaces, with scalars that every YAML reader reads the
same way. The expression is narrower than YAML, the schema and the rules of names, never wider: a text that it does not
match may still be valid, and goes to :func:`gitreg.documents.files.read_data`. A text that it matches is kept as it is,
and :func:`read` parses it by its lines when its values are needed; :func:`read` must never get any other text.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

from gitreg.documents.deferred import Deferred
from gitreg.errors import InvalidInput
from gitreg.names import check_alias, check_artifact, check_model, check_pipeline, check_run, check_written_version, nfc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gitreg.documents.layout import Key

_LONGEST = 256 * 1024  # bytes; a value takes at least four of them, which limits the number of values

# -- scalars: each ends at the end of its line -------------------------------------------------------------------------

_INSIDE = r"[^:#\0-\x1f\x7f]"
_REST = (
    rf"{_INSIDE}*+(?::(?![ \n]){_INSIDE}*+)*+(?<! )"  # ": " ends a key and " #" begins a comment: stay away from both
)
_CONSTANTS = {
    word: value
    for name, value in (("null", None), ("true", True), ("false", False))
    for word in (name, name.capitalize(), name.upper())
}
_CONSTANT = f"(?:{'|'.join(_CONSTANTS)})"
_NUMBER = r"-?[0-9]{1,18}(?:\.[0-9]{0,20})?(?:[eE][-+]?[0-9]{1,2})?"  # a float can hold the largest of them
_WORDS = rf"(?!{_CONSTANT}\n)[^\0-'*-.0-@\[-^`{{-\x7f]{_REST}"
# A scalar that begins with a digit is text if it has a character that no number has, or is a date or a dotted version.
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[-0-9eE]{1,40})?"  # also a run named after its time
_DOTTED = r"[0-9]{1,9}(?:\.[0-9]{1,9}){2,9}"
_WORDS_AFTER_DIGIT = rf"[0-9](?![xo])[-+.0-9eE]*+(?!\n){_REST}|{_DATE}|{_DOTTED}"
_QUOTED = r"'(?:[^'\0-\x1f\x7f]++|'')++'"
_TEXT = rf"(?:{_WORDS}|{_WORDS_AFTER_DIGIT}|{_QUOTED})(?=\n)"
_VALUE = rf"(?:{_NUMBER}|{_WORDS}|{_WORDS_AFTER_DIGIT}|{_QUOTED}|''|{_CONSTANT})(?=\n)"
_OPTION = rf"--?[A-Za-z]{_REST}(?=\n)"
_BOOLEAN = "(?:true|false)"
_SIZE = "(?:0|[1-9][0-9]{0,17})"
_SHA256 = r"(?:(?![0-9]++(?:e[0-9]++)?\n)[0-9a-f]{64}|'[0-9a-f]{64}')"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})"

# -- lists and mappings ------------------------------------------------------------------------------------------------

_KEY = "[A-Za-z_][A-Za-z0-9_./-]{0,99}"
_PATH = "[A-Za-z0-9_.][A-Za-z0-9_./+=@-]{0,199}"
_LIST = rf"(?:- {_TEXT}\n)++"
_MAPPING = rf"(?:  {_KEY}:(?: {_VALUE}\n|\n(?:(?:    {_KEY}: {_VALUE}\n)++|(?:  - {_VALUE}\n)++)))++"


def _files_at(indent: int) -> str:
    at, below = " " * indent, " " * (indent + 2)
    return rf"(?:{at}{_PATH}:\n{below}size: {_SIZE}\n{below}sha256: {_SHA256}\n(?:{below}executable: {_BOOLEAN}\n)?)++"


def _contents_at(indent: int) -> str:
    at, below = " " * indent, " " * (indent + 2)
    verdict = "(?:data|limited|opaque|code)"
    return rf"(?:{at}(?:{_PATH}|'\*'):\n{below}verdict: {verdict}\n(?:{below}why: {_TEXT}\n)?)++"


_SCAN = "[1-9][0-9]{0,14}"
_TYPE = "(?:model|data|deployment)"
_ARTIFACT = (
    rf"  [A-Za-z](?:[A-Za-z0-9_.-]{{0,63}}[A-Za-z0-9_-])?:\n    type: {_TYPE}\n    size: {_SIZE}\n"
    rf"    digest: sha256:[0-9a-f]{{64}}\n(?:    artifact: {_TEXT}\n)?(?:    materializer: {_TEXT}\n)?"
    rf"(?:    scan: {_SCAN}\n)?(?:    contents:\n{_contents_at(6)})?(?:    files:\n{_files_at(6)})?"
)
_ARTIFACTS = rf"(?:artifacts:\n(?P<artifacts>(?:{_ARTIFACT})++))?"
_SECONDS = r"(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,9})?"
_STATUS = "(?:running|completed|failed)"
_USED = rf"(?:      {_KEY}: {_TEXT}\n)++"
_STEP = (
    rf"  {_KEY}:\n    status: {_STATUS}\n(?:    started_at: {_TIME}\n)?(?:    duration: {_SECONDS}\n)?"
    rf"(?:    cached: {_BOOLEAN}\n)?(?:    key: {_SHA256}\n)?"
    rf"(?:    parameters:\n(?:      {_KEY}:(?: {_VALUE}\n|\n(?:      - {_VALUE}\n)++))++)?"
    rf"(?:    inputs:\n{_USED})?(?:    outputs:\n{_USED})?(?:    version: {_TEXT}\n)?"
)
_SOURCE = rf"(?:source:\n(?=  )(?:  repository: {_TEXT}\n)?(?:  commit: {_TEXT}\n)?(?:  dirty: {_BOOLEAN}\n)?)?"
_ABOUT = rf"(?:description: {_TEXT}\n)?(?:tags:\n{_LIST})?(?:metadata:\n(?P<metadata>{_MAPPING}))?"
_DIGEST = r"(?:digest: sha256:[0-9a-f]{64}\n)?"
_KINDS = {
    "model_version": rf"model: (?P<model>{_WORDS})\nversion: (?P<version>{_TEXT})\n"
    rf"number: (?P<number>[1-9][0-9]{{0,14}})\ncreated_at: (?P<created_at>{_TIME})\n(?:created_by: {_TEXT}\n)?{_ABOUT}"
    rf"{_SOURCE}(?:run:\n(?P<run>{_MAPPING}))?(?:inputs:\n{_LIST})?(?:links:\n{_LIST})?{_ARTIFACTS}",
    "annotation": rf"{_ABOUT}(?:removed:\n{_LIST})?(?:removed_tags:\n{_LIST})?"
    rf"(?:archived: {_BOOLEAN}\n)?(?:yanked: (?P<yanked>{_BOOLEAN})\n)?"
    rf"(?:yank_reason: {_TEXT}\n)?(?:deleted: (?P<deleted>{_BOOLEAN})\n)?(?:links:\n{_LIST})?{_ARTIFACTS}",
    "stage": rf"version: {_TEXT}\n{_DIGEST}"
    rf"(?:previous: {_TEXT}\n)?(?:rolled_back_from: {_TEXT}\n)?(?:reason: {_TEXT}\n)?",
    "alias": rf"version: {_TEXT}\n{_DIGEST}",
    "artifact": rf"artifact: (?P<artifact>{_TEXT})\nversion: (?P<version>{_TEXT})\nnumber: [1-9][0-9]{{0,14}}\n"
    rf"id: (?:(?![0-9]++(?:e[0-9]++)?\n)[0-9a-f]{{32}}|'[0-9a-f]{{32}}')\ncreated_at: (?P<created_at>{_TIME})\n"
    rf"(?:created_by: {_TEXT}\n)?type: {_TYPE}\n(?:materializer: {_TEXT}\n)?"
    rf"(?:metadata:\n(?P<metadata>{_MAPPING}))?(?:run:\n(?P<run>{_MAPPING}))?size: {_SIZE}\n"
    rf"digest: sha256:[0-9a-f]{{64}}\n(?:scan: {_SCAN}\n)?(?:contents:\n(?P<contents>{_contents_at(2)}))?"
    rf"(?:files:\n(?P<files>{_files_at(2)}))?",
    "run": rf"pipeline: (?P<pipeline>{_TEXT})\nrun: (?P<name>{_TEXT})\nstatus: {_STATUS}\n(?:created_by: {_TEXT}\n)?"
    rf"started_at: (?P<started_at>{_TIME})\n(?:ended_at: (?P<ended_at>{_TIME})\n)?(?:duration: {_SECONDS}\n)?"
    rf"(?:command:\n(?:- (?:{_TEXT}|{_OPTION}|''(?=\n))\n)++)?{_SOURCE}(?:environment:\n(?P<environment>{_MAPPING}))?"
    rf"(?:parameters:\n(?P<parameters>{_MAPPING}))?(?:steps:\n(?P<steps>(?:{_STEP})++))?(?:inputs:\n{_LIST})?"
    rf"(?:versions:\n{_LIST})?",
}
_PATH_FIELDS = {
    "model_version": ("model", "version"),
    "artifact": ("artifact", "version"),
    "run": ("pipeline", "name"),
}
_DATES = ("created_at", "started_at", "ended_at")
_FREE = ("metadata", "run", "artifacts", "contents", "files", "environment", "parameters", "steps")
"""The fields that are mappings with free keys."""
_check_model, _check_alias, _check_artifact, _check_pipeline, _check_run, _check_version = (
    lru_cache(4096)(check)
    for check in (check_model, check_alias, check_artifact, check_pipeline, check_run, check_written_version)
)
_CHECKS: Mapping[str, tuple[Callable[[str], object], ...]] = {
    "model_version": (_check_model, _check_version),
    "annotation": (_check_model, _check_version),
    "stage": (_check_model,),
    "alias": (_check_model, _check_alias),
    "artifact": (_check_artifact, _check_version),
    "run": (_check_pipeline, _check_run),
}
"""The checks of the names in a path: that of its folder, and that of its file."""
_ENTRIES = {
    indent: re.compile(f" {{{indent}}}([^ :\\n-][^:\\n]*+):(?: (.*+)\\n|\\n((?: {{{indent}}}(?:  |- ).*+\\n)++))")
    for indent in (0, 2, 4, 6, 8)
}
"""By indentation, the expression for the entries of a mapping: a key with its value, or with the lines below it."""
_NESTED_KEYS = re.compile(r" {4}([^ :\n]+):.*\n")
_FILES = re.compile(r" {6}([^ :\n]+):\n {8}size: (.*)\n {8}sha256: (.*)\n(?: {8}executable: (.*)\n)?")
_CONTENTS = re.compile(r" {6}([^ :\n]+):\n {8}verdict: ")
_IS_NUMBER = re.compile(_NUMBER)


def recognise(key: Key, content: bytes) -> re.Match[str] | None:
    """Return the match for a valid file in canonical form; None if the file needs the full parser.

    Parameters
    ----------
    key:
        The key of the file's path, which the text has to agree with.
    content:
        The bytes of the file.

    Returns
    -------
    re.Match[str] | None
        A match with a group for each field of the kind, as it is written.
    """
    if key.kind not in _KINDS or len(content) > _LONGEST:
        return None
    try:
        text = content.decode()
        found = _expression(key.kind).fullmatch(text)
        if found is None or not (text.isascii() or (text.replace("\n", "").isprintable() and nfc(text) == text)):
            return None  # beyond ASCII, YAML allows printable characters only, and breaks lines at some others
        fields = found.groupdict()
        written = [_scalar(fields[field]) for field in _PATH_FIELDS.get(key.kind, ())]
        if written and written != [key.model, key.name]:
            return None
        for field in _DATES:
            if fields.get(field):
                datetime.fromisoformat(fields[field])
        for check, name in zip(_CHECKS[key.kind], (key.model, key.name), strict=False):
            check(name)
    except (ValueError, InvalidInput):  # not UTF-8, no such day, or a name against the rules
        return None
    return found if _keys_differ(fields) else None


def read(text: str) -> dict[str, Any]:
    """Return the plain data of a text that :func:`recognise` matched, equal to that of the full parser."""
    return _mapping(text, 0)


@cache
def _expression(kind: str) -> re.Pattern[str]:
    """Return the compiled expression of a kind; it is cached, as compiling takes longer than reading a file."""
    return re.compile(rf"format: 1\nkind: {kind}\n{_KINDS[kind]}")


def _keys_differ(fields: Mapping[str, str | None]) -> bool:
    """Return whether no mapping has a key twice, which the expression cannot check."""
    return all(
        len(set(keys)) == len(keys)
        for field in _FREE
        if (block := fields.get(field)) and _may_repeat(field, block)
        for keys in _free_keys(field, block)
    )


def _may_repeat(field: str, block: str) -> bool:
    """Return whether two lines have the same key at any depth: a quick test before the exact one, five times faster."""
    lines = block.split("\n")
    if field in ("artifacts", "contents", "files"):
        lines = [line for line in lines if line.endswith(":")]  # not size, sha256 and the like, which all files have
    return len({line.partition(":")[0] for line in lines}) < len(lines)


def _free_keys(field: str, block: str) -> Iterator[list[str]]:
    """Yield the keys of each mapping in a field with free keys."""
    entries = _ENTRIES[2].findall(block)
    yield [key for key, _, _ in entries]
    for _, _, inner in entries:
        if inner and field == "artifacts":
            yield [file[0] for file in _FILES.findall(inner)]
            yield _CONTENTS.findall(inner)
        elif inner and field == "steps":
            for _, _, step in _ENTRIES[4].findall(inner):
                yield [key for key, _, _ in _ENTRIES[6].findall(step)]
        elif inner:
            yield _NESTED_KEYS.findall(inner)


def _mapping(block: str, indent: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for written, value, inner in _ENTRIES[indent].findall(block):
        key = written.strip("'")  # the quotes around the * that stands for all files
        if value:
            out[key] = _scalar(value)
        elif inner[indent] == "-":
            out[key] = [_scalar(item.lstrip(" ")[2:]) for item in inner.split("\n")[:-1]]
        elif not indent and key != "metadata":  # artifacts, above all
            out[key] = Deferred(partial(_mapping, inner, 2))
        else:
            out[key] = _files(inner) if indent == 4 and key == "files" else _mapping(inner, indent + 2)
    return out


def _files(block: str) -> dict[str, Any]:
    """Return the files of an artifact, which are most of a record, in one pass over its lines."""
    return {
        path: {"size": int(size), "sha256": sha256.strip("'")}
        | ({"executable": executable == "true"} if executable else {})
        for path, size, sha256, executable in _FILES.findall(block)
    }


@lru_cache(maxsize=4096)  # records of a model have many values in common
def _scalar(text: str) -> Any:
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if text[0] in "-0123456789":
        if text.isdecimal() and text.isascii():  # the expression admits no longer numbers
            return int(text)
        if _IS_NUMBER.fullmatch(text):
            return int(text) if text.lstrip("-").isdigit() else float(text)
    return _CONSTANTS.get(text, text)

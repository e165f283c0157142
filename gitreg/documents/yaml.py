"""The YAML reader and writer: strict and bounded when reading, canonical when writing.

The reader builds values directly from libyaml's events, so that depth, size and number of nodes are checked before
anything is built (composing nodes first lets 200,000 nested brackets overflow the C stack). Scalars follow the core
schema of YAML 1.2 without its non-JSON parts: the values are those of JSON. Anchors, aliases, tags, duplicate keys and
several documents in one file are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import yaml

from gitreg.documents.layout import MAX_BYTES
from gitreg.errors import InvalidDocument
from gitreg.units import number_as_written

MAX_NODES = 100_000
MAX_DEPTH = 64
MAX_DIGITS = 100
_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"

LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BaseDumper: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_CONSTANTS: Mapping[str, Any] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_LONGEST_KEY = 60  # characters of a key in an error
_LONGEST_REASON = 120  # characters of a reason in an error
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NUMBER_START = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]+")
_OTHER_INT = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"(?i)[+-]?\.?(nan|inf|infinity)")
_NOT_JSON = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_PLACEHOLDER = "files-of-artifact-"
# Paths that need no quotes. No scalar that YAML 1.1 or 1.2 reads as something else than text has a slash; one that
# begins with a letter has no dot and is not longer than "false". Keys over 128 bytes are written in another style.
_PLAIN_PATH = re.compile(r"(?=[^/]*/|[A-Za-z_](?:[^.]*\.|.{5}))[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}")
# Digests that need no quotes: 64 hexadecimal digits are a number only if all are decimal digits, "e" or "b".
_PLAIN_SHA256 = re.compile(r"(?=[0-9be]*[acdf])[0-9a-f]{64}")


def loads(data: bytes, where: str, *, as_written: bool = False) -> Any:
    """Return the value of one YAML document.

    Parameters
    ----------
    data:
        The document as UTF-8 text.
    where:
        The name of the file, for errors.
    as_written:
        True for values of users: a number that would not come back as it is written is a text
        (`gitreg.units.number_as_written`).

    Returns
    -------
    object:
        None, bool, int, float, str, list or dict with str keys.

    Raises
    ------
    InvalidDocument
        The text is not YAML, is larger or deeper than allowed, or has values that JSON does not have.
    """
    if len(data) > MAX_BYTES:
        raise too_long(where, len(data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDocument(where, "", f"is not UTF-8 text (byte {error.start})") from None
    loader = LOADER(text)
    try:
        return _Builder(loader, where, as_written=as_written).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        if mark is not None and _open_brackets(text[: mark.index]) > MAX_DEPTH:
            raise InvalidDocument(where, "", _TOO_DEEP) from None
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).split("\n")[0]
        raise InvalidDocument(where, "", f"is not YAML: {place}{_short(reason, _LONGEST_REASON)}") from None
    finally:
        loader.dispose()


def too_long(where: str, size: int) -> InvalidDocument:
    """Return the error for a file of more than `MAX_BYTES` bytes."""
    return InvalidDocument(where, "", f"is {size:,} bytes long, more than the {MAX_BYTES:,} that fit")


def _open_brackets(text: str) -> int:
    """Return the number of flow collections that are open at the end of a text.

    libyaml looks ahead for a key before its first event, and since 0.2.6 stops with an error if brackets are nested too
    deep: then no event has shown the depth. Brackets in quotes count too; that only changes the words of an error.
    """
    return sum(text.count(bracket) for bracket in "[{") - sum(text.count(bracket) for bracket in "]}")


class _Builder:
    """The builder of one document's value from the events of a loader."""

    def __init__(self, loader: Any, where: str, *, as_written: bool) -> None:
        self._next = loader.get_event
        self._as_written = as_written
        self._where = where
        self._path: list[str | int] = []
        self._nodes = 0

    def document(self) -> Any:
        self._next()  # StreamStart
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        value = self._value(self._next())
        self._next()  # DocumentEnd
        if not isinstance(self._next(), yaml.StreamEndEvent):
            raise self._error("holds more than one document")
        return value

    def _value(self, event: Any) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._error(f"holds more than {MAX_NODES:,} values")
        kind = type(event)
        if kind is yaml.AliasEvent:
            raise self._error(f"uses the alias *{event.anchor}; write the value out")
        if event.anchor is not None:
            raise self._error(f"uses the anchor &{event.anchor}; write the value out each time")
        if kind is yaml.ScalarEvent:
            if event.tag is not None and event.tag != "!":
                raise self._error(f"uses the tag {event.tag}; write plain values")
            return self._scalar(event.value) if event.implicit[0] else event.value
        if event.tag is not None:
            raise self._error(f"uses the tag {event.tag}; write plain values")
        if len(self._path) >= MAX_DEPTH:
            del self._path[4:]  # the rest of the path is no help in the error
            raise self._error(_TOO_DEEP)
        return self._mapping() if kind is yaml.MappingStartEvent else self._sequence()

    def _mapping(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            if type(event) is not yaml.ScalarEvent:
                raise self._error("has a key that is not plain text")
            if event.anchor is not None or (event.tag is not None and event.tag != "!"):
                raise self._error(f"has a key with an anchor or a tag: {event.value!r}")
            key = event.value
            self._path.append(key)
            if key in out:
                raise self._error("stands there twice")
            out[key] = self._value(self._next())
            self._path.pop()
        return out

    def _sequence(self) -> list[Any]:
        out: list[Any] = []
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            self._path.append(len(out))
            out.append(self._value(event))
            self._path.pop()
        return out

    def _scalar(self, text: str) -> Any:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if self._as_written:
            return self._scalar_as_written(text)
        if text[0] not in _NUMBER_START:
            return text
        if _INT.fullmatch(text) or _OTHER_INT.fullmatch(text):
            if len(text) > MAX_DIGITS:
                raise self._error(f"is a number of {len(text):,} digits; at most {MAX_DIGITS} fit")
            return int(text, 0 if text[:2] in ("0o", "0x") else 10)
        if _FLOAT.fullmatch(text):
            value = float(text)
            if math.isinf(value):
                raise self._error(f"is the number {text[:20]}, too large for a float")
            return value
        if _NOT_JSON.fullmatch(text):
            raise self._error(f"is {text}, which is no JSON number")
        return text

    def _scalar_as_written(self, text: str) -> Any:
        if _NOT_A_NUMBER.fullmatch(text):
            raise self._error(f"is {text}, which is no JSON number; a text is quoted")
        if text.isdigit() and len(text) > MAX_DIGITS:
            raise self._error(f"is a number of {len(text):,} digits; at most {MAX_DIGITS} fit")
        number = number_as_written(text)
        return text if number is None else number

    def _error(self, reason: str) -> InvalidDocument:
        return InvalidDocument(self._where, pointer(self._path), _short(reason, _LONGEST_REASON))


def pointer(path: list[str | int]) -> str:
    """Return a path of keys and positions as a JSON pointer (RFC 6901) on one line; very long keys are cut."""
    return "".join("/" + _short(str(part), _LONGEST_KEY).replace("~", "~0").replace("/", "~1") for part in path)


def _short(text: str, longest: int) -> str:
    """Return a text for an error, cut to its longest length and without control characters."""
    cut = text if len(text) <= longest else f"{text[:longest]}..."
    return _NOT_IN_A_LINE.sub("\N{REPLACEMENT CHARACTER}", cut)


class _Dumper(_BaseDumper):  # type: ignore[misc]
    """The YAML dumper: block style, no anchors, and quotes around every text that a YAML reader could misread."""

    # The C emitter uses these tables to decide whether a plain scalar would be read as text. They have the rules of
    # YAML 1.1 (for PyYAML, Ruby and Go) without timestamps (gitreg writes them as text), and the numbers of YAML 1.2.
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in patterns if not tag.endswith(":timestamp")]
        for first, patterns in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _pattern in (_INT, _OTHER_INT, _FLOAT, _NOT_JSON):
    _Dumper.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(f"(?:{_pattern.pattern})$"), list(_NUMBER_START)
    )


def _represent_text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text and text == text.strip("\n") + "\n" * text.endswith("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def dumps(data: Any) -> bytes:
    """Return a value in the canonical form: block style, keys in the given order, LF, UTF-8, no anchors.

    The value has only types of JSON (see :func:`loads`); ``loads(dumps(x)) == x``. The files of artifacts, which are
    most of a large record, are written without the emitter (1,000 files: 1 ms, not 24), byte for byte as it would.

    Returns
    -------
    bytes
        UTF-8 with a line feed at the end.
    """
    artifacts = data.get("artifacts") if isinstance(data, Mapping) else None
    if not isinstance(artifacts, Mapping):
        return _emit(data)
    tables: dict[str, str] = {}
    short: dict[Any, Any] = {}
    for name, artifact in artifacts.items():
        short[name] = artifact
        if isinstance(artifact, Mapping) and (table := _file_table(artifact.get("files"))) is not None:
            placeholder = f"{_PLACEHOLDER}{len(tables)}"
            short[name] = {**artifact, "files": placeholder}
            tables[f"\n    files: {placeholder}\n"] = f"\n    files:\n{table}"
    text = _emit({**data, "artifacts": short}).decode()
    for line, table in tables.items():
        if text.count(line) != 1:  # another value of the document equals the placeholder
            return _emit(data)
        text = text.replace(line, table)
    return text.encode()


def _emit(data: Any) -> bytes:
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20, line_break="\n")
    return text.encode()


def _file_table(files: Any) -> str | None:
    """Return the lines of a list of files; None if it is empty, or the emitter is needed to write it."""
    if not isinstance(files, Mapping) or not files:
        return None
    lines = []
    for path, entry in files.items():
        if type(path) is not str or not _PLAIN_PATH.fullmatch(path):
            return None
        if type(entry) is not dict or list(entry)[:2] != ["size", "sha256"]:
            return None
        size, sha256 = entry["size"], entry["sha256"]
        if type(size) is not int or type(sha256) is not str or not _PLAIN_SHA256.fullmatch(sha256):
            return None
        lines.append(f"      {path}:\n        size: {size}\n        sha256: {sha256}\n")
        if len(entry) > 2:
            if len(entry) > 3 or entry.get("executable") is not True:
                return None
            lines.append("        executable: true\n")
    return "".join(lines)

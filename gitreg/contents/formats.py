"""Formats that are told by their first bytes, or read as text."""

from __future__ import annotations

import ast
import codecs
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from gitreg.contents.findings import CODE, DATA, LIMITED, OPAQUE, TOO_LONG, Finding
from gitreg.contents.limits import TEXT_BYTES, Budget
from gitreg.contents.numpy_arrays import is_clean_code
from gitreg.contents.pickles import look_at_pickles

_PROGRAMS = (
    (b"\x7fELF", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xce\xfa\xed\xfe", "a program"),
    (b"\xfe\xed\xfa\xce", "a program"),
    (b"\xfe\xed\xfa\xcf", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"MZ", "a program"),
    (b"\0asm", "a program"),
    (b"#!", "a script"),
)
_DATA = (
    (b"PAR1", b"PAR1", "Parquet"),
    (b"ARROW1", b"ARROW1", "Arrow"),
    (b"GGUF", b"", "GGUF"),
    (b"\x89PNG\r\n\x1a\n", b"", "PNG"),
    (b"\xff\xd8\xff", b"", "JPEG"),
    (b"GIF8", b"", "GIF"),
    (b"RIFF", b"", "RIFF"),
    (b"II*\0", b"", "TIFF"),
    (b"MM\0*", b"", "TIFF"),
    (b"OggS", b"", "Ogg"),
    (b"fLaC", b"", "FLAC"),
)
_CLOSED = (b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd", b"Rar!")
_ZF_LENGTH = re.compile(rb"\s*(?:0[xX])?[0-9a-fA-F_]+\s*")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_NPY = b"\x93NUMPY"
_STEP = 1 << 20
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"(?:Lambda|__lambda__)"')
_ESCAPED = re.compile(rb"\\u00[2-7][0-9a-fA-F]")
_KERAS = ("keras", "tensorflow", "tf_keras", "builtins")
_BEGINS_AS_SOURCE = re.compile(
    r"(?:import \w[\w., ]*|from \.*\w[\w.]* import\b.*|(?:async )?def \w+\(.*|class \w+[:(].*)"
)
_TAG = b"tag:yaml.org,2002:python/"
_PYTHON_IN_YAML = (b"!!python/", _TAG)
_YAML_PREFIX = re.compile(rb"^%TAG[ \t]+\S+[ \t]+(\S+)", re.MULTILINE)
_COOKIE = re.compile(rb"(?:[ \t\f]*(?:#[^\r\n]*)?\r?\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_PLAIN_ENCODINGS = ("utf-8", "ascii", "iso8859-1")
_IN_SOURCE = (b"import", b"(", b"class")  # nothing is done by Python without one of these
_LOOKED_AT_FIRST = 1 << 16
_PARSED = 4 << 20  # bytes of text that are parsed as Python


def look_at_program(head: bytes) -> Finding | None:
    """Return the finding on what a machine, a shell or Python executes."""
    for magic, what in _PROGRAMS:
        if head.startswith(magic):
            return Finding(CODE, what)
    if head[2:4] == b"\r\n" and len(head) > 16 and head[4] < 4 and head[5:8] == b"\0\0\0" and head[16] in (0x63, 0xE3):
        return Finding(CODE, "compiled Python")
    return None


def look_at_closed(head: bytes) -> Finding | None:
    """Return the finding on an archive that is not looked into."""
    if head.startswith(b"ZF") and _ZF_LENGTH.fullmatch(head[2:21]):
        return Finding(CODE, "a packed pickle of joblib before 0.10, which is not looked into")
    return Finding(OPAQUE, "an archive that is not looked into") if head.startswith(_CLOSED) else None


def look_at_npy(file: BinaryIO, head: bytes, budget: Budget) -> Finding | None:
    """Return the finding on an array of numpy; one of objects is a pickle behind its header."""
    if not head.startswith(_NPY) or len(head) < 12:
        return None
    width = 2 if head[6] == 1 else 4
    length = int.from_bytes(head[8 : 8 + width], "little")
    if length > _STEP:
        return Finding(CODE, f"npy, {TOO_LONG}")
    file.seek(8 + width)
    header = file.read(length)
    try:
        descriptor = ast.literal_eval(header.decode("latin-1").strip())["descr"]
        clean = all(map(is_clean_code, _codes(descriptor)))
    except (ValueError, SyntaxError, TypeError, LookupError, MemoryError, RecursionError):
        clean = False
    if clean:
        return Finding(DATA, "npy")
    file.seek(8 + width + length)
    finding = look_at_pickles(file, budget)
    return finding.inside("npy of objects") if finding else Finding(OPAQUE, "npy of unknown items")


def _codes(descriptor: Any) -> Iterator[Any]:
    """Yield the codes of the types that a header of npy names."""
    if isinstance(descriptor, list):
        for field in descriptor:
            yield from _codes(field[1])
    elif isinstance(descriptor, tuple):
        yield from _codes(descriptor[0])
    else:
        yield descriptor


def look_at_safetensors(file: BinaryIO, head: bytes, size: int) -> Finding | None:
    """Return the finding on safetensors: each byte behind the header belongs to one tensor."""
    length = int.from_bytes(head[:8], "little")
    if head[8:9] != b"{" or not 2 <= length <= size - 8:
        return None
    if length > TEXT_BYTES:
        return Finding(CODE, f"safetensors, {TOO_LONG}")
    file.seek(8)
    try:
        header = json.loads(file.read(length))
        parts = sorted(tuple(entry["data_offsets"]) for name, entry in header.items() if name != "__metadata__")
        at = 0
        for begin, end in parts:
            if begin != at or end < begin:
                return Finding(OPAQUE, "safetensors with bytes that no tensor has")
            at = end
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if 8 + length + at != size:
        return Finding(OPAQUE, "safetensors with bytes that no tensor has")
    return Finding(DATA, "safetensors")


def look_at_hdf5(file: BinaryIO, size: int) -> Finding | None:
    """Return the finding on HDF5: a model of Keras may have a layer that is Python's byte code."""
    if not _is_hdf5(file, size):
        return None
    file.seek(0)
    before, keras, escaped = b"", False, False
    while data := file.read(_STEP):
        seen = before + data
        if _LAMBDA.search(seen):
            return Finding(CODE, "HDF5 with a Lambda layer")
        keras = keras or b"class_name" in seen
        escaped = escaped or _ESCAPED.search(seen) is not None
        before = data[-256:]
    if keras and escaped:
        return Finding(CODE, "HDF5 whose model is written so that a Lambda layer would not be seen")
    return Finding(OPAQUE, "HDF5")


def _is_hdf5(file: BinaryIO, size: int) -> bool:
    """Return whether the signature stands at the beginning, or behind other data of 512, 1024, 2048, ... bytes."""
    at = 0
    while at + len(_HDF5) <= size:
        file.seek(at)
        if file.read(len(_HDF5)) == _HDF5:
            return True
        at = 2 * at or 512
    return False


def look_at_json(file: BinaryIO, head: bytes, size: int) -> Finding | None:
    """Return the finding on JSON: configurations may name code."""
    if head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] not in (b"{", b"["):
        return None
    if size > TEXT_BYTES:
        file.seek(0)
        return Finding(CODE, f"JSON, {TOO_LONG}") if _is_text(file.read(_STEP)) else None
    file.seek(0)
    try:
        document = json.loads(file.read())
    except (ValueError, RecursionError):
        return None
    return _in_json(document) or Finding(DATA, "JSON")


def _in_json(document: Any) -> Finding | None:
    pending = [document]
    skops = False
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if "auto_map" in value:
                return Finding(CODE, "a configuration that names code (auto_map)")
            if value.get("class_name") in ("Lambda", "__lambda__"):
                return Finding(CODE, "a Lambda layer")
            module = value.get("module")
            if "class_name" in value and isinstance(module, str) and module.partition(".")[0] not in _KERAS:
                return Finding(CODE, f"a configuration that names code ({module})")
            skops = skops or {"__class__", "__module__", "__loader__"} <= value.keys()
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return Finding(LIMITED, "skops") if skops else None


def look_at_data(file: BinaryIO, head: bytes, size: int) -> Finding | None:
    """Return the finding on formats that hold no code, by their first and last bytes."""
    for magic, end, what in _DATA:
        if head.startswith(magic):
            file.seek(max(0, size - len(end)))
            if file.read(len(end)) == end:
                return Finding(DATA, what)
    return None


def look_at_text(file: BinaryIO, size: int) -> Finding:
    """Return the finding on text, which may be Python source; what is no text is not recognised."""
    file.seek(0)
    head = file.read(_LOOKED_AT_FIRST)
    if _has_own_encoding(head):
        return Finding(CODE, "Python source in an encoding of its own")
    if not _is_text(head, cut=len(head) < size):
        return Finding(OPAQUE, "not recognised")
    data = head + file.read(TEXT_BYTES - len(head))
    if not _is_text(data, cut=len(data) < size):
        return Finding(OPAQUE, "not recognised")
    if _names_python_in_yaml(data):
        return Finding(CODE, "YAML that names Python")
    if any(word in data for word in _IN_SOURCE) and _is_python(data):
        return Finding(CODE, "Python source")
    return Finding(DATA, "text")


def _has_own_encoding(head: bytes) -> bool:
    """Return whether a text says that it is to be read as Python in an encoding that can hide what it does."""
    match = _COOKIE.match(head)
    if match is None:
        return False
    try:
        return codecs.lookup(match[1].decode("ascii")).name not in _PLAIN_ENCODINGS
    except (LookupError, ValueError):
        return False  # Python refuses it


def _names_python_in_yaml(data: bytes) -> bool:
    if any(tag in data for tag in _PYTHON_IN_YAML):
        return True
    if b"%" not in data:
        return False
    if b"!" in data and any(tag in unquote_to_bytes(data) for tag in _PYTHON_IN_YAML):
        return True
    prefixes = (unquote_to_bytes(match[1]) for match in _YAML_PREFIX.finditer(data))
    return any(_TAG.startswith(prefix) or prefix.startswith(_TAG) for prefix in prefixes)


def _is_text(data: bytes, *, cut: bool = True) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if not (cut and error.start >= len(data) - 3):
            return False
    return b"\0" not in data


def _is_python(data: bytes) -> bool:
    """Return whether a text is a program in Python: one that does something, and not only a value that is one too."""
    text = data[:_PARSED].decode("utf-8", "replace").removeprefix("\ufeff")
    if len(data) <= _PARSED:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass  # of another version, or none
        else:
            return any(isinstance(node, _DOES) for node in ast.walk(tree))
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return _BEGINS_AS_SOURCE.fullmatch(line.rstrip()) is not None
    return False


_DOES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Call, ast.Lambda)

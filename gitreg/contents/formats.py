"""Scans of formats that are recognised by their first bytes, and of text."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import unquote

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
_KERAS = re.compile(
    r"(?:tf_keras|(?:tensorflow\.)?(?:python\.)?keras)(?:\.src)?"
    r"(?:\.(?:activations|constraints|dtype_policies|engine|initializers|layers|losses|metrics|models|optimizers"
    r"|quantizers|random|regularizers)(?:\.\w+)*)?"
)
"""The modules whose classes a Keras configuration may name; others, such as ``keras.utils``, have unsafe functions."""
_BEGINS_AS_SOURCE = re.compile(
    r"(?:import \w[\w., ]*|from \.*\w[\w.]* import\b.*|(?:async )?def \w+\(.*|class \w+[:(].*)"
)
_YAML_TAG = "tag:yaml.org,2002:"
_OWN_TAG = re.compile(r"^%TAG[ \t]+\S+[ \t]+(\S+)", re.MULTILINE)
_CODEC = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_IN_SOURCE = ("import", "(", "class")  # every Python program that does something contains one of these
_LOOKED_AT_FIRST = 1 << 16
_PARSED = 4 << 20  # characters: the longest text that is parsed as Python


def look_at_program(head: bytes) -> Finding | None:
    """Return the finding on a program for a machine, a shell or Python, or None."""
    for magic, kind in _PROGRAMS:
        if head.startswith(magic):
            return Finding(CODE, kind)
    if head[2:4] == b"\r\n" and len(head) > 16 and head[4] < 4 and head[5:8] == b"\0\0\0" and head[16] in (0x63, 0xE3):
        return Finding(CODE, "compiled Python")
    return None


def look_at_closed(head: bytes) -> Finding | None:
    """Return the finding on an archive of a format that is not read, or None."""
    if head.startswith(b"ZF") and _ZF_LENGTH.fullmatch(head[2:21]):
        return Finding(CODE, "a packed pickle of joblib before 0.10, which is not looked into")
    return Finding(OPAQUE, "an archive that is not looked into") if head.startswith(_CLOSED) else None


def look_at_npy(file: BinaryIO, head: bytes, budget: Budget) -> Finding | None:
    """Return the finding on an array file of numpy, or None; an array of objects contains a pickle."""
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
    """Yield the type codes in a header of npy."""
    if isinstance(descriptor, list):
        for field in descriptor:
            yield from _codes(field[1])
    elif isinstance(descriptor, tuple):
        yield from _codes(descriptor[0])
    else:
        yield descriptor


def look_at_safetensors(file: BinaryIO, head: bytes, size: int) -> Finding | None:
    """Return the finding on safetensors, or None; each byte after the header must belong to one tensor."""
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
    """Return the finding on HDF5, or None; a Keras model may have a layer that is Python byte code."""
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
    """Return whether the signature of HDF5 is at the start, or after other data of 512, 1024, 2048, ... bytes."""
    at = 0
    while at + len(_HDF5) <= size:
        file.seek(at)
        if file.read(len(_HDF5)) == _HDF5:
            return True
        at = 2 * at or 512
    return False


def look_at_json(file: BinaryIO, head: bytes, size: int) -> Finding | None:
    """Return the finding on JSON, or None; a configuration may name code."""
    if head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] not in (b"{", b"["):
        return None
    if size > TEXT_BYTES:
        file.seek(0)
        return Finding(CODE, f"JSON, {TOO_LONG}") if _text(file.read(_STEP)) is not None else None
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
            if "class_name" in value and not _is_keras(value.get("module"), value["class_name"]):
                return Finding(CODE, f"a configuration that names code ({value['module']}.{value['class_name']})")
            skops = skops or {"__class__", "__module__", "__loader__"} <= value.keys()
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return Finding(LIMITED, "skops") if skops else None


def _is_keras(module: Any, name: Any) -> bool:
    """Return whether a configuration names a class of a Keras module, or a marker of Keras (``__tensor__``)."""
    if module == "builtins":
        return isinstance(name, str) and name.startswith("__")
    return not isinstance(module, str) or _KERAS.fullmatch(module) is not None


def look_at_data(file: BinaryIO, head: bytes, size: int) -> Finding | None:
    """Return the finding on a format without code, by its first and last bytes, or None."""
    for magic, end, kind in _DATA:
        if head.startswith(magic):
            file.seek(max(0, size - len(end)))
            if file.read(len(end)) == end:
                return Finding(DATA, kind)
    return None


def look_at_text(file: BinaryIO, size: int) -> Finding:
    """Return the finding on text, which may be Python source; other bytes are not recognised."""
    file.seek(0)
    head = file.read(_LOOKED_AT_FIRST)
    source = _codec_of_source(head)
    if source not in (None, "utf-8"):
        return Finding(CODE, f"Python source, as it says ({source})")
    if _text(head, cut=len(head) < size) is None:
        return Finding(OPAQUE, "not recognised")
    data = head + file.read(TEXT_BYTES - len(head))
    text = _text(data, cut=len(data) < size)
    if text is None:
        return Finding(OPAQUE, "not recognised")
    if _names_python_in_yaml(text):
        return Finding(CODE, "YAML that names Python")
    if any(word in text for word in _IN_SOURCE) and _is_python(text):
        return Finding(CODE, "Python source")
    return Finding(DATA, "text")


def _codec_of_source(head: bytes) -> str | None:
    """Return the codec that a comment in the first two lines names, as Python finds it (PEP 263), or None."""
    for line in head.split(b"\n", 2)[:2]:
        if named := _CODEC.match(line):
            codec = named[1].decode("ascii").lower().replace("_", "-")
            return "utf-8" if codec in ("utf-8", "utf8", "ascii", "us-ascii") or codec.startswith("utf-8-") else codec
    return None


def _text(data: bytes, *, cut: bool = True) -> str | None:
    """Return bytes as text, without an incomplete last character; None where they are not text.

    Parameters
    ----------
    cut:
        True if the bytes may end within a character.
    """
    codec = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        if not (cut and error.start >= len(data) - 3):
            return None
        text = data[: error.start].decode(codec)
    return None if "\0" in text else text


def _names_python_in_yaml(text: str) -> bool:
    """Return whether YAML may have a Python tag: in full, by a prefix of its own, or with escapes (``%70``)."""
    plain = unquote(text) if "%" in text else text
    if "!!python/" in plain or f"{_YAML_TAG}python/" in plain:
        return True
    own = [found[1] for found in _OWN_TAG.finditer(plain)]
    return any(f"{_YAML_TAG}python/".startswith(prefix) or prefix.startswith(f"{_YAML_TAG}python/") for prefix in own)


def _is_python(text: str) -> bool:
    """Return whether a text is a Python program that does something, not only a value in Python syntax."""
    text = text.removeprefix("\ufeff")
    if len(text) <= _PARSED:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass  # of another Python version, or not Python
        else:
            return any(isinstance(node, _DOES) for node in ast.walk(tree))
    for line in text[:_PARSED].splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return _BEGINS_AS_SOURCE.fullmatch(line.rstrip()) is not None
    return False


_DOES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Call, ast.Lambda)

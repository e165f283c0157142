"""Files of both kinds: harmless ones with the verdict that they get, and hostile ones, which would touch a canary.

Nothing of the hostile kind is ever loaded here.
"""

from __future__ import annotations

import bz2
import collections
import datetime
import functools
import gzip
import io
import json
import lzma
import os
import pickle
import random
import struct
import tarfile
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from typing import Any


class Calls:
    """Pickled, it calls what it was told."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


COMMAND = "touch CANARY"
SYSTEM = pickle.dumps(Calls(os.system, COMMAND))


def text(value: str) -> bytes:
    """A short text as protocol 4 writes it."""
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data


def zipped(*members: tuple[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, packed)  # of no time of its own
    return out.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def safetensors(extra: bytes = b"") -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    return struct.pack("<Q", len(header)) + header + b"\0" * 16 + extra


def state_dict(storage: bytes = b"FloatStorage") -> bytes:
    """What ``torch.save`` writes of a state dict, without torch."""
    return (
        b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"
        b"((X\x07\0\0\0storagectorch\n" + storage + b"\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQK\0K\x02K\x02\x86K\x02K\x01"
        b"\x86\x89ccollections\nOrderedDict\n)RtRu."
    )


def torch_zip(*more: tuple[str, bytes], pickled: bytes | None = None) -> bytes:
    noise = random.Random(2).randbytes(64)
    return zipped(
        ("archive/data.pkl", state_dict() if pickled is None else pickled),
        ("archive/byteorder", b"little"),
        ("archive/data/0", noise),
        ("archive/version", b"3\n"),
        *more,
    )


def old_torch(pickled: bytes | None = None) -> bytes:
    """What ``torch.save`` wrote before version 1.6: five pickles, then the storages' bytes."""
    return (
        pickle.dumps(0x1950A86A20F9469CFC6C, 2)
        + pickle.dumps(1001, 2)
        + pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2}}, 2)
        + (state_dict() if pickled is None else pickled)
        + pickle.dumps(["0"], 2)
        + struct.pack("<q", 4)
        + random.Random(3).randbytes(16)
    )


def in_lz4(data: bytes) -> bytes:
    """A frame of LZ4 whose only block is not packed."""
    return b"\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", len(data) | 1 << 31) + data + b"\0" * 4


def estimators() -> dict[str, Any]:
    import numpy as np
    from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    x = np.random.RandomState(0).rand(60, 4)
    y = (x[:, 0] > 0.5).astype(int)
    return {
        "logreg": LogisticRegression().fit(x, y),
        "forest": RandomForestClassifier(3).fit(x, y),
        "gbr": GradientBoostingRegressor(n_estimators=2).fit(x, y),
        "pipe": make_pipeline(StandardScaler(), SVC()).fit(x, y),
        "tfidf": TfidfVectorizer().fit(["a word", "two words"]),
        "knn": KNeighborsClassifier().fit(x, y),
        "hist": HistGradientBoostingClassifier(max_iter=2).fit(x, y),
        "labels": LogisticRegression().fit(x, np.array(["yes", "no"], dtype=object)[y]),  # an array of objects
    }


def boosters() -> dict[str, Any]:
    import lightgbm
    import numpy as np
    import xgboost

    x = np.random.RandomState(0).rand(60, 4)
    y = (x[:, 0] > 0.5).astype(int)
    return {
        "xgb": xgboost.XGBClassifier(n_estimators=2).fit(x, y),
        "booster": xgboost.train({}, xgboost.DMatrix(x, y), 2),
        "lgbm": lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(x, y),
    }


def by_libraries() -> dict[str, tuple[str, bytes]]:
    """Harmless files that libraries write, with their verdicts."""
    import joblib
    import numpy as np
    import skops.io

    files: dict[str, tuple[str, bytes]] = {}
    for name, model in {**estimators(), **boosters()}.items():
        for protocol in (0, 2, 4, 5):
            if protocol or name == "logreg":
                files[f"{name}_{protocol}.pkl"] = "limited", pickle.dumps(model, protocol)
        for packed in (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)):
            out = io.BytesIO()
            joblib.dump(model, out, compress=packed)
            files[f"{name}_{packed}.joblib"] = "limited", out.getvalue()
    files["logreg.skops"] = "limited", skops.io.dumps(estimators()["logreg"])
    array = np.random.RandomState(0).rand(200, 5)
    files["array.pkl"] = "limited", pickle.dumps(array)
    files["object.npy"] = "limited", _saved(np.array([{"a": 1}, None], dtype=object))
    files["a.npy"] = "data", _saved(array)
    files["fields.npy"] = "data", _saved(np.zeros(2, dtype=[("a", "f8"), ("b", "i4", (2,))]))
    out = io.BytesIO()
    joblib.dump({"a": np.zeros(2, dtype=[("a", "f8"), ("b", "i4", (2,))]), "b": array[::2]}, out)
    files["fields.joblib"] = "limited", out.getvalue()
    for name, save in (("a.npz", np.savez), ("b.npz", np.savez_compressed)):
        out = io.BytesIO()
        save(out, x=array, y=array > 0.5)
        files[name] = "data", out.getvalue()
    return files


def _saved(array: Any) -> bytes:
    import numpy as np

    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def harmless() -> dict[str, tuple[str, bytes]]:
    """Harmless files that need no library, with their verdicts."""
    plain = {"a": 1, "b": [1, 2.5, None, "x" * 5000, b"y" * 300, 2**100, {1}, (1, 2, 3, 4), -5, True]}
    types = [collections.OrderedDict(a=1), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), {1, 2}, 1j]
    readme = b"# Model\nimportant: from here on use it\n\n```python\nimport torch\nmodel = torch.load('x')\n```\n"
    return {
        **{f"plain_{protocol}.pkl": ("limited", pickle.dumps(plain, protocol)) for protocol in range(6)},
        **{f"types_{protocol}.pkl": ("limited", pickle.dumps(types, protocol)) for protocol in range(6)},
        "two.pkl": ("limited", pickle.dumps(plain) + pickle.dumps(types)),
        "tail.pkl": ("opaque", pickle.dumps(plain) + b"\xff\xff"),
        "pickle.tar": ("limited", tarred(("a.pkl", pickle.dumps(types)), ("b.txt", b"text"))),
        "state.pt": ("limited", torch_zip()),
        "old.pt": ("limited", old_torch()),
        "m.safetensors": ("data", safetensors()),
        "covered.safetensors": ("opaque", safetensors(b"more")),
        "config.json": ("data", b'{"hidden": 3, "layers": [{"class_name": "Dense", "module": "keras.layers"}]}'),
        "tensors.json": ("data", b'{"class_name": "__keras_tensor__", "module": "builtins"}'),
        "functional.json": ("data", b'{"class_name": "Functional", "module": "keras.src.models.functional"}'),
        "m.keras": ("data", zipped(("config.json", b'{"class_name": "Dense"}'), ("metadata.json", b"{}"))),
        "readme.md": ("data", readme),
        "vocab.txt": ("data", b"\n".join(b"c%d" % i for i in range(100))),
        "labels.txt": ("data", b"cat\ndog\nbird\nimpala\n"),
        "lgbm.txt": ("data", b"tree\nversion=v4\nnum_class=1\n"),
        "raw.bin": ("opaque", random.Random(1).randbytes(4096)),
        "raw_headed.bin": ("opaque", b"\x80\x02" + random.Random(4).randbytes(64)),
        "data.csv": ("data", b"a,b\n1,2\n"),
        "x.parquet": ("data", b"PAR1" + b"\0" * 64 + b"PAR1"),
        "m.gguf": ("data", b"GGUF\3\0\0\0" + b"\0" * 64),
        "x.png": ("data", b"\x89PNG\r\n\x1a\n" + b"\0" * 32),
        "text.gz": ("data", gzip.compress(b"some text")),
        "text.xz": ("data", lzma.compress(b"some text")),
        "text.bz2": ("data", bz2.compress(b"some text")),
        "text.lz4": ("data", in_lz4(b"some text")),
        "cut.gz": ("opaque", gzip.compress(random.Random(5).randbytes(9999))[:-4000]),
        "x.7z": ("opaque", b"7z\xbc\xaf\x27\x1c" + b"\0" * 32),
        "m.h5": ("opaque", b"\x89HDF\r\n\x1a\n" + b"\0" * 64 + b'{"class_name": "Dense"}'),
        "empty": ("data", b""),
    }


CALL = b"0cos\nsystem\n" + text(COMMAND) + b"\x85R."
"""Opcodes that call, in the middle of a pickle."""
_STOPS = b".\xff"  # where a reader that comes here takes the pickle to end, and finds nothing behind it


def _numpy_type(code: str, *, state: bytes = b"") -> bytes:
    return text("numpy") + text("dtype") + b"\x93" + text(code) + b"\x89\x88\x87R" + (state + b"b" if state else b"")


def _type_state(*, fields: bytes = b"NN", length: int, flags: int = 0) -> bytes:
    """The state of a type of numpy: version, order, subarray, names and fields, length, alignment, flags."""
    return b"(K\x03" + text("|") + b"N" + fields + b"K" + bytes([length]) + b"K\x01K" + bytes([flags]) + b"t"


def _in_joblib(
    behind: bytes, *, shape: int, of: bytes | None = None, more: bytes = b"", made: bytes = b")\x81"
) -> bytes:
    """A file of joblib with an array, and what stands behind the array's description."""
    return (
        b"\x80\x04" + text("joblib.numpy_pickle") + b"\x94" + text("NumpyArrayWrapper") + b"\x93" + made + b"\x94}("
        + text("order") + text("C") + text("subclass") + text("numpy") + text("ndarray") + b"\x93"
        + text("allow_mmap") + b"\x89"
        + text("shape") + b"K" + bytes([shape]) + b"\x85" + text("dtype") + (of or _numpy_type("u1")) + more
        + b"ub" + behind
    )  # fmt: skip


def hostile_to_joblib() -> dict[str, bytes]:
    """Files in which readers disagree about where an array ends, and one of them calls something."""
    aligned = text("numpy_array_alignment_bytes") + b"K\x10"
    evil = CALL[1:]
    fields = text("a") + b"\x85}" + text("a") + _numpy_type("u1") + b"K\0\x86s"
    memo = b"(" + text("os") + b"\x94" + text("system") + b"\x94t0"
    escaped = b"S'o\\x73'\n" + text("system") + b"\x93" + text(COMMAND) + b"\x85R."
    by_memo = b"0h\x01h\x02\x93" + text(COMMAND) + b"\x85R."
    nested = text("collections") + text("OrderedDict") + b"\x93\x94h\0)R0" + evil
    rebuilt = text("copyreg") + text("_reconstructor") + b"\x93(" + text("joblib.numpy_pickle")
    rebuilt += text("NumpyArrayWrapper") + b"\x93" + text("builtins") + text("object") + b"\x93NtR"
    constructed = b"NK\0\x85" + text("C") + b"NtR"
    other = (
        _numpy_type("V1") + b"\x94" + text("numpy") + text("dtype") + b"\x93h\x02\x85R" + _type_state(length=4) + b"b0"
    )
    inside = _in_joblib(b"0N0", shape=4)[2:]
    inner = text("numpy") + text("ndarray") + b"\x93K\0\x85\x85R." + _STOPS
    return {
        "object": _in_joblib(SYSTEM + b".", shape=1, of=_numpy_type("O8")),
        "array_that_is_opcodes": _in_joblib(CALL + b".", shape=len(CALL)),
        "array_that_is_opcodes_of_the_memo": _in_joblib(by_memo + b".", shape=len(by_memo), made=b")\x81" + memo),
        "array_that_is_opcodes_with_escapes": _in_joblib(escaped + b".", shape=len(escaped)),
        "inside_a_frame": b"\x80\x04\x95" + struct.pack("<Q", len(inside)) + inside + b"\xffN" + _STOPS + evil,
        "objects_inside_a_frame": _in_joblib(
            b"\x80\x04\x95" + struct.pack("<Q", len(inner)) + inner + evil, shape=1, of=_numpy_type("O8")
        ),
        "built_twice": _in_joblib(
            b"\0" + b"0h\x01}(" + text("shape") + b"K\2\x85" + text("dtype") + _numpy_type("u1") + b"ub"
            + b"\3\xff" + _STOPS + b"\xff\xff" + evil,
            shape=0, more=aligned,
        ),
        "by_its_constructor": _in_joblib(
            b"\3\xff" + _STOPS + b"\xff\xff" + evil, shape=2, made=b"(" + constructed
        ),
        "rebuilt": _in_joblib(b"N" + _STOPS + evil, shape=3, made=b"0" + rebuilt),
        "a_key_twice": _in_joblib(
            b"\0C\2" + _STOPS + evil, shape=2, more=b"S'sh\\x61pe'\nK\0\x85" + aligned
        ),
        "of_no_type": _in_joblib(b".", shape=1, of=text("numpy") + text("dtype") + b"\x93K\1\x81"),
        "in_one_another": _in_joblib(b"", shape=1, of=_numpy_type("O8")) * 2000,
        "objects_by_a_flag": _in_joblib(
            nested + b".", shape=len(nested), of=_numpy_type("u1", state=_type_state(length=1, flags=1))
        ),
        "a_length_that_does_not_count": _in_joblib(
            b"\xff" * 8 + b"C\x5b" + b"\xff" * 89 + _STOPS + evil,
            shape=1, of=_numpy_type("f8", state=_type_state(fields=fields, length=99)),
        ),
        "a_type_under_two_names": _in_joblib(b"\xff\xff" + _STOPS + b"\xff" * 4 + evil, shape=2, of=other),
    }  # fmt: skip


def _retyped(data: bytes, kind: bytes, *, name: bytes = b"x", signed: bool = False) -> bytes:
    """A tar whose first member has another type and name, with the sum of one of both kinds."""
    header = bytearray(data[:512])
    header[:1], header[156:157] = name, kind
    header[148:156] = b" " * 8
    total = sum(byte - 256 if signed and byte > 127 else byte for byte in header)
    header[148:156] = b"%06o\0 " % total
    return bytes(header) + data[512:]


def _of_two_directories() -> bytes:
    """A zip whose end says that its directory is elsewhere than before it, where Python looks for one."""
    hostile, harmless = zipped(("x", SYSTEM)), zipped(("x", b"1" * len(SYSTEM)))
    return hostile + harmless


def _of_two_ends() -> bytes:
    """A zip with an end for large ones that tells of other members than its end does."""
    hostile, harmless = zipped(("x", SYSTEM)), zipped(("x", b"1" * len(SYSTEM)))
    start = harmless.rindex(b"PK\1\2")
    directory = bytearray(harmless[start:-22])
    directory[42:46] = struct.pack("<I", len(hostile))
    out = hostile + harmless[:start] + directory
    large = (1, 1, len(directory), len(hostile) + start)
    return (
        out
        + struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, *large)
        + struct.pack("<4sIQI", b"PK\6\7", 0, len(out), 1)
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(directory), start, 0)
    )


def hostile() -> dict[str, bytes]:
    """Files that may run their maker's code, by loaders that people use."""
    allowed = b"\x80\x04" + text("collections") + text("OrderedDict") + b"\x93"
    memo = (
        b"\x80\x04" + text("posix") + b"\x94" + text("system") + b"\x94" + b"00h\0h\1\x93" + text(COMMAND) + b"\x85R."
    )
    lambda_layer = json.dumps({"layers": [{"class_name": "Lambda", "config": {"function": ["4wEAAA=="]}}]}).encode()
    encrypted = bytearray(zipped(("a.pkl", pickle.dumps(1))))
    encrypted[encrypted.rindex(b"PK\1\2") + 8] |= 1
    twice = zipped(("a.bin", SYSTEM), ("b.bin", pickle.dumps(1))).replace(b"b.bin", b"a.bin")
    header = b"{'descr': '\\x4f8', 'fortran_order': False, 'shape': (1,)}\n"
    npy = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header
    nested = SYSTEM
    for level in range(6):
        nested = zipped((f"{level}", nested))
    return {
        **{f"system_{protocol}.txt": pickle.dumps(Calls(os.system, COMMAND), protocol) for protocol in range(6)},
        "renamed.safetensors": SYSTEM,
        "without_header.pkl": SYSTEM[2:],
        "zero_byte_in_a_number.pkl": b"I1\0!\n" + CALL,
        "zero_byte_in_a_put.pkl": b"Np0\0!\n" + CALL,
        "zero_byte_in_a_float.pkl": b"F1.0\0!\n" + CALL,
        "zero_byte_alone_in_a_number.pkl": b"I\0\n" + CALL,
        "blanks_before_a_number.pkl": b"I" + b" " * (1 << 17) + b"1\n" + CALL,
        "blanks_before_a_put.pkl": b"Np" + b" " * (1 << 17) + b"1\n" + CALL,
        "line_across_a_frame.pkl": b"\x80\x04\x95" + struct.pack("<Q", 5) + b"Np'ab1\n" + CALL,
        "long_line_across_a_frame.pkl": b"\x95"
        + struct.pack("<Q", 1 << 17)
        + b"Np"
        + b"x" * ((1 << 17) - 2)
        + b"1\n"
        + CALL,
        "long_line_behind_a_float.pkl": b"F1\0" + b"x" * (1 << 17) + b"\n" + CALL,
        "long_line.pkl": b"V" + b"x" * (3 << 20) + b"\n" + CALL,
        "urlretrieve.pkl": pickle.dumps(Calls(urllib.request.urlretrieve, "http://127.0.0.1:1/x", "CANARY")),
        "builtins_of_numpy.pkl": b"\x80\x04"
        + text("numpy")
        + text("__builtins__")
        + b"\x93"
        + text("eval")
        + b"\x86R.",
        "dotted.pkl": b"\x80\x04" + text("collections") + text("OrderedDict.__init__.__globals__") + b"\x93.",
        "extension.pkl": b"\x80\x04\x82\x01)R.",
        "made_name.pkl": b"\x80\x04"
        + text("os")
        + text("builtins")
        + text("str")
        + b"\x93"
        + text("x")
        + b"\x85R\x93)R.",
        "calls_what_it_made.pkl": allowed + b")R)R.",
        "changes_a_class.pkl": allowed + b"N}" + text("get") + allowed[2:] + b"s\x86b.",
        "codec.pkl": b"\x80\x04" + text("_codecs") + text("encode") + b"\x93" + text("x") + text("evil") + b"\x86R.",
        "codec_handed_on.pkl": b"\x80\x04"
        + text("collections")
        + text("defaultdict")
        + b"\x93"
        + text("_codecs")
        + text("encode")
        + b"\x93\x85R.",
        "booster_of_a_file.pkl": b"\x80\x04"
        + text("xgboost.core")
        + text("Booster")
        + b"\x93NN"
        + text("/x")
        + b"\x87R.",
        "method.pkl": allowed + b")R}" + text("__setstate__") + allowed[2:] + b"sb.",
        "cut.pkl": pickle.dumps(collections.OrderedDict(a=1))[:-1],
        "cut_after_the_call.pkl": SYSTEM[:-1],
        "cut_without_header.pkl": pickle.dumps(Calls(os.system, COMMAND), 0)[:-1] + b"\xff",
        "memo.pkl": memo,
        "second.pkl": pickle.dumps({"a": 1}) + SYSTEM,
        "partial.pkl": pickle.dumps(Calls(functools.partial, os.system, COMMAND)),
        "torch.pt": torch_zip(pickled=SYSTEM),
        "member_of_a_tensor.pt": torch_zip(("archive/data/1", SYSTEM)),
        "old.pt": old_torch(SYSTEM),
        "torchscript.pt": torch_zip(("archive/code/__torch__.py", b"def forward(self):\n  pass\n")),
        "deflated.zip": zipped(("x", SYSTEM), packed=zipfile.ZIP_DEFLATED),
        "bzipped.zip": zipped(("x", SYSTEM), packed=zipfile.ZIP_BZIP2),
        "polyglot.pt": pickle.dumps({"a": 1}) + zipped(("archive/data.pkl", SYSTEM)),
        "behind_text.zip": b"some text\n" + zipped(("x", SYSTEM)),
        "encrypted.zip": bytes(encrypted),
        "twice.zip": twice,
        "broken.zip": zipped(("x", b"data")).replace(b"PK\3\4", b"PK\3\5"),
        "nested.zip": nested,
        "x.tar": tarred(("x", SYSTEM)),
        "of_another_type.tar": _retyped(tarred(("x", SYSTEM)), b"Z"),
        "of_a_signed_sum.tar": _retyped(tarred(("x", SYSTEM)), tarfile.REGTYPE, name=b"\xe9", signed=True),
        "without_a_name.tar": _retyped(tarred(("x", SYSTEM)), tarfile.REGTYPE, name=b"\0"),
        "of_two_directories.zip": _of_two_directories(),
        "of_two_ends.zip": _of_two_ends(),
        "ustar.tar": tarred(("x", SYSTEM), form=tarfile.USTAR_FORMAT),
        "twice.tar": tarred(("x", b"1"), ("x", b"2")),
        "zlib.joblib": zlib.compress(SYSTEM),
        "gzip.joblib": gzip.compress(SYSTEM),
        "gzip_cut.joblib": gzip.compress(SYSTEM)[:-8],
        "gzip_second.joblib": gzip.compress(pickle.dumps(1)) + gzip.compress(SYSTEM),
        "gzip_of_a_wrong_sum.joblib": gzip.compress(SYSTEM)[:-8] + b"\0" * 8,
        "bz2_of_a_wrong_sum.joblib": bz2.compress(SYSTEM)[:-4] + b"\0" * 4,
        "zlib_of_a_wrong_sum.joblib": zlib.compress(SYSTEM)[:-4] + b"\0" * 4,
        "gzip_with_padding.joblib": gzip.compress(CALL[1:3]) + b"\0" * (3 << 20) + gzip.compress(CALL[3:]),
        "lzma_of_a_small_dictionary.joblib": lzma.compress(
            SYSTEM, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 4096}]
        ),
        "skipped_frame.lz4": in_lz4(CALL[1:3]) + b"\x5a\x2a\x4d\x18\2\0\0\0xx" + in_lz4(CALL[3:]),
        "before_0.10.joblib": b"ZF" + hex(len(SYSTEM)).encode().ljust(19) + zlib.compress(SYSTEM),
        "bz2.joblib": bz2.compress(SYSTEM),
        "xz.joblib": lzma.compress(SYSTEM),
        "lzma.joblib": lzma.compress(SYSTEM, lzma.FORMAT_ALONE),
        "lz4.joblib": in_lz4(SYSTEM),
        **{f"{name}.joblib": data for name, data in hostile_to_joblib().items()},
        "escaped.npy": npy + SYSTEM,
        "object.npy": npy.replace(b"'\\x4f8'", b"'|O'   ") + SYSTEM,
        "lambda.keras": zipped(("config.json", lambda_layer)),
        "lambda_escaped.json": lambda_layer.replace(b"Lambda", b"\\u004cambda"),
        "named.keras": zipped(("config.json", b'{"module": "os", "class_name": "function", "config": "system"}')),
        "behind_a_block.h5": b"\0" * 1024 + b"\x89HDF\r\n\x1a\n" + b"\0" * 64 + lambda_layer,
        "lambda.h5": b"\x89HDF\r\n\x1a\n" + b"\0" * 64 + lambda_layer,
        "auto_map.json": b'{"auto_map": {"AutoModel": "modeling_x.X"}}',
        "yaml.txt": b"a: !!python/object/apply:os.system [touch CANARY]\n",
        "yaml_tag.txt": b"%TAG !e! tag:yaml.org,2002:pyth\n---\na: !e!on/object/apply:os.system [touch CANARY]\n",
        "yaml_escaped.txt": b"a: !!pyth%6Fn/object/apply:os.system [touch CANARY]\n",
        "yaml_16.txt": "a: !!python/object/apply:os.system [touch CANARY]\n".encode("utf-16"),
        "yaml_verbatim.txt": b"a: !<tag:yaml.org,2002:pytho%6e/object/apply:os.system> [touch CANARY]\n",
        "behind_nothing.xz": lzma.compress(b"") + lzma.compress(SYSTEM, lzma.FORMAT_ALONE),
        "of_other_properties.lzma": lzma.compress(
            SYSTEM, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "lc": 0, "lp": 0, "pb": 0}]
        ),
        "utility.keras": zipped(("config.json", b'{"module": "keras.utils", "class_name": "function", "config": "x"}')),
        "builtin.json": b'{"module": "builtins", "class_name": "function", "config": "exec"}',
        "second_line.py": b"\n# vim: set fileencoding=latin-1 :\nimport os;os.system('touch CANARY') # \xe9\n",
        "encoded.py": b"# coding: utf-7\n# +AAo-import os+AAo-os.system('touch CANARY')\n",
        "latin.py": b"# coding: cp1252\nimport os\nos.system('touch CANARY')  # \xe9\n",
        "star.py": b"from evil import*\n",
        "model.bin": b"import os\nos.system('touch CANARY')\n",
        "call.txt": b"__import__('os').system('touch CANARY')\n",
        "script": b"#!/bin/sh\ntouch CANARY\n",
        "program": b"\x7fELF" + b"\0" * 64,
        "library.dll": b"MZ" + b"\0" * 64,
        "compiled": b"\xa7\x0d\r\n" + b"\0" * 12 + b"\xe3" + b"\0" * 32,
    }

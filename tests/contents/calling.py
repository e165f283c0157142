"""Unpickles what calls each listed name with hostile arguments, states and items, under a hook that sees what happens.

Called by a test, in a process of its own, with the number of the first pair. Only what the scan lets through is
unpickled. Prints the number of each pair before it is tried, and HARM with the event.
"""

import contextlib
import importlib
import io
import pickle
import sys
import warnings
from collections.abc import Iterator

from gitreg.contents import scanner as contents
from gitreg.contents.allowlist import allowed_pairs

CANARY = "/nowhere/CANARY"
TOLD = ("CANARY", "encodings.", "evil", "__import__")
EVENTS = ("open", "import", "exec", "compile", "os.", "subprocess.", "socket.", "shutil.", "ctypes.dlopen", "marshal.")


def text(value: str) -> bytes:
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data


ARGUMENTS = (
    b")",
    text(CANARY) + b"\x85",
    b"N" + text(CANARY) + b"\x86",
    b"NN" + text(CANARY) + b"\x87",
    text(CANARY) + text("w") + b"\x86",
    text("__import__('os')") + text("exec") + b"\x86",
    b"K\x07\x85",
    b"J\xff\xff\xff\xff\x85",
    b"](" + text(CANARY) + b"e\x85",
    b"}" + text("a") + text(CANARY) + b"s\x85",
    text("builtins")[:0] + text("builtins") + text("object") + b"\x93\x85",
    b"C\x04evil\x85",
)
STATES = (
    text(CANARY),
    b"}" + text("_sklearn_version") + text(CANARY) + b"s",
    b"}(" + text("handle") + text(CANARY) + text("_handle") + text(CANARY) + text("filename") + text(CANARY) + b"u",
    b"N}" + text("__class__") + text("collections") + text("OrderedDict") + b"\x93s\x86",
    b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t",
    b")",
)
ITEMS = (b"(" + text(CANARY) + text(CANARY) + b"u", b"(" + text(CANARY) + b"e", text(CANARY) + b"a")


def streams(name: bytes) -> Iterator[bytes]:
    for arguments in ARGUMENTS:
        for call in (b"R", b"\x81"):
            yield name + arguments + call
    empty = (name + b")\x81", name + b")R")
    for made in empty:
        for more in STATES:
            yield made + more + b"b"
        for more in ITEMS:
            yield made + more


def main() -> None:
    sys.path.insert(0, "")
    warnings.simplefilter("ignore")
    pairs = sorted(allowed_pairs())
    there = []
    for number, (module, name) in enumerate(pairs):
        with contextlib.suppress(ImportError, AttributeError):
            getattr(importlib.import_module(module), name)
            there.append((number, module, name))
    watching = False
    harm = []

    def hook(event: str, arguments: object) -> None:
        if watching and event.startswith(EVENTS):
            harm.append(f"{event} {arguments!r}"[:300])

    sys.addaudithook(hook)
    for number, module, name in there:
        if number < int(sys.argv[1]):
            continue
        print(number, module, name, flush=True)
        for body in streams(text(module) + text(name) + b"\x93"):
            data = b"\x80\x04" + body + b"."
            if contents.scan(io.BytesIO(data)).verdict == "code":
                continue
            # What a library itself imports late, it imports once; what the arguments name, in the first call too.
            for first in (True, False):
                harm.clear()
                watching = True
                try:
                    pickle.loads(data)
                except BaseException:  # what it raises is not asked here
                    pass
                finally:
                    watching = False
                harm[:] = [event for event in harm if not first or any(word in event for word in TOLD)]
                if harm:
                    break
            if harm:
                print("HARM", module, name, body, harm, flush=True)


if __name__ == "__main__":
    main()

"""Storage of a pack that another repository sent, without the git program."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore

_FEW = 100  # objects, as git's fetch.unpackLimit
_HEADER = 12  # bytes; the last four are the number of objects


def store_pack(store: DiskObjectStore, file: IO[bytes], write: Callable[[str, bytes], str]) -> None:
    """Store the objects of a pack, which may be deltas of local objects; small packs become loose objects, as in git.

    Otherwise every fetch would leave a pack, and without git nothing ever combines packs.

    Parameters
    ----------
    file:
        The pack.
    write:
        Writes an object of a type and content, and returns its id.
    """
    file.seek(0)
    count = int.from_bytes(file.read(_HEADER)[-4:])
    file.seek(0)
    if count >= _FEW:
        store.add_thin_pack(file.read, None)
    elif count:
        from dulwich.pack import PackData, PackInflater  # heavy, and loaded by now

        with PackData("incoming", file=file, object_format=store.object_format) as pack:
            pack.check()
            for each in PackInflater.for_pack_data(pack, resolve_ext_ref=store.get_raw):
                write(each.type_name.decode(), each.as_raw_string())

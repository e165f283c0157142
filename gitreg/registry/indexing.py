"""Reading the commits that the index does not know yet."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from gitreg.documents.canonical import recognise
from gitreg.documents.layout import MAX_BYTES, Key, parse_path
from gitreg.errors import InvalidDocument
from gitreg.registry.batch import HIDDEN_DELETED, HIDDEN_YANKED, Derived

if TYPE_CHECKING:
    from gitreg.git import Oversized, Repository
    from gitreg.git.replay import Content
    from gitreg.registry.index import Index

_FEW = 10
"""Commits that who writes, and so has the YAML parser at hand, reads sooner than the others' expressions compile."""


class RewrittenError(Exception):
    """A commit does not follow from what is indexed: some of that has to be taken back."""


def catch_up(index: Index, repository: Repository, commit: str, root: str, *, rewind: bool = False) -> int:
    """Bring the index to a commit and return the commit's place.

    Parameters
    ----------
    commit:
        The commit to reach; what is on its first-parent line and not indexed is read.
    root:
        The registry's folder inside the repository, "" for the top.
    rewind:
        Take back what does not lead to the commit: nobody reads it any more.

    Raises
    ------
    RewrittenError
        Something would have to be taken back, and may not.
    """
    place = index.position(commit)
    if place is not None:
        return place
    with index.writing():
        place = index.position(commit)
        if place is not None:  # another process brought it there, and further, while this one waited its turn
            return place
        head = index.head()
        known = head[1] if head else None
        missing = repository.line(commit, until=known)[::-1]
        if known is not None and (not missing or not repository.follows(missing[0], known)):
            # The branch was rewritten: what it shares with the line that was indexed stays.
            if not rewind:
                raise RewrittenError
            shared = next((seq for oid in reversed(missing) if (seq := index.position(oid)) is not None), 0)
            index.rewind(shared)
            known = index.moment(shared).oid if shared else None
            missing = repository.line(commit, until=known)[::-1]
        cut = bool(missing) and repository.is_boundary(missing[0])  # a line ends where a shallow clone was cut off
        replayed = repository.replay(known, missing, root, limit=MAX_BYTES)
        few = len(missing) < _FEW and not cut  # the first commit of a shallow clone brings every file
        derived = derive_as_parsed if few and "yaml" in sys.modules else derive
        index.extend((each, _read(files, root, derived), cut and each.oid == missing[0]) for each, files in replayed)
    place = index.position(commit)
    assert place is not None
    return place


def _read(
    files: Iterable[tuple[str, Content]], root: str, derived: Callable[[Key, bytes | Oversized], Derived]
) -> Iterator[tuple[Key, Derived | None]]:
    for path, content in files:
        key = parse_path(path[len(root) + 1 :] if root else path)
        if key:
            yield key, None if content is None else derived(key, content)


def derive(key: Key, content: bytes | Oversized) -> Derived:
    """Read a file, or say why it cannot be read; most are known at sight, and kept as they are."""
    if not isinstance(content, bytes) or (known := recognise(key, content)) is None:
        return derive_as_parsed(key, content)
    said = known.groupdict()
    number = int(said["number"]) if key.kind == "model_version" else None
    hidden = HIDDEN_DELETED * (said.get("deleted") == "true") + HIDDEN_YANKED * (said.get("yanked") == "true")
    return Derived(sha256(content).hexdigest(), number, hidden, known.string, None)


def derive_as_parsed(key: Key, content: bytes | Oversized) -> Derived:
    """Do the same by the YAML parser, for any file; what it says becomes JSON.

    Whatever the parser, a schema or a document's class raises over a file is that file's problem, and nobody else's.
    """
    from gitreg.documents.files import read_data  # imports as much as all else that readers need
    from gitreg.documents.schemas import compiled
    from gitreg.documents.types import DOCUMENTS
    from gitreg.documents.yaml import too_long

    # An annotation that cannot be read may say that its version is withdrawn.
    unread = HIDDEN_YANKED if key.kind == "annotation" else 0
    if not isinstance(content, bytes):  # in the digest's place is Git's name for it
        return Derived(f"git:{content.oid}", None, unread, None, str(too_long(key.path, content.size)))
    digest = sha256(content).hexdigest()
    if key.kind == "card":
        return Derived(digest, None, 0, json.dumps({"text": content.decode(errors="replace")}), None)
    compiled(key.kind)  # where the schema cannot be had, that is no fault of the file
    try:
        data = read_data(key, content)
        DOCUMENTS[key.kind].from_data(data).to_data()  # as readers will
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except InvalidDocument as error:
        return Derived(digest, None, unread, None, _one_line(str(error)))
    except MemoryError:  # of this process, at this moment
        raise
    except Exception as error:
        import logging  # for what nobody foresaw; --debug shows it

        logging.getLogger("gitreg").debug("%s cannot be read", key.path, exc_info=True)
        why = f"{type(error).__name__}: {error}"
        return Derived(digest, None, unread, None, _one_line(f"{key.path} cannot be read: {why}"))
    number = data["number"] if key.kind == "model_version" else None
    hidden = 0
    if key.kind == "annotation":
        hidden = HIDDEN_DELETED * bool(data.get("deleted")) + HIDDEN_YANKED * bool(data.get("yanked"))
    return Derived(digest, number, hidden, text, None)


def _one_line(text: str) -> str:
    """Return a text as the index can keep it and an error show it."""
    return " ".join(text.encode(errors="replace").decode().split())

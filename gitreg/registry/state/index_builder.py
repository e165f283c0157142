"""The builder of the index: parses the commits that the index lacks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from gitreg import documents
from gitreg.documents.fast_yaml import recognise
from gitreg.documents.layout import MAX_BYTES, Key, parse_path
from gitreg.errors import InvalidDocument
from gitreg.progress import counting
from gitreg.registry.state.index import RewrittenError
from gitreg.registry.state.index_rows import HIDDEN_DELETED, HIDDEN_YANKED, FileColumns

if TYPE_CHECKING:
    from gitreg.git import Oversized, Repository
    from gitreg.git.history.replay import Content
    from gitreg.registry.state.index import Index

_FEW = 10
"""With fewer new commits, a process that has imported the YAML parser parses faster than it compiles expressions."""


def catch_up(index: Index, repository: Repository, commit: str, root: str, *, rewind: bool = False) -> int:
    """Extend the index to a commit and return the commit's position.

    Parameters
    ----------
    commit:
        The commit to reach; the commits of its first-parent line that are not indexed are read.
    root:
        The registry's folder inside the repository, "" for the top.
    rewind:
        Remove indexed commits that do not lead to the commit; only where no snapshot uses them any more.

    Raises
    ------
    RewrittenError
        Indexed commits would have to be removed, and ``rewind`` is False.
    """
    place = index.position(commit)
    if place is not None:
        return place
    with index.writing():
        place = index.position(commit)
        if place is not None:  # another process indexed it while this one waited for the lock
            return place
        head = index.head()
        known = head[1] if head else None
        missing = repository.line(commit, until=known)[::-1]
        if known is not None and (not missing or not repository.follows(missing[0], known)):
            # The branch was rewritten: the commits that it shares with the indexed line stay.
            if not rewind:
                raise RewrittenError
            shared = next((seq for oid in reversed(missing) if (seq := index.position(oid)) is not None), 0)
            index.rewind(shared)
            known = index.moment(shared).oid if shared else None
            missing = repository.line(commit, until=known)[::-1]
        cut = bool(missing) and repository.is_boundary(missing[0])  # the line may end where a shallow clone does
        replayed = repository.replay(known, missing, root, limit=MAX_BYTES)
        few = len(missing) < _FEW and not cut  # the first commit of a shallow clone brings every file
        derived = derive_as_parsed if few and "yaml" in sys.modules else derive
        new = ((each, _read(files, root, derived), cut and each.oid == missing[0]) for each, files in replayed)
        index.extend(counting(new, "Indexing", len(missing), "commits"))
    place = index.position(commit)
    assert place is not None
    return place


def _read(
    files: Iterable[tuple[str, Content]], root: str, derived: Callable[[Key, bytes | Oversized], FileColumns]
) -> Iterator[tuple[Key, FileColumns | None]]:
    for path, content in files:
        key = parse_path(path[len(root) + 1 :] if root else path)
        if key:
            yield key, None if content is None else derived(key, content)


def derive(key: Key, content: bytes | Oversized) -> FileColumns:
    """Return the index row of a file, or of its problem; most files match a regular expression: no YAML parser runs."""
    if not isinstance(content, bytes) or (known := recognise(key, content)) is None:
        return derive_as_parsed(key, content)
    fields = known.groupdict()
    number = int(fields["number"]) if key.kind == "model_version" else None
    hidden = HIDDEN_DELETED * (fields.get("deleted") == "true") + HIDDEN_YANKED * (fields.get("yanked") == "true")
    return FileColumns(sha256(content).hexdigest(), number, hidden, known.string, None)


def derive_as_parsed(key: Key, content: bytes | Oversized) -> FileColumns:
    """Return the index row of any file with the YAML parser; the text of the row is JSON.

    Any exception of the parser, a schema or a document's class becomes the problem of this file alone.
    """
    # An annotation that cannot be read may have yanked its version.
    unread = HIDDEN_YANKED if key.kind == "annotation" else 0
    if not isinstance(content, bytes):  # too large to read: the object id stands for the digest
        return FileColumns(
            f"git:{content.oid}", None, unread, None, str(documents.yaml.too_long(key.path, content.size))
        )
    digest = sha256(content).hexdigest()
    if key.kind == "card":
        return FileColumns(digest, None, 0, json.dumps({"text": content.decode(errors="replace")}), None)
    documents.schemas.compiled(key.kind)  # outside of "try": a missing schema is no problem of the file
    try:
        data = documents.files.read_data(key, content)
        documents.types.DOCUMENTS[key.kind].from_data(data).to_data()  # readers do the same with the row
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except InvalidDocument as error:
        return FileColumns(digest, None, unread, None, _one_line(str(error)))
    except MemoryError:  # a problem of this process, not of the file
        raise
    except Exception as error:
        import logging  # for unexpected errors; --debug shows it

        logging.getLogger("gitreg").debug("%s cannot be read", key.path, exc_info=True)
        why = f"{type(error).__name__}: {error}"
        return FileColumns(digest, None, unread, None, _one_line(f"{key.path} cannot be read: {why}"))
    number = data["number"] if key.kind == "model_version" else None
    hidden = 0
    if key.kind == "annotation":
        hidden = HIDDEN_DELETED * bool(data.get("deleted")) + HIDDEN_YANKED * bool(data.get("yanked"))
    return FileColumns(digest, number, hidden, text, None)


def _one_line(text: str) -> str:
    """Return a text on one line, as valid Unicode, for the index and for error messages."""
    return " ".join(text.encode(errors="replace").decode().split())

"""Conversion of trees, commits and tags from bytes to values and back, without I/O.

Old and malformed objects are read as far as possible: a commit with a malformed author or without a date does not stop
a reader. Formats: gitformat-signature(5), git's documentation of `git cat-file`, fsck.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from gitreg.errors import IntegrityError, InvalidInput
from gitreg.git.values import Commit, Identity, Tag, without_crud
from gitreg.names import check_utf8

# Compiled and cached by re at the first use.
_COMMIT_SIGNATURE = re.compile(rb"\ngpgsig(?:-sha256)? ((?:[^\n]|\n )*)")
_SIGNATURE_BLOCK = r"(?m)^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$"
_TIME = r"\s*(-?\d{1,15})(?:\s+([+-])(\d{2})(\d{2})(?!\d))?"
_PLAIN_COMMIT = rb"(?s)tree ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*+)author ([^\n]*)\ncommitter ([^\n]*)\n\n(.*)"
"""The form of nearly all commits: only these headers, in git's order, one of each but for the parents."""
_LATEST = 253402214400  # 9999-12-31: datetime has no later dates


class TreeEntry(NamedTuple):
    """One entry of a tree: file mode and object id."""

    mode: int
    oid: str

    @property
    def is_folder(self) -> bool:
        """Return whether the entry is another tree."""
        return self.mode == 0o040000

    @property
    def is_file(self) -> bool:
        """Return whether the entry is a plain or executable file; symbolic links and submodules are not files here."""
        return self.mode & 0o170000 == 0o100000


# -- trees -----------------------------------------------------------------------------------------------------------


def parse_tree(content: bytes, oid_length: int) -> dict[str, TreeEntry]:
    """Return the entries of a tree by name, in git's order; a name that is not UTF-8 keeps its bytes as surrogates.

    Raises
    ------
    IntegrityError
        The tree is damaged.
    """
    out: dict[str, TreeEntry] = {}
    start, width = 0, oid_length // 2
    try:
        while start < len(content):
            end = content.index(b"\0", start)
            mode, name = content[start:end].split(b" ", 1)
            start = end + 1 + width
            out[name.decode("utf-8", "surrogateescape")] = TreeEntry(int(mode, 8), content[end + 1 : start].hex())
    except ValueError as error:
        raise IntegrityError("a tree is damaged", hint="run `git fsck`") from error
    return out


def format_tree(entries: Iterable[tuple[str, TreeEntry]]) -> bytes:
    """Return the bytes of a tree, sorted as git demands: by name, folders as though their names ended in ``/``."""
    lines = [(encode_name(name), entry) for name, entry in entries]
    lines.sort(key=lambda line: line[0] + b"/" if line[1].is_folder else line[0])
    return b"".join(b"%o %s\0%s" % (entry.mode, name, bytes.fromhex(entry.oid)) for name, entry in lines)


def encode_name(name: str) -> bytes:
    """Return the bytes of a name in a tree."""
    return name.encode("utf-8", "surrogateescape")


# -- names with times ------------------------------------------------------------------------------------------------


@lru_cache(64)  # author and committer are mostly the same, at the same second
def parse_signature(raw: bytes) -> Identity:
    """Return the name and time in ``Name <email> seconds +hhmm``; missing or invalid parts become empty or zero."""
    text = raw.decode("utf-8", "replace")
    who, closing, when = text.rpartition(">")
    name, _, email = (who if closing else text).partition("<")
    match = re.match(_TIME, when) if closing else None
    time = int(match[1]) if match else 0
    offset = (int(match[3]) * 60 + int(match[4])) * (-1 if match[2] == "-" else 1) if match and match[2] else 0
    sensible = 0 <= time < _LATEST and abs(offset) < 24 * 60
    return Identity(name.strip(), email.strip(), time if sensible else 0, offset if sensible else 0)


def format_signature(who: Identity) -> bytes:
    """Return a name and a time as git writes them.

    Raises
    ------
    InvalidInput
        The name or the time cannot be written.
    """
    name, email = without_crud(who.name), without_crud(who.email)
    if not name or not 0 <= who.time < _LATEST or abs(who.offset) >= 24 * 60:
        raise InvalidInput(f"{who} at {who.time} cannot sign a commit", hint="give a name and a time after 1970")
    zone = f"{'-' if who.offset < 0 else '+'}{abs(who.offset) // 60:02d}{abs(who.offset) % 60:02d}"
    return f"{name} <{email}> {who.time} {zone}".encode("utf-8", "surrogateescape")  # as git does, whatever the bytes


# -- commits and tags ------------------------------------------------------------------------------------------------


def parse_commit(oid: str, content: bytes) -> Commit:
    """Return the commit in the content of an object.

    Raises
    ------
    IntegrityError
        The commit has no tree.
    """
    plain = re.fullmatch(_PLAIN_COMMIT, content)
    if plain:
        tree_, parents, author, committer, message = plain.groups()
        try:
            return Commit(
                oid,
                tree_.decode(),
                tuple(parents.decode().split()[1::2]),
                parse_signature(author),
                parse_signature(committer),
                message.decode(),
            )
        except UnicodeDecodeError:
            pass
    headers, body = _split(content)
    tree = headers.get(b"tree")
    if not tree:
        raise IntegrityError(f"commit {oid} has no tree", hint="run `git fsck`")
    return Commit(
        oid=oid,
        tree=tree[0].decode("ascii", "replace"),
        parents=tuple(parent.decode("ascii", "replace") for parent in headers.get(b"parent", [])),
        author=parse_signature(headers.get(b"author", [b""])[0]),
        committer=parse_signature(headers.get(b"committer", [b""])[0]),
        message=_text(body, headers),
    )


def parse_tag(oid: str, content: bytes) -> Tag:
    """Return the annotated tag in the content of an object.

    Raises
    ------
    IntegrityError
        The tag has no target.
    """
    headers, body = _split(content)
    if b"object" not in headers or b"type" not in headers:
        raise IntegrityError(f"tag {oid} has no target", hint="run `git fsck`")
    message = _text(body, headers)
    signature = next(reversed(list(re.finditer(_SIGNATURE_BLOCK, message))), None)  # the last one covers all before it
    return Tag(
        oid=oid,
        target=headers[b"object"][0].decode("ascii", "replace"),
        target_type=headers[b"type"][0].decode("ascii", "replace"),
        name=headers.get(b"tag", [b""])[0].decode("utf-8", "replace"),
        tagger=parse_signature(headers[b"tagger"][0]) if b"tagger" in headers else None,
        message=message[: signature.start()] if signature else message,
        signed=signature is not None,
    )


def split_tag(content: bytes) -> tuple[bytes, bytes]:
    """Return the signed part of an annotated tag and the signature, b"" where there is none."""
    starts = [found.start() for found in re.finditer(_SIGNATURE_BLOCK.encode(), content)]
    return (content[: starts[-1]], content[starts[-1] :]) if starts else (content, b"")


def split_commit(content: bytes) -> tuple[bytes, bytes]:
    """Return the signed part of a commit and the signature, b"" where there is none."""
    headers, blank, body = content.partition(b"\n\n")
    signatures = [bytes(found[1]) for found in _COMMIT_SIGNATURE.finditer(headers)]
    signature = signatures[0].replace(b"\n ", b"\n") + b"\n" if signatures else b""
    return _COMMIT_SIGNATURE.sub(b"", headers) + blank + body, signature


def signature_kind(signature: bytes) -> str | None:
    """Return the format of an armoured signature: ``ssh``, ``openpgp`` or ``x509``; None where there is none."""
    kinds = {b"-----BEGIN SSH ": "ssh", b"-----BEGIN PGP ": "openpgp", b"-----BEGIN SIGNED ": "x509"}
    return next((kind for start, kind in kinds.items() if signature.startswith(start)), None)


def format_commit(
    tree: str, parents: Iterable[str], author: Identity, committer: Identity, message: str
) -> tuple[bytes, bytes]:
    """Return the headers and the body of a commit; a signature is inserted between the two (`with_header`)."""
    lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
    lines += [b"author " + format_signature(author), b"committer " + format_signature(committer)]
    return b"\n".join(lines) + b"\n", b"\n" + encode_message(message)


def with_header(headers: bytes, name: str, value: bytes) -> bytes:
    """Return the headers with one more, whose value may have several lines: continuation lines start with a space."""
    return headers + name.encode() + b" " + value.rstrip(b"\n").replace(b"\n", b"\n ") + b"\n"


def format_tag(target: str, target_type: str, name: str, tagger: Identity, message: str) -> bytes:
    """Return the bytes of an annotated tag; a signature is appended to them."""
    headers = f"object {target}\ntype {target_type}\ntag {name}\ntagger ".encode() + format_signature(tagger)
    return headers + b"\n\n" + encode_message(message)


def encode_message(message: str) -> bytes:
    """Return the bytes of a message, with a line end at the end.

    Raises
    ------
    InvalidInput
        The message has bytes that are not UTF-8, or a NUL character.
    """
    encoded = check_utf8(message, "the message").encode()
    if b"\0" in encoded:
        raise InvalidInput("the message holds a NUL character", hint="leave it out")
    return encoded if encoded.endswith(b"\n") else encoded + b"\n"


def _split(content: bytes) -> tuple[dict[bytes, list[bytes]], bytes]:
    head, _, body = content.partition(b"\n\n")
    headers: dict[bytes, list[bytes]] = {}
    values: list[bytes] = []
    for line in head.split(b"\n"):
        if line.startswith(b" ") and values:
            values[-1] += b"\n" + line[1:]
            continue
        key, _, value = line.partition(b" ")
        values = headers.setdefault(key, [])
        values.append(value)
    return headers, body


def _text(body: bytes, headers: dict[bytes, list[bytes]]) -> str:
    encoding = headers.get(b"encoding", [b"utf-8"])[0].decode("ascii", "replace")
    try:
        return body.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return body.decode("utf-8", "replace")

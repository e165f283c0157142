"""The rules of names and references, and the spelling of a name in paths and refs.

People write a name (``team/Iris classifier``); paths and refs have its *slug* (``team/Iris%20classifier``). The two
convert without loss. A slug never contains ``@``, so that ``<model>@<version>`` is unambiguous and nested names never
collide with their parents.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from gitreg.errors import InvalidInput

LATEST = "latest"
ARCHIVED = "archived"

_LONGEST_NAME = 255  # characters, as in ZenML
_LONGEST_SLUG = 200  # bytes; leaves room in a 255-byte file name for "@<stage>" and ".lock"
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-")
_WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"] + [f"{p}{n}" for p in ("com", "lpt") for n in "0123456789¹²³"]
)
# Expressions are strings: re compiles and caches each at its first use, and a process uses few of them.
# Names that Git refuses as .git: in any case, with characters that HFS+ ignores, as NTFS shortens it, or with dots
# at the end.
_IGNORED_BY_HFS = "[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]"
_DOT_GIT = r"(?is)(?:\.git|git~1)[. ]*(?:[:\\].*)?"
_OUR_OWN = frozenset({"versions", "annotations", "stages", "aliases", "approvals", "model.yaml", "readme.md"})
_REF_PART = r"[A-Za-z0-9_+][A-Za-z0-9._+-]*"
_ALIAS = r"[A-Za-z0-9_-]+"
_STAGE = r"(?i)[a-z0-9][a-z0-9._-]*"
_ESCAPED = r"(?:%[0-9A-Fa-f]{2})+"
_NUMBER = r"[0-9]{1,15}"  # schemas/model_version.schema.json says the same
_ELSEWHERE = r"[A-Za-z][A-Za-z0-9+.-]+:/|[\w.+-]+(?::\S*)?@[\w.-]+:"  # a Path of s3://bucket has one slash left
_PLACEHOLDER = r"\{([^{}]*)\}"
_HEX = r"[0-9a-f]{6,64}"


def nfc(name: str) -> str:
    """Return a name in Unicode form NFC (composed), in which all names are stored and compared."""
    if not isinstance(name, str) or name.isascii():  # the check of the name refuses a value of another type
        return name
    return unicodedata.normalize("NFC", name)


def name_and_version(text: str) -> tuple[str, str | None]:
    """Return the name and the version of ``NAME[@VERSION]``; the version is None where the next number is meant.

    Raises
    ------
    InvalidInput
        There is nothing behind the @, as where a script's variable is empty.
    """
    name, at, version = text.rpartition("@")
    if at and not version:
        raise InvalidInput(
            f"{text!r} names no version", hint="write it behind the @; without the @ the version gets the next number"
        )
    return (name, version) if at else (text, None)


def named_path(path: str | os.PathLike[str]) -> Path:
    """Return the path that a text names.

    Raises
    ------
    InvalidInput
        The text is empty, as that of an unset variable, and would mean the current folder.
    """
    if path == "":
        raise InvalidInput("'' names no path", hint="write . for the current folder")
    return Path(path)


def check_local(path: str | os.PathLike[str], hint: str) -> None:
    """Raise an error for a URL or ``user@host:path`` where a path on this machine is meant.

    Raises
    ------
    InvalidInput
        It is one, and nothing of that name exists. The message does not repeat it: it may contain a password.
    """
    if re.match(_ELSEWHERE, os.fspath(path)) and not os.path.lexists(path):
        raise InvalidInput("a URL was given where a path on this machine is needed", hint=hint)


# -- slugs -----------------------------------------------------------------------------------------------------------


@lru_cache(4096)  # a branch has the same few names many times
def check_utf8(text: str, where: str) -> str:
    """Return a text unchanged if UTF-8 can express it.

    Parameters
    ----------
    where:
        The name of the field, for the error.

    Raises
    ------
    InvalidInput
        The text has bytes that are not UTF-8, which Python keeps as surrogates.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            f"{where} is {text!r}, which has bytes that are not UTF-8", hint="write it in UTF-8, whatever the locale"
        ) from None
    return text


def slug(name: str) -> str:
    """Return the spelling of a name in paths and refs.

    ASCII letters, digits and ``._+-`` stay, ``/`` separates parts, every other character becomes the ``%XX`` of its NFC
    UTF-8 bytes. One character is escaped as well where Git, Windows or gitreg's layout would misread the name: a
    leading ``.`` or ``-``, a trailing ``.`` or ``.lock``, ``..``, a device name, the name of a folder of the layout.

    Returns
    -------
    str
        ASCII text of parts between slashes.
    """
    return "/".join(_slug_part(part) for part in nfc(name).split("/"))


def unslug(text: str) -> str:
    """Return the name of a slug.

    Returns
    -------
    str
        The name; for a text that is no slug, whatever its escapes stand for.

    Raises
    ------
    UnicodeDecodeError
        The escaped bytes are not UTF-8.
    """
    if "%" not in text:
        return text
    return re.sub(_ESCAPED, lambda run: bytes.fromhex(run[0].replace("%", "")).decode(), text)


def _slug_part(part: str) -> str:
    out = "".join(c if c in _PLAIN else "".join(f"%{b:02X}" for b in c.encode()) for c in part)
    out = out.replace("..", ".%2E")
    if out[:1] in (".", "-"):
        out = _escape(out, 0)
    if out.endswith(".") and out != ".":
        out = _escape(out, len(out) - 1)
    if out.lower().endswith(".lock"):
        out = _escape(out, len(out) - len(".lock"))
    if is_windows_device(out) or out.lower() in _OUR_OWN:
        out = _escape(out, 0)
    return out


def _escape(text: str, index: int) -> str:
    return f"{text[:index]}%{ord(text[index]):02X}{text[index + 1 :]}"


# -- rules of names --------------------------------------------------------------------------------------------------


def check_model(name: str) -> str:
    """Return the model name in its NFC form.

    Returns
    -------
    str
        The name in NFC.

    Raises
    ------
    InvalidInput
        The name is blank or too long, has a control character, ``:``, ``@`` or a backslash, or a part of it is empty,
        ``.`` or ``..``.
    """
    name = _check_text("model", name)
    odd = next((character for character in ":@\\" if character in name), None)
    if odd is not None:
        joined = re.fullmatch(r"([^:@\\]+):v?([^:@\\/ ]+)", name)
        meant = "@".join(joined.groups()) if joined else name.strip("\\").replace("\\", "/") if odd == "\\" else None
        raise InvalidInput(
            f"the model name {name!r} has the character {odd!r}",
            hint=None if meant else "use letters, digits, spaces, '-', '_', '.', and '/' to nest names",
            correction=(name, meant) if meant else None,
        )
    for part in name.split("/"):
        if part.strip() in ("", ".", ".."):
            meant = re.sub(r"/{2,}", "/", name.removeprefix("./")).strip("/ ")
            meant = meant if re.match(r"[^.]", meant) else None
            raise InvalidInput(
                f"the model name {name!r} has an empty, '.' or '..' part between '/'",
                hint=None if meant else "give every part a name",
                correction=(name, meant) if meant else None,
            )
    return _check_slug("model", name)


def check_version(name: str, *, stages: tuple[str, ...] = (), aliases: tuple[str, ...] = ()) -> str:
    """Return the name for a new version in its NFC form.

    Parameters
    ----------
    stages, aliases:
        The stages of the registry and the aliases of the model; a version must not have the name of one.

    Returns
    -------
    str
        The name in NFC.

    Raises
    ------
    InvalidInput
        The name is not valid, or it is a number, a stage, an alias, ``latest``, ``archived`` or ``draft``, or begins
        with ``draft:`` or ``sha256:``.
    """
    name = check_written_version(name)
    if is_number(name):
        raise InvalidInput(
            f"a version cannot be named by a number, {name!r}", hint="leave the name out: gitreg counts by itself"
        )
    if name.lower() in (LATEST, ARCHIVED, "draft") or name.lower().startswith(("draft:", "sha256:")):
        raise InvalidInput(f"{name!r} is a word of gitreg's and cannot name a version", hint="choose another name")
    if fold(name) in map(fold, stages):
        raise InvalidInput(f"{name!r} is a stage and cannot name a version", hint="choose another name")
    if name in aliases:
        raise InvalidInput(f"{name!r} is an alias of this model and cannot name a version", hint="choose another name")
    return name


def check_written_version(name: str) -> str:
    """Return the name of an existing version in its NFC form: any valid name, or a number.

    Returns
    -------
    str
        The name in NFC.

    Raises
    ------
    InvalidInput
        The name is blank or too long, has a control character, or is or contains a path.
    """
    name = _check_text("version", name)
    if name in (".", "..") or "/" in name or "\\" in name:
        raise InvalidInput(
            f"the version name {name!r} is a path, or has one in it", hint="leave out '/', '\\', '.' and '..'"
        )
    return _check_slug("version", name)


def check_alias(name: str, *, stages: tuple[str, ...] = ()) -> str:
    """Return the alias name.

    Returns
    -------
    str
        The name as it is, which is ASCII.

    Raises
    ------
    InvalidInput
        The alias is too long or not ``[A-Za-z0-9_-]+`` (MLflow's rule), or it is a number, ``latest``, ``archived``,
        ``draft``, ``v<number>`` or a stage.
    """
    if not re.fullmatch(_ALIAS, name) or len(name) > _LONGEST_SLUG:
        raise InvalidInput(f"alias {name!r} is not made of letters, digits, '_' and '-'", hint="rename it")
    lowered = name.lower()
    reserved = lowered in (LATEST, ARCHIVED, "draft") or re.fullmatch(r"v\d+", lowered) or is_number(name)
    if reserved or fold(name) in map(fold, stages):
        raise InvalidInput(f"alias {name!r} would be mistaken for a version or a stage", hint="choose another name")
    return name


def check_stage(name: str) -> str:
    """Return the name of a stage.

    Returns
    -------
    str
        The name as it is, which is ASCII.

    Raises
    ------
    InvalidInput
        The name is too long or has other characters than ASCII letters, digits and ``._-``, or it is a number,
        ``latest``, ``archived`` or ``draft``.
    """
    reserved = name.lower() in (LATEST, ARCHIVED, "draft") or is_number(name)
    if not re.fullmatch(_STAGE, name) or len(name) > _LONGEST_SLUG or reserved:
        raise InvalidInput(
            f"{name!r} cannot be a stage", hint="use letters, digits, '.', '_', '-'; 'latest' and 'archived' are taken"
        )
    return name


def check_artifact(name: str) -> str:
    """Return the name of an artifact in its NFC form; it can be the name of a folder.

    Returns
    -------
    str
        The name in NFC.

    Raises
    ------
    InvalidInput
        The name is blank or too long, has a control character, ``/``, ``@`` or a backslash, or is ``.`` or ``..``.
    """
    return _check_folder("artifact", name)


def check_pipeline(name: str) -> str:
    """Return the name of a pipeline, which groups runs, in its NFC form.

    Returns
    -------
    str
        The name in NFC.

    Raises
    ------
    InvalidInput
        The name breaks the rules of :func:`check_artifact`.
    """
    return _check_folder("pipeline", name)


def check_run(name: str) -> str:
    """Return the name of a run in its NFC form.

    Returns
    -------
    str
        The name in NFC.

    Raises
    ------
    InvalidInput
        The name breaks the rules of :func:`check_artifact`.
    """
    return _check_folder("run", name)


def is_ref_path(text: str) -> bool:
    """Return whether a text can be part of a ref's name as it is: parts of plain characters between slashes."""
    parts = text.split("/")
    return all(
        re.fullmatch(_REF_PART, part) and ".." not in part and not part.endswith((".", ".lock")) for part in parts
    )


def is_number(text: str) -> bool:
    """Return whether people or Python would read the text as a whole number: ``7``, ``+7``, ``²``, ``٣``."""
    stripped = text.strip()
    return stripped.isnumeric() or bool(re.fullmatch(r"[+-]?\d[\d_]*", stripped))


def as_number(text: str) -> int | None:
    """Return the version number for a text of 1 to 15 ASCII digits; None for any other text."""
    return int(text) if re.fullmatch(_NUMBER, text) else None


def is_windows_device(part: str) -> bool:
    """Return whether Windows reads one part of a path as a device; only the text before its first dot counts."""
    return part.partition(".")[0].rstrip(" ").lower() in _WINDOWS_DEVICES


def is_dot_git(part: str) -> bool:
    """Return whether Git or a file system reads one part of a path as ``.git``."""
    if part.isascii() and "git" not in part.lower():  # nearly every part
        return False
    return re.fullmatch(_DOT_GIT, re.sub(_IGNORED_BY_HFS, "", part)) is not None


def fold(name: str) -> str:
    """Return the name without its case: two names with the same result are one file on macOS and Windows."""
    return name.lower() if name.isascii() else nfc(name).casefold()


def linked_name(link: str) -> str:
    """Return the artifact's name in ``name@version``; the version's name may contain ``@``, too."""
    return link.partition("@")[0]


def _check_text(kind: str, name: str) -> str:
    if not isinstance(name, str):
        raise InvalidInput(f"the {kind} name is text, not {type(name).__name__} {name!r}", hint="put it in quotes")
    name = nfc(check_utf8(name, f"the {kind} name"))
    if not name.strip():
        raise InvalidInput(
            f"the {kind} name cannot be blank", hint=f"name the {kind}; is a variable of your script unset?"
        )
    if len(name) > _LONGEST_NAME:
        raise InvalidInput(f"the {kind} name is {len(name)} characters long", hint=f"use at most {_LONGEST_NAME}")
    odd = next((c for c in name if unicodedata.category(c) in ("Cc", "Zl", "Zp")), None)
    if odd is not None:
        raise InvalidInput(f"{kind} name {name!r} holds the control character U+{ord(odd):04X}", hint="leave it out")
    return name


def _check_folder(kind: str, name: str) -> str:
    name = _check_text(kind, name)
    odd = next((character for character in "/\\@" if character in name), None)
    if name in (".", "..") or odd is not None:
        raise InvalidInput(f"{kind} name {name!r} is or holds {odd or 'a path'}", hint="leave out '/', '\\' and '@'")
    return _check_slug(kind, name)


def _check_slug(kind: str, name: str) -> str:
    longest = max(len(part) for part in slug(name).split("/"))
    if longest > _LONGEST_SLUG or len(slug(name)) > 4 * _LONGEST_SLUG:
        raise InvalidInput(
            f"the {kind} name is too long for a file name: {longest} bytes where {_LONGEST_SLUG} fit",
            hint="shorten it; characters beyond ASCII count three for each byte of their UTF-8",
        )
    return name


def fill(name: str, values: Mapping[str, str]) -> str:
    """Return a name in its NFC form with values in place of its placeholders, as in ``data_{date}``.

    Returns
    -------
    str
        The name in NFC.

    Raises
    ------
    InvalidInput
        A placeholder has no value.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            known = ", ".join(f"{{{each}}}" for each in values)
            raise InvalidInput(f"{name!r} has the unknown placeholder {found[0]}", hint=f"there are {known}")
        return values[found[1]]

    return nfc(re.sub(_PLACEHOLDER, value, name))


# -- references ------------------------------------------------------------------------------------------------------


def check_list(value: object, name: str) -> None:
    """Raise InvalidInput for an argument that is no list of values, as a text, which would be taken letter by letter.

    Parameters
    ----------
    name:
        The name of the argument, for the message.
    """
    if isinstance(value, str):
        raise InvalidInput(f"{name} is a list, not the text {value!r}", hint=f"write {name}=[{value!r}]")
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidInput(f"{name} is a list, not {type(value).__name__}", hint=f"write {name}=['...']")


def reference_text(reference: object) -> str:
    """Return the text of a reference; of a version that was read, that of the version itself.

    Raises
    ------
    InvalidInput
        It is something else, as an object that was swapped with the model's name.
    """
    text = getattr(reference, "reference", reference)
    if not isinstance(text, str):
        raise InvalidInput(
            f"a version is named by a text, not by {type(reference).__name__}", hint="write 'MODEL' or 'MODEL@VERSION'"
        )
    return text


class Reference(NamedTuple):
    """The reference to a version: a model and a selector.

    Parameters
    ----------
    model:
        The name of the model.
    selector:
        A number, a version name, a stage, an alias or ``sha256:<digest>``; None: the latest version.
    """

    model: str
    selector: str | None = None

    def __str__(self) -> str:
        return f"{self.model}@{self.selector}" if self.selector else self.model


def parse_reference(text: str) -> Reference:
    """Return the reference in a text: ``iris``, ``iris@7``, ``iris@production``, ``iris@sha256:...`` or an MLflow URI.

    The URIs of MLflow are ``models:/<name>/<version>`` and ``models:/<name>@<alias>``.

    Returns
    -------
    Reference
        The model in NFC, and its selector in NFC, without ``latest``.

    Raises
    ------
    InvalidInput
        The text is not a reference.
    """
    text = reference_text(text)
    hint = "write MODEL, MODEL@VERSION, MODEL@STAGE or MODEL@ALIAS"
    if not check_utf8(text, "the reference").strip():
        raise InvalidInput("the reference is empty", hint=f"is a variable of your script unset? {hint}")
    body, uri = (text[len("models:/") :].lstrip("/"), True) if text.startswith("models:/") else (text, False)
    if "@" in body:
        model, _, selector = body.rpartition("@")
    elif uri and "/" in body:
        model, _, selector = body.rpartition("/")
    else:
        model, selector = body, LATEST
    if "://" in body:
        raise InvalidInput(
            f"{text!r} is an address, not a model",
            hint="a registry is named before the command: `gitreg --repo URL show MODEL`",
        )
    if not model and selector:
        raise InvalidInput(
            f"{text!r} names no model", hint=f"write MODEL{text}, with one of the models that `gitreg list` shows"
        )
    if not selector:
        raise InvalidInput(f"{text!r} names no version behind the @", hint=hint)
    if selector.startswith("sha256:") and not re.fullmatch(_HEX, selector[len("sha256:") :]):
        raise InvalidInput(f"{text!r} does not end in a sha256 digest", hint="give 6 to 64 hexadecimal digits")
    return Reference(check_model(model), None if selector == LATEST else nfc(selector))

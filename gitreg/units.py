"""Numbers, sizes, durations and counts as people write them: ``0.95``, ``50GB``, ``14d``, ``3 files``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import islice

from gitreg.errors import InvalidInput

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_POWERS = "kmgtp"
_SIZE = rf"(?i)([0-9]+(?:\.[0-9]+)?)\s*(?:([{_POWERS}])(i?))?b?"
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_SCIENTIFIC = re.compile(r"-?[1-9](?:\.[0-9]+)?[eE][-+]?[0-9]{1,9}")
_DIGITS = 100  # more are no number in a document
_AGES = (
    (60, 1, "s"),
    (3600, 60, "min"),
    (86400, 3600, "h"),
    (60 * 86400, 86400, "d"),
    (730 * 86400, 30.44 * 86400, "mo"),
)
_NAMED = 3  # as many names are listed, of more only the number
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def is_decimal(text: str) -> bool:
    """Return whether a text is a number in plain digits: ``0.90`` or ``-3``, neither ``0012`` nor ``1234e56``."""
    return len(text) <= _DIGITS and _DECIMAL.fullmatch(text) is not None


def number_as_written(text: str) -> int | float | None:
    """Return the number that a text writes, if it would come back as it was written; otherwise None.

    ``0012``, ``3.10`` and ``1234e56`` would come back as 12, 3.1 and 1.234e+59: they are identifiers, or may be.
    ``1e-4`` is the usual way to write a small number, and keeps its value.
    """
    if not (is_decimal(text) or _SCIENTIFIC.fullmatch(text)) or text == "-0":
        return None
    _, point, fraction = text.partition(".")
    if is_decimal(text) and (not point or (len(fraction) > 1 and fraction.endswith("0"))):
        return None if point else int(text)
    number = float(text)
    return number if math.isfinite(number) and _value_of(repr(number)) == _value_of(text) else None


def _value_of(number: str) -> tuple[bool, str, int]:
    """Return the sign, the digits and the power of ten of a number: equal where, and only where, the values are."""
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).rstrip("0")
    power = int(exponent or 0) + len(whole) - len(digits) if digits else 0
    return number.startswith("-"), digits.lstrip("0"), power


def parse_size(text: str, name: str) -> int:
    """Return the number of bytes of a text as ``50GB``, ``1.5 TB``, ``512MiB`` or a plain number.

    Parameters
    ----------
    name:
        The name of the value in the error.

    Returns
    -------
    int
        Bytes, rounded down.

    Raises
    ------
    InvalidInput
        The text is not a valid size.
    """
    match = re.fullmatch(_SIZE, text.strip())
    if match is None:
        raise InvalidInput(f"{name} is {text!r}, which is no size", hint="write 50GB, 512MiB or 0")
    power = _POWERS.index(match[2].lower()) + 1 if match[2] else 0
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def parse_duration(text: str) -> float:
    """Return the seconds of a duration as ``30m``, ``12h``, ``14d``, ``2w`` or a plain number of seconds.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    InvalidInput
        The text is not a valid duration.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw]?)", text)
    if match is None:
        raise InvalidInput(f"{text!r} is no duration", hint="write 14d, 12h, 30m or 0")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def size_text(size: float | None) -> str:
    """Return a size in bytes as text for people, in powers of 1,000, as ``91.6 MB``; "" for None."""
    if size is None:
        return ""
    unit = 0
    while abs(size) >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size:.0f} B"


def age_text(seconds: float) -> str:
    """Return the age of something in its largest unit, as ``3 d ago``; ``in 3 d`` for what is to come."""
    size = abs(seconds)
    unit, word = next(((unit, word) for limit, unit, word in _AGES if size < limit), (365.25 * 86400, "y"))
    text = f"{int(size / unit)} {word}"
    return f"in {text}" if seconds <= -1 else f"{text} ago"


def counted(number: int, word: str) -> str:
    """Return a number with its noun: ``1 file``, ``3 files``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def listed(names: Iterable[str], number: int, word: str) -> str:
    """Return names in a row; of more than a few, the first and the number of the rest.

    Parameters
    ----------
    number:
        The number of all names; of `names`, only the first ones are read.
    """
    shown = [*islice(names, _NAMED)]
    if number > _NAMED:
        shown.append(counted(number - _NAMED, f"more {word}"))
    return ", ".join(shown[:-1]) + (" and " if shown[1:] else "") + "".join(shown[-1:])

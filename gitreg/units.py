"""Sizes and durations as people write them: ``50GB``, ``512MiB``, ``14d``."""

from __future__ import annotations

import re

from gitreg.errors import InvalidInput

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_POWERS = "kmgtp"
_SIZE = rf"(?i)([0-9]+(?:\.[0-9]+)?)\s*(?:([{_POWERS}])(i?))?b?"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


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

"""A parser of sizes: ``50GB``, ``512MiB``."""

from __future__ import annotations

import re

from gitreg.errors import InvalidInput

_POWERS = "kmgtp"
_SIZE = rf"(?i)([0-9]+(?:\.[0-9]+)?)\s*(?:([{_POWERS}])(i?))?b?"


def parse_size(text: str, what: str) -> int:
    """Return the number of bytes of a text as ``50GB``, ``1.5 TB``, ``512MiB`` or a plain number.

    Parameters
    ----------
    what:
        The name of the value in the error.

    Raises
    ------
    InvalidInput
        The text is not a valid size.
    """
    match = re.fullmatch(_SIZE, text.strip())
    if match is None:
        raise InvalidInput(f"{what} is {text!r}, which is no size", hint="write 50GB, 512MiB or 0")
    power = _POWERS.index(match[2].lower()) + 1 if match[2] else 0
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)

"""Text from files, names and histories, made safe for a terminal: it cannot move the cursor, colour or hide text.

Replaced are: control characters (C0 and C1), line and paragraph separators, marks that change the direction of writing,
Unicode's invisible tags, and halves of surrogate pairs. Joiners and wide blanks stay, because languages need them.
"""

from __future__ import annotations

import re

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNSAFE = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f"
)
# Compiled and cached by re at the first use: that takes 2 ms, which --help saves.
_UNSAFE_BUT_LINE_ENDS = f"[\t{_UNSAFE}]"
_ENDS = r"[\t\r\n]+"
_UNSAFE_IN_A_FILE = f"[{_UNSAFE}]"


def lines(text: str) -> str:
    """Return a text of several lines, safe for a terminal."""
    return re.sub(_UNSAFE_BUT_LINE_ENDS, _REPLACEMENT, text)


def one_line(text: str) -> str:
    """Return a text as one line, safe for a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSAFE_BUT_LINE_ENDS, _REPLACEMENT, re.sub(_ENDS, " ", text))


def in_a_file(text: str) -> str:
    """Return a text that is safe in a file; tabs and line ends stay."""
    return re.sub(_UNSAFE_IN_A_FILE, _REPLACEMENT, text)


def as_json(data: object, *, indent: int | None = None) -> str:
    """Return data as JSON that is safe for a terminal: unsafe characters are escaped, so the data is the same."""
    import json  # not needed for --help

    encoded = json.dumps(data, indent=indent, ensure_ascii=False)
    return re.sub(_UNSAFE_IN_A_FILE, lambda found: json.dumps(found[0])[1:-1], encoded)

"""Text from files, names and histories, made harmless: nothing in it moves the cursor, colours, or hides what follows.

What goes: control characters (C0 and C1), line and paragraph separators, the marks that turn the direction of writing,
Unicode's invisible tags, and halves of surrogate pairs. Joiners and wide blanks stay: languages need them.
"""

from __future__ import annotations

import re

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNSAFE = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f"
)
# Compiled, and kept by re, when first used: that costs 2 ms, which --help does not have.
_UNSAFE_BUT_LINE_ENDS = f"[\t{_UNSAFE}]"
_ENDS = r"[\t\r\n]+"
_UNSAFE_IN_A_FILE = f"[{_UNSAFE}]"


def lines(text: str) -> str:
    """Give a text that may have several lines as a terminal can show it."""
    return re.sub(_UNSAFE_BUT_LINE_ENDS, _REPLACEMENT, text)


def one_line(text: str) -> str:
    """Give a text as one line of a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSAFE_BUT_LINE_ENDS, _REPLACEMENT, re.sub(_ENDS, " ", text))


def in_a_file(text: str) -> str:
    """Give a text for a file that is also looked at: tabs and line ends stay."""
    return re.sub(_UNSAFE_IN_A_FILE, _REPLACEMENT, text)


def as_json(data: object, *, indent: int | None = None) -> str:
    """Spell data as JSON that a terminal can show: what is unsafe is written as an escape, and the data is the same."""
    import json  # not on the way to --help

    said = json.dumps(data, indent=indent, ensure_ascii=False)
    return re.sub(_UNSAFE_IN_A_FILE, lambda found: json.dumps(found[0])[1:-1], said)

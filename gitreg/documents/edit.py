"""The editor for YAML files that a person wrote: only the lines of changed values change, comments and order stay."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from gitreg.documents.yaml import LOADER, dumps, loads
from gitreg.errors import InvalidDocument

_RARE_BREAKS = "\r\x85\u2028\u2029"  # line breaks of YAML that editors do not write
_LONGEST = 256 * 1024  # bytes; a larger file was not written by hand, and finding its lines takes seconds


def rewrite(old: bytes, data: dict[str, Any], where: str) -> bytes:
    """Return the bytes of a file with the content ``data``, as close as possible to the old file.

    Parameters
    ----------
    old:
        The present content of the file, which :func:`gitreg.documents.yaml.loads` reads as a mapping.
    data:
        The new content as plain data.
    where:
        The name of the file, for errors.

    Returns
    -------
    bytes:
        ``old`` with the lines of the changed keys replaced, removed or added. If that is not safe (flow style at the
        top, multi-line keys, rare line breaks), the canonical form.

    Raises
    ------
    InvalidDocument
        ``old`` cannot be read.
    """
    old_data = loads(old, where)
    if old_data == data and _same_types(old_data, data):
        return old
    canonical = dumps(data)
    text = old.decode("utf-8-sig").replace("\r\n", "\n")
    if not isinstance(old_data, dict) or len(old) > _LONGEST or any(each in text for each in _RARE_BREAKS):
        return canonical
    if not text.endswith("\n"):
        text += "\n"
    lines = text.split("\n")[:-1]
    root = yaml.compose(text, Loader=LOADER)  # the parser that read the file: others accept other texts
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return canonical
    edits: list[_Edit] = []
    _compare(root, old_data, data, lines, edits)
    # From the bottom up; of two insertions at the same line, the later one first, so that it ends up below.
    for edit in reversed(sorted(edits, key=lambda e: (e.start, e.stop))):  # noqa: C413 - reverse=True would keep ties
        lines[edit.start : edit.stop] = edit.lines
    spliced = ("\n".join(lines) + "\n").encode()
    try:
        again = loads(spliced, where)
    except InvalidDocument:
        return canonical
    return spliced if again == data and _same_types(again, data) else canonical


class _Edit(NamedTuple):
    start: int  # the first line to replace, counted from 0
    stop: int  # the line after the last one to replace
    lines: list[str]


def _compare(node: Any, old: dict[str, Any], new: dict[str, Any], lines: list[str], edits: list[_Edit]) -> None:
    """Append the edits that change the block mapping at ``node`` from ``old`` to ``new``."""
    column = node.start_mark.column
    spans = {key.value: (key.start_mark.line, _last_line(value) + 1, value) for key, value in node.value}
    for key, (start, stop, value) in spans.items():
        if key not in new:
            edits.append(_Edit(start, stop, []))
        elif old[key] != new[key] or not _same_types(old[key], new[key]):
            nested = isinstance(value, yaml.MappingNode) and not value.flow_style and value.value
            if nested and isinstance(new[key], dict) and new[key]:
                _compare(value, old[key], new[key], lines, edits)
            else:
                edits.append(_Edit(start, stop, _spell(key, new[key], column, _comment(value, start, stop, lines))))
    after = node.start_mark.line
    for key, wanted in new.items():
        if key in spans:
            after = spans[key][1]
        else:
            edits.append(_Edit(after, after, _spell(key, wanted, column, "")))


def _spell(key: str, value: Any, column: int, comment: str) -> list[str]:
    written = dumps({key: value}).decode().split("\n")[:-1]
    if comment and len(written) == 1:
        written[0] += comment
    return [" " * column + line if line else line for line in written]


def _comment(value: Any, start: int, stop: int, lines: list[str]) -> str:
    """Return the comment after a value of one line, with the space before it; "" if there is none."""
    if stop - start != 1 or value.end_mark.line != start:
        return ""
    rest = lines[start][value.end_mark.column :]
    return rest if rest.lstrip().startswith("#") else ""


def _last_line(node: Any) -> int:
    """Return the last line of a value, counted from 0, without the comments and blank lines after it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        end = node.end_mark
        return end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line  # type: ignore[no-any-return]
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _same_types(a: Any, b: Any) -> bool:
    """Return whether equal values have the same types, as JSON needs: ``1 == 1.0 == True`` in Python."""
    if isinstance(a, dict):
        return all(_same_types(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return all(_same_types(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b)

"""The words of gitreg: how docstrings begin, where the terms of the field are explained, and names that say nothing."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.source_code import PACKAGE, docstrings, trees

BANNED_FIRST_WORDS = {
    "Give", "What", "Who", "Whose", "Which", "Where", "When", "How",
    "Whether", "Say", "Tell", "Let", "Bring", "Hold", "Put", "Its", "There", "Such",
}  # fmt: skip
"""A docstring begins with "Return", "Yield", "Write" or another plain verb, or is a noun phrase."""

BANNED_NAMES = {"here": 0, "how": 0, "said": 0, "there": 0, "told": 0, "what": 6}
"""How many variables and parameters have names that do not name their value: these may fall, and never grow."""

HOMES = {
    "content-addressed": "blobs/store",
    "deduplicat": "blobs/store",
    "stat cache": "blobs/cache/stat_cache",
    "evict": "blobs/cache/prune",
    "least recently used": "blobs/cache/prune",
    "mark": "blobs/gc/reachable",
    "sweep": "blobs/gc/sweep",
    "reachable": "blobs/gc/reachable",
    "retention": "blobs/gc/sweep",
    "lease": "blobs/save",
    "replication": "blobs/replication",
    "replica": "blobs/replicas",
    "backoff": "registry/writing/commit",
    "jitter": "registry/writing/commit",
    "compare-and-swap": "git/refs/transaction",
    "merge base": "git/history/merge_base",
    "merge preview": "registry/state/merge_preview",
    "semantic diff": "registry/review/semantic_diff",
    "tombstone": "registry/state/snapshot",
    "snapshot": "registry/state/snapshot",
    "garbage": "registry/weights/garbage",
}
"""The file whose docstrings explain a term that users of git, restic and MLflow search for."""


def names() -> Iterator[str]:
    """Yield each name that a value is given, and each parameter."""
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.arg):
                yield node.arg


def test_docstrings_begin_with_a_word_that_says_something() -> None:
    found = [
        f"{path}:{line} {text.partition(chr(10))[0]}"
        for path, line, text in docstrings()
        if text.split()[0].rstrip(",:") in BANNED_FIRST_WORDS
    ]
    assert not found, "\n".join(found)


def test_names_that_do_not_name_their_value_do_not_grow() -> None:
    found = Counter(name for name in names() if name in BANNED_NAMES)
    assert not {name: count for name, count in found.items() if count > BANNED_NAMES[name]}


@pytest.mark.parametrize("term", HOMES)
def test_a_term_of_the_field_is_explained_in_its_home(term: str) -> None:
    home = PACKAGE / f"{HOMES[term]}.py"
    assert any(term in " ".join(text.lower().split()) for path, _, text in docstrings() if path == home)

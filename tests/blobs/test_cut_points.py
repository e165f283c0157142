"""Cut points at the sizes that stores use: the same bytes are cut at the same places by every release."""

from __future__ import annotations

import hashlib

from gitreg.blobs.format.chunking import LARGEST, IteratorSource, cut

MIB = 1 << 20


def cut_points(data: bytes) -> list[int]:
    ends = [0]
    for piece in cut(IteratorSource(iter([data]))):
        ends.append(ends[-1] + len(piece.data))
        piece.release()
    return ends[1:]


def test_bytes_without_a_pattern_are_cut_where_every_store_has_cut_them() -> None:
    """Anything else here means that what is saved again is stored again: no update is worth that unseen."""
    data = hashlib.shake_256(b"gitreg").digest(24 * MIB)
    assert cut_points(data) == [9_566_134, 17_758_502, 22_565_637, 24 * MIB]


def test_what_is_inserted_moves_the_cut_points_around_it_and_no_others() -> None:
    data = hashlib.shake_256(b"gitreg").digest(24 * MIB)
    assert cut_points(data[:100] + b"inserted" + data[100:]) == [9_566_142, 17_758_510, 22_565_645, 24 * MIB + 8]


def test_bytes_that_never_change_are_cut_at_the_largest_size() -> None:
    assert cut_points(bytes(20 * MIB)) == [LARGEST, 20 * MIB]
    assert LARGEST == 16 * MIB

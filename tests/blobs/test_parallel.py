import threading
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from gitreg.blobs.parallel import SMALL, by_size, threads
from gitreg.progress import NO_PROGRESS

HERE = threading.get_ident()


class File(NamedTuple):
    number: int
    size: int


@given(st.lists(st.sampled_from([0, SMALL - 1, SMALL, 100 * SMALL])))
def test_results_come_in_order_whoever_worked_on_them(sizes: list[int]) -> None:
    files = [File(number, size) for number, size in enumerate(sizes)]
    with threads() as pool:
        done = list(by_size(pool, lambda file, _: (file, threading.get_ident() == HERE), files, NO_PROGRESS))
    assert [file for file, _ in done] == files
    assert [worked_here for _, worked_here in done] == [size < SMALL for size in sizes]

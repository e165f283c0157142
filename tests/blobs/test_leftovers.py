"""What a killed writer left is removed, and never what another is writing: the two meet here as often as can be."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from gitreg.blobs.copying import PARTIAL, remove_leftovers, writing
from gitreg.blobs.exporting import filling


@pytest.fixture
def removing(tmp_path: Path) -> Iterator[None]:
    stopped = Event()

    def remove() -> None:
        while not stopped.is_set():
            remove_leftovers(tmp_path)

    threads = [Thread(target=remove) for _ in range(3)]
    for thread in threads:
        thread.start()
    yield
    stopped.set()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("removing")
def test_a_file_that_is_being_written_is_no_leftover(tmp_path: Path) -> None:
    for number in range(100):
        with writing(tmp_path / "model.bin", executable=False, fresh=False) as descriptor:
            assert len(list(tmp_path.glob(PARTIAL.format("*")))) == 1
            Path(f"/dev/fd/{descriptor}").write_text(str(number))
        assert (tmp_path / "model.bin").read_text() == str(number)


@pytest.mark.usefixtures("removing")
def test_a_folder_that_is_being_filled_is_no_leftover(tmp_path: Path) -> None:
    for number in range(100):
        with filling(tmp_path / str(number)) as (folder, fresh):
            assert fresh
            (folder / "model.bin").write_bytes(b"whole")
        assert (tmp_path / str(number) / "model.bin").read_bytes() == b"whole"


@pytest.mark.parametrize("fresh", [True, False])
def test_a_folder_that_is_not_there_is_no_race(tmp_path: Path, fresh: bool) -> None:
    with pytest.raises(FileNotFoundError), writing(tmp_path / "none" / "a", executable=False, fresh=fresh):
        pass

"""What a killed writer left is removed, and never what another is writing: the two meet here as often as can be."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from gitreg.blobs.cache.export import filling
from gitreg.blobs.file_io import PARTIAL, remove_leftovers, replacing, writing
from tests.blobs.faults import ROOT


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


@pytest.mark.slow
@pytest.mark.usefixtures("removing")
@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_is_being_written_is_no_leftover(tmp_path: Path, replaced: bool) -> None:
    for number in range(100):
        target = tmp_path / ("model.bin" if replaced else f"model-{number}.bin")
        with replacing(target) if replaced else writing(target, executable=False, fresh=False) as descriptor:
            assert len(list(tmp_path.glob(PARTIAL.format("*")))) == 1
            os.write(descriptor, str(number).encode())
        assert target.read_text() == str(number)


@pytest.mark.slow
@pytest.mark.usefixtures("removing")
def test_a_folder_that_is_being_filled_is_no_leftover(tmp_path: Path) -> None:
    for number in range(100):
        with filling(tmp_path / str(number)) as (folder, fresh):
            assert fresh
            (folder / "model.bin").write_bytes(b"whole")
        assert (tmp_path / str(number) / "model.bin").read_bytes() == b"whole"


WRITE_IN_A_FOLDER_THAT_IS_GONE = """
import os
from pathlib import Path
from gitreg.blobs import file_io
from gitreg.blobs.cache import export

os.rmdir(os.getcwd())
try:
    with file_io.writing(Path("model.bin"), executable=False, fresh=False):
        pass
except FileNotFoundError:
    print(end="file ")
try:
    with export.filling(Path("models")):
        pass
except FileNotFoundError:
    print(end="folder ")
"""


def test_a_folder_that_is_gone_is_no_race(tmp_path: Path) -> None:
    """As a container's volume is whose source was removed: it is there, and nothing can be made in it."""
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WRITE_IN_A_FOLDER_THAT_IS_GONE],
        cwd=tmp_path / "gone", env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("file folder ", "")

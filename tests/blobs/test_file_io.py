import errno
import os
from pathlib import Path

import pytest

from gitreg.blobs.file_io import writing


def fail_to_write(target: Path, *, fresh: bool) -> None:
    with writing(target, executable=False, fresh=fresh) as descriptor:
        os.write(descriptor, b"half")
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("fresh", [True, False])
def test_a_file_whose_writer_fails_is_not_there(tmp_path: Path, fresh: bool) -> None:
    with pytest.raises(OSError, match="No space"):
        fail_to_write(tmp_path / "model.bin", fresh=fresh)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("fresh", "refusal"), [(True, "File exists"), (False, "No space")])
def test_a_file_that_was_there_stays_as_it_was_where_its_writer_fails(
    tmp_path: Path, fresh: bool, refusal: str
) -> None:
    target = tmp_path / "model.bin"
    target.write_bytes(b"the user's own")
    with pytest.raises(OSError, match=refusal):
        fail_to_write(target, fresh=fresh)
    assert target.read_bytes() == b"the user's own"


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize(("executable", "mode"), [(True, 0o111), (False, 0)])
def test_a_file_is_executable_where_it_shall_be(tmp_path: Path, fresh: bool, executable: bool, mode: int) -> None:
    with writing(tmp_path / "run", executable=executable, fresh=fresh):
        pass
    assert (tmp_path / "run").stat().st_mode & 0o111 == mode

"""``gitreg demo`` runs to its end, and what it then says to type can be typed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.system.world import PROGRAMS, make_person


@pytest.mark.slow
def test_where_gitreg_is_not_on_path_its_last_line_names_the_program_that_was_run(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("skops")
    person = make_person(tmp_path)
    elsewhere = [path for path in person.env["PATH"].split(os.pathsep) if not Path(path, "gitreg").exists()]
    env = person.env | {"PATH": os.pathsep.join(elsewhere)}
    demo = [str(PROGRAMS / "gitreg"), "demo", "flowers"]
    done = subprocess.run(demo, cwd=tmp_path, env=env, capture_output=True, check=True)
    line = done.stdout.decode().splitlines()[-1].removeprefix("Explore it: ")
    typed = subprocess.run(["bash", "-ec", line], cwd=tmp_path, env=env, capture_output=True, check=True)
    assert b"iris@" in typed.stdout

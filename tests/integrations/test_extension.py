"""gitreg-metaflow: built, installed, and used by ``from metaflow import model``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

import gitreg
from tests.integrations.test_metaflow import Flows, page_block

pytest.importorskip("metaflow")
pytest.importorskip("setuptools", minversion="77")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SOURCE = Path(gitreg.__file__).parent / "integrations" / "metaflow_extension"
OLDEST, CHECKPOINT = "metaflow==2.12.0", "metaflow-checkpoint==0.2.14"
BOTH = """\
from metaflow import FlowSpec, checkpoint, current, model, step

class Both(FlowSpec):
    @checkpoint
    @model
    @step
    def start(self):
        with open("m.txt", "w") as file:
            file.write("weights")
        current.checkpoint.save("m.txt")
        self.saved = current.model.save("m.txt", label="iris")
        self.next(self.end)

    @model(load="saved")
    @step
    def end(self):
        print(open(current.model.loaded["saved"] + "/m.txt").read(), current.model.loaded.info["saved"]["reference"])

if __name__ == "__main__":
    Both()
"""


def install(target: Path, *packages: str | Path) -> Path:
    """Put packages, without what they need, into a folder of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), *map(str, packages)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip(f"no package index has {packages}")
    assert done.returncode == 0, done.stderr
    return target


def before_all_else(flows: Flows, folders: Sequence[Path]) -> Flows:
    """Let the folders' packages come before those that are installed."""
    flows.person = flows.person.with_env(PYTHONPATH=os.pathsep.join(map(str, folders)))
    return flows


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "-q", "--no-isolation", "--wheel", "--outdir", str(folder), str(SOURCE)],
        check=True, cwd=folder,
    )  # fmt: skip
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def flows(tmp_path: Path) -> Flows:
    return Flows(tmp_path)


def test_the_wheel_says_its_top_level_and_holds_nothing_but_names(wheel: Path) -> None:
    with ZipFile(wheel) as file:
        (top,) = [name for name in file.namelist() if name.endswith("top_level.txt")]
        assert file.read(top).split() == [b"metaflow_extensions"]
        code = {name for name in file.namelist() if "dist-info" not in name}
        (names,) = [name for name in code if name.endswith("toplevel.py")]
        assert f'__version__ = "{version("gitreg")}"' in file.read(names).decode(), "Metaflow asks for it"
    assert code == {f"metaflow_extensions/gitreg/toplevel/{name}.py" for name in ("__init__", "toplevel")}
    assert version("gitreg") in wheel.name, "it has the version of what it belongs to"


def test_gitregs_own_wheel_has_no_extension_of_metaflow(tmp_path: Path) -> None:
    root = SOURCE.parents[2]
    subprocess.run(
        [sys.executable, "-m", "build", "-q", "--no-isolation", "--wheel", "--outdir", str(tmp_path), str(root)],
        check=True, cwd=tmp_path,
    )  # fmt: skip
    with ZipFile(next(tmp_path.glob("*.whl"))) as file:
        names = file.namelist()
    assert "gitreg/integrations/metaflow.py" in names
    assert [name for name in names if "metaflow_extension" in name] == []


def test_metaflows_own_model_is_gitregs_on_the_oldest_metaflow(flows: Flows, wheel: Path, tmp_path: Path) -> None:
    pytest.importorskip("xgboost")
    folder = install(tmp_path / "packages", OLDEST, wheel)
    (flows.here / "flow.py").write_text(page_block("from metaflow import model"))
    before_all_else(flows, [folder])
    assert flows.person.run(sys.executable, "-c", "import metaflow; print(metaflow.__version__)").out == "2.12.0\n"
    flows.flow("flow.py", "run")
    assert flows.numbers("xgboost_classifier") == [1]
    assert "xgboost_classifier@1" in flows.flow("flow.py", "card", "get", "start").out


def test_beside_metaflow_checkpoint_its_checkpoint_and_our_model_work(
    flows: Flows, wheel: Path, tmp_path: Path
) -> None:
    before_all_else(flows, [install(tmp_path / "packages", CHECKPOINT, wheel)])
    (flows.here / "both.py").write_text(BOTH)
    assert "weights iris@1" in flows.flow("both.py", "run").out
    assert flows.numbers("iris") == [1]


def test_a_gitreg_that_cannot_be_imported_leaves_metaflow_alone(flows: Flows, wheel: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "gitreg"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('broken')")
    before_all_else(flows, [broken.parent, install(tmp_path / "packages", wheel)])
    script = (
        "import metaflow, sys; print('gitreg' in sys.modules)\n"
        "try: metaflow.model(len)\nexcept RuntimeError as error: print(error)"
    )
    ended = flows.person.run(sys.executable, "-c", script)
    assert (ended.code, ended.out, ended.err) == (0, "False\nbroken\n", "")

"""The extension of Metaflow in gitreg's own wheel: built, installed, and used by ``from metaflow import model``."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

import gitreg
from gitreg.cli.manpage import pages
from gitreg.distribution import installed_version
from tests.integrations.metaflow.test_decorator import Flows, page_block

pytest.importorskip("metaflow")
pytest.importorskip("hatchling")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SOURCE = Path(gitreg.__file__).parents[1]
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


def install(target: Path, *packages: str) -> Path:
    """Put packages, without what they need, into a folder of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), *packages],
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


def test_the_wheel_says_its_top_levels_and_the_extension_holds_nothing_but_names(wheel: Path) -> None:
    with ZipFile(wheel) as file:
        (top,) = [name for name in file.namelist() if name.endswith("top_level.txt")]
        assert top == f"git_model_registry-{installed_version()}.dist-info/top_level.txt"
        code = {name for name in file.namelist() if ".dist-info/" not in name and ".data/" not in name}
        assert set(file.read(top).decode().split()) == {name.partition("/")[0] for name in code}
        (names,) = [name for name in code if name.endswith("toplevel.py")]
        assert f'__version__ = "{installed_version()}"' in file.read(names).decode(), "Metaflow asks for it"
    extension = {name for name in code if "metaflow_extension" in name}
    assert extension == {f"metaflow_extensions/gitreg/toplevel/{name}.py" for name in ("__init__", "toplevel")}


def test_the_wheel_installs_the_manual_pages(wheel: Path) -> None:
    with ZipFile(wheel) as file:
        installed = {name.partition(".data/data/share/man/")[2]: name for name in file.namelist()}
        assert {path: file.read(installed[path]).decode() for path in installed if path} == pages()
        assert not any("hatch_build" in name for name in file.namelist())


def without_gitreg(folder: Path) -> Path:
    """Link all that is installed here into a folder, but for gitreg: Metaflow refuses to find it twice."""
    folder.mkdir()
    for site in (Path(path) for path in sys.path if path.endswith("site-packages")):
        for entry in site.iterdir():
            ours = entry.name.startswith(("git_model_registry", "gitreg", "metaflow_extensions"))
            if not ours and entry.suffix != ".pth" and not (folder / entry.name).exists():
                (folder / entry.name).symlink_to(entry)
    return folder


@pytest.mark.parametrize("editable", [False, True])
def test_metaflow_finds_the_extension_in_an_environment_of_its_own(
    flows: Flows, tmp_path: Path, editable: bool
) -> None:
    environment = tmp_path / "environment"
    python = environment / "bin/python"
    venv.create(environment, symlinks=True, with_pip=False)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "shared.pth").write_text(str(without_gitreg(tmp_path / "shared")))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, *(["-e"] if editable else []), str(SOURCE)], check=True, cwd=tmp_path)
    ended = flows.person.run(python, "-c", "import metaflow; print(metaflow.model.__module__)")
    assert (ended.out, ended.err) == ("metaflow_extensions.gitreg.toplevel.toplevel\n", "")


def test_metaflows_own_model_is_gitregs_on_the_oldest_metaflow(flows: Flows, tmp_path: Path) -> None:
    pytest.importorskip("xgboost")
    folder = install(tmp_path / "packages", OLDEST)
    (flows.here / "flow.py").write_text(page_block("from metaflow import model"))
    before_all_else(flows, [folder])
    assert flows.person.run(sys.executable, "-c", "import metaflow; print(metaflow.__version__)").out == "2.12.0\n"
    flows.flow("flow.py", "run")
    assert flows.numbers("xgboost_classifier") == [1]
    assert "xgboost_classifier@1" in flows.flow("flow.py", "card", "get", "start").out


def test_beside_metaflow_checkpoint_its_checkpoint_and_our_model_work(flows: Flows, tmp_path: Path) -> None:
    before_all_else(flows, [install(tmp_path / "packages", CHECKPOINT)])
    (flows.here / "both.py").write_text(BOTH)
    assert "weights iris@1" in flows.flow("both.py", "run").out
    assert flows.numbers("iris") == [1]


def test_a_gitreg_that_cannot_be_imported_leaves_metaflow_alone(flows: Flows, tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "gitreg"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('broken')")
    before_all_else(flows, [broken.parent])
    script = (
        "import metaflow, sys; print('gitreg' in sys.modules)\n"
        "try: metaflow.model(len)\nexcept RuntimeError as error: print(error)"
    )
    ended = flows.person.run(sys.executable, "-c", script)
    assert (ended.code, ended.out, ended.err) == (0, "False\nbroken\n", "")

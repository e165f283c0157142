"""``@model`` in real flows: each test runs Metaflow, whose tasks are processes of their own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from gitreg import Registry
from tests.contents import corpus
from tests.system.world import Ended, Person, make_person

pytest.importorskip("metaflow")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FLOWS = Path(__file__).parents[1] / "flows"
PAGE = Path(__file__).parents[2] / "seeds" / "metaflow-model.md"


class Flows:
    """Somebody who runs flows in a folder, with a registry elsewhere."""

    def __init__(self, where: Path) -> None:
        person = make_person(where)
        work, registry = where / "work", where / "registry"
        work.mkdir()
        registry.mkdir()
        self.person: Person = person.at(work).with_env(
            GITREG_REGISTRY=str(registry),
            METAFLOW_USER="ada",
            METAFLOW_HOME=str(where / "home"),
            METAFLOW_DEFAULT_DATASTORE="local",
        )
        self.here, self.registry = work, registry
        person.at(registry).gitreg("init")

    def flow(self, name: str, *arguments: str, code: int = 0) -> Ended:
        """Do something with a flow, which is copied here."""
        if (FLOWS / name).exists():
            shutil.copy(FLOWS / name, self.here / name)
        ended = self.person.run(sys.executable, name, *arguments)
        assert ended.code == code, ended.out + ended.err
        return ended

    def versions(self, model: str) -> list[dict[str, Any]]:
        with Registry.open(self.registry) as registry:
            if registry.session.snapshot().find_model(model) is None:
                return []
            found = sorted(registry.session.snapshot().versions(model), key=lambda each: each.number)
            return [
                {"number": each.number, "metadata": each.metadata, "record": each.record, "yanked": each.yanked}
                for each in found
            ]

    def numbers(self, model: str) -> list[int]:
        return [each["number"] for each in self.versions(model)]

    def drafts(self) -> list[str]:
        refs = self.person.at(self.registry).git("for-each-ref", "--format=%(refname)", "refs/drafts/")
        return refs.splitlines()

    def subjects(self) -> list[str]:
        return self.person.at(self.registry).git("log", "--format=%s").splitlines()


@pytest.fixture
def flows(tmp_path: Path) -> Flows:
    return Flows(tmp_path)


def page_block(model: str = "from gitreg import model") -> str:
    """Give the page's flow with its import of ``model`` changed, and without its pypi environment."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    imported = "from metaflow import FlowSpec, step, model, current, pypi_base"
    environment = '@pypi_base(python="3.12", packages={"xgboost": "3.0.2"})\n'
    assert imported in code
    assert environment in code
    changed = code.replace(imported, f"from metaflow import FlowSpec, step, current\n{model}").replace(environment, "")
    assert isinstance(changed, str)
    return changed


def headings(card: str) -> list[str]:
    """Return the words of the headings of models in a card."""
    return [re.sub(r"<[^>]+>", "", heading).strip() for heading in re.findall(r"<h3>(.*?)</h3>", card, re.DOTALL)]


def test_the_page_of_metaflows_documentation_runs(flows: Flows) -> None:
    pytest.importorskip("xgboost")
    (flows.here / "flow.py").write_text(page_block())
    ended = flows.flow("flow.py", "run")
    assert re.search(r"Prediction: \[0\.\d+\]", ended.out), "the model was loaded and used"
    (version,) = flows.versions("xgboost_classifier")
    assert version["metadata"] == {
        "accuracy": 0.95,
        "training_params": {"max_depth": 2, "eta": 1, "objective": "binary:logistic"},
        "num_rounds": 2,
    }
    assert list(version["record"].artifacts["model"].files) == ["model.bst"]
    run = version["record"].run
    assert (run["pipeline"], run["step"]) == ("XGBoostModelFlow", "start")

    script = (
        "import json; from metaflow import Flow, namespace; namespace(None)\n"
        "print(json.dumps(Flow('XGBoostModelFlow').latest_run['end'].task.data.xgboost_model))"
    )
    kept = flows.person.run(sys.executable, "-c", script)
    reference = json.loads(kept.out)
    assert (reference["reference"], reference["number"]) == ("xgboost_classifier@1", 1)
    assert reference["metadata"] == version["metadata"]
    assert reference["digest"] == version["record"].artifacts["model"].digest

    saved, loaded = (flows.flow("flow.py", "card", "get", step).out for step in ("start", "end"))
    assert headings(saved) == ["xgboost_classifier@1"]
    assert '<th scope="row">accuracy</th><td>0.95</td>' in saved
    assert f"start of XGBoostModelFlow/{run['run']} → xgboost_classifier@1" in saved, "it says by what it was made"
    assert headings(loaded) == ["xgboost_model: xgboost_classifier@1"]
    assert "xgboost_classifier@1 → end of XGBoostModelFlow/" in loaded


def test_of_eight_tasks_with_one_that_fails_seven_are_published_and_resume_brings_the_eighth(flows: Flows) -> None:
    (flows.here / "base.txt").write_text("base")
    flows.person.gitreg("save", "base", "base.txt", "--stage", "production")
    failing = flows.person.with_env(FAIL="1")
    flows.person, person = failing, flows.person
    flows.flow("many.py", "run", "--max-workers", "8", code=1)
    assert flows.numbers("Many") == list(range(1, 8))
    assert 5 not in [each["metadata"]["number"] for each in flows.versions("Many")]
    assert {each["record"].inputs for each in flows.versions("Many")} == {("base@1",)}
    (draft,) = flows.drafts()
    assert "-train-" in draft, "what the task had saved can still be sealed by hand"
    flows.flow("many.py", "resume", code=1)
    assert flows.numbers("Many") == list(range(1, 8)), "it failed again"
    assert len(flows.drafts()) == 2

    flows.person = person
    ended = flows.flow("many.py", "resume")
    assert flows.numbers("Many") == list(range(1, 9)), "only the task that had failed was done again"
    assert flows.versions("Many")[-1]["metadata"] == {"number": 5}
    assert len(flows.drafts()) == 1, "what is left is of the run that this one did not resume"
    (told,) = re.findall(r"ALL (\[.*\])", ended.out)
    assert [each["metadata"]["number"] for each in json.loads(told)] == list(range(8))
    assert sorted(each["number"] for each in json.loads(told)) == list(range(1, 9))


def test_retries_make_no_doubles(flows: Flows) -> None:
    flows.flow("retries.py", "run")
    (raised,) = flows.versions("raised")
    assert raised["metadata"] == {"attempt": 1}
    assert flows.numbers("killed") == [1]
    assert flows.numbers("same") == [1], "what was published before the task failed is taken, not made again"
    assert [(each["metadata"]["attempt"], each["yanked"]) for each in flows.versions("other")] == [
        (0, True),
        (1, False),
    ]
    assert flows.numbers("caught") == []
    (draft,) = flows.drafts()
    assert "-caught-" in draft
    assert flows.numbers("net") == list(range(1, 201))
    sealed = [subject for subject in flows.subjects() if subject.startswith("Seal")]
    assert len(sealed) == 5, "one commit for a task, none for one that made nothing"
    assert "gitreg_model" in flows.flow("retries.py", "card", "list", "checkpoints").err
    assert "Card not found" in flows.flow("retries.py", "card", "list", "nothing", code=1).err


def test_a_flow_loads_what_can_run_code_only_where_it_says_so(flows: Flows) -> None:
    (flows.here / "model.pkl").write_bytes(corpus.SYSTEM)
    flows.person.gitreg("save", "evil", "model.pkl")
    flows.person.gitreg("trust", "--no-code")
    ended = flows.flow("unsafe.py", "run", code=1)
    assert "CALLED if you trust who made it: unsafe_code=True;" in ended.out
    assert "evil@1: model.pkl can run code when it is loaded" in ended.err + ended.out
    assert "@model(load=..., unsafe_code=True)" in ended.err + ended.out
    assert "LOADED" not in ended.out
    flows.person = flows.person.with_env(ALLOWED="1")
    assert "LOADED" in flows.flow("unsafe.py", "run").out


def test_another_machine_has_all_that_a_task_needs_by_the_code_package(flows: Flows, tmp_path: Path) -> None:
    flows.flow("many.py", "package", "save", str(tmp_path / "package.tgz"))
    there = tmp_path / "there"
    with tarfile.open(tmp_path / "package.tgz") as package:
        package.extractall(there, filter="data")
    code = there / ".mf_code" if (there / ".mf_code").exists() else there
    (there / "m.txt").write_text("weights")
    script = (
        "from gitreg import current, model\n"
        "@model\ndef fit():\n    saved = current.model.save('m.txt', label='iris')\n"
        "    return open(current.model.load(saved) + '/m.txt').read()\n"
        "print(fit())"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=there, env={**flows.person.env, "PYTHONPATH": str(code)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stdout == "weights\n", ended.stderr
    assert flows.numbers("iris") == [1]

"""A card in a real browser: light, dark, on a phone, without scripts, held against axe-core."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from gitreg.cards.page import render_step
from gitreg.cards.values import Graph, StepCard, StepModel
from tests.system.world import PROGRAMS, Person, make_person, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="chromium-driver is not installed"),
]
AXE = next(Path(axe_core_python.__file__).parent.glob("**/axe*.js"))
STEP = StepCard(
    "start of Flow", [("Task", "Flow/1795389818005308/start/1")],
    [StepModel("iris@2", f"sha256:{'ab' * 32}", [("Size", "1.5 kB")], [("note", "<img src=x onerror=alert(1)>")])],
    lineage=Graph([("version", "iris@2", "iris@2"), ("step", "start", "start of Flow/1")], [(1, 0, "made by")]),
)  # fmt: skip
README = """---
license: mit
---
# Iris <script>document.title = "hacked"</script>

| split | rows |
|---|---|
| train | 120 |

| right |
|------:|
| 1 |

![x](https://example.org/x.png) [bad](javascript:alert(1)) [good](https://example.org)

```python
print("a line of code that is much longer than the screen of a phone is wide, and scrolls on its own")
```
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the cards of a registry in which each part of a card has something to say."""
    where = tmp_path_factory.mktemp("cards")
    ada: Person = make_person(where)
    ada.gitreg("init", where / "registry")
    there = ada.at(where / "registry")
    import numpy as np
    from safetensors.numpy import save_file

    (where / "weights").mkdir()
    (where / "weights" / "odd.safetensors").write_bytes((100_000).to_bytes(8, "little") + b"[" * 100_000)
    save_file({"encoder.weight": np.zeros((4, 5), np.float32)}, where / "weights" / "model.safetensors")
    there.gitreg("artifact", "save", "data", write(where / "data", {"rows.csv": "1,2\n"}))
    for loss in ("0.5", "0.3", "0.4"):
        (where / "weights" / "note.txt").write_text(loss)
        there.gitreg(
            "save", "iris", where / "weights", "--metadata", f"loss={loss}",
            "--metadata", "note=<img src=x onerror=alert(1)>", "--input", "data", "--description", "<b>hostile</b>",
        )  # fmt: skip
    write(there.here / "models" / "iris", {"README.md": README})
    there.git("add", "-A")
    there.git("commit", "-qm", "The card")
    there.gitreg("model", "update", "iris", "--limitations", "Three kinds only")
    there.gitreg("promote", "iris@2", "production", "--reason", "<i>lower</i> loss")
    there.gitreg("promote", "iris@3", "production", "--force")
    there.gitreg("save", "tuned", where / "weights", "--input", "iris@2")
    for reference in ("iris@2", "iris@3", "tuned"):
        there.gitreg("card", reference, "--out", where / f"{reference}.html")
    (where / "step.html").write_text(render_step(STEP))
    return where


@pytest.fixture(scope="module")
def browsing() -> Iterator[Callable[..., webdriver.Chrome]]:
    """Open a page in a window of a width, in light or dark, with scripts or without."""
    opened: list[webdriver.Chrome] = []

    def browse(page: Path, *, width: int = 1000, scheme: str = "light", scripts: bool = True) -> webdriver.Chrome:
        options = Options()
        options.binary_location = shutil.which("chromium") or "chromium"
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
            "--disable-component-update", "--no-first-run", "--disable-quic",
        ):  # fmt: skip
            options.add_argument(argument)
        if not scripts:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        opened.append(driver)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get(page.as_uri())
        return driver

    yield browse
    for driver in opened:
        driver.quit()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("iris@2", 1000, "light"), ("iris@2", 1000, "dark"), ("iris@2", 360, "light"), ("step", 360, "dark")],
)
def test_a_card_is_readable_and_axe_finds_nothing(
    pages: Path, browsing: Callable[..., Any], name: str, width: int, scheme: str
) -> None:
    driver = browsing(pages / f"{name}.html", width=width, scheme=scheme)
    asked = [entry["message"] for entry in driver.get_log("performance") if "requestWillBeSent" in entry["message"]]
    assert all("file://" in message for message in asked), "nobody is asked for anything"
    assert driver.get_log("browser") == []
    assert driver.title in ("iris@2", "Models of start of Flow"), "no script of the card ran"
    wide = driver.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width, "the page itself does not scroll sideways"
    for details in driver.find_elements("css selector", "summary"):
        details.click()
    driver.execute_script(AXE.read_text())
    found = driver.execute_async_script("axe.run().then(arguments[0])")
    assert found["violations"] == []
    assert found["passes"]


def test_a_card_says_all_of_it_without_scripts(pages: Path, browsing: Callable[..., Any]) -> None:
    driver = browsing(pages / "iris@2.html", scripts=False)
    for details in driver.find_elements("css selector", "summary"):
        details.click()
    text = driver.find_element("css selector", "body").text
    for said in (
        "iris@2", "<b>hostile</b>", "archived", "gitreg load iris@2 DEST", "Three kinds only", "<script>",
        "<img src=x onerror",
        "0.3", "model.safetensors", "encoder.weight", "4 \u00d7 5", "left production, to 3",
        "<i>lower</i> loss", "data@1",
        "tuned@1", "it is what was sealed", "3 files, all in the store", "1 tensor, 20 parameters",
    ):  # fmt: skip
        assert said in text, said
    assert "license: mit" not in text
    assert len(driver.find_elements("css selector", "circle")) == 3, "the loss over three versions"


def test_a_card_on_paper_is_light_holds_to_the_page_and_folds_nothing_away(
    pages: Path, browsing: Callable[..., Any]
) -> None:
    driver = browsing(pages / "iris@2.html", width=680, scheme="dark")  # A4 without its margins
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": [dark]})
    folded = "[...document.querySelectorAll('details > :not(summary)')]"
    shown = driver.execute_script(f"return {folded}.map(each => each.checkVisibility() && each.offsetHeight > 20)")
    assert shown == [True, True], "the tensors and the lineage as a list, which nobody can unfold"
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 680
    ink = driver.execute_script("return getComputedStyle(document.body).color")
    assert max(int(part) for part in re.findall(r"[0-9]+", ink)[:3]) < 100, "dark ink"


def test_the_card_of_what_is_in_production_tells_how_to_load_that(pages: Path) -> None:
    page = (pages / "iris@3.html").read_text()
    assert "gitreg load iris@production DEST" in page


def test_a_draft_and_a_version_without_files_have_cards(pages: Path, tmp_path: Path) -> None:
    there = make_person(tmp_path).at(pages / "registry")
    begun = there.start("sh", "-c", f"{PROGRAMS}/gitreg run --model iris -- sh -c 'kill -9 $PPID'")
    begun.communicate()
    out = there.gitreg("card", "iris@draft", "--out", "-").out
    assert "a draft, which its run may still change" in out
    assert there.gitreg("lineage", "iris@draft", code=3).err.count("when its run is sealed") == 1
    bare = (there.here / "models/iris/versions/1.yaml").read_text().replace("model: iris", "model: bare")
    write(there.here / "models" / "bare", {"versions/1.yaml": bare.partition("artifacts:")[0]})
    there.git("add", "-A")
    there.git("commit", "-qm", "A version without files, of a model that nobody registered")
    assert "<h1>bare@1</h1>" in there.gitreg("card", "bare", "--out", "-").out


def test_what_came_of_a_version_is_not_crowded_out_by_what_it_was_made_from(tmp_path: Path) -> None:
    ada = make_person(tmp_path)
    ada.gitreg("init", tmp_path / "registry")
    there = ada.at(tmp_path / "registry")
    there.gitreg("save", "base", write(tmp_path / "w", {"m.bin": "x"}))
    record = (there.here / "models/base/versions/1.yaml").read_text()
    made = {f"b{n}/versions/1.yaml": record.replace("model: base", f"model: b{n}") for n in range(80)}
    inputs = "".join(f"- b{n}@1\n" for n in range(80))
    middle = record.replace("model: base", "model: mid").replace("artifacts:", f"inputs:\n{inputs}artifacts:")
    after = record.replace("model: base", "model: after").replace("artifacts:", "inputs:\n- mid@1\nartifacts:")
    write(there.here / "models", made | {"mid/versions/1.yaml": middle, "after/versions/1.yaml": after})
    there.git("add", "-A")
    there.git("commit", "-qm", "Many")
    page = there.gitreg("card", "mid", "--out", "-").out
    assert "mid@1 → after@1 (input)" in page
    assert "and 22 more" in page

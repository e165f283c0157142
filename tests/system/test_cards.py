"""A card in a real browser: light, dark, on a phone, without scripts, held against axe-core."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from gitreg.cards.page import render_step
from gitreg.cards.values import Fact, Graph, StepCard, StepModel
from tests.system.world import PROGRAMS, Person, make_person, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="chromium-driver is not installed"),
]
AXE = next(Path(axe_core_python.__file__).parent.glob("**/axe*.js"))
STEP = StepCard(
    "start of Flow", [Fact("Task", "Flow/1795389818005308/start/1")],
    [StepModel("iris@2", f"sha256:{'ab' * 32}", [Fact("Size", "1.5 kB")], [("note", "<img src=x onerror=alert(1)>")])],
    lineage=Graph([("version", "iris@2", "iris@2"), ("step", "start", "start of Flow/1")], [(1, 0, "made by")]),
)  # fmt: skip
GATES = """
policies:
  production:
    gates:
    - {metric: loss, incumbent: not_above}
    - {name: enough, metric: loss, at_most: 0.6}
    - soak: {stage: staging, hours: 24}
"""
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
    record = (there.here / "models/tuned/versions/1.yaml").read_text()
    bare = record.replace("inputs:\n- iris@2\n", "")
    parts = {f"part-{n}/versions/1.yaml": bare.replace("tuned", f"part-{n}") for n in range(40)}
    inputs = "".join(f"- part-{n}@1\n" for n in range(40))
    wide = record.replace("tuned", "wide").replace("- iris@2\n", inputs)
    write(there.here / "models", parts | {"wide/versions/1.yaml": wide})
    settings = there.here / "gitreg.yaml"
    settings.write_text(settings.read_text() + GATES)
    there.git("add", "-A")
    there.git("commit", "-qm", "Forty inputs, and gates")
    there.gitreg("promote", "iris@1", "staging")
    for reference in ("iris@1", "iris@2", "iris@3", "tuned", "wide"):
        there.gitreg("card", reference, "--out", where / f"{reference}.html")
    (where / "step.html").write_text(render_step(STEP))
    return where


def show(driver: webdriver.Chrome, width: int, scheme: str, media: str = "screen") -> None:
    """Set the width of the window, the colours that its user likes, and whether it is paper."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


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
        show(driver, width, scheme)
        driver.get(page.as_uri())
        return driver

    yield browse
    for driver in opened:
        driver.quit()


@pytest.mark.parametrize("name", ["iris@2", "iris@3", "wide", "step"])
def test_a_card_is_readable_in_both_schemes_and_widths_and_axe_finds_nothing(
    pages: Path, browsing: Callable[..., Any], name: str
) -> None:
    driver = browsing(pages / f"{name}.html")
    asked = [entry["message"] for entry in driver.get_log("performance") if "requestWillBeSent" in entry["message"]]
    assert all("file://" in message for message in asked), "nobody is asked for anything"
    assert driver.get_log("browser") == []
    assert driver.title.startswith((name, "Models of start")), "no script of the card ran"
    for details in driver.find_elements("css selector", "summary"):
        details.click()
    driver.execute_script(AXE.read_text())
    for width, scheme in product((1280, 390), ("light", "dark")):
        show(driver, width, scheme)
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, "the page itself does not scroll sideways"
        cut = """return [...document.querySelectorAll('.wide:has(.metrics), .snippets pre')]
            .filter(each => each.scrollWidth > each.clientWidth).map(each => each.textContent)"""
        assert driver.execute_script(cut) == [], "metrics and the code that loads it are in view, on a phone too"
        found = driver.execute_async_script("axe.run().then(arguments[0])")
        assert found["violations"] == [], (width, scheme)
        assert found["passes"]


@pytest.mark.parametrize("name", ["iris@2", "wide"])
def test_the_version_is_in_view_in_its_lineage_and_its_label_can_be_read(
    pages: Path, browsing: Callable[..., Any], name: str
) -> None:
    driver = browsing(pages / f"{name}.html")
    for media, width in (("screen", 1280), ("screen", 390), ("print", 680)):
        show(driver, width, "light", media)
        left, right, label = driver.execute_script("""
            const root = [...document.querySelectorAll('.node.root')].find(each => each.getBoundingClientRect().width);
            const box = root.getBoundingClientRect(), picture = root.ownerSVGElement;
            const scale = picture.getBoundingClientRect().width / picture.viewBox.baseVal.width;
            return [box.left, box.right, 12 * scale];
        """)
        assert 0 <= left < right <= width, (media, width)
        assert label >= 9, "pixels"


def test_a_card_says_all_of_it_without_scripts(pages: Path, browsing: Callable[..., Any]) -> None:
    driver = browsing(pages / "iris@2.html", scripts=False)
    for details in driver.find_elements("css selector", "summary"):
        details.click()
    text = driver.find_element("css selector", "body").text
    for said in (
        "iris@2", "<b>hostile</b>", "archived", "gitreg load iris@2 DEST", "Three kinds only", "<script>",
        "<img src=x onerror",
        "0.3", "model.safetensors", "encoder.weight", "4 \u00d7 5", "left production; version 3 took its place",
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
    show(driver, 680, "dark", "print")
    folded = "[...document.querySelectorAll('details:not(.screen) > :not(summary)')]"
    shown = driver.execute_script(f"return {folded}.map(each => each.checkVisibility() && each.offsetHeight > 0)")
    assert len(shown) >= 4, "digests, tensors, the lineage as a list, metrics over versions"
    assert all(shown), "nobody can unfold paper"
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 680
    code = "[...document.querySelectorAll('pre')].filter(each => each.scrollWidth > each.clientWidth).length"
    assert driver.execute_script(f"return {code}") == 0, "nobody can scroll paper"
    ink = driver.execute_script("return getComputedStyle(document.body).color")
    assert max(int(part) for part in re.findall(r"[0-9]+", ink)[:3]) < 100, "dark ink"


def test_the_card_of_what_is_in_production_tells_how_to_load_that(pages: Path) -> None:
    page = (pages / "iris@3.html").read_text()
    assert "gitreg load iris@production DEST" in page


def test_the_first_screen_tells_the_stage_since_when_by_whom_the_gates_and_the_version_to_beat(
    pages: Path, browsing: Callable[..., Any]
) -> None:
    first, third = (
        " ".join(browsing(pages / f"iris@{n}.html").find_element("css selector", "body").text.split()) for n in (1, 3)
    )
    for told in (
        "iris@1 staging", "In staging since 20", "UTC by Ada Lovelace", "To enter production barred",
        "failed metric: loss is 0.5", "passed enough: loss is 0.5", "waiting soak: it was in staging for 0 hours",
        "Beside iris@3, in production", "loss lower is better 0.5 0.4 +0.1 worse",
    ):  # fmt: skip
        assert told in first, told
    assert "Beside iris@2, in production before" in third
    assert "loss lower is better 0.4 0.3 +0.1 worse" in third


@pytest.mark.parametrize(
    ("remote", "link", "opened"),
    [
        (
            "https://ada:secret@github.com/acme/models.git",
            "https://github.com/acme/models",
            "&#34;https://github.com/acme/models.git&#34;",
        ),
        (
            "git@gitlab.example.com:acme/models.git",
            "https://gitlab.example.com/acme/models",
            "&#34;git@gitlab.example.com:acme/models.git&#34;",
        ),
        ("https://git.example.com/acme/models?token=secret", None, ""),
        ("javascript:alert(1)//github.com/acme", None, ""),
    ],
)
def test_the_registry_and_its_commit_are_links_where_the_host_is_known_and_never_hold_a_login(
    tmp_path: Path, remote: str, link: str | None, opened: str
) -> None:
    ada = make_person(tmp_path)
    ada.gitreg("init", tmp_path / "registry")
    there = ada.at(tmp_path / "registry")
    there.gitreg("save", "iris", write(tmp_path / "w", {"m.bin": "x"}))
    settings = there.here / "gitreg.yaml"
    settings.write_text(f"{settings.read_text()}remote: origin\n")
    there.git("commit", "-qam", "A remote")
    there.git("remote", "add", "origin", remote)
    page = there.gitreg("card", "iris", "--out", "-").out
    links = re.findall(r'href="([^"]*)"', page)
    commit = there.git("rev-parse", "HEAD")
    part = "-/commit" if "gitlab" in remote else "commit"
    assert links == ([link, f"{link}/{part}/{commit}"] if link else [])
    assert "secret" not in page
    assert f"with Registry.open({opened}) as registry" in page


def test_a_draft_and_a_version_without_files_have_cards(pages: Path, tmp_path: Path) -> None:
    there = make_person(tmp_path).at(pages / "registry")
    begun = there.start("sh", "-c", f"{PROGRAMS}/gitreg run --model iris -- sh -c 'kill -9 $PPID'")
    begun.communicate()
    out = there.gitreg("card", "iris@draft", "--out", "-").out
    assert "a draft, which its run may still change" in out
    assert there.gitreg("lineage", "iris@draft", code=3).err.count("which has no lineage yet") == 1
    bare = (there.here / "models/iris/versions/1.yaml").read_text().replace("model: iris", "model: bare")
    write(there.here / "models" / "bare", {"versions/1.yaml": bare.partition("artifacts:")[0]})
    there.git("add", "-A")
    there.git("commit", "-qm", "A version without files, of a model that nobody registered")
    assert "<h1><bdi>bare</bdi>@<bdi>1</bdi></h1>" in there.gitreg("card", "bare", "--out", "-").out


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
    assert "22 more are farther away: <code>gitreg lineage mid@1</code>" in page


def test_a_picture_counts_all_that_it_leaves_out_of_a_long_line_of_ancestors(tmp_path: Path) -> None:
    there = make_person(tmp_path)
    there.gitreg("init", tmp_path / "registry")
    there = there.at(tmp_path / "registry")
    there.gitreg("save", "many", write(tmp_path / "w", {"m.bin": "x"}))
    first = (there.here / "models/many/versions/1.yaml").read_text()
    later = {
        f"{n}.yaml": first.replace("version: '1'", f"version: '{n}'").replace(
            "artifacts:", f"inputs:\n- many@{n - 1}\nartifacts:"
        )
        for n in range(2, 91)
    }
    write(there.here / "models/many/versions", later)
    there.git("add", "-A")
    there.git("commit", "-qm", "Ninety versions, each made from the one before")
    page = there.gitreg("card", "many@45", "--out", "-").out
    pictures = re.findall(r"<figure class=\"picture.*?</figure>", page, re.DOTALL)
    assert pictures
    for picture in pictures:
        drawn = picture.count('<g class="node')
        assert f"{90 - drawn} more are farther away: <code>gitreg lineage many@45</code>" in picture
    assert page.count("(input)") + 1 == 60
    assert "30 more are farther away" in page.rpartition("The same as a list")[2]


def test_a_card_tells_why_it_was_archived_and_what_came_to_its_stage(tmp_path: Path) -> None:
    there = make_person(tmp_path)
    there.gitreg("init", tmp_path / "registry")
    there = there.at(tmp_path / "registry")
    for n in range(3):
        there.gitreg("save", "iris", write(tmp_path / "w", {"m.bin": str(n)}))
    there.gitreg("archive", "iris@3", "--reason", "too slow")
    for n in (1, 2):
        there.gitreg("promote", f"iris@{n}", "production", "--force", "--reason", "better")
    first = there.gitreg("card", "iris@1", "--out", "-").out
    assert re.search(r"Archived since 20[^<]* by Ada Lovelace</li>", first), "the reason is why iris@2 was promoted"
    assert "<strong>left production; version 2 took its place</strong>" in first
    assert "<strong>entered production</strong>" in first
    there.gitreg("rollback", "iris", "production")
    second = there.gitreg("card", "iris@2", "--out", "-").out
    assert "<strong>left production; version 1 came back</strong>" in second
    assert "<strong>entered production, after version 1</strong>" in second
    third = there.gitreg("card", "iris@3", "--out", "-").out
    assert re.search(r"Archived since 20[^<]* by Ada Lovelace: <q dir=.auto.>too slow</q>", third)
    explained = there.gitreg("why", "iris@2", "production").out
    assert "iris@1 is in production; a rollback took iris@2 out of it, so no force is needed" in explained

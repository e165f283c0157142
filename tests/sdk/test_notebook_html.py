"""Objects as a notebook shows them: HTML in which every value is text, and which asks for nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import gitreg
from gitreg import Decision, Lineage, Model, ModelCard, ModelVersion, Page, Registry, Result
from gitreg.cards.notebook import MOST_ROWS, Table, render
from gitreg.documents.types import (
    CARD_FIELDS,
    AnnotationDocument,
    ArtifactRecord,
    FileRecord,
    ModelDocument,
    VersionDocument,
)
from gitreg.policy.results import Verdict
from gitreg.registry.lineage.provenance import Edge, Node, NodeId

EVIL = """</td></style><script>alert("x")</script><img src=x onerror='alert(1)'>&lt;"""
TAGS = {
    "div", "style", "p", "span", "strong", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "svg", "defs", "marker", "path", "rect", "g", "title", "text",
}  # fmt: skip


class Reader(HTMLParser):
    """The tags, the attributes and the texts of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"] and data.strip():
            self.texts.append(data)


def read_safely(html: str) -> Reader:
    """Return what HTML consists of, after looking that nothing in it runs or asks for anything."""
    found = Reader(html)
    assert set(found.tags) <= TAGS
    assert found.tags.count("style") == 1
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("href", "src", "style")]
    assert not re.search(r"@import|url\((?!#)", html)
    return found


EVIL_FILE = FileRecord(size=1, sha256=EVIL)
EVIL_RECORD = ArtifactRecord(type=EVIL, size=1, digest=EVIL, materializer=EVIL, files={EVIL: EVIL_FILE})
EVIL_VERSION = ModelVersion(
    VersionDocument(
        model=EVIL, version=EVIL, number=1, created_at=EVIL, created_by=EVIL, description=EVIL, tags=(EVIL,),
        metadata={EVIL: EVIL, "list": [EVIL], "map": {EVIL: EVIL}}, source={"commit": EVIL, "dirty": True},
        run={"pipeline": EVIL, "run": EVIL, "step": EVIL}, inputs=(EVIL,), artifacts={EVIL: EVIL_RECORD},
    ),
    AnnotationDocument(), EVIL, EVIL, (EVIL,),
)  # fmt: skip
EVIL_FIELDS: dict[str, Any] = dict.fromkeys(("name", "created_at", *CARD_FIELDS), EVIL)
EVIL_RESULT = Result(EVIL, EVIL, Verdict.PASSED, EVIL)
EVIL_ID = NodeId("version", EVIL)


@pytest.mark.parametrize(
    "value",
    [
        EVIL_VERSION,
        ModelCard(ModelDocument(**EVIL_FIELDS, tags=(EVIL,), metadata={EVIL: EVIL}), 1, EVIL, {EVIL: EVIL}),
        Page([{"model": EVIL, EVIL: EVIL, "metadata": {EVIL: EVIL}, "created_at": EVIL}], 1, 1, 10, ("model", EVIL)),
        Page([EVIL_VERSION], 1, 1, 10),
        Lineage(
            EVIL_ID,
            {EVIL_ID: Node(EVIL_ID, EVIL), NodeId("code", EVIL): Node(NodeId("code", EVIL), EVIL)},
            (Edge(NodeId("code", EVIL), EVIL_ID, EVIL),),
        ),
        Decision(EVIL, EVIL, True, (Result(EVIL, EVIL, Verdict.FAILED, EVIL, parts=(EVIL_RESULT,)),)),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_each_value_is_text_whatever_it_is(value: Any) -> None:
    found = read_safely(value._repr_html_())
    assert any("<script>" in text for text in found.texts)


@pytest.mark.slow
def test_a_run_a_model_and_a_registry_are_shown_with_hostile_texts(
    registry: Registry, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(registry.folder)
    registry.save("iris", weights, description=EVIL, metadata={EVIL: EVIL}, stage="production")
    registry.update_model("iris", description=EVIL)

    runs: list[gitreg.Run] = []

    @gitreg.step
    def train(rate: str) -> dict[str, Any]:
        runs.append(gitreg.get_step_context().run)
        return {"rate": rate}

    @gitreg.pipeline
    def training(rate: str) -> None:
        train(rate)

    training(EVIL)
    (run,) = runs
    shown: list[Any] = [registry, Model("iris", "production", registry=registry), run, registry.list_versions()]
    for each in shown:
        read_safely(each._repr_html_())
    assert "train" in Reader(run._repr_html_()).texts
    assert {"iris", "production"} <= set(Reader(registry._repr_html_()).texts)
    missing = Reader(Model("nobody", registry=registry)._repr_html_()).texts
    assert any("nobody" in text for text in missing)


def test_a_table_shows_twenty_rows_and_counts_the_others() -> None:
    found = read_safely(render("Page", "x", tables=[Table(("a",), [(n,) for n in range(23)], total=135)]))
    assert found.tags.count("tr") == 1 + MOST_ROWS == 21
    assert "and 115 more rows" in found.texts
    assert not [
        text for text in read_safely(render("Page", "x", tables=[Table(("a",), [(1,)])])).texts if "more" in text
    ]


def test_a_page_shows_columns_with_values_and_the_metadata_by_its_name() -> None:
    rows: list[dict[str, Any]] = [
        {"model": "iris", "version": str(n), "number": n, "stage": None, "tags": [], "size": 2_000_000,
         "archived": False, "metadata": {"accuracy": 0.1234567891}, "created_at": "2026-01-02T03:04:05Z"}
        for n in (2, 1)
    ]  # fmt: skip
    columns = ("model", "version", "number", "stage", "tags", "created_at", "size", "archived")
    texts = read_safely(Page(rows, 2, 1, 100, columns)._repr_html_()).texts
    shown = [text for text in texts if text in {*columns, "accuracy"}]
    assert shown == ["model", "version", "accuracy", "created_at", "size"]
    assert {"0.123457", "2026-01-02 03:04", "2.0 MB"} <= set(texts)


def test_columns_without_room_are_counted() -> None:
    rows = [{"model": "iris", "metadata": {f"m{n}": n + 1 for n in range(30)}}]
    texts = read_safely(Page(rows, 1, 1, 100, ("model",))._repr_html_()).texts
    assert "without 19 more columns, which to_pandas() has" in texts


def test_a_lineage_is_a_picture_whose_arrow_is_its_own() -> None:
    def lineage(name: str) -> str:
        data, version = NodeId("artifact", "data@1"), NodeId("version", name)
        nodes = {version: Node(version), data: Node(data)}
        return Lineage(version, nodes, (Edge(data, version, "input"),))._repr_html_()

    first, second = (re.search(r'marker id="([^"]+)"', lineage(name)) for name in ("iris@1", "iris@2"))
    assert first
    assert second
    assert first[1] != second[1]
    assert f'marker-end="url(#{first[1]})"' in lineage("iris@1")
    assert {"data@1", "iris@1", "input"} <= set(read_safely(lineage("iris@1")).texts)


def test_a_decision_shows_each_rule_with_its_parts() -> None:
    inner = Result("accuracy", "metric", Verdict.FAILED, "0.8 is below 0.9")
    decision = Decision(
        "iris@2", "production", True, (Result("all", "all", Verdict.FAILED, "1 of 1 failed", parts=(inner,)),)
    )
    texts = read_safely(decision._repr_html_()).texts
    assert {"refused", "by pull request only", "- accuracy", "0.8 is below 0.9", "failed"} <= set(texts)


def test_numbers_stand_at_the_right_only_in_a_column_of_numbers() -> None:
    def kinds(*values: Any) -> list[str]:
        return [row[0][1] for row in Table(("a",), [(value,) for value in values]).cells]

    assert kinds(1, 0.5, None) == ["number", "number", "number"]
    assert kinds(1, "x", "y" * 40) == ["text", "text", "long"]
    assert kinds(True) == ["text"]

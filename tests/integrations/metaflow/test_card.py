"""The card of a task: what it says, whatever that is."""

from __future__ import annotations

from typing import Any

import pytest

from gitreg import Registry, current, model
from gitreg.cards.page import render_step
from gitreg.integrations.metaflow.card import CardData, lineage_of, step_card
from tests.cards.test_page import HOSTILE, assert_harmless


def reference(text: str, **more: Any) -> dict[str, Any]:
    return {
        "model": text, "reference": text, "digest": text, "size": 1500, "created_at": text,
        "metadata": {text: text, "deep": {"text": text}, "number": 0.5}, "run": {"pipeline": text}, **more,
    }  # fmt: skip


def test_whatever_a_card_says_is_text() -> None:
    told = CardData({"pipeline": HOSTILE, "run": HOSTILE, "step": HOSTILE}, {"commit": HOSTILE}, [reference(HOSTILE)],
                {HOSTILE: reference(HOSTILE, reference=None)})  # fmt: skip
    read = assert_harmless(render_step(step_card(HOSTILE, told, None)))
    assert read.tags.count("h3") == 2
    assert read.text.count(HOSTILE) > 8
    assert "1.5 kB" in read.text


def test_it_says_when_nothing_was_saved_or_loaded() -> None:
    page = render_step(step_card("Flow/1/start/1", CardData({}, {}, [], {}), None))
    assert "It saved no model." in page
    assert "It loaded no model." in page
    assert "Lineage" not in page


@pytest.mark.slow
def test_the_lineage_is_of_what_was_saved_and_loaded(inside: Registry) -> None:
    @model
    def train() -> dict[str, Any]:
        return current.model.save("m.bin", label="base", metadata={"a": 1})

    @model(load="base@1")
    def tune() -> dict[str, Any]:
        return current.model.save("m.bin", label="tuned")

    base, tuned = train(), tune()
    made = lineage_of(inside, CardData(tuned["run"], {}, [tuned], {"base": base}))
    assert made is not None
    names = [title for _, _, title in made.nodes]
    assert names[0] == "tuned@1"
    assert "base@1" in names
    told = CardData({"pipeline": "Flow", "run": "1-use-2", "step": "use"}, {}, [], {"tuned": tuned})
    used = lineage_of(inside, told)
    assert used is not None
    assert used.nodes[0][2] == "use of Flow/1-use-2"
    (last,) = [edge for edge in used.edges if edge[1] == 0]
    assert used.nodes[last[0]][2] == "tuned@1"
    assert {title for _, _, title in used.nodes} >= {"base@1", "tuned@1"}
    assert lineage_of(inside, CardData({}, {}, [{**base, "reference": None}], {})) is None
    page = render_step(step_card("Flow/1/use/2", told, used))
    assert "tuned@1 → use of Flow/1-use-2 (input)" in page

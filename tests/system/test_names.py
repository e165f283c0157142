"""A name is one name, whether a system spells its accents composed (NFC) or decomposed (NFD)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest

from tests.system.world import Person, commit_by_hand, write

pytestmark = pytest.mark.slow

SPELLINGS: list[Callable[[str], str]] = [lambda name: normalize("NFC", name), lambda name: normalize("NFD", name)]


@pytest.mark.parametrize("say", SPELLINGS, ids=["composed first", "decomposed first"])
def test_every_kind_of_name_is_found_in_either_spelling(
    registry: Person, weights: Path, tmp_path: Path, say: Callable[[str], str]
) -> None:
    ask = next(each for each in SPELLINGS if each("é") != say("é"))
    registry.gitreg("save", say("modèle@été"), weights, "--tag", say("tâche"), "--artifact", f"{say('bête')}={weights}")
    registry.gitreg("promote", ask("modèle@été"), "production")
    registry.gitreg("annotate", ask("modèle@été"), "--tag", ask("tâche"))
    registry.gitreg("model", "update", ask("modèle"), "--tag", say("près"))
    registry.gitreg("model", "update", say("modèle"), "--remove-tag", ask("près"))
    shown = registry.gitreg("show", ask("modèle@production"), "--json").data
    assert (shown["model"], shown["version"], shown["tags"]) == ("modèle", "été", ["tâche"])
    for command in (("model", "show"), ("list",), ("log",)):
        registry.gitreg(*command, ask("modèle"))
    for condition in ("version=été", "tag=tâche", "version=startswith:ét", "version=oneof:été,x"):
        assert registry.gitreg("list", ask("modèle"), ask(condition), "--json").data["total"] == 1
    assert registry.gitreg("model", "list", ask("name=modèle"), "--json").data["total"] == 1
    registry.gitreg("load", ask("modèle@été"), tmp_path / "out", "--artifact", ask("bête"))
    registry.gitreg("cat", ask("modèle@été:model.bin"))
    files = write(tmp_path / "files", {say("café/thé.txt"): "hot", say("zoé.txt"): "Zoé"})
    registry.gitreg("save", "files", files)
    for spell in SPELLINGS:
        assert registry.gitreg("cat", spell("files:café/thé.txt")).out == "hot"
        registry.gitreg("load", "files", tmp_path / f"out-{spell('é')}", "--file", spell("zoé.txt"))
    listed = registry.gitreg("show", "files", "--json").data["artifacts"]["model"]["files"]
    assert list(listed) == ["café/thé.txt", "zoé.txt"]
    # Artifacts and runs, alone and of a version.
    registry.gitreg("artifact", "save", say("donnée"), weights)
    registry.gitreg("artifact", "save", ask("donnée@ärt"), weights)
    registry.gitreg("artifact", "save", say("donnée@ärt"), weights)  # the very same
    assert len(registry.gitreg("artifact", "list", ask("donnée"), "--json").data) == 2
    registry.gitreg("artifact", "load", ask("donnée@ärt"), tmp_path / "data")
    registry.gitreg("artifact", "link", ask("donnée@1"), ask("modèle@été"))
    script = write(tmp_path / "go", {"go.py": f"import gitreg\ngitreg.save_artifact({{'a': 1}}, {say('né')!r})\n"})
    registry.gitreg("run", "--pipeline", say("entraîné"), "--name", say("déjà"), "--", "python", script / "go.py")
    assert registry.gitreg("runs", "show", ask("entraîné/déjà"), "--json").data["run"] == "déjà"
    registry.gitreg("artifact", "load", ask("né"), tmp_path / "more")
    registry.gitreg("lineage", ask("modèle@été"))
    code = f"import gitreg; print(gitreg.Model({ask('modèle')!r}, {ask('été')!r}).get_artifact({ask('donnée')!r}).name)"
    assert registry.run("python", "-c", code).out == "donnée\n"
    assert not registry.doctor_says()


def test_decomposed_names_that_stand_already_are_read_or_named(registry: Person, weights: Path) -> None:
    registry.gitreg("artifact", "save", "donnée", weights)
    (file,) = (registry.here / "artifacts").rglob("*.yaml")
    second = str(file.relative_to(registry.here)).replace("/1.yaml", "/2.yaml")
    said = normalize("NFD", file.read_text())
    said = re.sub(r"^version: .*$", 'version: "2"', said, flags=re.MULTILINE)
    commit_by_hand(registry, "main", {second: said})  # as gitreg wrote it once
    assert registry.gitreg("artifact", "show", "donnée@2", "--json").data["artifact"] == "donnée"
    odd = "artifacts/donne%CC%81e/2.yaml"
    commit_by_hand(registry, "main", {odd: said})
    said_of = {problem["where"]: problem["what"] for problem in registry.doctor_says()}
    assert "not spelled as gitreg spells it" in said_of[odd]


@pytest.mark.parametrize("spelled", [normalize("NFD", "modèle@1"), r'"mode\u0300le@1"'], ids=["decomposed", "escaped"])
def test_a_link_in_another_spelling_is_no_other_name(
    registry: Person, weights: Path, tmp_path: Path, spelled: str
) -> None:
    registry.gitreg("save", "iris", "--artifact", f"modèle={weights}")
    registry.gitreg("artifact", "save", normalize("NFD", "modèle"), write(tmp_path / "evil", {"m": "evil"}))
    registry.gitreg("artifact", "link", normalize("NFD", "modèle@1"), "iris@1", code=4)
    base = registry.git("rev-parse", "HEAD")
    said = f"format: 1\nkind: annotation\nlinks:\n- {spelled}\n"
    commit_by_hand(registry, "main", {"models/iris/annotations/1.yaml": said})
    assert "names an artifact that was sealed" in registry.gitreg("check", "--base", base, code=4).err

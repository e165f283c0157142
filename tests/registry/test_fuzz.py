"""Whatever a file, a name, a filter or an object of a store says, what comes out is an answer or an error of ours.

The examples are the same at each run; ``GITREG_FUZZ=10000`` asks for so many new ones.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.blobs.format.pack import parse_table, table_size
from gitreg.blobs.format.recipe import parse_recipe
from gitreg.blobs.manifest import Manifest
from gitreg.documents.layout import Key, parse_path
from gitreg.documents.types import DOCUMENTS
from gitreg.documents.validation import check_annotation
from gitreg.documents.yaml import dumps
from gitreg.errors import GitregError
from gitreg.git import Commit, Repository
from gitreg.git.creation import create_repository
from gitreg.names import parse_reference, slug, unslug
from gitreg.registry.drafts import read_draft_at
from gitreg.registry.lineage.lineage import lineage
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.enforce import explain, policies
from gitreg.registry.promotion.people import people
from gitreg.registry.promotion.stage_entries import entry_decision
from gitreg.registry.query.diff import compare
from gitreg.registry.query.filters import MODEL_FIELDS, VERSION_FIELDS, parse_filter
from gitreg.registry.query.listing import list_models, list_versions
from gitreg.registry.query.rows import model_row, version_row
from gitreg.registry.state.audit_log import log, stage_log
from gitreg.registry.state.index_builder import derive, derive_as_parsed
from gitreg.registry.state.index_rows import FileColumns
from gitreg.registry.state.references import resolve
from gitreg.registry.state.registry_refs import parse_mirror_ref, parse_tag_ref, tag_message, tag_record
from gitreg.registry.state.runs_and_artifacts import artifact_versions, resolve_artifact, runs
from gitreg.registry.state.snapshot import Snapshot
from tests.documents.test_schemas import KEYS, SHA, SOUND, places
from tests.registry.support import ADA, NOW, World

FUZZ = (
    settings(max_examples=int(os.environ["GITREG_FUZZ"]), derandomize=False)
    if "GITREG_FUZZ" in os.environ
    else settings(derandomize=True)
)

RUN: dict[str, Any] = {
    "format": 1, "kind": "run", "pipeline": "train", "run": "r1", "status": "completed", "started_at": NOW,
    "ended_at": NOW, "duration": 1.5, "command": ["python", "x.py"], "source": {"repository": "x", "commit": "3f"},
    "environment": {"python": "3.11"}, "parameters": {"gamma": 0.1},
    "steps": {"fit": {"status": "completed", "inputs": {"base": "iris@6"}, "outputs": {"data": "data@1"}}},
    "inputs": ["iris@6"], "versions": ["iris@7"],
}  # fmt: skip
ARTIFACT: dict[str, Any] = {
    "format": 1, "kind": "artifact", "artifact": "data", "version": "1", "number": 1, "id": "a" * 32,
    "created_at": NOW, "created_by": "Ada <a@b>", "type": "data", "materializer": "json", "metadata": {"rows": 1},
    "run": {"pipeline": "train", "run": "r1", "step": "fit"}, "size": 1, "digest": f"sha256:{SHA}",
    "files": {"a/b": {"size": 1, "sha256": SHA}},
}  # fmt: skip
LINKED = {"data": {"type": "data", "size": 1, "digest": f"sha256:{SHA}", "artifact": "data@1"}}
GATES: list[dict[str, Any]] = [
    {"metric": "accuracy", "at_least": 0.9}, {"metadata": {"a": 1}}, {"approvals": 1}, {"card": ["license"]},
    {"artifacts": ["model"], "files": ["*"]}, {"soak": {"stage": "staging", "for": "48h"}}, {"signature": True},
    {"any": [{"lineage": True}, {"command": ["true"]}]},
]  # fmt: skip
SAMPLES: dict[Key, dict[str, Any]] = {
    KEYS["registry"]: SOUND["registry"] | {"policies": {"production": {"from": ["staging"], "gates": GATES}}},
    **{KEYS[kind]: SOUND[kind] for kind in ("model", "model_version", "stage", "alias", "approval")},
    KEYS["annotation"]: {key: value for key, value in SOUND["annotation"].items() if key not in ("deleted", "yanked")}
    | {"links": ["data@1"], "artifacts": LINKED},
    Key("model_version", "iris", "6"): SOUND["model_version"] | {"version": "6", "number": 6},
    Key("run", "train", "r1"): RUN,
    Key("artifact", "data", "1"): ARTIFACT,
}
DRAFT: dict[str, Any] = {
    "format": 1, "kind": "draft", "model": "iris", "version": "v1", "created_at": NOW, "card": {"license": "mit"},
    "tags": ["a"], "metadata": {"a": 1}, "step": "fit", "stage": "staging", "inputs": ["iris@6"], "links": ["a" * 32],
    "artifacts": LINKED,
}  # fmt: skip
OF_A_DRAFT = {"run.yaml": RUN, f"artifacts/{'a' * 32}.yaml": ARTIFACT, "versions/000001.yaml": DRAFT}

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.0, 1e300, 10**20, "", " ", "x", "7", "iris@7", "@", "a@b@c", "\u0065\u0301", "\0", NOW,
     "2026-99-99", f"sha256:{SHA}", "a" * 32, [], [[]], ["a"], [1], ["iris@7"], ["@"], {}, {"": 1}, {"a": {"b": None}},
     {"model": 1}]
) | st.text(max_size=6)  # fmt: skip
TEXT = st.text(max_size=12) | st.lists(
    st.sampled_from(["iris", "data", "@", "7", "/", ":", "models:/", "sha256:", "a" * 6, "=", "gte:", "metadata.", ".",
                     "tag", "number", "created_at", "2026-11-22", "%", "%FF", "[", "train/r1", "\u0301", "draft"]),
    max_size=6,
).map("".join)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn, sound: dict[str, Any]) -> dict[str, Any]:
    """A document with up to three of its fields dropped, exchanged for something else, or added."""
    data = copy.deepcopy(sound)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(data)[1:] or [()]))
        parent: Any = data
        for step in place[:-1]:
            parent = parent[step]
        what = draw(st.sampled_from(["drop", "exchange", "exchange", "add"]))
        if place and what == "drop":
            del parent[place[-1]]
        elif place and what == "exchange":
            parent[place[-1]] = copy.deepcopy(draw(ODD))
        elif isinstance(parent, dict):
            parent[draw(st.text(min_size=1, max_size=3))] = copy.deepcopy(draw(ODD))
    return data


def cut(content: bytes, start: int, stop: int, new: bytes) -> bytes:
    start, stop = sorted((start % (len(content) + 1), stop % (len(content) + 1)))
    return content[:start] + new + content[min(stop, start + 9) :]


def spoilt_bytes(content: bytes) -> st.SearchStrategy[bytes]:
    number = st.integers(0, len(content))
    return st.builds(cut, st.just(content), number, number, st.binary(max_size=4))


def derived(key: Key, content: bytes) -> FileColumns:
    """What the index keeps of a file; one that only a fault of ours makes unreadable is a finding."""
    found = derive(key, content)
    for each in (found, derive_as_parsed(key, content)):
        assert " cannot be read: " not in (each.problem or ""), each.problem
        assert (each.data is None) == (each.problem is not None)
    return found


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    for key, data in SAMPLES.items():
        world.put(key, dumps(data))
    assert not world.snapshot.unreadable()
    return world


def everything(snapshot: Snapshot) -> Iterator[Callable[[], object]]:
    """What readers ask."""
    later = PromotionContext(promoter=lambda: "ada@example.com", now=lambda: 1.8e9)
    yield lambda: policies(snapshot)
    yield lambda: people(snapshot).person("ada@example.com")
    yield lambda: [model_row(each) for each in snapshot.models()]
    yield lambda: list_models(snapshot, ["tag=a"], sort="name")
    yield lambda: list_versions(snapshot, None, ["metadata.accuracy=gte:0.5"], sort="created_at:desc")
    yield lambda: list(log(snapshot))
    yield lambda: stage_log(snapshot, "iris", "production")
    yield lambda: [each.record for each in artifact_versions(snapshot)]
    yield lambda: runs(snapshot)
    yield lambda: resolve_artifact(snapshot, "data")
    for reference in ("iris", "iris@7", "iris@production", "iris@champion", f"iris@sha256:{SHA[:8]}"):
        yield lambda reference=reference: version_row(resolve(snapshot, reference, withdrawn=True))  # type: ignore[misc]
    for thing in ("iris@7", "data", "train/r1"):
        yield lambda thing=thing: lineage(snapshot, thing)  # type: ignore[misc]
    for version in snapshot.versions("iris"):
        yield lambda version=version: (version.ignored, version.size, tag_message(version.record.to_data(), SHA))  # type: ignore[misc]
        yield lambda version=version: explain(snapshot, version, "production", later)  # type: ignore[misc]
        yield lambda version=version: entry_decision(snapshot, version, "production", later)  # type: ignore[misc]
        yield lambda version=version: check_annotation(  # type: ignore[misc]
            KEYS["annotation"], version.annotation.to_data(), version.record.to_data()
        )
    yield lambda: compare(resolve(snapshot, "iris@6"), resolve(snapshot, "iris@7", withdrawn=True), None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*its annotation names the artifact")
@given(data=st.data(), key=st.sampled_from(list(SAMPLES)))
@settings(FUZZ)
def test_no_document_makes_a_reader_fail(world: World, key: Key, data: st.DataObject) -> None:
    content = dumps(data.draw(spoilt(SAMPLES[key])))
    with closing(world.index.copied()) as index:
        seq = world.commits + 1
        commit = Commit(f"{seq:040x}", "0" * 40, (), ADA, ADA, "By hand\n")
        index.extend([(commit, [(key, derived(key, content))], False)])
        snapshot = Snapshot(index, seq, commit.oid)
        with suppress(GitregError):
            for ask in everything(snapshot):
                with suppress(GitregError):
                    ask()


@given(data=st.data(), key=st.sampled_from([*SAMPLES, Key("card", "iris")]))
@settings(FUZZ)
def test_no_bytes_make_the_derivation_fail(data: st.DataObject, key: Key) -> None:
    content = dumps(SAMPLES.get(key, {}))
    derived(key, data.draw(spoilt_bytes(content) | st.binary(max_size=40)))


@given(kind=st.sampled_from(list(DOCUMENTS)), model=TEXT, name=TEXT)
@settings(FUZZ)
def test_no_name_makes_the_derivation_fail(kind: str, model: str, name: str) -> None:
    sound = next((said for key, said in SAMPLES.items() if key.kind == kind), None)
    if sound is None:  # drafts are not on the branch
        return
    fields = {"model_version": ("model", "version"), "artifact": ("artifact", "version"), "run": ("pipeline", "run")}
    said = dict(zip(fields.get(kind, ()), (model, name), strict=False))
    if kind == "approval":
        name = f"{name.replace('/', '')}/production/ada"
    derived(Key(kind, model, name), dumps(sound | said))


PARTS = ("models", "artifacts", "runs", "versions", "stages", "approvals", "1.yaml", "model.yaml", "\udcff", "%ZZ")


@given(parts=st.lists(TEXT | st.sampled_from(PARTS), max_size=7))
@settings(FUZZ)
def test_a_path_is_of_one_file_or_of_none(parts: list[str]) -> None:
    path = "/".join(parts)
    key = parse_path(path)
    assert key is None or (key.path == path and parse_path(key.path) == key)


@given(text=TEXT)
@settings(FUZZ)
def test_no_reference_and_no_ref_makes_a_reader_fail(world: World, text: str) -> None:
    snapshot = world.snapshot
    for ask in (parse_reference, lambda text: resolve(snapshot, text), lambda text: resolve(snapshot, f"iris@{text}"),
                lambda text: resolve_artifact(snapshot, text), lambda text: lineage(snapshot, text)):  # fmt: skip
        with suppress(GitregError):
            ask(text)
    for ref in (f"refs/tags/models/{text}", f"refs/stages/{text}", f"refs/heads/stages/{text}", text):
        parse_tag_ref(snapshot.settings, ref)
        parse_mirror_ref(snapshot.settings, ref)
    tag_record(text)
    assert unslug(slug(text)) == unslug(slug(unslug(slug(text))))


@given(texts=st.lists(TEXT, max_size=2), sort=TEXT)
@settings(FUZZ)
def test_no_filter_and_no_order_makes_a_listing_fail(world: World, texts: list[str], sort: str) -> None:
    for text in texts:
        for fields in (VERSION_FIELDS, MODEL_FIELDS):
            with suppress(GitregError):
                parse_filter(text, fields)
    for listing in (list_versions, list_models):
        with suppress(GitregError):
            listing(world.snapshot, filters=texts)
        with suppress(GitregError):
            listing(world.snapshot, sort=sort)


LINES = f"{SHA}  3\n{'6' * 64}  0\n".encode()
TABLE = LINES + f"gitreg-pack 1 {len(LINES):016} {sha256(LINES).hexdigest()}\n".encode()
HEAD = f"gitreg-recipe 1\n{SHA}  3\n".encode()
MANIFEST = f"{SHA}  3  -  a/b\n{SHA}  3  x  c\n".encode()


def with_footer(lines: bytes) -> bytes:
    return lines + f"gitreg-pack 1 {len(lines):016} {sha256(lines).hexdigest()}\n".encode()


def with_end(lines: bytes) -> bytes:
    return lines + f"end {sha256(lines).hexdigest()}\n".encode()


@pytest.mark.parametrize(
    ("parse", "texts"),
    [
        (parse_table, spoilt_bytes(TABLE) | spoilt_bytes(LINES).map(with_footer)),
        (table_size, spoilt_bytes(TABLE)),
        (parse_recipe, spoilt_bytes(with_end(HEAD)) | spoilt_bytes(HEAD).map(with_end)),
        (Manifest.parse, spoilt_bytes(MANIFEST)),
    ],
)
def test_no_object_of_a_store_makes_its_parser_fail(
    parse: Callable[[bytes], object], texts: st.SearchStrategy[bytes]
) -> None:
    @given(texts)
    @settings(FUZZ)
    def ask(text: bytes) -> None:
        with suppress(GitregError):
            parse(text)

    ask()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    with closing(create_repository(tmp_path_factory.mktemp("drafts"), branch="main", env=dict(os.environ))) as made:
        yield made


@pytest.mark.slow
@given(data=st.data(), path=st.sampled_from(list(OF_A_DRAFT)))
@FUZZ
def test_no_draft_makes_a_reader_fail(plain: Repository, path: str, data: st.DataObject) -> None:
    files: dict[str, bytes | None] = {each: dumps(said) for each, said in OF_A_DRAFT.items()}
    files[path] = dumps(data.draw(spoilt(OF_A_DRAFT[path])))
    commit = plain.build_commit(None, files, message="draft\n", author=ADA, committer=ADA, sign=False)
    with suppress(GitregError):
        draft = read_draft_at(plain, commit, "refs/drafts/train@r1")
        assert draft.name
        for version in draft.versions.values():
            draft.artifacts_of(version)
            draft.find_version(version.model, version.version)

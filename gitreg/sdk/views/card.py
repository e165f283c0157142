"""The data of a version's card, collected from the registry and its store."""

from __future__ import annotations

import json
import shlex
import warnings
from contextlib import suppress
from datetime import datetime
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

from gitreg.cards.values import Artifact, Card, CheckResult, Graph, Metric, StageMove, TensorInfo
from gitreg.documents.types import CARD_FIELDS, ModelDocument
from gitreg.errors import GitregError
from gitreg.registry.lineage.graphs import to_picture
from gitreg.registry.lineage.lineage import Lineage
from gitreg.registry.state.audit_log import stage_log
from gitreg.registry.state.manifests import default_artifact, manifest_of
from gitreg.registry.state.seals import record_problem
from gitreg.sdk.views.tensors import tensors_of
from gitreg.units import size_text

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactRecord
    from gitreg.registry.state.snapshot import ModelVersion, Snapshot
    from gitreg.sdk.registry import Registry

_LARGEST = 10**300  # largest integer in a plot, which is drawn with floats
_MOST_FILES, _MOST_TENSORS, _MOST_POINTS, _MOST_METRICS, _MOST_NODES = 200, 300, 60, 6, 60


def card(registry: Registry, reference: str) -> Card:
    """Return the card of a version.

    Raises
    ------
    NotFound
        There is no such version.
    """
    version = registry.version(reference)
    session, snapshot = registry.session, registry.session.snapshot()
    document = snapshot.find_model(version.model) or ModelDocument(name=version.model)
    texts = [(field, getattr(document, field)) for field in CARD_FIELDS if field not in ("description", "license")]
    return Card(
        title=version.reference,
        version=version.version,
        description=version.description or document.description,
        facts=_facts(version, document),
        fields=[(_words(field), text) for field, text in texts if text],
        text=snapshot.card(version.model),
        snippets=_snippets(version),
        metadata=[(key, _text(value)) for key, value in version.metadata.items()],
        metrics=_metrics(snapshot, version),
        artifacts=[_artifact(registry, name, record) for name, record in version.artifacts.items()],
        history=_history(snapshot, version),
        lineage=_lineage(registry, version) if version.number else None,  # no record refers to a draft yet
        checks=_checks(registry, version),
        generated=f"Made by gitreg from the commit {snapshot.commit[:12]}, {session.environment.timestamp()[:10]}",
    )


def _facts(version: ModelVersion, document: Any) -> list[tuple[str, str]]:
    source, run = version.record.source or {}, version.record.run or {}
    commit = str(source.get("commit") or "")[:12] + (", changed since" if source.get("dirty") else "")
    lines = [
        ("Stage", "yanked" if version.yanked else version.stage),
        ("Aliases", ", ".join(version.aliases)),
        ("Number", str(version.number)),
        ("Made", f"{_when(version.record.created_at)} by {version.record.created_by or 'somebody'}"),
        ("License", document.license),
        ("Tags", ", ".join((*document.tags, *version.tags))),
        ("Size", size_text(version.size)),
        ("Code", commit if source else None),
        ("Repository", source.get("repository")),
        ("Run", "/".join(str(run[part]) for part in ("pipeline", "run", "step") if run.get(part))),
    ]
    return [(name, value) for name, value in lines if value]


def _snippets(version: ModelVersion) -> list[tuple[str, str]]:
    reference = f"{version.model}@{version.stage}" if version.stage not in (None, "archived") else version.reference
    if (default := default_artifact(version)) is not None:
        call = "model = registry.load_object" if default.materializer else "folder = registry.load"
        shell, python = [["DEST"]], f"    {call}({json.dumps(reference)})"
    else:  # each artifact has to be named, and gets a folder of its own
        names = list(version.artifacts)
        shell = [[f"DEST/{name}", "--artifact", name] for name in names]
        loads = (
            f"registry.{'load_object' if record.materializer else 'load'}"
            f"({json.dumps(reference)}, artifact={json.dumps(name)})"
            for name, record in version.artifacts.items()
        )
        python = "\n".join(f"    {call}" for call in loads)
    if not python:
        return []
    commands = "\n".join(shlex.join(["gitreg", "load", reference, *arguments]) for arguments in shell)
    return [
        ("At the command line", commands),
        ("In Python", f"from gitreg import Registry\n\nwith Registry.open() as registry:\n{python}"),
    ]


def _metrics(snapshot: Snapshot, version: ModelVersion) -> list[Metric]:
    numeric = [key for key, value in version.metadata.items() if _is_number(value)]
    versions = snapshot.versions(version.model)
    found = []
    for key in numeric[:_MOST_METRICS]:
        points = [(each.version, each.metadata[key]) for each in versions if _is_number(each.metadata.get(key))]
        if len(points) > 1:
            found.append(Metric(key, _around(points, version.version)))
    return found


def _around(points: list[tuple[str, float]], version: str) -> list[tuple[str, float]]:
    """Return at most ``_MOST_POINTS`` points, with that of the version among them."""
    own = next((n for n, (name, _) in enumerate(points) if name == version), len(points) - 1)
    end = min(len(points), max(own + _MOST_POINTS // 4, _MOST_POINTS))
    return points[max(0, end - _MOST_POINTS) : end]


def _artifact(registry: Registry, name: str, record: ArtifactRecord) -> Artifact:
    files: list[tuple[str, int, str]] = []
    tensors: list[TensorInfo] = []
    with suppress(GitregError):  # `_checks` reports it
        manifest = manifest_of(record, registry.session.stores)
        files = [(entry.path, entry.size, entry.sha256) for entry in manifest.files]
        tensors = tensors_of(registry, manifest)
    return Artifact(
        name,
        record.type,
        record.size,
        record.digest,
        record.artifact,
        files[:_MOST_FILES],
        max(0, len(files) - _MOST_FILES),
        tensors[:_MOST_TENSORS],
        max(0, len(tensors) - _MOST_TENSORS),
        sum(prod(tensor.shape) for tensor in tensors),
        [
            (path, str(finding.get("verdict", "")), str(finding.get("why", "")))
            for path, finding in list(record.contents.items())[:_MOST_FILES]
        ],
    )


def _history(snapshot: Snapshot, version: ModelVersion) -> list[StageMove]:
    """Return the moves of the version into and out of stages, newest first, in the order of the branch."""
    arrived: dict[str, StageMove] = {}
    left: dict[str, StageMove] = {}
    for stage in snapshot.settings.stages:
        with suppress(GitregError):  # no version ever held the stage
            for row in stage_log(snapshot, version.model, stage):
                if row["version"] == version.version:
                    before = f", after {row['from']}" if row["from"] else ""
                    arrived[row["commit"]] = StageMove(
                        _when(row["when"]), row["who"], f"{stage}{before}", row["reason"]
                    )
                elif row["from"] == version.version:
                    after = f", to {row['version']}" if row["version"] else ""
                    left[row["commit"]] = StageMove(
                        _when(row["when"]), row["who"], f"left {stage}{after}", row["reason"]
                    )
    moves = left | arrived  # for a commit that moves it between two stages, the arrival is shown
    order = {commit: snapshot.index.position(commit) or 0 for commit in moves}
    return [moves[commit] for commit in sorted(moves, key=order.__getitem__, reverse=True)]


def _lineage(registry: Registry, version: ModelVersion) -> Graph:
    """Return the graph of the inputs and the results of a version, the nearest of both first."""
    up, down = (registry.lineage(version.reference, up=up, down=not up, depth=6) for up in (True, False))
    below = {place: node for place, node in down.nodes.items() if place not in up.nodes}
    shown = max(_MOST_NODES // 2, _MOST_NODES - len(below))
    above = list(up.nodes.items())
    nodes = dict((*above[:shown], *below.items(), *above[shown:]))
    return to_picture(Lineage(up.root, nodes, tuple(dict.fromkeys((*up.edges, *down.edges)))))


def _checks(registry: Registry, version: ModelVersion) -> list[CheckResult]:
    if version.number:
        problem = record_problem(registry.session.branch, version)
        checks = [CheckResult("Record", problem is None, problem or f"it is what was sealed, {version.digest}")]
    else:
        checks = [CheckResult("Record", None, "a draft, which its run may still change")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            manifests = [manifest_of(record, registry.session.stores) for record in version.artifacts.values()]
        missing = sum(len(files) for files in registry.session.store.missing(manifests).values())
    except GitregError as error:
        checks.append(CheckResult("Files", None, f"not looked for: {error.message}"))
    else:
        files = sum(len(manifest.files) for manifest in manifests)
        count = f"{files} file{'' if files == 1 else 's'}"
        sentence = f"{missing} of {count} not in the store" if missing else f"{count}, all in the store"
        checks.append(
            CheckResult("Files", not missing, f"{sentence}; gitreg verify --deep {version.reference} reads them")
        )
    return checks


def _words(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_number(value: Any) -> bool:
    """Return whether a value can be drawn in a plot."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST < value < _LARGEST if isinstance(value, int) else isfinite(value)


def _when(moment: str) -> str:
    with suppress(ValueError):
        return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}"
    return moment

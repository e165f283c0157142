"""The data of a version's card, collected from the registry and its store."""

from __future__ import annotations

import json
import shlex
import warnings
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from keyword import iskeyword
from math import prod
from re import fullmatch
from typing import TYPE_CHECKING, Any

from gitreg.cards.values import Artifact, Card, CheckResult, Fact, Graph, Metric, StageMove, TensorInfo
from gitreg.documents.types import CARD_FIELDS, ModelDocument
from gitreg.errors import GitregError
from gitreg.git.urls import hide_login
from gitreg.registry.lineage.graphs import to_picture
from gitreg.registry.lineage.lineage import Lineage
from gitreg.registry.review.forges import host_by_name
from gitreg.registry.state.audit_log import stage_log
from gitreg.registry.state.manifests import default_artifact, manifest_of
from gitreg.registry.state.seals import record_problem
from gitreg.sdk.views.metrics import better, flat, is_metric, is_number
from gitreg.sdk.views.standing import badges, gate_metrics, gates, incumbent, standing
from gitreg.sdk.views.tensors import tensors_of
from gitreg.units import size_text

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactRecord
    from gitreg.registry.review.forges import Host
    from gitreg.registry.state.snapshot import ModelVersion, Snapshot
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.session import Session

_MOST_FILES, _MOST_TENSORS, _MOST_POINTS, _MOST_NODES = 200, 300, 60, 60
_FEW_FILES, _MOST_FOLDERS = 20, 40
_DIGITS = 12  # of an object id or a digest that is shown in short


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
    moves = _history(snapshot, version)
    other, remark = incumbent(snapshot, version)
    metrics, rest = _metrics(snapshot, version, other)
    home = _home(session)
    return Card(
        title=version.reference,
        version=version.version,
        description=version.description or document.description,
        badges=badges(snapshot, version),
        standing=standing(snapshot, version, moves),
        facts=_facts(version, document, home),
        gates=gates(session, snapshot, version),
        compared=(other.reference, remark) if other else ("", ""),
        fields=[(_words(field), text) for field, text in texts if text],
        text=snapshot.card(version.model),
        snippets=_snippets(version, _address(session)),
        load_warning=f"{version.reference} {version.withdrawal}" if version.yanked else "",
        metadata=[(key, _text(value)) for key, value in rest.items()],
        metrics=metrics,
        artifacts=[_artifact(registry, name, record) for name, record in version.artifacts.items()],
        history=moves,
        lineage=_lineage(registry, version) if version.number else None,  # no record refers to a draft yet
        checks=_checks(registry, version),
        generated=[
            Fact("Made by gitreg on", session.environment.timestamp()[:10]),
            _commit("from the commit", snapshot.commit, home),
        ],
    )


def _facts(version: ModelVersion, document: ModelDocument, home: Host | None) -> list[Fact]:
    source, run = version.record.source or {}, version.record.run or {}
    author = version.record.created_by or "somebody"
    repository = hide_login(str(source.get("repository") or ""))
    code = host_by_name(repository)
    commit = _commit("Code", str(source.get("commit") or ""), code)
    if source.get("dirty"):
        commit = commit._replace(text=f"{commit.text}, changed since")
    facts = [
        Fact("Aliases", ", ".join(version.aliases)),
        Fact("Number", str(version.number) if version.number and version.version != str(version.number) else ""),
        Fact("Made", f"{_when(version.record.created_at)} by {author.partition(' <')[0]}", full=author),
        Fact("License", document.license or ""),
        Fact("Tags", ", ".join((*document.tags, *version.tags))),
        Fact("Size", size_text(version.size)),
        commit,
        Fact("Code from", repository, _page(code)),
        Fact("Run", "/".join(str(run[part]) for part in ("pipeline", "run", "step") if run.get(part))),
        Fact("Registry", f"{home.name}/{home.path}" if home else "", _page(home)),
    ]
    return [fact for fact in facts if fact.text]


def _home(session: Session) -> Host | None:
    """Return the host of the registry's remote; None without a remote, and for a folder."""
    address = session.branch.repository.remotes.url(session.remote) if session.remote else None
    return host_by_name(address) if address else None


def _address(session: Session) -> str:
    """Return the URL at which others open the registry, without a login; "" for a folder, and where it needs one."""
    url = session.branch.repository.remotes.url(session.remote) if session.remote else None
    return url if url and fullmatch(r"(https?://|git@)[\w.:/~+-]+", url) else ""


def _page(host: Host | None) -> str | None:
    """Return the URL of a repository's page on a known kind of host, without whatever else the address had in it."""
    return host.address if host and host.kind and fullmatch(r"[\w./~-]+", host.path) else None


def _commit(name: str, commit: str, host: Host | None) -> Fact:
    page = host.commit_page(commit) if host and _page(host) and commit else None
    return Fact(name, commit[:_DIGITS], page, commit)


def _snippets(version: ModelVersion, address: str) -> list[tuple[str, str]]:
    """Return code that loads a version: by its stage, except where that leads to a yanked version and is refused."""
    staged = version.stage not in (None, "archived") and not version.yanked
    reference = f"{version.model}@{version.stage}" if staged else version.reference
    default = default_artifact(version)
    if default is not None:
        shell, files = [["DEST"]], [f"    folder = registry.load({_literal(reference)})"]
    else:  # each artifact has to be named, and gets a folder of its own
        shell = [[f"DEST/{name}", "--artifact", name] for name in version.artifacts]
        files = [f"    registry.load({_literal(reference)}, artifact={_literal(name)})" for name in version.artifacts]
    if not files:
        return []
    commands = "\n".join(shlex.join(["gitreg", "load", reference, *arguments]) for arguments in shell)
    opened = f"from gitreg import Registry\n\nwith Registry.open({_literal(address) if address else ''}) as registry:"
    snippets = [("At the command line", commands), ("In Python", "\n".join([opened, *files]))]
    objects = [
        f"    {_name(name)} = registry.load_object({_literal(reference)}"
        + (")" if record is default else f", artifact={_literal(name)})")
        for name, record in version.artifacts.items()
        if record.materializer
    ]
    if objects:
        snippets.append(("As the object that was saved", "\n".join([opened, *objects])))
    return snippets


def _literal(text: str) -> str:
    """Return a text as a literal of Python."""
    return json.dumps(text, ensure_ascii=False)


def _name(artifact: str) -> str:
    """Return a name for a variable."""
    return artifact if artifact.isidentifier() and not iskeyword(artifact) else "loaded"


def _metrics(
    snapshot: Snapshot, version: ModelVersion, other: ModelVersion | None
) -> tuple[list[Metric], dict[str, Any]]:
    """Return the metrics of a version with those of another and of the versions around it, and all other metadata."""
    own, others = flat(version.metadata), flat(other.metadata) if other else {}
    numbers = [key for key, value in own.items() if is_number(value)]
    if not numbers:
        return [], own
    last = snapshot.highest_number(version.model)
    end = min(last, max((version.number or last) + _MOST_POINTS // 4, _MOST_POINTS))
    around = snapshot.versions_between(version.model, end - _MOST_POINTS + 1, end)
    values = [(each.version, own if each.version == version.version else flat(each.metadata)) for each in around]
    if not version.number:
        values.append((version.version, own))
    named, metrics = gate_metrics(snapshot, version.model), []
    for key in numbers:
        points = [(name, each[key]) for name, each in values if is_number(each.get(key))]
        if key in named or is_metric(key, [value for _, value in points]):
            value = others.get(key)
            metrics.append(
                Metric(key, own[key], points, value if is_number(value) else None, named.get(key) or better(key))
            )
    drawn = {metric.name for metric in metrics}
    return metrics, {key: value for key, value in own.items() if key not in drawn}


def _artifact(registry: Registry, name: str, record: ArtifactRecord) -> Artifact:
    files: list[tuple[str, int, str]] = []
    folders: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    tensors: list[TensorInfo] = []
    with suppress(GitregError):  # `_checks` reports it
        manifest = manifest_of(record, registry.session.stores)
        files = [(entry.path, entry.size, entry.sha256) for entry in manifest.files]
        tensors = tensors_of(registry, manifest)
    if len(files) > _FEW_FILES:
        for path, size, _ in files:
            folder = path.partition("/")[0] + "/" if "/" in path else "top folder"
            folders[folder] += 1
            sizes[folder] += size
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
        [(folder, count, sizes[folder]) for folder, count in folders.most_common(_MOST_FOLDERS)],
    )


def _history(snapshot: Snapshot, version: ModelVersion) -> list[StageMove]:
    """Return the moves of the version into and out of stages, newest first, in the order of the branch."""
    arrived: dict[str, StageMove] = {}
    left: dict[str, StageMove] = {}
    for stage in snapshot.settings.stages:
        with suppress(GitregError):  # no version ever held the stage
            rows = stage_log(snapshot, version.model, stage)
            for n, row in enumerate(rows):
                if row["version"] == version.version:
                    before = f", after version {row['from']}" if row["from"] else ""
                    arrived[row["commit"]] = StageMove(
                        _when(row["when"]), row["who"], f"entered {stage}{before}", row["reason"]
                    )
                elif row["from"] == version.version:
                    came = (
                        "came back"
                        if any(row["version"] == other["version"] for other in rows[n + 1 :])
                        else "took its place"
                    )
                    after = f"; version {row['version']} {came}" if row["version"] else ""
                    left[row["commit"]] = StageMove(
                        _when(row["when"]), row["who"], f"left {stage}{after}", row["reason"]
                    )
    moves = left | arrived  # for a commit that moves it between two stages, the arrival is shown
    order = {commit: snapshot.index.position(commit) or 0 for commit in moves}
    return [moves[commit] for commit in sorted(moves, key=order.__getitem__, reverse=True)]


def _lineage(registry: Registry, version: ModelVersion) -> Graph:
    """Return the graph of the inputs and the results of a version, the nearest of both first."""
    up, down = (registry.lineage(version.reference, up=up, down=not up) for up in (True, False))
    below = {place: node for place, node in down.nodes.items() if place not in up.nodes}
    shown = max(_MOST_NODES // 2, _MOST_NODES - len(below))
    above = list(up.nodes.items())
    nodes = dict((*above[:shown], *below.items(), *above[shown:]))
    return to_picture(Lineage(up.root, nodes, tuple(dict.fromkeys((*up.edges, *down.edges)))))


def _checks(registry: Registry, version: ModelVersion) -> list[CheckResult]:
    if version.number:
        problem = record_problem(registry.session.branch, version)
        checks = [
            CheckResult(
                "Record", problem is None, problem or "it is what was sealed", None if problem else version.digest
            )
        ]
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


def _when(moment: str) -> str:
    with suppress(ValueError):
        return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return moment

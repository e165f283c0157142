"""Whether a step need not be done again: what it would give is known by its code, its parameters and its inputs."""

from __future__ import annotations

import hashlib
import inspect
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitreg.errors import IntegrityError
from gitreg.registry.artifacts import manifest_of
from gitreg.registry.collections import find_artifact, runs

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactDocument
    from gitreg.sdk.outputs import Output
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.under_way import Run

_FORMAT = 1  # of what a key is made of


def step_key(
    function: Callable[..., Any],
    outputs: Sequence[Output],
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> str | None:
    """Give what tells whether a step gives the same again; None where its code cannot be read.

    The code is the function's own text: what it calls does not count, as in zenml.

    Parameters
    ----------
    inputs:
        By argument, the digest of the artifact.
    """
    try:
        code = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return None
    said = {
        "format": _FORMAT,
        "code": code,
        "outputs": [(each.name, each.config.version, each.config.type) for each in outputs],
        "parameters": parameters,
        "inputs": inputs,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def known_outputs(
    run: Run, name: str, key: str, outputs: Sequence[Output], *, other_runs: bool
) -> list[ArtifactDocument] | None:
    """Give what a step with this key gave before, in an earlier try of the run or in another run of the pipeline.

    What the stores do not hold any more is not known.

    Parameters
    ----------
    other_runs:
        Whether other runs count.
    """
    found = _in_draft(run, name, key, outputs)
    if found is None and other_runs:
        found = _in_history(run, key, outputs)
    return found if found is not None and all(_is_stored(run.registry, each) for each in found) else None


def _is_stored(registry: Registry, document: ArtifactDocument) -> bool:
    try:
        manifest = manifest_of(document.record, registry.stores)
    except IntegrityError:
        return False
    return any(not store.missing([manifest]) for store in registry.stores.in_order)


def _in_draft(run: Run, name: str, key: str, outputs: Sequence[Output]) -> list[ArtifactDocument] | None:
    said = run.draft.run.steps.get(name, {})
    if said.get("key") != key or said.get("status") != "completed":
        return None
    given = [run.artifacts.at(said.get("outputs", {}).get(each.name, "")) for each in outputs]
    return [each for each in given if each is not None] if all(given) else None


def _in_history(run: Run, key: str, outputs: Sequence[Output]) -> list[ArtifactDocument] | None:
    snapshot = run.registry.snapshot()
    for earlier in runs(snapshot, run.pipeline):
        for step in earlier.steps.values():
            if step.get("key") != key or step.get("status") != "completed":
                continue
            given = []
            for each in outputs:
                artifact, _, version = step.get("outputs", {}).get(each.name, "").partition("@")
                given.append(find_artifact(snapshot, artifact, version) if version else None)
            if all(given):
                return [each for each in given if each is not None]
    return None

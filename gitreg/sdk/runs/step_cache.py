"""The step cache: the reuse of outputs of a step with the same code, parameters and inputs."""

from __future__ import annotations

import hashlib
import inspect
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitreg.errors import IntegrityError
from gitreg.registry.state.manifests import manifest_of
from gitreg.registry.state.runs_and_artifacts import find_artifact, runs

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactDocument
    from gitreg.sdk.runs.outputs import Output
    from gitreg.sdk.runs.run import Run
    from gitreg.sdk.session import Session

_FORMAT = 1  # version of the content of a key


def step_key(
    function: Callable[..., Any],
    outputs: Sequence[Output],
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> str | None:
    """Return the cache key of a step; None if the source of its function cannot be read.

    The code is the source of the function itself; functions that it calls do not count, as in zenml.

    Parameters
    ----------
    inputs:
        The digest of the artifact for each argument that is one.

    Returns
    -------
    str or None:
        A SHA-256 in hexadecimal.
    """
    try:
        code = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return None
    fields = {
        "format": _FORMAT,
        "code": code,
        "outputs": [(each.name, each.config.version, each.config.type) for each in outputs],
        "parameters": parameters,
        "inputs": inputs,
    }
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def known_outputs(
    run: Run, name: str, key: str, outputs: Sequence[Output], *, other_runs: bool
) -> list[ArtifactDocument] | None:
    """Return the earlier outputs of a step with this key, of the same run or of another run of the pipeline.

    None if there are none, or if the stores lack a file of them.

    Parameters
    ----------
    other_runs:
        True to search other runs, too.
    """
    found = _in_draft(run, name, key, outputs)
    if found is None and other_runs:
        found = _in_history(run, key, outputs)
    return found if found is not None and all(_is_stored(run.session, each) for each in found) else None


def _is_stored(session: Session, document: ArtifactDocument) -> bool:
    try:
        manifest = manifest_of(document.record, session.stores)
    except IntegrityError:
        return False
    return any(not store.missing([manifest]) for store in session.stores.in_order)


def _in_draft(run: Run, name: str, key: str, outputs: Sequence[Output]) -> list[ArtifactDocument] | None:
    fields = run.draft.run.steps.get(name, {})
    if fields.get("key") != key or fields.get("status") != "completed":
        return None
    given = [run.artifacts.at(fields.get("outputs", {}).get(each.name, "")) for each in outputs]
    return [each for each in given if each is not None] if all(given) else None


def _in_history(run: Run, key: str, outputs: Sequence[Output]) -> list[ArtifactDocument] | None:
    snapshot = run.session.snapshot()
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

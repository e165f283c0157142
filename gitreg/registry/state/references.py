"""The resolution of references: from the text that a person wrote to one version."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from gitreg.documents.types import AliasDocument, StageDocument
from gitreg.errors import GitregError, IntegrityError, NotFound, Refused
from gitreg.names import ARCHIVED, LATEST, Reference, as_number, is_number, parse_reference, reference_text
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.suggestions import nearest


def resolve(snapshot: Snapshot, reference: str | Reference, *, withdrawn: bool = False) -> ModelVersion:
    """Return the version that a reference means.

    The selector is tried as a number, then as the name of a version, a stage, an alias and a digest. The name of a
    stage never means a version or an alias.

    Parameters
    ----------
    reference:
        The reference, as text or parsed.
    withdrawn:
        True if a stage or an alias may lead to a yanked version: to annotate it, not to use it.

    Raises
    ------
    NotFound
        There is no such model or version, or no version holds the stage.
    GitregError
        The file of the version or of the pointer cannot be read.
    Refused
        The pointer leads to a yanked version, or the selector means several versions.
    IntegrityError
        The pointer's digest is not that of its record, or the sealed record was edited.

    Warns
    -----
    UserWarning
        The version's annotation names an artifact that was sealed with it.
    """
    if not isinstance(reference, Reference):
        reference = reference_text(reference)
    return snapshot.remember(("resolve", reference, withdrawn), lambda: _resolve_sealed(snapshot, reference, withdrawn))


def _resolve_sealed(snapshot: Snapshot, reference: str | Reference, withdrawn: bool) -> ModelVersion:
    version = _resolve(snapshot, reference, withdrawn)
    if not is_as_sealed(snapshot, version):
        raise IntegrityError(
            f"the sealed record of {version.reference} was edited", hint="`gitreg doctor` names the commit to revert"
        )
    snapshot.remember(("ignored", version.reference), lambda: _tell_ignored(version))
    return version


def is_as_sealed(snapshot: Snapshot, version: ModelVersion) -> bool:
    """Return whether a version's record is as it was first written, as far as this clone has its history."""
    sealed = snapshot.index.sealed_digest(snapshot.seq, version.model, version.version)
    return f"sha256:{sealed}" == version.digest


def _tell_ignored(version: ModelVersion) -> None:
    """Warn of each artifact that an annotation names although it was sealed with the version."""
    for name in version.ignored:
        import warnings  # lazy: rarely needed

        problem = f"its annotation names the artifact {name!r}, which was sealed; that is ignored"
        warnings.warn(f"{version.reference}: {problem}", stacklevel=2)


def _resolve(snapshot: Snapshot, reference: str | Reference, withdrawn: bool) -> ModelVersion:
    ref = parse_reference(reference) if isinstance(reference, str) else reference
    model, selector = ref.model, ref.selector
    if selector is None:
        version = snapshot.latest(model)
        if version is None:
            snapshot.card_fields(model)  # raises where there is no such model
            raise _no_latest(snapshot, model)
        return version
    if selector == "draft" or selector.startswith("draft:"):
        run = selector.partition(":")[2] or "RUN"
        raise NotFound(
            f"{ref} is a draft of a run, and not sealed yet",
            hint=f"seal it first: `gitreg seal {run}`; `gitreg list --drafts` names the runs",
        )
    number = as_number(selector)
    found = (
        (snapshot.find_number(model, number) if number is not None else None)
        or (snapshot.find_version(model, selector) if selector not in snapshot.settings.stages else None)
        or _follow(snapshot, ref, withdrawn)
        or _by_digest(snapshot, ref)
    )
    if found is None:
        snapshot.card_fields(model)
        raise _missing(snapshot, model, selector)
    return found


def _no_latest(snapshot: Snapshot, model: str) -> GitregError:
    """Return the error for a model without a latest version: each was yanked, or there is none."""
    if withdrawn := snapshot.versions(model):
        newest = withdrawn[-1]
        back = (
            "`gitreg doctor` says more" if newest.is_hidden else f"`gitreg unyank {newest.reference}` takes that back"
        )
        return NotFound(
            f"{model} has no latest version: {newest.reference} {newest.withdrawal}",
            hint=f"{back}; `gitreg list {model}` lists those that can be named",
        )
    return NotFound(f"{model} has no version yet", hint=f"save one with `gitreg save {model} PATH`")


def _follow(snapshot: Snapshot, ref: Reference, withdrawn: bool) -> ModelVersion | None:
    """Return the version that a stage or an alias points to; None if there is no such pointer."""
    assert ref.selector is not None
    if ref.selector == ARCHIVED:
        raise Refused(
            f"{ref} names no single version: archived is a mark that many may have",
            hint=f"list them with `gitreg list {ref.model} stage={ARCHIVED}`",
        )
    pointer = snapshot.find_stage(ref.model, ref.selector)
    kind = "stage" if pointer else "alias"
    target: StageDocument | AliasDocument | None = pointer
    if pointer is None and ref.selector not in snapshot.settings.stages:
        target = snapshot.find_alias(ref.model, ref.selector)
    if target is None:
        return None
    version = snapshot.find_version(ref.model, target.version)
    if version is None:
        if (error := _unreadable(snapshot, ref.model, target.version, ("model_version",))) is not None:
            raise error
        raise NotFound(
            f"the {kind} {ref} points to version {target.version!r}, which is not there", hint="run `gitreg doctor`"
        )
    if target.digest is not None and target.digest != version.digest:
        raise IntegrityError(
            f"the {kind} {ref} says {target.digest[:19]}..., but the record of {version.reference} is "
            f"{version.digest[:19]}...",
            hint="the record or the pointer was changed by hand; run `gitreg doctor`",
        )
    if version.yanked and not withdrawn:
        raise Refused(
            f"the {kind} {ref} points to {version.reference}, which {version.withdrawal}",
            hint=f"`gitreg rollback {ref.model} {ref.selector}`"
            if kind == "stage"
            else f"name the version itself: {version.reference}",
        )
    return version


def _by_digest(snapshot: Snapshot, ref: Reference) -> ModelVersion | None:
    assert ref.selector is not None
    if not ref.selector.startswith("sha256:"):
        return None
    found = snapshot.find_digest(ref.model, ref.selector.removeprefix("sha256:"))
    if len(found) > 1:
        names = ", ".join(version.reference for version in found[:5])
        raise Refused(f"{ref} means {len(found)} versions: {names}", hint="name the version, or give more digits")
    return found[0] if found else None


def _missing(snapshot: Snapshot, model: str, selector: str) -> GitregError:
    if (error := _unreadable(snapshot, model, selector, ("model_version", "stage", "alias"))) is not None:
        return error
    if selector in snapshot.settings.stages:
        return NotFound(
            f"no version of {model} is in {selector}", hint=f"put one there with `gitreg promote {model}@N {selector}`"
        )
    gone = snapshot.find_version(model, selector, deleted=True)
    number = as_number(selector)
    if gone is None and number is not None:
        gone = snapshot.find_number(model, number, deleted=True)
    if gone is not None:
        return NotFound(
            f"{gone.reference} was deleted",
            hint=f"`gitreg undelete {model}@{gone.version}` takes that back",
        )
    names = [version.version for version in snapshot.versions(model)]
    stages, aliases = list(snapshot.stages(model)), list(snapshot.aliases(model))
    meant = _meant(snapshot, model, selector, [*stages, *aliases, LATEST, *names])
    return NotFound(
        f"{model} has no version, stage or alias {selector!r}",
        hint=None if meant else _selectors(model, names, stages, aliases),
        correction=(f"{model}@{selector}", f"{model}@{meant}") if meant else None,
    )


def _meant(snapshot: Snapshot, model: str, selector: str, known: Sequence[str]) -> str | None:
    """Return the selector that is probably meant: the number in ``v9``, else the nearest one that is no number."""
    number = as_number(re.sub(r"(?i)^(?:v|version|#)[ ._-]?", "", selector.strip()))
    if number is not None:
        return str(number) if snapshot.find_number(model, number) is not None else None
    return next(iter(nearest(selector, [each for each in known if not is_number(each)], most=1)), None)


def _selectors(model: str, names: Sequence[str], stages: Sequence[str], aliases: Sequence[str]) -> str:
    """Return a sentence with the newest versions, the stages and the aliases of a model."""
    parts = []
    for kind, words in (("version", names[-5:]), ("stage", stages), ("alias", aliases)):
        if words:
            plural = "" if len(words) == 1 else "es" if kind == "alias" else "s"
            newest = "newest " if len(words) < len(names) and kind == "version" else ""
            parts.append(f"the {newest}{kind}{plural} {', '.join(words)}")
    if not parts:
        return f"it has no version yet; save one with `gitreg save {model} PATH`"
    return f"{model} has {' and '.join([', '.join(parts[:-1]), parts[-1]] if parts[1:] else parts)}"


def _unreadable(snapshot: Snapshot, model: str, name: str, kinds: Collection[str]) -> GitregError | None:
    """Return the error for a version or a pointer whose file cannot be read; None if there is no such file."""
    for entry in snapshot.unreadable(model):
        if entry.name == name and entry.kind in kinds:
            contents = snapshot.index.history(snapshot.seq, *entry[:3])
            sealed = entry.kind == "model_version" and any(past.text is not None for past in contents)
            problem = f"{model}@{name} cannot be read: {entry.problem}"
            if sealed:
                return IntegrityError(f"the sealed record of {problem}", hint="`gitreg doctor` says what to do")
            return GitregError(problem, hint="run `gitreg doctor`")
    return None


def only_looked_up(snapshot: Snapshot, selector: str) -> bool:
    """Return whether a selector can only be looked up, never created: a number, a stage, ``latest`` or ``archived``."""
    return selector in (LATEST, ARCHIVED) or is_number(selector) or selector in snapshot.settings.stages

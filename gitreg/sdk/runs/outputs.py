"""The outputs of a step: the artifacts that its return annotation names."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitreg.errors import InvalidInput


@dataclass(frozen=True)
class ArtifactConfig:
    """The options of one output of a step: ``Annotated[ClassifierMixin, ArtifactConfig("trained_model")]``.

    zenml 0.98 has the same class.

    Parameters
    ----------
    name:
        The name of the artifact; None takes the name of the step followed by ``.output``.
    version:
        The name of the version; None takes the next number.
    is_model_artifact, is_deployment_artifact:
        True for the type model, or the type deployment; otherwise the type is data.
    unsafe_pickle:
        True to pickle the object if no safe format supports it, and to load it again.

    Examples
    --------
    >>> @step
    ... def train() -> Annotated[dict, ArtifactConfig("weights", is_model_artifact=True)]:
    ...     return {"w": 0.5}
    >>> @pipeline(model=Model("iris"))
    ... def training() -> None:
    ...     train()
    >>> training()
    >>> Model("iris").load_artifact("weights")
    {'w': 0.5}
    """

    name: str | None = None
    version: str | None = None
    is_model_artifact: bool = False
    is_deployment_artifact: bool = False
    unsafe_pickle: bool = False

    @property
    def type(self) -> str:
        """The type of the artifact: ``model``, ``deployment`` or ``data``.

        Raises
        ------
        InvalidInput
            Both types are set.
        """
        if self.is_model_artifact and self.is_deployment_artifact:
            raise InvalidInput(f"the output {self.name!r} is said to be a model and a deployment", hint="choose one")
        return "model" if self.is_model_artifact else "deployment" if self.is_deployment_artifact else "data"


class Output(typing.NamedTuple):
    """One output of a step.

    Parameters
    ----------
    annotation:
        The annotated type; None if there is no annotation.
    """

    config: ArtifactConfig
    annotation: Any

    def filled(self, fill: Callable[[str], str]) -> Output:
        """Return the output with the placeholders of its names filled."""
        config = replace(self.config, name=fill(self.name), version=self.config.version and fill(self.config.version))
        return Output(config, self.annotation)

    @property
    def name(self) -> str:
        """The name of the artifact."""
        assert self.config.name is not None
        return self.config.name


def declared_outputs(function: Callable[..., Any], step: str) -> list[Output] | None:
    """Return the outputs that a function's return annotation names; None if it has no annotation.

    ``Tuple[A, B]`` declares two outputs, ``None`` declares no output.

    Raises
    ------
    InvalidInput
        The annotation cannot be evaluated, or two outputs have the same name.
    """
    if "return" not in getattr(function, "__annotations__", {}):
        return None
    try:
        hint = typing.get_type_hints(function, include_extras=True)["return"]
    except NameError as error:
        raise InvalidInput(
            f"what the step {step} returns cannot be told: {error}",
            hint="import what its annotation names at the top of the module",
        ) from None
    if hint is type(None) or hint is inspect.Signature.empty:
        return []
    several = typing.get_origin(hint) is tuple and Ellipsis not in typing.get_args(hint)
    hints = typing.get_args(hint) if several else (hint,)
    found = [_output(each, f"{step}.output_{n}" if several else f"{step}.output") for n, each in enumerate(hints)]
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"the step {step} gives two outputs {twice!r}", hint="give each a name of its own")
    return found


def undeclared_outputs(value: Any, step: str) -> list[Output]:
    """Return the outputs of a step whose function has no return annotation: one, or none if it returned None."""
    if value is None:
        return []
    return [Output(ArtifactConfig(f"{step}.output"), None)]


def split(value: Any, outputs: Sequence[Output], step: str) -> tuple[Any, ...]:
    """Return a tuple with the value of each output.

    Raises
    ------
    InvalidInput
        The step returned another number of values.
    """
    if len(outputs) == 1:
        return (value,)
    if not outputs and value is None:
        return ()
    if not isinstance(value, tuple | list) or len(value) != len(outputs):
        got = f"{len(value)} values" if isinstance(value, tuple | list) else type(value).__name__
        raise InvalidInput(
            f"the step {step} returned {got} where its annotation names {len(outputs)} outputs",
            hint="return a tuple with one value for each",
        )
    return tuple(value)


def _output(hint: Any, default: str) -> Output:
    config, annotation = ArtifactConfig(), hint
    if typing.get_origin(hint) is typing.Annotated:
        annotation, *annotations = typing.get_args(hint)
        for each in annotations:
            if isinstance(each, ArtifactConfig):
                config = each
            elif isinstance(each, str):
                config = ArtifactConfig(each)
    if config.name is None:
        config = replace(config, name=default)
    config.type  # noqa: B018 - raises here, before the step runs
    return Output(config, annotation)

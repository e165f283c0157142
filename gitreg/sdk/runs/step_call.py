"""One call of a step in a pipeline's body: its inputs, its step cache, its outputs."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from gitreg.documents.types import ArtifactDocument
from gitreg.errors import InvalidInput, UnsafeCode
from gitreg.names import fill
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk.runs.outputs import Output, declared_outputs, split, undeclared_outputs
from gitreg.sdk.runs.step_cache import known_outputs, step_key
from gitreg.sdk.zenml.artifacts import ArtifactVersion, save_artifact

if TYPE_CHECKING:
    from gitreg.sdk.runs.run import Run
    from gitreg.sdk.runs.step_run import StepRun as RunningStep
    from gitreg.sdk.zenml.model import Model

_LOG = logging.getLogger("gitreg")


class StepOutput:
    """An output of a step in the body of a pipeline: pass it to another step, or :meth:`load` it.

    It is a handle, not the object: operators raise InvalidInput.
    """

    def __init__(self, artifact: ArtifactVersion, step: str, unsafe_pickle: bool, expected: type | None) -> None:
        self.artifact = artifact
        self.step = step
        self._unsafe_pickle = unsafe_pickle
        self._expected = expected

    def __repr__(self) -> str:
        return f"<{self.artifact.name} of the step {self.step}>"

    def load(self, *, unsafe_pickle: bool = False) -> Any:
        """Return the object, read from the store, since the one that the step returned may have been changed.

        Parameters
        ----------
        unsafe_pickle:
            True to load pickles and other code; also allowed if the step's ``ArtifactConfig`` has ``unsafe_pickle``.
        """
        return self.artifact.load(unsafe_pickle=unsafe_pickle or self._unsafe_pickle, expected=self._expected)


def _only_a_handle(self: StepOutput, *_: object) -> NoReturn:
    raise InvalidInput(
        f"{self!r} is a handle in the body of the pipeline, and no value to compare or compute with",
        hint="pass it to a step, or take the object with .load()",
    )


_OPERATORS = """
    bool len iter contains getitem int float index eq ne lt le gt ge neg abs round invert
    add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul and rand or ror
"""
for _operator in _OPERATORS.split():
    setattr(StepOutput, f"__{_operator}__", _only_a_handle)  # by default a comparison is false, whatever is meant


class StepCall:
    """One call of a step in a pipeline's body.

    Parameters
    ----------
    function:
        The function of the step.
    step:
        The name of the step.
    run:
        The run of the pipeline.
    args, kwargs:
        The arguments of the call; ``after`` and ``id`` are those of the step.
    model, enable_cache, substitutions:
        The options of the step (:func:`gitreg.step`).
    """

    def __init__(
        self,
        function: Callable[..., Any],
        step: str,
        run: Run,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        model: Model | None,
        enable_cache: bool | None,
        substitutions: Mapping[str, str],
    ) -> None:
        self.function = function
        self.step = step
        self.run = run
        self.model = model
        self.substitutions = substitutions
        self.enable_cache = run.enable_cache if enable_cache is None else enable_cache
        self.after = kwargs.pop("after", ())
        self.name = kwargs.pop("id", None) or step
        self.bound = self._bind(args, kwargs)
        self.outputs = self._named(declared_outputs(function, step))

    def _bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
        try:
            return inspect.signature(self.function).bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidInput(f"the step {self.step} cannot be called so: {error}") from None

    def _named(self, outputs: Sequence[Output] | None) -> list[Output] | None:
        """Return the outputs with the placeholders of their names filled."""
        values = {**self.run.steps.substitutions, **self.substitutions}
        return None if outputs is None else [output.filled(lambda name: fill(name, values)) for output in outputs]

    def do(self) -> Any:
        """Execute the step, or take its outputs from the step cache; return handles of the outputs."""
        self._check_order()
        given = {name: self._artifact(name, value) for name, value in self.bound.arguments.items()}
        inputs = {name: each for name, each in given.items() if each is not None}
        plain = {name: value for name, value in self.bound.arguments.items() if given[name] is None}
        parameters = to_json(plain, f"parameters of the step {self.step}")
        with self.run.begin(
            self.name, model=self.model, parameters=parameters, substitutions=self.substitutions
        ) as begun:
            begun.inputs.update({name: self.run.artifacts.place_of(each.document) for name, each in inputs.items()})
            key = self._key(parameters, inputs)
            known = self._known(begun, key)
            if known is not None:
                return self._handles(begun, self._reuse(begun, known), self.outputs or [])
            for name, value in inputs.items():
                self.bound.arguments[name] = self._load(name, value)
            before = self.run.artifacts.made_in(begun.name)
            returned = self.function(*self.bound.args, **self.bound.kwargs)
            outputs = self.outputs if self.outputs is not None else undeclared_outputs(returned, self.step)
            values = split(returned, outputs, self.step)
            by_others = self.run.artifacts.made_in(begun.name) != before or self.run.artifacts.noted_in(begun.name)
            begun.key = None if begun.effects or by_others else key
            made = [self._save(each, value) for each, value in zip(outputs, values, strict=True)]
            begun.outputs = {each.name: each.id for each in made}
            return self._handles(begun, made, outputs)

    def _check_order(self) -> None:
        wanted = [self.after] if isinstance(self.after, str | StepOutput) else list(self.after or ())
        done = self.run.draft.run.steps
        for each in wanted:
            name = each.step if isinstance(each, StepOutput) else str(each)
            if name not in done:
                raise InvalidInput(
                    f"{self.step} is to run after the step {name!r}, which has not run",
                    hint="steps run in the order in which the pipeline calls them; call that one first",
                )

    def _artifact(self, name: str, value: Any) -> ArtifactVersion | None:
        """Return an argument as an artifact, an object being saved as one first; None for a parameter."""
        if isinstance(value, StepOutput):
            return value.artifact
        if isinstance(value, ArtifactVersion):
            return value
        try:
            to_json({name: value})
        except InvalidInput:
            return save_artifact(value, f"{self.step}.{name}")  # an object made in the body of the pipeline
        return None

    def _load(self, name: str, value: ArtifactVersion) -> Any:
        argument = self.bound.arguments[name]
        if not isinstance(argument, StepOutput):
            return value.load()
        try:
            return argument.load()
        except UnsafeCode as error:
            raise error.allowed_by(f"ArtifactConfig(unsafe_pickle=True) on what {argument.step} gives") from error

    def _key(self, parameters: Mapping[str, Any], inputs: Mapping[str, ArtifactVersion]) -> str | None:
        if not self.outputs:  # a step without outputs is executed for its effects
            return None
        digests = {name: each.digest for name, each in inputs.items()}
        return step_key(self.function, self.outputs, parameters, digests)

    def _known(self, begun: RunningStep, key: str | None) -> list[ArtifactDocument] | None:
        if key is None or self.outputs is None:
            return None
        return known_outputs(self.run, begun.name, key, self.outputs, other_runs=self.enable_cache)

    def _reuse(self, begun: RunningStep, known: Sequence[ArtifactDocument]) -> list[ArtifactVersion]:
        begun.cached = True
        begun.outputs = {each.artifact: self.run.artifacts.place_of(each) for each in known}
        model = self.run.model
        if model is not None:
            for each in known:
                self.run.artifacts.link(each.id, key=model.key)
        _LOG.info("%s: given by an earlier run with the same code, parameters and inputs", begun.name)
        begun.key = None  # later runs find the run that executed the step
        return [ArtifactVersion(each, None) for each in known]

    def _save(self, output: Output, value: Any) -> ArtifactVersion:
        config = output.config
        return self.run.artifacts.save(
            value, output.name, config.version, artifact_type=config.type, unsafe_pickle=config.unsafe_pickle
        )

    def _handles(self, begun: RunningStep, made: Sequence[ArtifactVersion], outputs: Sequence[Output]) -> Any:
        handles = tuple(
            StepOutput(
                each,
                begun.name,
                output.config.unsafe_pickle,
                output.annotation if isinstance(output.annotation, type) else None,
            )
            for each, output in zip(made, outputs, strict=True)
        )
        return handles[0] if len(handles) == 1 else handles or None

"""``@step`` and ``@pipeline``: plain functions whose runs make versions of models.

The shape is that of zenml 0.98. A run is in this process and in the order of the calls; outside of a pipeline a step
is the function that it was made of.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from gitreg.documents.types import ArtifactDocument
from gitreg.errors import InvalidInput
from gitreg.names import fill
from gitreg.registry.metadata import to_json
from gitreg.sdk.active import active_run
from gitreg.sdk.artifacts import ArtifactVersion, save_artifact
from gitreg.sdk.outputs import Output, declared_outputs, split, undeclared_outputs
from gitreg.sdk.reusing import known_outputs, step_key
from gitreg.sdk.running import run
from gitreg.sdk.under_way import Run

if TYPE_CHECKING:
    from gitreg.sdk.model import Model, RunModel
    from gitreg.sdk.under_way import Step as RunningStep

P = ParamSpec("P")
R = TypeVar("R")
_LOG = logging.getLogger("gitreg")


class StepOutput:
    """What a step gave, in the body of a pipeline: pass it to another step, or :meth:`load` it."""

    def __init__(self, artifact: ArtifactVersion, step: str, unsafe_pickle: bool, expected: type | None) -> None:
        self.artifact = artifact
        self.step = step
        self._unsafe_pickle = unsafe_pickle
        self._expected = expected

    def __repr__(self) -> str:
        return f"<{self.artifact.name} of the step {self.step}>"

    def load(self) -> Any:
        """Give the object, from the store: what the step returned may have been changed since."""
        return self.artifact.load(unsafe_pickle=self._unsafe_pickle, expected=self._expected)


class StepContext:
    """What a step may ask of the run that it is part of."""

    def __init__(self, run: Run, step: RunningStep) -> None:
        self.run = run
        self._step = step

    @property
    def step_name(self) -> str:
        """The step's name in this run."""
        return self._step.name

    @property
    def pipeline_name(self) -> str:
        """The name of what it is a run of."""
        return self.run.pipeline

    @property
    def run_name(self) -> str:
        """The run's name."""
        return self.run.name

    @property
    def model(self) -> RunModel:
        """The version of a model that the step works on: its own, else the pipeline's.

        Raises
        ------
        InvalidInput
            Neither has one.
        """
        found = self.run.model
        if found is None:
            raise InvalidInput(
                f"neither the step {self._step.name} nor its pipeline works on a model",
                hint='give one of them model=Model(name="iris")',
            )
        return found


def get_step_context() -> StepContext:
    """Give the context of the step that is under way.

    Raises
    ------
    InvalidInput
        There is none: the function is called outside of a pipeline.
    """
    under_way = active_run()
    if under_way is None or under_way.step is None:
        raise InvalidInput("no step of a run is under way here", hint="call this in a @step, from a @pipeline")
    return StepContext(under_way, under_way.step)


class Step(Generic[P, R]):
    """A function that is a step of pipelines; called outside of one, it is that function."""

    def __init__(
        self,
        function: Callable[P, R],
        name: str | None,
        model: Model | None,
        enable_cache: bool | None,
        substitutions: Mapping[str, str] | None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = name or function.__name__
        self.model = model
        self.enable_cache = enable_cache
        self.substitutions = dict(substitutions or {})

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the step; in the body of a pipeline, give handles of what it returned (:class:`StepOutput`)."""
        under_way = active_run()
        if under_way is None or not under_way.is_pipeline or under_way.step is not None:
            return self.function(*args, **kwargs)
        return _Doing(self, under_way, args, dict(kwargs)).do()  # type: ignore[no-any-return]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind as a method, as the function would."""
        return self if instance is None else functools.partial(self, instance)


class _Doing:
    """One call of a step in a pipeline's body."""

    def __init__(self, step: Step[Any, Any], under_way: Run, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self.step = step
        self.run = under_way
        self.after = kwargs.pop("after", ())
        self.name = kwargs.pop("id", None) or step.name
        self.bound = self._bind(args, kwargs)
        self.outputs = self._named(declared_outputs(step.function, step.name))

    def _bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
        try:
            return inspect.signature(self.step.function).bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidInput(f"the step {self.step.name} cannot be called so: {error}") from None

    def _named(self, outputs: Sequence[Output] | None) -> list[Output] | None:
        """Give the outputs with their names' placeholders filled."""
        values = {**self.run.substitutions, **self.step.substitutions}
        return None if outputs is None else [output.filled(lambda name: fill(name, values)) for output in outputs]

    def do(self) -> Any:
        self._check_order()
        given = {name: self._artifact(name, value) for name, value in self.bound.arguments.items()}
        inputs = {name: each for name, each in given.items() if each is not None}
        plain = {name: value for name, value in self.bound.arguments.items() if given[name] is None}
        parameters = to_json(plain, f"parameters of the step {self.step.name}")
        with self.run.begin(
            self.name, model=self.step.model, parameters=parameters, substitutions=self.step.substitutions
        ) as begun:
            begun.inputs.update({name: self.run.place_of(each.document) for name, each in inputs.items()})
            key = self._key(parameters, inputs)
            known = self._known(begun, key)
            if known is not None:
                return self._handles(begun, self._reuse(begun, known), self.outputs or [])
            for name, value in inputs.items():
                self.bound.arguments[name] = self._load(name, value)
            returned = self.step.function(*self.bound.args, **self.bound.kwargs)
            outputs = self.outputs if self.outputs is not None else undeclared_outputs(returned, self.step.name)
            values = split(returned, outputs, self.step.name)
            begun.key = None if begun.effects else key
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
                    f"{self.step.name} is to run after the step {name!r}, which has not run",
                    hint="steps run in the order in which the pipeline calls them; call that one first",
                )

    def _artifact(self, name: str, value: Any) -> ArtifactVersion | None:
        """Give the artifact that an argument is; None for a parameter."""
        if isinstance(value, StepOutput):
            return value.artifact
        if isinstance(value, ArtifactVersion):
            return value
        try:
            to_json({name: value})
        except InvalidInput:
            return save_artifact(value, f"{self.step.name}.{name}")  # an object that the pipeline's body made
        return None

    def _load(self, name: str, value: ArtifactVersion) -> Any:
        argument = self.bound.arguments[name]
        return argument.load() if isinstance(argument, StepOutput) else value.load()

    def _key(self, parameters: Mapping[str, Any], inputs: Mapping[str, ArtifactVersion]) -> str | None:
        if not self.outputs:  # what gives nothing is done for what it does
            return None
        digests = {name: each.digest for name, each in inputs.items()}
        return step_key(self.step.function, self.outputs, parameters, digests)

    def _known(self, begun: RunningStep, key: str | None) -> list[ArtifactDocument] | None:
        if key is None or self.outputs is None:
            return None
        cached = self.step.enable_cache if self.step.enable_cache is not None else self.run.enable_cache
        return known_outputs(self.run, begun.name, key, self.outputs, other_runs=cached)

    def _reuse(self, begun: RunningStep, known: Sequence[ArtifactDocument]) -> list[ArtifactVersion]:
        begun.cached = True
        begun.outputs = {each.artifact: self.run.place_of(each) for each in known}
        model = self.run.model
        if model is not None:
            for each in known:
                self.run.link(each.id, key=model.key)
        _LOG.info("%s: given by an earlier run with the same code, parameters and inputs", begun.name)
        begun.key = None  # whoever asks next is answered by the run that did it
        return [ArtifactVersion(each, None) for each in known]

    def _save(self, output: Output, value: Any) -> ArtifactVersion:
        config = output.config
        return self.run.save_artifact(
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


class Pipeline(Generic[P, R]):
    """A function whose call is a run."""

    def __init__(
        self,
        function: Callable[P, R],
        name: str | None,
        model: Model | None,
        enable_cache: bool,
        save_patch: bool,
        substitutions: Mapping[str, str] | None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = name or function.__name__
        self.model = model
        self.enable_cache = enable_cache
        self.save_patch = save_patch
        self.substitutions = dict(substitutions or {})
        self._run_name: str | None = None

    def with_options(self, *, run_name: str | None = None, enable_cache: bool | None = None) -> Pipeline[P, R]:
        """Give the pipeline with other options for its next calls.

        Parameters
        ----------
        run_name:
            The run's name; one that failed or was killed is resumed.
        enable_cache:
            Whether steps whose outputs are known are left out.
        """
        cached = self.enable_cache if enable_cache is None else enable_cache
        other = Pipeline(self.function, self.name, self.model, cached, self.save_patch, self.substitutions)
        other._run_name = run_name
        return other

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it; what the function returns comes back.

        Raises
        ------
        GitregError
            As :func:`gitreg.run` says.
        """
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        with run(
            self._run_name,
            pipeline=self.name,
            model=self.model,
            parameters=_told(bound.arguments),
            save_patch=self.save_patch,
            substitutions=self.substitutions,
        ) as under_way:
            under_way.is_pipeline, under_way.enable_cache = True, self.enable_cache
            result = self.function(*args, **kwargs)
            if self.model is not None and not under_way.draft.run.steps:
                under_way.bind(self.model)  # a run whose body does nothing makes its version all the same
            return result


def _told(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments that a run's file can say."""
    told: dict[str, Any] = {}
    for name, value in arguments.items():
        try:
            told |= to_json({name: value})
        except InvalidInput:
            told[name] = f"<{type(value).__name__}>"
    return told


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    name: str | None = None,
    model: Model | None = None,
    enable_cache: bool | None = None,
    substitutions: Mapping[str, str] | None = None,
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    model: Model | None = None,
    enable_cache: bool | None = None,
    substitutions: Mapping[str, str] | None = None,
) -> Any:
    """Make a function a step of pipelines.

    Called in the body of a pipeline, it is given the artifacts of other steps, what it returns is saved as its
    annotation says (:class:`gitreg.ArtifactConfig`) and linked to the version that it works on. ``after=["name"]``
    says that other steps have to have run before.

    Parameters
    ----------
    name:
        The step's; None takes the function's.
    model:
        What it works on; None takes what the pipeline works on.
    enable_cache:
        Whether outputs that are known are taken from the store; None leaves it to the pipeline. A step without
        outputs, and one that saved or logged more than those, is always done.
    substitutions:
        Values for placeholders in the names of its model and outputs, beside ``{date}`` and ``{time}``.
    """

    def made(function: Callable[..., Any]) -> Step[Any, Any]:
        return Step(function, name, model, enable_cache, substitutions)

    return made if function is None else made(function)


@overload
def pipeline(function: Callable[P, R], /) -> Pipeline[P, R]: ...
@overload
def pipeline(
    *,
    name: str | None = None,
    model: Model | None = None,
    enable_cache: bool = True,
    save_patch: bool = False,
    substitutions: Mapping[str, str] | None = None,
) -> Callable[[Callable[P, R]], Pipeline[P, R]]: ...
def pipeline(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    model: Model | None = None,
    enable_cache: bool = True,
    save_patch: bool = False,
    substitutions: Mapping[str, str] | None = None,
) -> Any:
    """Make a function a pipeline: each call of it is a run.

    Parameters
    ----------
    name:
        The pipeline's; None takes the function's.
    model:
        What its steps work on; without a version, each run makes a new one.
    enable_cache:
        Whether steps whose outputs are known are left out.
    save_patch:
        Whether uncommitted changes of the code are kept, as an artifact.
    substitutions:
        Values for placeholders in names, beside ``{date}`` and ``{time}`` (:func:`gitreg.run`).
    """

    def made(function: Callable[..., Any]) -> Pipeline[Any, Any]:
        return Pipeline(function, name, model, enable_cache, save_patch, substitutions)

    return made if function is None else made(function)

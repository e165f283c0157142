"""``@step`` and ``@pipeline``: plain functions whose runs make versions of models.

The shape is that of zenml 0.98. A run is in this process and in the order of the calls; outside of a pipeline a step
is the function that it was made of.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from gitreg.errors import InvalidInput
from gitreg.registry.metadata import to_json
from gitreg.sdk.active import run_here
from gitreg.sdk.running import run
from gitreg.sdk.step_calls import StepCall

if TYPE_CHECKING:
    from gitreg.sdk.model import Model

P = ParamSpec("P")
R = TypeVar("R")


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
        under_way = run_here()
        if under_way is None or not under_way.is_pipeline or under_way.step_here is not None:
            return self.function(*args, **kwargs)
        return StepCall(self, under_way, args, dict(kwargs)).do()  # type: ignore[no-any-return]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind as a method, as the function would."""
        return self if instance is None else functools.partial(self, instance)


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
                under_way.versions.bind(self.model)  # a run whose body does nothing makes its version all the same
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
    says that other steps have to have run before. A thread is in no pipeline's body, unless it is given its context
    (``contextvars.copy_context().run``): there, too, the step is just the function.

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
        check_plain(function, "@step")
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
        check_plain(function, "@pipeline")
        return Pipeline(function, name, model, enable_cache, save_patch, substitutions)

    return made if function is None else made(function)


def check_plain(function: Callable[..., Any], decorator: str) -> None:
    """Refuse a function whose call returns before its body is done: nothing would see what that does.

    Raises
    ------
    InvalidInput
        It is a coroutine or a generator.
    """
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    if any(is_one(function) for is_one in kinds):
        raise InvalidInput(
            f"{decorator} stands above {function.__name__}, which ends after its call",
            hint="make it a plain function: it can call asyncio.run(), and return a list",
        )

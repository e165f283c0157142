"""The decorators ``@step`` and ``@pipeline``: plain functions whose runs make versions of models.

The interface is that of zenml 0.98. A run executes in this process, step by step in the order of the calls. Outside of
a pipeline, a step is the plain function.
"""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from gitreg.errors import InvalidInput
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk.runs.run import run_here
from gitreg.sdk.runs.start import run
from gitreg.sdk.runs.step_call import StepCall

if TYPE_CHECKING:
    from gitreg.documents.types import RunDocument
    from gitreg.sdk.zenml.model import Model

_LOG = logging.getLogger("gitreg")

P = ParamSpec("P")
R = TypeVar("R")


class Step(Generic[P, R]):
    """A function that is a step of pipelines; outside of a pipeline, a call of it is a call of the function."""

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
        """Execute the step; in the body of a pipeline, return handles of its outputs (:class:`StepOutput`)."""
        under_way = run_here()
        if under_way is None or not under_way.is_pipeline or under_way.steps.here is not None:
            return self.function(*args, **kwargs)
        options = (self.model, self.enable_cache, self.substitutions)
        call = StepCall(self.function, self.name, under_way, args, dict(kwargs), *options)
        return call.do()  # type: ignore[no-any-return]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind the step to an instance, as a method."""
        return self if instance is None else functools.partial(self, instance)


class Pipeline(Generic[P, R]):
    """A function of which each call is a run."""

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
        """Return a copy of the pipeline with other options for its calls.

        Parameters
        ----------
        run_name:
            The name of the run; a run that failed or was killed is resumed.
        enable_cache:
            True to answer steps from the step cache if their outputs are known; None keeps the pipeline's own setting.
        """
        cached = self.enable_cache if enable_cache is None else enable_cache
        other = Pipeline(self.function, self.name, self.model, cached, self.save_patch, self.substitutions)
        other._run_name = run_name
        return other

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the pipeline and return the result of its function.

        Raises
        ------
        GitregError
            As :func:`gitreg.run` raises it.
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
            under_way.is_pipeline, under_way.enable_cache = not under_way.is_joined, self.enable_cache
            result = self.function(*args, **kwargs)
            if self.model is not None and not under_way.draft.run.steps:
                under_way.bind(self.model)  # a run without steps makes its version, too
        if under_way.sealed is not None:
            _tell_made(under_way.sealed)
        return result


def _tell_made(sealed: RunDocument) -> None:
    """Log what a run made; on standard error, where nobody has set up logging."""
    run = f"{sealed.pipeline}/{sealed.run}"
    look = f"`gitreg show {sealed.versions[0]}`" if sealed.versions else f"`gitreg runs show {run}`"
    made = f"Made {', '.join(sealed.versions)} in the run {run}" if sealed.versions else f"Kept the run {run}"
    if _LOG.hasHandlers():
        _LOG.info("%s; see %s", made, look)
    elif sys.stderr is not None:
        sys.stderr.write(f"{made}; see {look}\n")


def _told(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as JSON values for the record of the run; others are replaced by the name of their type."""
    metadata: dict[str, Any] = {}
    for name, value in arguments.items():
        try:
            metadata |= to_json({name: value})
        except InvalidInput:
            metadata[name] = f"<{type(value).__name__}>"
    return metadata


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

    In the body of a pipeline, a call of the step takes artifacts of other steps as arguments. Its return values are
    saved as its annotation states (:class:`gitreg.ArtifactConfig`) and linked to the version that the step works on.
    ``after=["name"]`` requires that other steps have run before. A thread is outside of the pipeline, unless it runs in
    a copy of the context (``contextvars.copy_context().run``): there the step is the plain function.

    Parameters
    ----------
    name:
        The name of the step; None takes that of the function.
    model:
        The model that the step works on; None takes that of the pipeline.
    enable_cache:
        True to take known outputs from the step cache; None takes the setting of the pipeline. A step without outputs,
        and a step that saved or logged more than its outputs, is always executed.
    substitutions:
        Values for placeholders in the names of its model and outputs, beside ``{date}`` and ``{time}``.

    Returns
    -------
    Step:
        The step, which is called as the function is.

    Raises
    ------
    InvalidInput
        The function is a coroutine or a generator.

    Examples
    --------
    >>> @step
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> double(4)
    8
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
        The name of the pipeline; None takes that of the function.
    model:
        The model that its steps work on; without a version, each run makes a new one.
    enable_cache:
        True to answer steps from the step cache if their outputs are known.
    save_patch:
        True to save uncommitted changes of the code as an artifact.
    substitutions:
        Values for placeholders in names, beside ``{date}`` and ``{time}`` (:func:`gitreg.run`).

    Returns
    -------
    Pipeline:
        The pipeline, which is called as the function is.

    Raises
    ------
    InvalidInput
        The function is a coroutine or a generator.

    Examples
    --------
    >>> @step
    ... def count(rows: int) -> Annotated[dict, "table"]:
    ...     return {"rows": rows}
    >>> @pipeline(model=Model("iris"))
    ... def training(rows: int) -> None:
    ...     count(rows)
    >>> training(150)
    >>> Model("iris").load_artifact("table")
    {'rows': 150}
    """

    def made(function: Callable[..., Any]) -> Pipeline[Any, Any]:
        check_plain(function, "@pipeline")
        return Pipeline(function, name, model, enable_cache, save_patch, substitutions)

    return made if function is None else made(function)


def check_plain(function: Callable[..., Any], decorator: str) -> None:
    """Raise for a function whose call returns before its body has run, since its work could not be recorded.

    Raises
    ------
    InvalidInput
        The function is a coroutine or a generator.
    """
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    if any(is_one(function) for is_one in kinds):
        raise InvalidInput(
            f"{decorator} stands above {function.__name__}, which ends after its call",
            hint="make it a plain function: it can call asyncio.run(), and return a list",
        )

"""``@model``: on a step of Metaflow, on a step of ours, on a plain function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import ExitStack
from copy import copy
from typing import Any, ParamSpec, TypeVar, overload

from gitreg.errors import InvalidInput
from gitreg.integrations.current import showing
from gitreg.integrations.models import Load, Models, names_and_paths
from gitreg.sdk.active import active_run
from gitreg.sdk.opened import PathLike
from gitreg.sdk.pipelines import Step
from gitreg.sdk.running import run

P = ParamSpec("P")
R = TypeVar("R")


@overload
def model(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def model(
    *, load: Load = None, temp_dir_root: PathLike | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def model(
    function: Callable[..., Any] | None = None, /, *, load: Load = None, temp_dir_root: PathLike | None = None
) -> Any:
    """Give a step or a function ``current.model``, which saves and loads models.

    On a step of Metaflow it stands above ``@step``, and each task is a run: its versions are published when it has
    ended well. On a function, a run is begun around each call, unless one is under way. The shape is that of
    metaflow-checkpoint 0.2.14.

    Parameters
    ----------
    load:
        What is loaded before it begins: an artifact of the flow, or an argument of the function, that holds what
        ``current.model.save`` returned, or where there is none of the name a version as ``iris@production``. A list
        loads several; ``(name, path)`` says into which folder.
    temp_dir_root:
        The folder for what is loaded without a path.

    Raises
    ------
    InvalidInput
        ``load`` is none of these, or the function can have no run around it.
    """
    names_and_paths(load)

    def made(function: Any) -> Any:
        if isinstance(function, Step):
            again = copy(function)
            again.function = _around(function.function, load, temp_dir_root)
            return again
        if hasattr(function, "is_step") or hasattr(function, "_my_step"):
            from gitreg.integrations.metaflow import decorate

            return decorate(function, load=load, temp_dir_root=temp_dir_root)
        return _around(function, load, temp_dir_root)

    return made if function is None else made(function)


def _around(function: Callable[P, R], load: Load, temp_dir_root: PathLike | None) -> Callable[P, R]:
    if not callable(function) or isinstance(function, type):
        raise InvalidInput(f"@model stands above {function!r}", hint="put it above a function or a step")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise InvalidInput(
            f"@model stands above {function.__name__}, which ends after its call", hint="use `with gitreg.run():` in it"
        )

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        if hasattr(called, "is_step"):
            raise InvalidInput(
                f"@model stands below @step on {function.__name__}", hint="put @model above Metaflow's @step"
            )
        with ExitStack() as stack:
            under_way = active_run() or stack.enter_context(run(pipeline=function.__name__))
            models = stack.enter_context(showing(Models(under_way, temp_dir_root=temp_dir_root)))
            if load is not None:
                models.load_named(load, inspect.signature(function).bind(*args, **kwargs).arguments.get)
            return function(*args, **kwargs)

    return called

"""The decorator ``@model`` on plain functions and on steps of gitreg."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import ExitStack
from copy import copy
from typing import Any, ParamSpec, TypeVar

from gitreg.errors import InvalidInput
from gitreg.integrations.current import showing
from gitreg.integrations.loads import Load
from gitreg.integrations.models import Models
from gitreg.sdk.runs.pipelines import Step, check_plain
from gitreg.sdk.runs.run import active_run
from gitreg.sdk.runs.start import run
from gitreg.sdk.session import PathLike

P = ParamSpec("P")
R = TypeVar("R")


def decorate(function: Any, *, load: Load, temp_dir_root: PathLike | None, unsafe_code: bool) -> Any:
    """Return the function or step with a run around each call, unless a run is active already.

    Raises
    ------
    InvalidInput
        The object is not a function or step that a run can be put around.
    """
    if not isinstance(function, Step):
        return _around(function, load, temp_dir_root, unsafe_code)
    again = copy(function)
    again.function = _around(function.function, load, temp_dir_root, unsafe_code)
    return again


def _around(function: Callable[P, R], load: Load, temp_dir_root: PathLike | None, unsafe_code: bool) -> Callable[P, R]:
    if not callable(function) or isinstance(function, type):
        raise InvalidInput(f"@model stands above {function!r}", hint="put it above a function or a step")
    check_plain(function, "@model")

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
                known = inspect.signature(function).bind(*args, **kwargs).arguments.get
                models.load_named(load, known, unsafe_code=unsafe_code)
            return function(*args, **kwargs)

    return called

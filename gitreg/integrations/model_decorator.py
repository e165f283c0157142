"""The decorator ``@model`` for steps of Metaflow, steps of gitreg and plain functions.

A flow imports this module in each of its processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from gitreg.integrations.loads import Load, names_and_paths

PathLike = str | os.PathLike[str]
P = ParamSpec("P")
R = TypeVar("R")


@overload
def model(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def model(
    *, load: Load = None, temp_dir_root: PathLike | None = None, unsafe_code: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def model(
    function: Callable[..., Any] | None = None,
    /,
    *,
    load: Load = None,
    temp_dir_root: PathLike | None = None,
    unsafe_code: bool = False,
) -> Any:
    """Return a step or a function with ``current.model``, which saves and loads models.

    On a step of Metaflow, put it above ``@step``. Each task is a run, whose versions are published when it succeeds. On
    a function, each call is a run, unless a run is active already. The interface follows metaflow-checkpoint 0.2.14.

    Parameters
    ----------
    load:
        The models to load before the call. A name means an artifact of the flow or an argument of the function, whose
        value is a reference that ``current.model.save`` returned; if there is none of that name, a version such as
        ``iris@production``. A list loads several models; ``(name, path)`` names the folder, too.
    temp_dir_root:
        The folder for models that are loaded without a path.
    unsafe_code:
        True if the models in ``load`` may contain files that can run code when they are loaded.

    Returns
    -------
    Callable:
        What was decorated, with ``current.model`` inside of it.

    Raises
    ------
    InvalidInput
        ``load`` has another form, or the object is not a function or step that a run can be put around.

    Examples
    --------
    >>> @model(load="iris@production")
    ... def evaluate() -> float:
    ...     text = Path(current.model.loaded["iris@production"], "model.bst").read_text()
    ...     return float(text.split()[-1])
    >>> evaluate()
    0.93
    """
    names_and_paths(load)

    def made(function: Any) -> Any:
        if hasattr(function, "is_step") or hasattr(function, "_my_step"):
            from gitreg.integrations.metaflow.decorator import decorate
        else:
            from gitreg.integrations.plain_functions import decorate
        return decorate(function, load=load, temp_dir_root=temp_dir_root, unsafe_code=unsafe_code)

    return made if function is None else made(function)

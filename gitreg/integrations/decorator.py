"""``@model``: on a step of Metaflow, on a step of ours, on a plain function. A flow imports this in each process."""

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
    unsafe_code:
        Whether what ``load`` names may hold files that can run code when they are loaded.

    Raises
    ------
    InvalidInput
        ``load`` is none of these, or the function can have no run around it.
    """
    names_and_paths(load)

    def made(function: Any) -> Any:
        if hasattr(function, "is_step") or hasattr(function, "_my_step"):
            from gitreg.integrations.metaflow import decorate
        else:
            from gitreg.integrations.functions import decorate
        return decorate(function, load=load, temp_dir_root=temp_dir_root, unsafe_code=unsafe_code)

    return made if function is None else made(function)

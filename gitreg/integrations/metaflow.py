"""``@model`` on a step of Metaflow: each task is a run, sealed when the task has ended well.

A flow imports this in each of its processes, and the rest of gitreg in those of tasks. It worked with Metaflow 2.12
and 2.19.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from metaflow import FlowSpec
from metaflow import current as metaflow_current
from metaflow.decorators import StepDecorator, _base_step_decorator

from gitreg.errors import InvalidInput
from gitreg.integrations.loads import names_and_paths
from gitreg.integrations.packaging import files_to_package
from gitreg.registry.metadata import to_json

if TYPE_CHECKING:
    from gitreg.integrations.loads import Load
    from gitreg.integrations.metaflow_task import FlowTask
    from gitreg.sdk.opened import PathLike


class ModelDecorator(StepDecorator):  # type: ignore[misc] # Metaflow says nothing of its types
    """Give the step ``current.model``, which saves and loads models of a gitreg registry.

    The methods are those that Metaflow calls, in this order; their parameters are Metaflow's.

    Parameters
    ----------
    load:
        Artifacts of the flow that hold what ``current.model.save`` returned, or versions as ``iris@production``: a
        name, a list of names, or a list of ``(name, path)``.
    temp_dir_root:
        The folder for what is loaded without a path.
    unsafe_code:
        Whether what ``load`` names may hold files that can run code when they are loaded.
    """

    name = "model"
    defaults = {"load": None, "temp_dir_root": None, "unsafe_code": False}  # noqa: RUF012 - so Metaflow wants it

    _task: FlowTask | None = None
    _datastore: Any = None

    def step_init(  # noqa: D102
        self, flow: Any, graph: Any, step_name: str, decorators: Any, environment: Any, flow_datastore: Any, logger: Any
    ) -> None:
        names_and_paths(self.attributes["load"])
        self._datastore, self._logger = flow_datastore, logger

    def add_to_package(self) -> Iterator[tuple[str, str]]:
        """Give what a task on another machine needs, with its place in the code package."""
        yield from files_to_package()

    def task_pre_step(  # noqa: D102
        self,
        step_name: str,
        task_datastore: Any,
        metadata: Any,
        run_id: str,
        task_id: str,
        flow: Any,
        graph: Any,
        retry_count: int,
        max_user_code_retries: int,
        ubf_context: Any,
        inputs: Any,
    ) -> None:
        if retry_count > max_user_code_retries:  # what runs now is @catch's, not the step's code
            return
        from gitreg.integrations.metaflow_task import Attempt, FlowTask

        attempt = Attempt(
            flow=flow.name,
            run=str(run_id),
            step=step_name,
            task=str(task_id),
            number=retry_count,
            is_last=retry_count >= max_user_code_retries,
            origin=metaflow_current.origin_run_id,
            foreach=tuple(frame.index for frame in getattr(flow, "_foreach_stack", None) or ()),
            parameters=_parameters(flow),
        )
        self._task = FlowTask(attempt)
        models = self._task.begin(temp_dir_root=self.attributes["temp_dir_root"])
        metaflow_current._update_env({"model": models})
        models.load_named(
            self.attributes["load"],
            lambda name: _artifact(flow, name),
            unsafe_code=self.attributes["unsafe_code"],
        )

    def task_post_step(  # noqa: D102
        self, step_name: str, flow: Any, graph: Any, retry_count: int, max_user_code_retries: int
    ) -> None:
        if self._task is not None:
            self._task.succeed()

    def task_exception(  # noqa: D102
        self, exception: Any, step_name: str, flow: Any, graph: Any, retry_count: int, max_user_code_retries: int
    ) -> None:
        if self._task is not None:
            self._task.fail(exception)

    def task_finished(  # noqa: D102
        self, step_name: str, flow: Any, graph: Any, is_task_ok: bool, retry_count: int, max_user_code_retries: int
    ) -> None:
        if is_task_ok and self._task is not None and self._task.told is not None:
            from gitreg.integrations.metaflow_card import write_card

            write_card(self._datastore, metaflow_current.pathspec, self._task.told, self._logger)


def decorate(function: Any, *, load: Load, temp_dir_root: PathLike | None, unsafe_code: bool) -> Any:
    """Put the decorator on a step; nothing has to be registered with Metaflow."""
    given = {"load": load, "temp_dir_root": temp_dir_root, "unsafe_code": unsafe_code}
    return _base_step_decorator(ModelDecorator, function, **{key: value for key, value in given.items() if value})


def _artifact(flow: Any, name: str) -> Any:
    """Give what a flow has under a name, and is no part of every flow, nor a step; None where it has nothing."""
    if hasattr(FlowSpec, name):
        return None
    try:
        found = getattr(flow, name, None)
    except Exception as error:  # an artifact that cannot be unpickled here
        raise InvalidInput(f"the artifact {name} of the flow cannot be read: {error}") from error
    return None if callable(found) else found


def _parameters(flow: Any) -> Mapping[str, Any]:
    """Give the flow's parameters, as far as a run's file can say them."""
    told: dict[str, Any] = {}
    for name, _ in flow._get_parameters():
        try:
            told |= to_json({name: getattr(flow, name, None)})
        except InvalidInput:
            told[name] = f"<{type(getattr(flow, name)).__name__}>"
    return told

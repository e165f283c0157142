"""The decorator ``@model`` on a step of Metaflow: each task is a run, which is sealed when the task succeeds.

A flow imports this module in each of its processes, and the rest of gitreg in the processes of tasks only. It worked
with Metaflow 2.12 and 2.19.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from metaflow import FlowSpec
from metaflow import current as metaflow_current
from metaflow.decorators import StepDecorator, _base_step_decorator

from gitreg.errors import InvalidInput
from gitreg.integrations.loads import names_and_paths
from gitreg.integrations.metaflow.packaging import files_to_package
from gitreg.registry.writing.metadata import to_json

if TYPE_CHECKING:
    from gitreg.integrations.loads import Load
    from gitreg.integrations.metaflow.task import FlowTask
    from gitreg.sdk.session import PathLike


class ModelDecorator(StepDecorator):  # type: ignore[misc] # Metaflow has no type annotations
    """The decorator that adds ``current.model`` to a step, to save and load models of a gitreg registry.

    Metaflow calls the methods in this order, with its own parameters.

    Parameters
    ----------
    load:
        The models to load before the step: names of flow artifacts with a reference that ``current.model.save``
        returned, or versions as ``iris@production``. One name, a list of names, or a list of ``(name, path)``.
    temp_dir_root:
        The folder for models that are loaded without a path.
    unsafe_code:
        True if the models in ``load`` may contain files that can run code when they are loaded.
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
        """Yield the files that a task on another machine needs, each with its path in the code package."""
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
        if retry_count > max_user_code_retries:  # this attempt runs the code of @catch, not that of the step
            return
        from gitreg.integrations.metaflow.task import Attempt, FlowTask

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
            from gitreg.integrations.metaflow.card import write_card

            write_card(self._datastore, metaflow_current.pathspec, self._task.told, self._logger)


def decorate(function: Any, *, load: Load, temp_dir_root: PathLike | None, unsafe_code: bool) -> Any:
    """Return a step with the decorator; it need not be registered with Metaflow."""
    given = {"load": load, "temp_dir_root": temp_dir_root, "unsafe_code": unsafe_code}
    return _base_step_decorator(ModelDecorator, function, **{key: value for key, value in given.items() if value})


def _artifact(flow: Any, name: str) -> Any:
    """Return the artifact of a flow by its name; None if there is none, or it is a step or an attribute of FlowSpec."""
    if hasattr(FlowSpec, name):
        return None
    try:
        found = getattr(flow, name, None)
    except Exception as error:  # an artifact that cannot be unpickled here
        raise InvalidInput(f"the artifact {name} of the flow cannot be read: {error}") from error
    return None if callable(found) else found


def _parameters(flow: Any) -> Mapping[str, Any]:
    """Return the parameters of a flow as JSON values; a value of another type becomes the name of its type."""
    metadata: dict[str, Any] = {}
    for name, _ in flow._get_parameters():
        try:
            metadata |= to_json({name: getattr(flow, name, None)})
        except InvalidInput:
            metadata[name] = f"<{type(getattr(flow, name)).__name__}>"
    return metadata

"""Flows: `@flow` makes a function's calls runs that are recorded, retried and observed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, Unpack, cast, overload

from headrace.connect import open_session
from headrace.engine import flow_definition
from headrace.engine.flow_definition import FlowOptions
from headrace.engine.opening import set_opener

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from headrace.deployments.making import (
        ConcurrencyLimitConfig,
        DeploymentOptions,
        PlacedOptions,
        PooledOptions,
        Source,
    )
    from headrace.drawings import Drawing
    from headrace.projects.blueprints import Blueprint
    from headrace.runner.storage import Storage

__all__ = ["Flow", "flow"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)

set_opener(open_session)


class Flow(flow_definition.Flow[P, R_co]):
    """A function whose calls are flow runs, and which can be deployed. Made by the `flow` decorator."""

    source: Source | None = None
    """Where it was fetched from, if `from_source` did."""

    def to_deployment(self, name: str, **options: Unpack[PlacedOptions]) -> Blueprint:
        """A deployment of this flow, for `deploy` and `serve` of `headrace.deployments` to make.

        * `interval`, `cron`, `rrule`, `schedule`, `schedules` – when it runs by itself: seconds or a `timedelta`, a cron
          string, an iCalendar rule, what `headrace.schedules` makes; the first three one or several. Schedules that
          there are stay when none is given
        * `paused` – whether its schedules rest
        * `parameters`, `enforce_parameter_schema` – what runs are given, and whether it is checked against the signature
        * `concurrency_limit` – how many runs may execute at once, a number or a `ConcurrencyLimitConfig`
        * `tags`, `description`, `version`, `version_type` – by default the flow's own description and version
        * `work_pool_name`, `work_queue_name`, `job_variables` – where workers execute its runs, and how
        * `triggers` – what else it is run by: `DeploymentEventTrigger` and others of `headrace.events`
        * `notify` – who is told how its runs go: an address, which is told of failures, or `{"on": "success", "email": …}`
        * `entrypoint_type` – whether it is found by its file (`"file_path"`) or its module (`"module_path"`)

        Raises `UsageError` in one line for what cannot be.
        """
        from headrace.deployments.making import make_blueprint

        return make_blueprint(self, self.source, name, options)

    def deploy(
        self,
        name: str,
        work_pool_name: str | None = None,
        *,
        image: str | None = None,
        build: bool | None = None,
        push: bool | None = None,
        print_next_steps: bool = True,
        **options: Unpack[PooledOptions],
    ) -> UUID:
        """Make a deployment whose runs workers of a pool execute, and return its id; options are `to_deployment`'s.

        Workers load the code from where it is on this machine, or from where `from_source` says. Raises `UsageError` in
        one line for what cannot be; `image`, `build` and `push` have nothing behind them yet.
        """
        from headrace.deployments.making import deploy

        (made,) = deploy(
            self.to_deployment(name, **options),
            work_pool_name=work_pool_name,
            image=image,
            build=build,
            push=push,
            print_next_steps_message=print_next_steps,
        )
        return made

    def serve(
        self,
        name: str | None = None,
        *,
        limit: int | None = None,
        global_limit: int | ConcurrencyLimitConfig | None = None,
        pause_on_shutdown: bool = True,
        print_starting_message: bool = True,
        **options: Unpack[DeploymentOptions],
    ) -> None:
        """Make a deployment, by default called as the flow, and execute its runs here until Ctrl-C.

        `limit` is how many runs this process executes at once, `global_limit` how many all do; see `serve` of
        `headrace.deployments`. Other options are `to_deployment`'s.
        """
        from headrace.deployments.serving import serve

        if global_limit is not None:
            options["concurrency_limit"] = global_limit
        serve(
            self.to_deployment(self.name if name is None else name, **options),
            limit=limit,
            pause_on_shutdown=pause_on_shutdown,
            print_starting_message=print_starting_message,
        )

    def visualize(self, *args: Any, **kwargs: Any) -> Drawing:
        """Draw which tasks and subflows it calls and what depends on what, without running any of them.

        Its own code runs, with these parameters; those that are not given may only be passed on. What a task would return
        is not known either, unless it has a `viz_return_value`. A notebook shows the drawing; `print` it, `save("flow.svg")`
        it. Raises `FlowVisualizationError` in one line for a flow whose code looks at what is not known.
        """
        from headrace.drawings import Drawing
        from headrace.drawings.tracing import trace

        return Drawing(trace(self, args, kwargs))

    async def avisualize(self, *args: Any, **kwargs: Any) -> Drawing:
        """Draw it beside the running loop; see `visualize`."""
        from headrace.engine.loop import beside

        return await beside(lambda: self.visualize(*args, **kwargs))

    def generate_mermaid_graph(self, *args: Any, **kwargs: Any) -> str:
        """The drawing in Mermaid's language, which README files and wikis draw; see `visualize`."""
        return self.visualize(*args, **kwargs).mermaid

    @classmethod
    def from_source(cls, source: Storage | Path | str, entrypoint: str) -> Flow[..., Any]:
        """The flow at `path/to/file.py:function` of a source: a folder, a git address, or a `GitRepository`.

        It is fetched here to be loaded; runs of its deployments fetch it for themselves. Raises `UsageError` in one line.
        """
        from headrace.deployments.making import load_source

        found, origin = load_source(source, entrypoint)
        made = cls(found.fn, **found.options)
        made.source = origin
        return cast("Any", made)

    def with_options(self, **options: Unpack[FlowOptions]) -> Flow[P, R_co]:
        """A flow like this one with other options."""
        made = super().with_options(**options)
        made.source = self.source
        return made

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Flow[P, R_co]: ...

    @overload
    def __get__(self: Flow[Concatenate[S, Q], R_co], instance: S, owner: Any = None) -> Flow[Q, R_co]: ...

    @overload
    def __get__(self, instance: Any, owner: Any = None) -> Flow[P, R_co]: ...

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A flow that is a method is bound like one."""
        return super().__get__(instance, owner)


class FlowDecorator:
    """`flow`, which is called as a decorator, and fetches flows that are elsewhere."""

    @overload
    def __call__(self, fn: Callable[P, R], /) -> Flow[P, R]: ...

    @overload
    def __call__(self, /, **options: Unpack[FlowOptions]) -> Callable[[Callable[P, R]], Flow[P, R]]: ...

    def __call__(self, fn: Callable[..., Any] | None = None, /, **options: Unpack[FlowOptions]) -> Any:
        """Make a function a flow: `@flow`, or `@flow(name="train", retries=2)`.

        * `name` – what it is called; by default the function's name with dashes for underscores
        * `description`, `version` – by default the docstring, and a digest of the file it stands in
        * `flow_run_name` – names each run: a template over the parameters (`"train {model}"`) or a function
        * `retries`, `retry_delay_seconds` – how often, and after how many seconds, a failed run is tried again as a whole
        * `timeout_seconds` – a run that takes longer fails as TimedOut
        * `validate_parameters` – check and convert parameters by their annotations; on by default
        * `task_runner` – where submitted tasks are executed; threads by default
        * `persist_result`, `result_storage`, `result_serializer`, `cache_result_in_memory` – whether the value is kept, in
          which folder, as what (`"pickle"`, `"json"`), and whether in memory as well; tasks and subflows inherit
          `persist_result`
        * `durable` – what tasks and subflows have finished is kept, and a run whose process dies goes on from there; they
          inherit it. A call is found again by its arguments, so the code may change meanwhile
        * `on_crash`, `max_resumes` – whether a run of a deployment whose process dies is started again (`"resume"`, which
          durable flows do, or `"fail"`), and how often at most; 3 times unless said
        * `log_prints` – `print` becomes a log line; tasks and subflows inherit it unless they say otherwise
        * `on_completion`, `on_failure`, `on_cancellation`, `on_crashed`, `on_running` – functions told `(flow, run, state)`

        Raises `UsageError` for options that cannot be.
        """
        if fn is None:
            return lambda function: Flow(function, **options)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType, reportUnknownVariableType]
        return Flow(fn, **options)

    @staticmethod
    def from_source(source: Storage | Path | str, entrypoint: str) -> Flow[..., Any]:
        """The flow at an entrypoint of a source; see `Flow.from_source`."""
        return Flow[..., Any].from_source(source, entrypoint)


flow = FlowDecorator()

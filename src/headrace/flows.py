"""Flows: `@flow` makes a function's calls runs that are recorded, retried and observed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, Unpack, overload

from headrace.connect import open_session
from headrace.engine.flow_definition import Flow, FlowOptions
from headrace.engine.session import set_opener

__all__ = ["Flow", "flow"]

P = ParamSpec("P")
R = TypeVar("R")

set_opener(open_session)


@overload
def flow(fn: Callable[P, R], /) -> Flow[P, R]: ...


@overload
def flow(**options: Unpack[FlowOptions]) -> Callable[[Callable[P, R]], Flow[P, R]]: ...


def flow(fn: Callable[..., Any] | None = None, /, **options: Unpack[FlowOptions]) -> Any:
    """Make a function a flow: `@flow`, or `@flow(name="train", retries=2)`.

    * `name` – what it is called; by default the function's name with dashes for underscores
    * `description`, `version` – by default the docstring, and a digest of the file it stands in
    * `flow_run_name` – names each run: a template over the parameters (`"train {model}"`) or a function
    * `retries`, `retry_delay_seconds` – how often, and after how many seconds, a failed run is tried again as a whole
    * `timeout_seconds` – a run that takes longer fails as TimedOut
    * `validate_parameters` – check and convert parameters by their annotations; on by default
    * `task_runner` – where submitted tasks are executed; threads by default
    * `persist_result`, `result_storage`, `result_serializer`, `cache_result_in_memory` – whether the value is kept, in which
      folder, as what (`"pickle"`, `"json"`), and whether in memory as well; tasks and subflows inherit `persist_result`
    * `log_prints` – `print` becomes a log line; tasks and subflows inherit it unless they say otherwise
    * `on_completion`, `on_failure`, `on_cancellation`, `on_crashed`, `on_running` – functions told `(flow, run, state)`

    Raises `UsageError` for options that cannot be.
    """
    if fn is None:
        return lambda function: Flow(function, **options)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType, reportUnknownVariableType]
    return Flow(fn, **options)

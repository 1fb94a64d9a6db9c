"""Assets: what tasks make outside of Headrace – files, tables, models – and what they make it from, told as events.

A catalogue of them is whatever listens for `prefect.asset.` events.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack

from headrace.base.errors import UsageError
from headrace.engine.assets import (
    Asset,
    AssetProperties,
    add_asset_metadata,
    collect_assets,
    forget_metadata,
    merge_assets,
    take_told,
    trace_assets,
)
from headrace.engine.context import current_task_run
from headrace.engine.inputs import Awaited
from headrace.engine.task_definition import TaskOptions
from headrace.events import emit_event
from headrace.schema.wire_event import ID, ROLE
from headrace.tasks import ReadingTask

if TYPE_CHECKING:
    from headrace.engine.task_run import RunningTask
    from headrace.schema.run import TaskRun
    from headrace.schema.state import State

__all__ = ["Asset", "AssetProperties", "MaterializingTask", "add_asset_metadata", "materialize"]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

REFERENCED = "prefect.asset.referenced"
MATERIALIZATION = "prefect.asset.materialization."


class AssetOptions(TaskOptions, total=False):
    """The options of a task that makes assets."""

    assets: Collection[str | Asset]
    materialized_by: str | None


class MaterializingTask(ReadingTask[P, R_co]):
    """A task that makes assets. Made by the `materialize` decorator, which documents it."""

    def __init__(self, fn: Callable[P, R_co], **options: Unpack[AssetOptions]) -> None:
        given: Any = {**options}
        by: Any = given.pop("materialized_by", None)
        assets: Any = given.pop("assets", ())
        super().__init__(fn, **given)
        whose = f"Task {self.name!r}"
        self.assets = collect_assets(f"{whose}: assets", assets)
        if not self.assets:
            raise UsageError(f"{whose} makes no assets: say which, as in @materialize('s3://bucket/trips.parquet').")
        if by is not None and (not isinstance(by, str) or not by):
            raise UsageError(f"{whose}: what its assets are materialized by must be a text, not {by!r:.60}.")
        self.materialized_by: str | None = by
        kept: AssetOptions = {**self.options, "assets": self.assets, "materialized_by": by}
        self.options = kept
        # Those of a task that this one was derived from are among the options, if it had hooks added.
        for hooks, hook in (
            (self.running_hooks, begin_try),
            (self.completion_hooks, tell_assets),
            (self.failure_hooks, tell_assets),
        ):
            if hook not in hooks:
                hooks.insert(0, hook)

    def begin(self, parameters: dict[str, Any], wait_for: Awaited = None) -> RunningTask:
        """A run of the task, called from here, that knows which assets came with what it is given."""
        run = super().begin(parameters, wait_for)
        trace_assets(run)
        return run

    def passes_on(self) -> tuple[Asset, ...]:
        """What it makes."""
        return self.assets


def materialize(
    *assets: str | Asset, by: str | None = None, **options: Unpack[TaskOptions]
) -> Callable[[Callable[P, R]], MaterializingTask[P, R]]:
    """Make a function a task that makes assets: `@materialize("s3://bucket/trips.parquet", asset_deps=[…])`.

    When a run has completed or failed, its retries exhausted, an event `prefect.asset.materialization.succeeded` or
    `….failed` tells so for each asset, and `prefect.asset.referenced` for each one it is made from: those of `asset_deps`,
    and those of tasks in the flow whose futures or values it was given, unless it runs in another process than the flow, which
    knows of `asset_deps` only. A run that crashes tells nothing. `by` names the tool that does it. Other options are
    those of `task`. A value from the cache tells nothing, as nothing is made. Raises `UsageError` for what cannot be.
    """
    return lambda fn: MaterializingTask(fn, assets=assets, materialized_by=by, **options)


def begin_try(*_: object) -> None:
    """A hook: another try begins, which makes the assets anew."""
    forget_metadata(current_task_run())


def tell_assets(task: MaterializingTask[..., Any], _run: TaskRun, state: State) -> None:
    """A hook: tell of the assets that the run has made, or failed to make."""
    if state.name == "Cached":
        return
    told = take_told(current_task_run())
    upstream = merge_assets((task.asset_deps, told.upstream))
    for asset in upstream:
        emit_event(REFERENCED, asset.labels())
    related = [{**asset.labels(), ROLE: "asset"} for asset in upstream]
    if task.materialized_by is not None:
        related.append({ID: task.materialized_by, ROLE: "asset-materialized-by"})
    ending = "succeeded" if state.is_completed() else "failed"
    for asset in task.assets:
        emit_event(f"{MATERIALIZATION}{ending}", asset.labels(), related=related, payload=told.metadata.get(asset.key))

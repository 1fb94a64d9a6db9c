"""Assets: what tasks make outside of Headrace, by address, and what a flow run knows of where they came from.

`headrace.assets` tells of them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct

from headrace.base.errors import UsageError
from headrace.engine.context import FlowContext, RunContext, TaskContext, current_task_run
from headrace.engine.inputs import trace_inputs
from headrace.schema.run import TaskRunResult
from headrace.schema.wire_event import ID, NAME, Resource

if TYPE_CHECKING:
    from headrace.engine.task_run import RunningTask

LONGEST_KEY = 512
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.+", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class AssetProperties(Struct, frozen=True, kw_only=True):
    """What people want to know of an asset, besides where it is."""

    name: str | None = None
    description: str | None = None
    url: str | None = None
    owners: list[str] | None = None


class Asset(Struct, frozen=True):
    """Something that tasks make or read, named by an address: `Asset("s3://bucket/trips.parquet")`.

    Raises `UsageError` for a key that is no address: with a scheme, at most 512 characters, and none of control.
    """

    key: str
    properties: AssetProperties | None = None

    def __post_init__(self) -> None:
        key: Any = self.key
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise UsageError(f"An asset is named by an address such as 's3://bucket/trips.parquet', not {key!r:.60}.")
        if len(key) > LONGEST_KEY:
            raise UsageError(f"The key of an asset has {len(key)} characters; {LONGEST_KEY} are the most: {key!r:.60}…")
        if _CONTROL.search(key):
            raise UsageError(f"The key of an asset cannot have control characters: {key!r:.60}.")
        if not (self.properties is None or isinstance(self.properties, AssetProperties)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"The properties of asset {key} must be AssetProperties, not {self.properties!r:.60}.")
        try:
            msgspec.convert(msgspec.to_builtins(self.properties), AssetProperties | None)
        except (TypeError, msgspec.ValidationError):
            raise UsageError(
                f"The properties of asset {key} must be texts, and the owners a list of them: {self.properties!r:.120}."
            ) from None

    def add_metadata(self, metadata: Mapping[str, Any]) -> None:
        """As `add_asset_metadata`."""
        add_asset_metadata(self, metadata)

    def labels(self) -> Resource:
        """The asset as the resource of an event."""
        told = self.properties or AssetProperties()
        owners = msgspec.json.encode(told.owners).decode() if told.owners else None
        labels = {
            ID: self.key,
            NAME: told.name,
            "prefect.asset.description": told.description,
            "prefect.asset.url": told.url,
            "prefect.asset.owners": owners,
        }
        return {label: text for label, text in labels.items() if text}


_noting = threading.Lock()
_passed_on: WeakKeyDictionary[FlowContext, dict[UUID, tuple[Asset, ...]]] = WeakKeyDictionary()
_upstream: WeakKeyDictionary[TaskContext, tuple[Asset, ...]] = WeakKeyDictionary()
_metadata: WeakKeyDictionary[TaskContext, dict[str, dict[str, Any]]] = WeakKeyDictionary()


class Told(Struct, frozen=True):
    """What a run knew of assets when it ended: those that came with what it was given, and metadata by key."""

    upstream: tuple[Asset, ...]
    metadata: dict[str, dict[str, Any]]


def pass_on(run: RunningTask, assets: tuple[Asset, ...]) -> None:
    """Let tasks that are given what the run returns know that these assets come with it."""
    flow = run.context.flow_run
    if flow is not None:
        with _noting:
            _passed_on.setdefault(flow, {})[run.id] = assets


def trace_assets(run: RunningTask) -> None:
    """Note which assets come with what the run is given."""
    flow = run.context.flow_run
    if flow is None:
        return
    inputs = trace_inputs(run.parameters, run.awaited, flow.lineage, bool(run.upstream))
    sources = [each.id for found in inputs.values() for each in found if isinstance(each, TaskRunResult)]
    with _noting:
        passed = _passed_on.get(flow, {})
        _upstream[run.context] = merge_assets(passed.get(source, ()) for source in sources)


def forget_metadata(context: TaskContext) -> None:
    """Another try begins, which makes the assets anew."""
    with _noting:
        _metadata.pop(context, None)


def take_told(context: TaskContext) -> Told:
    """What a run knows of assets at its end."""
    with _noting:
        return Told(_upstream.get(context, ()), _metadata.pop(context, {}))


def add_asset_metadata(asset: str | Asset, metadata: Mapping[str, Any]) -> None:
    """Have the event that tells of the asset say more: `add_asset_metadata("s3://bucket/trips.parquet", {"rows": 3})`.

    What is added later comes on top; what was added before a retry is forgotten. Raises `MissingContextError` outside of a
    task, and `UsageError` where no task around makes the asset.
    """
    key = _read(asset).key
    if not isinstance(metadata, Mapping) or not all(isinstance(name, str) for name in metadata):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"The metadata of asset {key} must be values by name, not {metadata!r:.60}.")
    context = current_task_run()
    around: RunContext | None = context
    while around is not None:
        if isinstance(around, TaskContext) and any(key == made.key for made in _made_by(around)):
            with _noting:
                _metadata.setdefault(around, {}).setdefault(key, {}).update(metadata)
            return
        around = around.parent
    raise UsageError(f"Task {context.task.name!r} does not make asset {key}: name it in @materialize.")


def _made_by(context: TaskContext) -> tuple[Asset, ...]:
    return getattr(context.task, "assets", ())


def _read(asset: str | Asset) -> Asset:
    return asset if isinstance(asset, Asset) else Asset(asset)


def collect_assets(what: str, given: Collection[str | Asset]) -> tuple[Asset, ...]:
    """The assets, each once. Raises `UsageError` for what is no collection of them."""
    if isinstance(given, (str, bytes, Asset)) or not isinstance(given, Collection):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"{what} must be a list of assets, not {given!r:.60}.")
    return merge_assets([[_read(asset) for asset in given]])


def merge_assets(several: Iterable[Iterable[Asset]]) -> tuple[Asset, ...]:
    """All of them, each once: the first that says more than its key."""
    found: dict[str, Asset] = {}
    for assets in several:
        for asset in assets:
            if asset.key not in found or found[asset.key].properties is None:
                found[asset.key] = asset
    return tuple(found.values())

"""Assets: which tasks make them, what they are made from, and the events that tell so."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

from headrace import flow, task
from headrace.assets import Asset, AssetProperties, MaterializingTask, add_asset_metadata, materialize
from headrace.base import errors
from headrace.cache_policies import INPUTS
from headrace.schema.event import Cursor
from headrace.task_runners import ThreadPoolTaskRunner
from tests.unit.engine.conftest import Stage

RAW, TRIPS, MODEL = "s3://bucket/raw.csv", "s3://bucket/trips.parquet", "postgres://db/models"

REFERENCED = "prefect.asset.referenced"
SUCCEEDED = "prefect.asset.materialization.succeeded"
FAILED = "prefect.asset.materialization.failed"


@materialize(TRIPS, asset_deps=[RAW])
def make_trips() -> list[int]:
    """A task that another process could import."""
    return [1, 2]


def told(stage: Stage) -> list[dict[str, Any]]:
    """The events of assets in the log."""
    events = stage.settle().gateway.read_events(Cursor()).events
    return [event.body for event in events if event.kind == "custom" and event.body is not None]


def briefly(stage: Stage) -> list[tuple[str, str]]:
    return [(body["event"], body["resource"]["prefect.resource.id"]) for body in told(stage)]


def related(body: dict[str, Any], role: str) -> list[str]:
    return [each["prefect.resource.id"] for each in body["related"] if each["prefect.resource.role"] == role]


# what is told


def test_a_completed_run_tells_what_it_made_and_from_what(stage: Stage) -> None:
    @flow
    def whole() -> None:
        assert make_trips() == [1, 2]

    whole()
    reference, made = told(stage)
    assert (reference["event"], reference["resource"]) == (REFERENCED, {"prefect.resource.id": RAW})
    assert (made["event"], made["resource"], made["payload"]) == (SUCCEEDED, {"prefect.resource.id": TRIPS}, {})
    assert related(made, "asset") == [RAW]
    (flow_run,) = stage.recorder.flow_runs()
    for body in (reference, made):
        assert related(body, "flow-run") == [f"prefect.flow-run.{flow_run}"]
        assert len(related(body, "task-run")) == 1


def test_a_coroutine_and_a_generator_tell_too(stage: Stage) -> None:
    @materialize(TRIPS)
    async def make() -> int:
        add_asset_metadata(TRIPS, {"rows": 1})
        return 1

    @materialize(MODEL)
    async def stream() -> AsyncIterator[int]:
        yield 1

    @flow
    async def whole() -> list[int]:
        return [await make(), *[item async for item in stream()]]

    assert asyncio.run(whole()) == [1, 1]
    assert briefly(stage) == [(SUCCEEDED, TRIPS), (SUCCEEDED, MODEL)]
    assert told(stage)[0]["payload"] == {"rows": 1}


def test_a_failed_run_tells_so_once_its_retries_are_exhausted(stage: Stage) -> None:
    tries: list[int] = []

    @materialize(TRIPS, MODEL, asset_deps=[RAW], retries=1)
    def make() -> None:
        tries.append(1)
        add_asset_metadata(TRIPS, {f"try {len(tries)}": True})
        raise ValueError("no disk")

    @flow
    def whole() -> None:
        make()

    assert whole(return_state=True).is_failed()
    assert briefly(stage) == [(REFERENCED, RAW), (FAILED, TRIPS), (FAILED, MODEL)]
    assert [body["payload"] for body in told(stage)] == [{}, {"try 2": True}, {}]


def test_a_run_outside_of_a_flow_tells_of_its_own(stage: Stage) -> None:
    make_trips()
    reference, made = told(stage)
    assert related(reference, "flow-run") == []
    assert related(made, "asset") == [RAW]


def test_a_value_from_the_cache_tells_nothing(stage: Stage) -> None:
    @materialize(TRIPS, cache_policy=INPUTS)
    def make(size: int) -> int:
        return size

    @flow
    def whole() -> None:
        make(1)
        make(1)

    whole()
    assert briefly(stage) == [(SUCCEEDED, TRIPS)]


def test_properties_and_the_tool_are_told(stage: Stage) -> None:
    owners = ["anna", "ben"]
    trips = Asset(TRIPS, AssetProperties(name="Trips", description="All", url="https://x.example", owners=owners))

    @materialize(TRIPS, trips, TRIPS, by="dbt", asset_deps=[Asset(RAW, AssetProperties(name="Raw"))])
    def make() -> None:
        return None

    make()
    _, made = told(stage)
    assert made["resource"] == {
        "prefect.resource.id": TRIPS,
        "prefect.resource.name": "Trips",
        "prefect.asset.description": "All",
        "prefect.asset.url": "https://x.example",
        "prefect.asset.owners": '["anna","ben"]',
    }
    assert related(made, "asset-materialized-by") == ["dbt"]
    assert made["related"][0] == {
        "prefect.resource.id": RAW, "prefect.resource.name": "Raw", "prefect.resource.role": "asset",
    }  # fmt: skip


# what it is made from


def test_assets_of_tasks_whose_values_and_futures_are_given_are_upstream(stage: Stage) -> None:
    @task(asset_deps=[RAW])
    def read() -> list[int]:
        return [1]

    @task
    def unrelated() -> list[int]:
        return [2]

    @materialize(MODEL)
    def train(first: Any, second: Any) -> int:
        return len(first) + len(second)

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def whole(submits: bool) -> int:
        if submits:
            return train.submit(read.submit(), [1], wait_for=[make_trips.submit()]).result()
        return train(read(), unrelated())

    assert whole(submits=True) == 2
    made = [body for body in told(stage) if body["resource"]["prefect.resource.id"] == MODEL]
    assert sorted(related(made[0], "asset")) == [RAW, TRIPS]
    assert whole(submits=False) == 2
    made = [body for body in told(stage) if body["resource"]["prefect.resource.id"] == MODEL]
    assert [related(body, "asset") for body in made[1:]] == [[RAW]]
    assert (REFERENCED, TRIPS) in briefly(stage)


def test_a_task_that_only_reads_assets_tells_nothing_itself(stage: Stage) -> None:
    @task(asset_deps=[RAW])
    def read() -> int:
        return 1

    @flow
    def whole() -> int:
        return read()

    assert whole() == 1
    assert read() == 1
    assert told(stage) == []


# metadata


def test_metadata_is_merged_also_from_tasks_within(stage: Stage) -> None:
    trips = Asset(TRIPS)

    @task
    def count() -> None:
        trips.add_metadata({"rows": 3, "columns": 2})

    @materialize(trips, MODEL)
    def make() -> None:
        add_asset_metadata(TRIPS, {"rows": 1, "size": 2.5})
        count()
        add_asset_metadata(MODEL, {"score": 1})

    make()
    assert [body["payload"] for body in told(stage)] == [{"rows": 3, "columns": 2, "size": 2.5}, {"score": 1}]


def test_metadata_belongs_to_what_a_task_around_makes(stage: Stage) -> None:
    @materialize(TRIPS)
    def make(asset: Any, metadata: Any) -> None:
        add_asset_metadata(asset, metadata)

    with pytest.raises(errors.UsageError, match=r"Task 'make' does not make asset postgres://db/models: name it in"):
        make(MODEL, {})
    with pytest.raises(errors.UsageError, match=r"The metadata of asset \S+ must be values by name, not \[3\]"):
        make(TRIPS, [3])
    with pytest.raises(errors.UsageError, match=r"must be values by name, not \{3: 4\}"):
        make(TRIPS, {3: 4})
    with pytest.raises(errors.MissingContextError, match="There is no run here"):
        add_asset_metadata(TRIPS, {})

    @task
    def plain() -> None:
        add_asset_metadata(TRIPS, {})

    @flow
    def whole() -> None:
        plain()

    with pytest.raises(errors.UsageError, match="Task 'plain' does not make asset"):
        whole()


# definitions


def test_a_derived_task_tells_once_and_of_what_it_was_given(stage: Stage) -> None:
    heard: list[str] = []

    @materialize(TRIPS)
    def make() -> None:
        return None

    @make.on_completion
    def hear(*_: object) -> None:
        heard.append("completed")

    derived = make.with_options(name="again", asset_deps=[RAW])
    assert isinstance(derived, MaterializingTask)
    derived()
    assert briefly(stage) == [(REFERENCED, RAW), (SUCCEEDED, TRIPS)]
    assert heard == ["completed"]
    assert hear in make.completion_hooks


def test_a_plain_task_can_be_given_assets_later() -> None:
    plain = task(name="read")(print)
    derived: Any = plain.with_options(asset_deps=[RAW])
    assert derived.asset_deps == (Asset(RAW),)
    assert not hasattr(plain, "asset_deps")


def test_a_task_that_makes_assets_travels(stage: Stage) -> None:
    assert pickle.loads(pickle.dumps(make_trips)) is make_trips
    derived = pickle.loads(pickle.dumps(make_trips.with_options(name="again")))
    assert (derived.name, derived.assets, derived.asset_deps) == ("again", (Asset(TRIPS),), (Asset(RAW),))


class Station:
    @materialize(TRIPS)
    def make(self) -> Generator[int]:
        """A method, and a generator."""
        yield 1


def test_a_method_makes_assets(stage: Stage) -> None:
    assert list(Station().make()) == [1]
    assert briefly(stage) == [(SUCCEEDED, TRIPS)]


# what is refused


def make_key() -> str:
    """No asset."""
    return TRIPS


KEYS: list[tuple[Any, str]] = [
    (3, "An asset is named by an address such as 's3://bucket/trips.parquet', not 3."),
    ("", "An asset is named by an address such as 's3://bucket/trips.parquet', not ''."),
    ("trips", "not 'trips'."),
    ("://trips", "not '://trips'."),
    ("s3://", "not 's3://'."),
    ("s3://a\nb", "The key of an asset cannot have control characters: 's3://a\\nb'."),
    ("s3://a\x7fb", "cannot have control characters"),
    ("s3://" + "a" * 508, "The key of an asset has 513 characters; 512 are the most: 's3://aaa"),
]


@pytest.mark.parametrize(("key", "message"), KEYS)
def test_a_key_that_is_no_address_is_refused_in_one_line(key: Any, message: str) -> None:
    for make in (lambda: Asset(key), lambda: materialize(key)(print), lambda: task(asset_deps=[key])(print)):
        with pytest.raises(errors.UsageError) as caught:
            make()
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_longest_key_is_taken() -> None:
    assert Asset("s3://" + "a" * 507).key.endswith("a")


def test_what_says_no_assets_is_refused() -> None:
    wrong: Any
    with pytest.raises(errors.UsageError, match="Task 'print' makes no assets: say which"):
        materialize()(print)
    with pytest.raises(errors.UsageError, match=f"asset_deps must be a list of assets, not '{RAW}'"):
        task(asset_deps=RAW)(print)
    wrong = iter([RAW])
    with pytest.raises(errors.UsageError, match="asset_deps must be a list of assets, not <list_iterator"):
        materialize(TRIPS, asset_deps=wrong)(print)
    wrong = 3
    with pytest.raises(errors.UsageError, match="what its assets are materialized by must be a text, not 3"):
        materialize(TRIPS, by=wrong)(print)
    wrong = make_key
    with pytest.raises(errors.UsageError, match="not <function"):
        materialize(wrong)(print)


def test_properties_are_texts() -> None:
    wrong: Any = {"name": "Trips"}
    with pytest.raises(errors.UsageError, match=r"The properties of asset \S+ must be AssetProperties, not \{'name'"):
        Asset(TRIPS, wrong)
    wrong = 3
    for properties in (AssetProperties(name=wrong), AssetProperties(owners=[wrong])):
        with pytest.raises(errors.UsageError, match="must be texts, and the owners a list of them"):
            Asset(TRIPS, properties)

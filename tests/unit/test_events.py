"""Events that come are heard of, whoever made them."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from headrace import flow, get_run_logger, task
from headrace.base import clock
from headrace.base.errors import UsageError
from headrace.events import (
    Event,
    EventFilter,
    FlowRunSubscriber,
    emit_event,
    get_events_client,
    get_events_subscriber,
)
from headrace.flow_runs import wait_for_flow_run
from headrace.runtime import flow_run
from headrace.schema.log import Log
from headrace.schema.wire_event import EventNameFilter, OccurredFilter
from headrace.testing import headrace_test_harness

SHOP = {"prefect.resource.id": "shop.order.1"}


@pytest.fixture(autouse=True)
def harness() -> Iterator[None]:
    with headrace_test_harness():
        yield


def test_events_are_heard_of_as_they_come() -> None:
    async def main() -> None:
        emit_event("shop.before", SHOP)
        async with (
            asyncio.timeout(60),
            get_events_subscriber(EventFilter(event=EventNameFilter(prefix=["shop."]))) as events,
        ):
            async with get_events_client() as client:
                await client.emit(Event(id=uuid4(), event="store.other", occurred=clock.now(), resource=SHOP))
                told = await client.emit(Event(id=uuid4(), event="shop.paid", occurred=clock.now(), resource=SHOP))
            event = await anext(events)
            if event.event == "shop.before":  # which may have come into the log only now
                event = await anext(events)
        assert (event.event, event.id, event.resource) == ("shop.paid", told.id, SHOP)
        assert event.received is not None

    asyncio.run(main())


def test_what_happened_lately_is_heard_of_too() -> None:
    async def main() -> None:
        told = emit_event("shop.before", SHOP)
        wanted = EventFilter(occurred=OccurredFilter(since=clock.now() - timedelta(minutes=5)))
        async with asyncio.timeout(60), get_events_subscriber(wanted) as events:
            assert (await anext(events)).id == told.id

    asyncio.run(main())


def test_a_subscriber_is_entered_first() -> None:
    async def main() -> None:
        with pytest.raises(UsageError, match="A subscriber is entered first"):
            await anext(get_events_subscriber())

    asyncio.run(main())


@task
def step() -> None:
    get_run_logger().info("half way")


FOLLOWING: list[FlowRunSubscriber] = []


@flow
async def work() -> None:
    FOLLOWING.append(await FlowRunSubscriber(str(flow_run.id)).__aenter__())
    get_run_logger().info("at work")
    step()


def test_a_flow_run_is_followed_until_it_ends() -> None:
    async def main() -> None:
        await work()
        subscriber = FOLLOWING.pop()
        async with asyncio.timeout(60):
            news = [each async for each in subscriber]
        await subscriber.__aexit__(None, None, None)
        lines = [each.message for each in news if isinstance(each, Log)]
        assert [line for line in lines if line in {"at work", "half way"}] == ["at work", "half way"]
        names = [each.event for each in news if isinstance(each, Event)]
        assert names[-1] == "prefect.flow-run.Completed"
        assert "prefect.task-run.Completed" in names

    asyncio.run(main())


def test_a_run_that_has_ended_has_no_news() -> None:
    async def main() -> None:
        @flow
        def quick() -> str:
            return str(flow_run.id)

        run_id = await asyncio.to_thread(quick)
        await asyncio.to_thread(wait_for_flow_run, run_id)
        async with asyncio.timeout(60), FlowRunSubscriber(run_id) as news:
            assert [each async for each in news] == []

    asyncio.run(main())

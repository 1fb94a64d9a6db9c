"""What flow runs send each other, on a thread and in a loop; and what is kept for them by key."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, ValidationError

from headrace import flow, task
from headrace.base.ids import uuid7
from headrace.connect import open_session
from headrace.engine.session import close_session, swap_session
from headrace.exceptions import (
    MissingContextError,
    ObjectAlreadyExists,
    ObjectNotFound,
    ParameterTypeError,
    SerializationError,
    UsageError,
)
from headrace.input import (
    ReceivedInput,
    RunInput,
    RunInputMetadata,
    acreate_flow_run_input,
    adelete_flow_run_input,
    afilter_flow_run_input,
    aread_flow_run_input,
    asend_input,
    create_flow_run_input,
    delete_flow_run_input,
    filter_flow_run_input,
    keyset_from_base_key,
    keyset_from_paused_state,
    read_flow_run_input,
    receive_input,
    send_input,
)
from headrace.runtime import flow_run
from headrace.schema.flow_run_input import FlowRunInputCreate
from headrace.states import Paused, Running, StateDetails, Suspended

TWINS: dict[Callable[..., Any], Callable[..., Any]] = {
    create_flow_run_input: acreate_flow_run_input,
    read_flow_run_input: aread_flow_run_input,
    filter_flow_run_input: afilter_flow_run_input,
    delete_flow_run_input: adelete_flow_run_input,
    send_input: asend_input,
}
Ask = Callable[..., Any]


class Order(RunInput):
    item: str
    count: int = 1


class Note(BaseModel):
    text: str


@pytest.fixture(autouse=True)
def session(quiet_logging: None) -> Iterator[None]:
    swap_session(open_session())
    yield
    close_session()


@pytest.fixture
def run_id() -> UUID:
    """A flow run that has ended: what is left for it stays."""
    return flow(name="receiver")(lambda: UUID(flow_run.id))()


@pytest.fixture(params=["on a thread", "by twins in a loop", "awaited in a loop"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Calls one of the functions: as it is, by its twin, or as it is in async code."""

    def call(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if request.param == "on a thread":
            return function(*args, **options)
        called = TWINS.get(function, function) if request.param == "by twins in a loop" else function

        async def main() -> Any:
            answer = called(*args, **options)
            return await answer if inspect.isawaitable(answer) else answer

        return asyncio.run(main())

    return call


# texts by key


def test_a_value_is_left_read_found_and_deleted(ask: Ask, run_id: UUID) -> None:
    ask(create_flow_run_input, "order-1", {"a": [1, None, "ü"]}, run_id)
    ask(create_flow_run_input, "order-2", 3, str(run_id), sender="me")
    assert ask(read_flow_run_input, "order-1", run_id) == {"a": [1, None, "ü"]}
    assert ask(read_flow_run_input, "order-9", run_id) is None
    found = ask(filter_flow_run_input, "order-", 10, flow_run_id=run_id)
    assert [(each.key, each.value, each.sender) for each in found] == [
        ("order-1", '{"a":[1,null,"ü"]}', None),
        ("order-2", "3", "me"),
    ]
    assert [
        each.key for each in ask(filter_flow_run_input, "order-", exclude_keys={"order-1"}, flow_run_id=run_id)
    ] == ["order-2"]
    ask(delete_flow_run_input, "order-1", run_id)
    assert ask(read_flow_run_input, "order-1", run_id) is None


def test_what_cannot_be_left_is_said(run_id: UUID) -> None:
    create_flow_run_input("order", 1, run_id)
    with pytest.raises(ObjectAlreadyExists):
        create_flow_run_input("order", 1, run_id)
    with pytest.raises(ObjectNotFound):
        create_flow_run_input("order", 1, uuid4())
    with pytest.raises(ObjectNotFound):
        delete_flow_run_input("other", run_id)
    with pytest.raises(UsageError, match="must be what JSON can hold"):
        create_flow_run_input("lock", object(), run_id)
    with pytest.raises(UsageError, match="named by its id, not 'receiver'"):
        create_flow_run_input("order", 1, "receiver")
    with pytest.raises(MissingContextError):
        create_flow_run_input("order", 1)


def test_what_is_no_json_is_named(run_id: UUID) -> None:
    opened = open_session()
    opened.gateway.create_flow_run_input(run_id, FlowRunInputCreate(key="foreign", value="{"))
    opened.close()
    with pytest.raises(SerializationError, match="What was left under 'foreign' is no JSON"):
        read_flow_run_input("foreign", run_id)


def test_within_a_run_its_own_inputs_are_meant_and_it_is_the_sender() -> None:
    @task
    def leave() -> None:
        create_flow_run_input("from-task", 2)

    @flow
    def own() -> Any:
        create_flow_run_input("from-flow", 1)
        leave()
        found = filter_flow_run_input("from-", limit=5)
        return [(each.key, each.sender) for each in found], f"prefect.flow-run.{flow_run.id}"

    found, sender = own()
    assert found == [("from-flow", sender), ("from-task", sender)]


def test_keysets() -> None:
    assert keyset_from_base_key("paused-1") == {
        "description": "paused-1-description",
        "response": "paused-1-response",
        "schema": "paused-1-schema",
    }
    state = Paused()
    state.state_details = StateDetails(pause_key="3")
    assert keyset_from_paused_state(state) == keyset_from_base_key("paused-3")
    state = Suspended()
    state.state_details = StateDetails(pause_key="3", run_input_keyset={"schema": "a", "response": "b"})
    assert keyset_from_paused_state(state) == {"schema": "a", "response": "b"}
    with pytest.raises(UsageError, match="this one is Running"):
        keyset_from_paused_state(Running())


# models under the keys of a pause


def test_a_model_is_left_and_loaded(ask: Ask, run_id: UUID) -> None:
    keys = keyset_from_base_key("paused-1")
    ask(Order.with_initial_data("**What?**", count=2).save, keys, run_id)
    assert read_flow_run_input(keys["schema"], run_id)["properties"]["count"]["default"] == 2
    assert read_flow_run_input(keys["description"], run_id) == "**What?**"
    with pytest.raises(ObjectNotFound):
        ask(Order.load, keys, run_id)
    create_flow_run_input(keys["response"], {"item": "tea"}, run_id, sender="me")
    loaded = ask(Order.load, keys, run_id)
    assert loaded == Order(item="tea")
    assert loaded.metadata == RunInputMetadata(keys["response"], "me", run_id)


def test_a_response_of_another_kind_is_no_model(run_id: UUID) -> None:
    keys = keyset_from_base_key("paused-1")
    Order.save(keys, run_id)
    assert read_flow_run_input(keys["description"], run_id) is None
    create_flow_run_input(keys["response"], {"count": 1}, run_id)
    with pytest.raises(ValidationError):
        Order.load(keys, run_id)


# sending and receiving


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, 3),
        (str, "ü"),
        (list[int], [1, 2]),
        (date, date(2030, 1, 2)),
        (Note, Note(text="a")),
        (Order, Order(item="tea", count=2)),
    ],
    ids=str,
)
def test_what_is_sent_is_received(ask: Ask, run_id: UUID, kind: Any, value: Any) -> None:
    ask(send_input, value, run_id, key_prefix="things" if kind == list[int] else None)
    receiver = receive_input(kind, flow_run_id=run_id, key_prefix="things" if kind == list[int] else None)
    assert receiver.next() == value


def test_inputs_come_in_order_each_once_and_only_of_their_kind(run_id: UUID) -> None:
    for value in (1, "a", 2, Order(item="tea"), 3):
        send_input(value, run_id)
    assert [*receive_input(int, timeout=0, flow_run_id=run_id)] == [1, 2, 3]
    assert [*receive_input(str, timeout=0, flow_run_id=run_id)] == ["a"]
    receiver = Order.receive(timeout=0, flow_run_id=run_id)
    assert [*receiver] == [Order(item="tea")]
    assert [*Order.receive(timeout=0, flow_run_id=run_id, exclude_keys=receiver.exclude_keys)] == []


def test_who_receives_waits_for_the_next(run_id: UUID) -> None:
    receiver = receive_input(int, timeout=60, poll_interval=0.001, flow_run_id=run_id)
    looked: list[Any] = []
    find = receiver._find  # pyright: ignore[reportPrivateUsage]

    def look() -> Any:
        looked.append(find())
        if len(looked) == 2:
            send_input(7, run_id)
        return looked[-1]

    receiver._find = look  # type: ignore[method-assign]  # pyright: ignore[reportPrivateUsage]
    assert receiver.next() == 7
    looked.clear()
    assert asyncio.run(receiver.anext()) == 7
    assert looked[0] is None


def test_who_waits_for_too_long_is_told_if_asked_for(run_id: UUID) -> None:
    patient = receive_input(int, timeout=None, flow_run_id=run_id)
    send_input(1, run_id)
    assert patient.next() == 1
    strict = receive_input(
        int, timeout=0.001, poll_interval=0.001, raise_timeout_error=True, flow_run_id=run_id, key_prefix="none"
    )
    with pytest.raises(TimeoutError, match=r"No input came for flow run .* within 0\.001 seconds"):
        next(strict)

    async def main() -> list[int]:
        with pytest.raises(TimeoutError):
            await strict.__anext__()
        return [each async for each in receive_input(int, timeout=0, flow_run_id=run_id)]

    assert asyncio.run(main()) == [1]


def test_what_is_of_another_type_is_named_and_passed_over(run_id: UUID) -> None:
    send_input("x", run_id, key_prefix="numbers")
    send_input(2, run_id, key_prefix="numbers")
    receiver = receive_input(int, timeout=0, flow_run_id=run_id, key_prefix="numbers")
    with pytest.raises(
        ParameterTypeError, match=r"Input 'numbers-.*': The flow run was given input of the wrong type: value"
    ):
        receiver.next()
    assert receiver.next() == 2


def test_what_cannot_be_sent_is_said(run_id: UUID) -> None:
    with pytest.raises(UsageError, match="A value of type object cannot be sent"):
        send_input(object(), run_id)
    with pytest.raises(ObjectNotFound):
        send_input(1, uuid7())


def test_flow_runs_answer_each_other(ask: Ask) -> None:
    @flow
    def receiver() -> UUID:
        return UUID(flow_run.id)

    @flow
    def sender(to: UUID) -> tuple[UUID, Any]:
        Order(item="tea").send_to(to)
        send_input(3, to)
        return UUID(flow_run.id), None

    to = receiver()
    sent_by, _ = sender(to)
    order = Order.receive(flow_run_id=to).next()
    assert order.metadata.sender == f"prefect.flow-run.{sent_by}"
    ask(order.respond, "thanks")
    number: Any = receive_input(int, with_metadata=True, flow_run_id=to).next()
    assert isinstance(number, ReceivedInput)
    assert number == ReceivedInput(3, number.metadata)  # pyright: ignore[reportUnknownMemberType]
    ask(number.respond, "three")
    assert [*receive_input(str, timeout=0, flow_run_id=sent_by)] == ["thanks", "three"]


def test_only_what_a_flow_run_sent_can_be_answered(run_id: UUID) -> None:
    Order(item="tea").send_to(run_id)
    received = Order.receive(flow_run_id=run_id).next()
    with pytest.raises(UsageError, match="another flow run has sent"):
        received.respond("thanks")
    with pytest.raises(UsageError, match="This Order was not received"):
        _ = Order(item="tea").metadata

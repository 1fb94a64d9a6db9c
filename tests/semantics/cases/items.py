# pyright: basic
"""Generators: flows and tasks that give their items one by one."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe
from tests.semantics.sdk import Sdk

KINDS = {"flow": True, "task": False}


def _decorator(sdk: Sdk, is_flow: bool, **options: Any) -> Any:
    return (sdk.flow if is_flow else sdk.task)(**options)


def _hooks(sdk: Sdk) -> Any:
    def told(definition: Any, run: Any, state: Any) -> None:
        sdk.note("hook", state.type.value, state.name)

    return {"on_completion": [told], "on_failure": [told]}


def _take(sdk: Sdk, items: Any, limit: int | None = None) -> None:
    try:
        for number, item in enumerate(items, 1):
            sdk.note("item", item)
            if number == limit:
                break
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        sdk.note("raised", describe(error))


async def _take_in_loop(sdk: Sdk, items: Any, limit: int | None = None) -> None:
    try:
        number = 0
        async for item in items:
            sdk.note("item", item)
            number += 1
            if number == limit:
                break
    except Exception as error:  # noqa: BLE001 - as above
        sdk.note("raised", describe(error))
    finally:
        await items.aclose()


LENGTHS = {"none": 0, "one": 1, "three": 3}


@over(kind=KINDS, length=LENGTHS)
def exhausted(sdk: Sdk, kind: bool, length: int) -> Any:
    @_decorator(sdk, kind, **_hooks(sdk))
    def work() -> Any:
        yield from range(length)

    _take(sdk, work())


@over(kind=KINDS, length=LENGTHS)
def exhausted_in_loop(sdk: Sdk, kind: bool, length: int) -> Any:
    @_decorator(sdk, kind, **_hooks(sdk))
    async def work() -> Any:
        for number in range(length):
            yield number

    asyncio.run(_take_in_loop(sdk, work()))


@over(kind=KINDS, after={"at-once": 0, "after-one": 1})
def failing(sdk: Sdk, kind: bool, after: int) -> Any:
    @_decorator(sdk, kind, **_hooks(sdk))
    def work() -> Any:
        yield from range(after)
        raise ValueError("as I say")

    _take(sdk, work())


@over(kind=KINDS, after={"at-once": 0, "after-one": 1})
def failing_in_loop(sdk: Sdk, kind: bool, after: int) -> Any:
    @_decorator(sdk, kind, **_hooks(sdk))
    async def work() -> Any:
        for number in range(after):
            yield number
        raise ValueError("as I say")

    asyncio.run(_take_in_loop(sdk, work()))


@over(kind=KINDS, after={"at-once": 0, "after-one": 1})
def retried(sdk: Sdk, kind: bool, after: int) -> Any:
    @_decorator(sdk, kind, retries=1)
    def work() -> Any:
        first = sdk.count("try") == 1
        yield from range(after)
        if first:
            raise ValueError("as I say")
        yield "end"

    _take(sdk, work())


@over(kind=KINDS)
def left_early(sdk: Sdk, kind: bool) -> Any:
    @_decorator(sdk, kind, **_hooks(sdk))
    def work() -> Any:
        try:
            yield from range(3)
        finally:
            sdk.note("cleaned up")

    items = work()
    _take(sdk, items, 1)
    items.close()


@over(kind=KINDS)
def left_early_in_loop(sdk: Sdk, kind: bool) -> Any:
    @_decorator(sdk, kind, **_hooks(sdk))
    async def work() -> Any:
        try:
            for number in range(3):
                yield number
        finally:
            sdk.note("cleaned up")

    asyncio.run(_take_in_loop(sdk, work(), 1))


@over(kind=KINDS)
def never_begun(sdk: Sdk, kind: bool) -> Any:
    @_decorator(sdk, kind)
    def work() -> Any:
        sdk.note("begun")
        yield 1

    items = work()
    items.close()


@over(kind=KINDS)
def returns(sdk: Sdk, kind: bool) -> Any:
    """The value behind the last item."""

    @_decorator(sdk, kind)
    def work() -> Any:
        yield 1
        return "value"

    def outer() -> Any:
        sdk.note("value", (yield from work()))

    _take(sdk, outer())


@over(kind=KINDS)
def is_sent(sdk: Sdk, kind: bool) -> Any:
    @_decorator(sdk, kind)
    def work() -> Any:
        sdk.note("sent", (yield 1))
        yield 2

    items = work()
    sdk.note(next(items))
    sdk.note(items.send("a word"))
    items.close()


@over(kind=KINDS)
def is_thrown(sdk: Sdk, kind: bool) -> Any:
    @_decorator(sdk, kind)
    def work() -> Any:
        try:
            yield 1
        except ValueError:
            sdk.note("caught")
            yield 2

    items = work()
    next(items)
    try:
        sdk.note(items.throw(ValueError("as I say")))
    finally:
        items.close()


@over(kind=KINDS)
def gives_states(sdk: Sdk, kind: bool) -> Any:
    @_decorator(sdk, kind)
    def work() -> Any:
        yield sdk.states.Failed(message="as I say").name
        yield None

    _take(sdk, work())


@case
def submitted(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> Any:
        yield from range(3)

    @sdk.flow
    def main() -> Any:
        return work.submit().result()

    return main()


@case
def mapped(sdk: Sdk) -> Any:
    @sdk.task
    def work(x: int) -> Any:
        yield from range(x)

    @sdk.flow
    def main() -> Any:
        return work.map([1, 2]).result()

    return main()


@case
def submitted_and_failing(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> Any:
        yield 1
        raise ValueError("as I say")

    @sdk.flow
    def main() -> Any:
        return work.submit()

    return main(return_state=True)


@case
def submitted_for_another(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> Any:
        yield from range(3)

    @sdk.task
    def total(values: Any) -> Any:
        return list(values)

    @sdk.flow
    def main() -> Any:
        return total.submit(work.submit()).result()

    return main()


@over(kind=KINDS)
def asked_for_a_state(sdk: Sdk, kind: bool) -> Any:
    @_decorator(sdk, kind)
    def work() -> Any:
        yield 1

    try:
        return type(work(return_state=True)).__name__ == "State"
    except Exception:  # noqa: BLE001 - which one it is says little
        return "refused"


@case
def within_a_flow(sdk: Sdk) -> Any:
    @sdk.task
    def numbers() -> Any:
        yield from range(3)

    @sdk.task
    def double(x: int) -> int:
        return 2 * x

    @sdk.flow
    def main() -> Any:
        return [double(number) for number in numbers()]

    return main()


@case
def flow_calls_tasks(sdk: Sdk) -> Any:
    @sdk.task
    def double(x: int) -> int:
        return 2 * x

    @sdk.flow
    def main() -> Any:
        for number in range(3):
            yield double(number)

    return list(main())


@case
def two_at_once(sdk: Sdk) -> Any:
    @sdk.task
    def numbers(start: int) -> Any:
        yield from range(start, start + 2)

    @sdk.flow
    def main() -> Any:
        return list(zip(numbers(0), numbers(10), strict=True))

    return main()


@over(kind=KINDS)
def knows_its_run(sdk: Sdk, kind: bool) -> Any:
    @_decorator(sdk, kind)
    def work() -> Any:
        run = sdk.runtime.flow_run if kind else sdk.runtime.task_run
        yield run.id is not None
        yield run.id is not None

    _take(sdk, work())
    return (sdk.runtime.flow_run.id is None, sdk.runtime.task_run.id is None)

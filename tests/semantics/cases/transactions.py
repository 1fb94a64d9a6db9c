# pyright: basic
"""What runs within a transaction counts together."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe, show
from tests.semantics.sdk import Sdk


def _make_task(sdk: Sdk, name: str, fail: bool = False, **options: Any) -> Any:
    """A task that notes its commit and its rollback."""

    def work(value: Any = None) -> Any:
        sdk.note("do", name)
        if fail:
            raise ValueError("as I say")
        return value

    made = sdk.task(name=name, **options)(work)
    made.on_commit(lambda transaction: sdk.note("commit", name))
    made.on_rollback(lambda transaction: sdk.note("undo", name))
    return made


def _attempt(sdk: Sdk, perform: Any) -> Any:
    try:
        return perform()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        sdk.note("raised", describe(error))
        return None


FAILURES = {"none": None, "task": "task", "body": "body"}
CALLS = {"call": False, "submit": True}


@over(fails=FAILURES, call=CALLS)
def around_tasks(sdk: Sdk, fails: str | None, call: bool) -> Any:
    first, second = _make_task(sdk, "first"), _make_task(sdk, "second")
    third = _make_task(sdk, "third", fails == "task")

    def within() -> None:
        with sdk.transactions.transaction() as transaction:
            for work in (first, second, third):
                work.submit().result() if call else work()
            sdk.note("before the end", transaction.is_committed())
            if fails == "body":
                raise ValueError("as I say")

    @sdk.flow
    def main() -> Any:
        _attempt(sdk, within)
        return "done"

    return main()


@over(fails=FAILURES)
def outside_of_a_flow(sdk: Sdk, fails: str | None) -> Any:
    first, second = _make_task(sdk, "first"), _make_task(sdk, "second", fails == "task")

    def within() -> None:
        with sdk.transactions.transaction():
            first()
            second()
            if fails == "body":
                raise ValueError("as I say")

    return _attempt(sdk, within)


@over(fails=FAILURES)
def in_an_async_flow(sdk: Sdk, fails: str | None) -> Any:
    async def work(fail: bool) -> None:
        sdk.note("do", fail)
        if fail:
            raise ValueError("as I say")

    task = sdk.task(work)
    task.on_commit(lambda transaction: sdk.note("commit"))
    task.on_rollback(lambda transaction: sdk.note("undo"))

    @sdk.flow
    async def main() -> Any:
        try:
            with sdk.transactions.transaction():
                await task(False)
                await task(fails == "task")
                if fails == "body":
                    _raise(ValueError("as I say"))
        except ValueError:
            return "raised"
        return "done"

    return asyncio.run(main())


@case
def without_a_block(sdk: Sdk) -> Any:
    """Each task is a transaction by itself."""
    first, second = _make_task(sdk, "first"), _make_task(sdk, "second", fail=True)

    @sdk.flow
    def main() -> Any:
        first()
        return second()

    return main(return_state=True)


@over(
    fails={"none": None, "inner": "inner", "inner-caught": "inner-caught", "outer": "outer"},
    mode={"lazy": None, "eager": "EAGER", "off": "OFF"},
)
def nested(sdk: Sdk, fails: str | None, mode: str | None) -> Any:
    first, second, third = (_make_task(sdk, name) for name in ("first", "second", "third"))
    options = {} if mode is None else {"commit_mode": sdk.transactions.CommitMode[mode]}

    def inner() -> None:
        with sdk.transactions.transaction(**options):
            second()
            if fails in {"inner", "inner-caught"}:
                raise ValueError("as I say")

    def outer() -> None:
        with sdk.transactions.transaction():
            first()
            if fails == "inner-caught":
                _attempt(sdk, inner)
            else:
                inner()
            third()
            if fails == "outer":
                raise ValueError("as I say")

    @sdk.flow
    def main() -> Any:
        _attempt(sdk, outer)

    return main()


@over(mode={"lazy": "LAZY", "eager": "EAGER", "off": "OFF"}, fails={"none": False, "body": True})
def modes(sdk: Sdk, mode: str, fails: bool) -> Any:
    first = _make_task(sdk, "first")

    def within() -> None:
        with sdk.transactions.transaction(commit_mode=sdk.transactions.CommitMode[mode]):
            first()
            if fails:
                raise ValueError("as I say")

    @sdk.flow
    def main() -> Any:
        _attempt(sdk, within)

    return main()


def _raise(error: BaseException) -> Any:
    raise error


def _async_hook(sdk: Sdk) -> Any:
    async def told(transaction: Any) -> None:
        await asyncio.sleep(0)
        sdk.note("told in a loop")

    return told


BAD = {
    "error": lambda sdk: lambda transaction: _raise(ValueError("as I say")),
    "exit": lambda sdk: lambda transaction: _raise(SystemExit(3)),
    "coroutine": _async_hook,
    "without-arguments": lambda sdk: lambda: None,
}


@over(kind={"commit": "on_commit", "rollback": "on_rollback"}, bad=BAD)
def bad_hooks(sdk: Sdk, kind: str, bad: Any) -> Any:
    first, second, third = (_make_task(sdk, name) for name in ("first", "second", "third"))
    getattr(second, kind)(bad(sdk))

    def within() -> None:
        with sdk.transactions.transaction():
            for work in (first, second, third):
                work()
            if kind == "on_rollback":
                raise LookupError("as I say")

    @sdk.flow
    def main() -> Any:
        _attempt(sdk, within)
        return "done"

    return main()


@case
def several_hooks(sdk: Sdk) -> Any:
    work = _make_task(sdk, "work")
    work.on_rollback(lambda transaction: sdk.note("undo more"))

    def within() -> None:
        with sdk.transactions.transaction():
            work()
            raise ValueError("as I say")

    return _attempt(sdk, within)


@over(fails={"none": False, "body": True})
def values_for_hooks(sdk: Sdk, fails: bool) -> Any:
    @sdk.task
    def work() -> None:
        sdk.transactions.get_transaction().set("made", [1, 2])

    work.on_commit(lambda transaction: sdk.note("commit", transaction.get("made")))
    work.on_rollback(lambda transaction: sdk.note("undo", transaction.get("made")))

    def within() -> None:
        with sdk.transactions.transaction():
            work()
            if fails:
                raise ValueError("as I say")

    return _attempt(sdk, within)


@case
def values_are_inherited(sdk: Sdk) -> Any:
    with sdk.transactions.transaction() as outer:
        outer.set("a", 1)
        with sdk.transactions.transaction() as inner:
            sdk.note(inner.get("a"), inner.get("b", "default"))
            inner.set("a", 2)
            sdk.note(inner.get("a"), outer.get("a"))
        _attempt(sdk, lambda: outer.get("unknown"))


@case
def values_are_copies(sdk: Sdk) -> Any:
    with sdk.transactions.transaction() as outer:
        outer.set("a", [1])
        with sdk.transactions.transaction() as inner:
            inner.get("a").append(2)
        sdk.note(outer.get("a"))


@case
def where_there_is_none(sdk: Sdk) -> Any:
    return sdk.transactions.get_transaction()


@over(place={"flow": True, "task": False})
def in_a_run(sdk: Sdk, place: bool) -> Any:
    def work() -> Any:
        return sdk.transactions.get_transaction() is None

    return (sdk.flow if place else sdk.task)(work)()


@over(again={"same-key": "a key", "other-key": "another key"}, overwrite={"keep": False, "overwrite": True})
def keyed(sdk: Sdk, again: str, overwrite: bool) -> Any:
    for key in ("a key", again):
        with sdk.transactions.transaction(key=key, overwrite=overwrite) as transaction:
            sdk.note(key, transaction.is_committed())
            if not transaction.is_committed():
                transaction.stage(f"value of {key}")
    with sdk.transactions.transaction(key="a key") as transaction:
        return show(transaction.is_committed())


@over(write={"written": True, "not-written": False}, fails={"none": False, "body": True})
def writing(sdk: Sdk, write: bool, fails: bool) -> Any:
    def within() -> None:
        with sdk.transactions.transaction(key="a key", write_on_commit=write) as transaction:
            transaction.stage("a value")
            if fails:
                raise ValueError("as I say")

    _attempt(sdk, within)
    with sdk.transactions.transaction(key="a key") as transaction:
        return transaction.is_committed()


@case
def serializable_without_a_key(sdk: Sdk) -> Any:
    try:
        with sdk.transactions.transaction(isolation_level=sdk.transactions.IsolationLevel.SERIALIZABLE):
            return "begun"
    except Exception:  # noqa: BLE001 - which one it is says little
        return "refused"


@case
def states_of_a_transaction(sdk: Sdk) -> Any:
    transactions: list[Any] = []

    def within(fail: bool) -> None:
        with sdk.transactions.transaction() as transaction:
            transactions.append(transaction)
            sdk.note(transaction.state.name, transaction.is_active())
            transaction.stage(1)
            sdk.note(transaction.state.name, transaction.is_staged())
            if fail:
                raise ValueError("as I say")

    within(False)
    _attempt(sdk, lambda: within(True))
    return [
        (transaction.state.name, transaction.is_committed(), transaction.is_rolled_back())
        for transaction in transactions
    ]


@case
def a_subflow_within(sdk: Sdk) -> Any:
    first = _make_task(sdk, "first")

    @sdk.flow
    def inner() -> None:
        first()

    def within() -> None:
        with sdk.transactions.transaction():
            inner()
            raise ValueError("as I say")

    @sdk.flow
    def main() -> Any:
        _attempt(sdk, within)

    return main()


@case
def a_retry_around(sdk: Sdk) -> Any:
    first = _make_task(sdk, "first")

    @sdk.flow(retries=1)
    def main() -> Any:
        with sdk.transactions.transaction():
            first()
            if sdk.count("try") == 1:
                raise ValueError("as I say")
        return "done"

    return main()


@over(fails={"none": False, "body": True})
def kept_values(sdk: Sdk, fails: bool) -> Any:
    """What was cached within a transaction is there afterwards only if it was committed."""
    work = _make_task(sdk, "work", persist_result=True, cache_policy=sdk.cache_policies.INPUTS)

    def within() -> None:
        with sdk.transactions.transaction():
            work(1)
            if fails:
                raise ValueError("as I say")

    @sdk.flow
    def main() -> Any:
        _attempt(sdk, within)
        return work(1, return_state=True).name

    return main()


@case
def a_failed_task_that_is_caught(sdk: Sdk) -> Any:
    first, second = _make_task(sdk, "first"), _make_task(sdk, "second", fail=True)

    @sdk.flow
    def main() -> Any:
        with sdk.transactions.transaction():
            first()
            _attempt(sdk, second)
        return "done"

    return main()


@case
def rolled_back_by_hand(sdk: Sdk) -> Any:
    first = _make_task(sdk, "first")

    @sdk.flow
    def main() -> Any:
        with sdk.transactions.transaction() as transaction:
            first()
            sdk.note(transaction.rollback())
        return "done"

    return main()

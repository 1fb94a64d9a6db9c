"""Transactions: each case by script, on a thread and in a loop; and what is beside them."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import pytest

from headrace.base import errors
from headrace.cache_policies import INPUTS
from headrace.engine.context import current_flow_run, current_task_run
from headrace.engine.flow_definition import Flow
from headrace.engine.locking import KeyLock
from headrace.engine.requests import KeepValue
from headrace.engine.task_definition import Task
from headrace.engine.transaction_lifecycle import commit, roll_back, settle
from headrace.states import Failed
from headrace.testing import asks, calls, play
from headrace.transactions import (
    AsyncTransaction,
    CommitMode,
    IsolationLevel,
    Transaction,
    TransactionState,
    atransaction,
    get_transaction,
    transaction,
)
from tests.unit.engine.conftest import Stage

DONE, UNDONE = "Pending Running Completed", "Pending Running Completed RolledBack"


class Book:
    """Tasks that write down what happens to them."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def task(self, name: str, fails: bool = False, **options: Any) -> Task[..., Any]:
        def work() -> str:
            self.log.append(name)
            get_transaction().set("name", name)
            if fails:
                raise LookupError(name)
            return name

        def kept(txn: Any) -> None:
            self.log.append(f"commit {txn.get('name')}")

        def undone(txn: Any) -> None:
            assert current_task_run().task.name == name
            self.log.append(f"undo {txn.get('name')}")

        return Task(work, name=name, on_commit=[kept], on_rollback=[undone], **options)


@pytest.fixture
def book() -> Book:
    return Book()


def call(task: Task[..., Any], _: Any) -> Any:
    return task()


def paths(stage: Stage) -> list[str]:
    return [" ".join(map(str, path)) for path in stage.settle().task_paths()]


class RunFlow(Protocol):
    """Runs a flow that makes steps within a block, of either colour."""

    def __call__(self, options: dict[str, Any], *steps: Callable[[Any], Any]) -> Any: ...


@pytest.fixture(params=[False, True], ids=["on a thread", "in a loop"])
def run_flow(request: pytest.FixtureRequest) -> RunFlow:
    def run(options: dict[str, Any], *steps: Callable[[Any], Any]) -> Any:
        if not request.param:

            def main() -> Any:
                with transaction(**options) as txn:
                    for step in steps:
                        step(txn)
                return txn

            return Flow(main)()

        async def main_in_loop() -> Any:
            async with atransaction(**options) as txn:
                for step in steps:
                    came = step(txn)
                    if asyncio.iscoroutine(came):
                        await came
            return txn

        return asyncio.run(Flow(main_in_loop)())

    return run


# together


def test_what_completes_together_is_committed_together(run_flow: RunFlow, book: Book, stage: Stage) -> None:
    first, second = book.task("first"), book.task("second")
    txn = run_flow({}, lambda _: first(), lambda _: book.log.append("…"), lambda _: second())
    assert book.log == ["first", "…", "second", "commit first", "commit second"]
    assert (txn.state, paths(stage)) == (TransactionState.COMMITTED, [DONE, DONE])


def test_a_failure_undoes_what_ran_before_it_latest_first(run_flow: RunFlow, book: Book, stage: Stage) -> None:
    tasks = [book.task("first"), book.task("second"), book.task("third", fails=True)]
    with pytest.raises(LookupError, match="third"):
        run_flow({}, *(partial(call, task) for task in tasks))
    assert book.log == ["first", "second", "third", "undo second", "undo first"]
    assert paths(stage) == [UNDONE, UNDONE, "Pending Running Failed"]


def test_an_interrupt_undoes_as_well(run_flow: RunFlow, book: Book, stage: Stage) -> None:
    def leave(_: Any) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        run_flow({}, lambda _: book.task("first")(), leave)
    assert book.log == ["first", "undo first"]


def test_blocks_within_blocks_end_with_the_outer_one(book: Book, stage: Stage) -> None:
    states: list[TransactionState] = []

    def main(fails: bool) -> None:
        with transaction() as outer:
            outer.set("whose", "the outer one's")
            book.task("first")()
            with transaction() as inner:
                assert inner.parent is outer
                assert inner.get("whose") == "the outer one's"
                book.task("second")()
            states.append(inner.state)
            assert inner.is_staged()
            book.task("third")()
            if fails:
                raise LookupError("at last")
        states.append(inner.state)

    Flow(main)(fails=False)
    assert book.log == ["first", "second", "third", "commit first", "commit second", "commit third"]
    book.log.clear()
    with pytest.raises(LookupError):
        Flow(main)(fails=True)
    assert book.log == ["first", "second", "third", "undo third", "undo second", "undo first"]
    assert states == [TransactionState.STAGED, TransactionState.COMMITTED, TransactionState.STAGED]


def test_an_inner_failure_that_is_caught_undoes_only_the_inner_one(book: Book, stage: Stage) -> None:
    def undone() -> None:
        with transaction():
            book.task("second")()
            book.task("third", fails=True)()

    def main() -> None:
        with transaction():
            book.task("first")()
            with pytest.raises(LookupError, match="third"):
                undone()
        assert book.log == ["first", "second", "third", "undo second", "commit first"]

    Flow(main)()
    assert paths(stage) == [DONE, UNDONE, "Pending Running Failed"]


def test_eager_blocks_do_not_wait_for_the_outer_one(book: Book, stage: Stage) -> None:
    def main() -> None:
        with transaction():
            book.task("first")()
            with transaction(commit_mode=CommitMode.EAGER) as inner:
                book.task("second")()
                assert book.log == ["first", "second", "commit second"]
            assert inner.is_committed()
            raise LookupError

    with pytest.raises(LookupError):
        Flow(main)()
    assert book.log == ["first", "second", "commit second", "undo first"]


def test_nobody_commits_for_those_who_want_to_do_it_themselves(run_flow: RunFlow, book: Book, stage: Stage) -> None:
    off = {"commit_mode": CommitMode.OFF}
    assert run_flow(off, lambda _: book.task("first")()).is_rolled_back()
    assert book.log == ["first", "undo first"]
    book.log.clear()
    assert run_flow(off, lambda _: book.task("first")(), lambda txn: txn.commit()).is_committed()
    assert book.log == ["first", "commit first"]


def test_a_block_can_be_ended_by_hand_once(book: Book, stage: Stage) -> None:
    def main() -> None:
        with transaction() as txn:
            assert txn.is_active()
            book.task("first")()
            assert [txn.rollback(), txn.rollback(), txn.commit()] == [True, False, False]
            book.task("late")()
        assert txn.is_rolled_back()

    Flow(main)()
    assert book.log == ["first", "undo first", "late", "undo late"]
    assert paths(stage) == [UNDONE, UNDONE]


def test_an_async_block_can_be_ended_by_hand_once(book: Book, stage: Stage) -> None:
    async def main() -> None:
        async with atransaction() as txn:
            assert isinstance(txn, AsyncTransaction)
            book.task("first")()
            assert [await txn.commit(), await txn.commit(), await txn.rollback()] == [True, False, False]
            book.task("late")()
        async with atransaction() as txn:
            assert await txn.rollback()
        txn = AsyncTransaction(stage.session)
        txn.stage(1, on_commit_hooks=[fail])
        with pytest.raises(LookupError):
            await txn.commit()

    asyncio.run(Flow(main)())
    assert book.log == ["first", "commit first", "late", "commit late"]


def test_submitted_tasks_are_part_of_it(book: Book, stage: Stage) -> None:
    def main() -> None:
        with transaction():
            book.task("first").submit().wait()
            raise LookupError

    with pytest.raises(LookupError):
        Flow(main)()
    assert book.log == ["first", "undo first"]


def test_a_task_and_those_it_calls_are_undone_together(book: Book, stage: Stage) -> None:
    def outer() -> None:
        assert get_transaction().get("name", None) is None
        book.task("inner")()

    def main() -> None:
        with transaction():
            Task(outer)()
            raise LookupError

    with pytest.raises(LookupError):
        Flow(main)()
    assert book.log == ["inner", "undo inner"]
    assert paths(stage) == [UNDONE, UNDONE]


def test_without_a_block_each_task_is_a_transaction(book: Book, stage: Stage) -> None:
    def note(_: Any) -> None:
        book.log.append("as well")

    def staging() -> None:
        get_transaction().stage(None, on_commit_hooks=[note])

    assert book.task("first")() == "first"
    hooked = Task(staging, on_commit=[lambda txn: book.log.append("told")])
    assert hooked(return_state=True).is_completed()
    assert book.log == ["first", "commit first", "told", "as well"]
    with pytest.raises(LookupError):
        book.task("second", fails=True)()
    Task(lambda: Failed("so"), name="failed", on_commit=[fail])(return_state=True)
    assert book.log[-1] == "second"
    assert get_transaction() is None


def test_hooks_can_be_added_and_be_coroutine_functions(book: Book, stage: Stage) -> None:
    task = Task(lambda: 1, name="hooked")

    @task.on_commit
    async def keep(txn: Any) -> None:
        await asyncio.sleep(0)
        book.log.append("kept")

    @task.on_rollback
    async def undo(txn: Any) -> None:
        await asyncio.sleep(0)
        book.log.append("undone")

    def main(fails: bool) -> None:
        with transaction():
            task.with_options(name="other")()
            if fails:
                raise LookupError

    Flow(main)(fails=False)
    with pytest.raises(LookupError):
        Flow(main)(fails=True)
    assert book.log == ["kept", "undone"]


def test_what_was_committed_by_hand_is_not_undone(book: Book, stage: Stage) -> None:
    def main() -> None:
        with transaction() as txn:
            book.task("first")()
            txn.commit()
            raise LookupError

    with pytest.raises(LookupError):
        Flow(main)()
    assert book.log == ["first", "commit first"]


# by script


def hook(_: Any) -> str:
    return "told"


def keeping(key: str, stage: Stage) -> Transaction:
    made = Transaction(stage.session, key)
    made.begin()
    made.stage(key, [hook], [hook])
    return made


def test_a_commit_tells_before_it_keeps(stage: Stage) -> None:
    txn = keeping("a", stage)
    assert play(settle(txn), [calls(), asks(KeepValue, key="a", value="a")]) is None
    assert txn.is_committed()
    assert play(settle(txn), []) is None


def test_a_commit_that_fails_is_undone_and_says_why(stage: Stage) -> None:
    txn, broken = keeping("a", stage), LookupError("so")
    assert play(settle(txn), [calls(), asks(KeepValue, raises=broken), calls()]) is broken
    assert txn.is_rolled_back()
    assert play(roll_back(txn), []) is None
    txn = keeping("b", stage)
    assert play(settle(txn), [calls(raises=broken), calls(returns=None)]) is broken


def test_an_undoing_that_is_interrupted_is_interrupted(stage: Stage) -> None:
    txn = keeping("a", stage)
    with pytest.raises(KeyboardInterrupt):
        play(roll_back(txn), [calls(raises=KeyboardInterrupt())])


# what goes wrong while they end


def fail(_: Any) -> None:
    raise LookupError("a hook")


def leave(_: Any) -> None:
    raise SystemExit(3)


def test_a_commit_hook_that_fails_undoes_all_of_it(run_flow: RunFlow, book: Book, stage: Stage) -> None:
    broken = Task(lambda: 1, name="broken", on_commit=[fail])
    with pytest.raises(LookupError, match="a hook"):
        run_flow({}, lambda _: book.task("first")(), lambda _: broken())
    assert book.log == ["first", "commit first", "undo first"]
    assert paths(stage) == [UNDONE, UNDONE]


def test_a_rollback_hook_that_fails_keeps_no_other_from_undoing(run_flow: RunFlow, book: Book, stage: Stage) -> None:
    broken = Task(lambda: 1, name="broken", on_rollback=[fail])
    with pytest.raises(LookupError, match="third"):
        run_flow({}, lambda _: book.task("first")(), lambda _: broken(), lambda _: book.task("third", fails=True)())
    assert book.log == ["first", "third", "undo first"]
    assert paths(stage)[:2] == [UNDONE, UNDONE]
    assert "Rollback hook 'fail' failed" in "\n".join(stage.recorder.messages(40))


def test_an_interrupt_of_a_hook_goes_on(book: Book, stage: Stage) -> None:
    committing = Task(lambda: 1, name="committing", on_commit=[leave])
    undoing = Task(lambda: 1, name="undoing", on_rollback=[leave])

    def main(task: Any, fails: bool) -> None:
        with transaction():
            book.task("first")()
            task()
            if fails:
                raise LookupError

    with pytest.raises(SystemExit):
        Flow(main)(committing, fails=False)
    assert book.log == ["first", "commit first", "undo first"]
    with pytest.raises(SystemExit):
        Flow(main)(undoing, fails=True)


def test_a_commit_hook_of_a_task_alone_that_fails_undoes_the_task(book: Book, stage: Stage) -> None:
    broken = Task(lambda: 1, name="broken", on_commit=[fail], on_rollback=[lambda txn: book.log.append("undone")])
    assert broken() == 1
    assert book.log == ["undone"]
    assert paths(stage) == [UNDONE]


def test_a_lifecycle_that_is_closed_undoes_nothing(book: Book, stage: Stage) -> None:
    txn = Transaction(stage.session)
    txn.begin()
    txn.stage(None, [lambda _: book.log.append("undone")], [lambda _: None])
    ending = commit(txn)
    next(ending)
    ending.close()
    assert (book.log, txn.is_active()) == ([], True)


# values


def test_values_are_kept_on_commit(book: Book, stage: Stage) -> None:
    executed: list[int] = []

    def work(x: int) -> int:
        executed.append(x)
        return 2 * x

    task = Task(work, cache_policy=INPUTS, result_storage_key="double-{parameters[x]}")
    store = stage.session.results

    def main(fails: bool) -> None:
        with transaction():
            assert task(4) == 8
            assert store.find("double-4") is None
            if fails:
                raise LookupError

    with pytest.raises(LookupError):
        Flow(main)(fails=True)
    Flow(main)(fails=False)
    assert executed == [4, 4]
    assert store.read("double-4") == 8
    assert len(stage.settle().results()) == 1
    assert task(4) == 8
    assert executed == [4, 4]


def test_what_cannot_be_kept_undoes_all_of_it(book: Book, stage: Stage) -> None:
    keeps = Task(lambda: 1, name="keeps", result_storage_key="kept")
    cannot = Task(lambda: threading.Lock(), name="cannot", persist_result=True)  # noqa: PLW0108 - it has no signature

    def main() -> None:
        with transaction():
            keeps()
            cannot()

    with pytest.raises(errors.SerializationError):
        Flow(main)()
    assert stage.session.results.find("kept") is None
    assert paths(stage) == [UNDONE, UNDONE]


def test_a_key_that_is_known_needs_no_work(run_flow: RunFlow, stage: Stage) -> None:
    done: list[bool] = []

    def work(txn: Any) -> None:
        done.append(txn.is_committed())
        if not txn.is_committed():
            txn.stage({"a": 1})

    for options in ({"key": "report"}, {"key": "report"}, {"key": "report", "overwrite": True}):
        run_flow(options, work)
    assert done == [False, True, False]
    assert stage.session.results.read("report") == {"a": 1}
    (fact, _) = stage.settle().results()
    assert fact.flow_run_id == stage.recorder.flow_runs()[0]


def test_values_are_read_from_where_they_are(stage: Stage) -> None:
    with transaction("a") as txn:
        with pytest.raises(errors.MissingResult):
            txn.read()
        txn.stage(5)
        assert txn.read() == 5
    with transaction("a") as txn:
        assert txn.read() == 5
    with transaction() as txn, pytest.raises(errors.MissingResult, match="it has no key"):
        txn.read()
    with transaction("b", write_on_commit=False) as txn:
        txn.stage(5)
    assert stage.session.results.find("b") is None
    with transaction("c"):
        pass
    assert stage.session.results.find("c") is None

    async def read() -> Any:
        async with atransaction("a") as txn:
            return await txn.read()

    assert asyncio.run(read()) == 5


def test_a_store_of_ones_own_is_used_within(stage: Stage, tmp_path: Any) -> None:
    from headrace.engine.results import ResultStore

    store = ResultStore(tmp_path, tmp_path)
    with transaction("outer", store=store) as outer:
        outer.stage(1)
        with transaction("inner") as inner:
            inner.stage(2)
            assert inner.store is store
    assert [store.read("outer"), store.read("inner")] == [1, 2]
    with pytest.raises(errors.SerializationError), transaction("outer", store=store, overwrite=True) as outer:
        outer.stage(threading.Lock())
    assert outer.is_rolled_back()
    assert store.find("outer") is None


def test_values_that_nobody_set_are_asked_for_in_vain(stage: Stage) -> None:
    with transaction() as txn:
        assert txn.get("x", None) is None
        with pytest.raises(errors.UsageError, match="knows no value 'x'"):
            txn.get("x")
    assert Transaction(stage.session).is_pending()


# isolation


def test_serializable_blocks_take_turns(stage: Stage) -> None:
    log: list[str] = []
    within, asked = threading.Event(), threading.Event()
    serial: Any = {"key": "k", "isolation_level": IsolationLevel.SERIALIZABLE}

    def first() -> None:
        with transaction(**serial) as txn:
            within.set()
            asked.wait(30)
            with transaction("k", isolation_level=IsolationLevel.SERIALIZABLE) as inner:
                log.append("not kept from itself")
                inner.stage(1)
            txn.stage(2)
            log.append("first")

    def second() -> None:
        within.wait(30)
        asked.set()
        with transaction(**serial) as txn:
            log.append(f"second, {txn.is_committed()}")

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log == ["not kept from itself", "first", "second, True"]


def test_a_block_that_is_undone_lets_the_next_in(stage: Stage) -> None:
    serial: Any = {"key": "k", "isolation_level": IsolationLevel.SERIALIZABLE}

    def undone() -> None:
        with transaction(**serial):
            with transaction("other") as inner:
                assert inner.isolation_level is IsolationLevel.SERIALIZABLE
            raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            undone()


def test_a_lock_needs_a_key_and_a_system_that_has_locks(
    stage: Stage, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        pytest.raises(errors.UsageError, match="if it has a key"),
        transaction(isolation_level=IsolationLevel.SERIALIZABLE),
    ):
        pass
    monkeypatch.setitem(sys.modules, "fcntl", None)
    lock = KeyLock(tmp_path, "k")
    with pytest.raises(errors.UsageError, match="whose files can be locked"):
        lock.acquire()
    lock.release()


def test_a_lock_that_is_not_got_leaves_nothing_open(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fcntl, "flock", interrupt)
    lock = KeyLock(tmp_path, "k")
    with pytest.raises(KeyboardInterrupt):
        lock.acquire()


# where they are looked for


def test_the_innermost_one_is_found(stage: Stage) -> None:
    def inner() -> Any:
        return get_transaction()

    def main() -> None:
        with transaction() as txn:
            assert get_transaction() is txn
            found = Task(inner)()
            assert found is not txn
            assert found.parent is txn
            assert Flow(inner, name="subflow")() is txn
            assert current_flow_run().transaction is None

    Flow(main)()

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.base import errors
from headrace.engine.caching import (
    DEFAULT,
    FLOW_PARAMETERS,
    INPUTS,
    NO_CACHE,
    NONE,
    RUN_ID,
    TASK_SOURCE,
    CacheKeyFnPolicy,
    CachePolicy,
    Inputs,
    hash_values,
)
from headrace.engine.locking import KeyLock
from headrace.engine.transactions import IsolationLevel
from headrace.locking import MemoryLockManager


def double(value: int) -> int:
    return 2 * value


def triple(value: int) -> int:
    return 3 * value


@dataclass
class CalledTask:
    fn: Callable[..., Any] = double


@dataclass
class Called:
    """The call of a task, as a policy sees it."""

    task: CalledTask = field(default_factory=CalledTask)
    flow_run_id: UUID | None = None
    task_run_id: UUID = field(default_factory=uuid4)


@dataclass
class Point:
    x: Any
    y: Any = None


class Unpicklable:
    def __reduce__(self) -> NoReturn:
        raise OSError("a socket, say")


def key(
    policy: CachePolicy, call: Called | None = None, parameters: Mapping[str, Any] | None = None, **inputs: Any
) -> str | None:
    return policy.compute_key(call or Called(), inputs, parameters or {})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner) | st.builds(Point, inner),
    max_leaves=10,
)  # fmt: skip


# digests


@settings(max_examples=50)
@given(VALUES)
def test_a_value_and_its_copy_have_one_digest(value: Any) -> None:
    import copy
    import pickle

    assert hash_values(value) == hash_values(copy.deepcopy(value)) == hash_values(pickle.loads(pickle.dumps(value)))


@settings(max_examples=50)
@given(VALUES, VALUES)
def test_values_that_differ_have_digests_that_differ(one: Any, other: Any) -> None:
    if one != other:
        assert hash_values(one) != hash_values(other)


def test_what_python_or_json_takes_for_alike_is_kept_apart() -> None:
    nan, infinity = float("nan"), float("inf")
    alike = [
        None, nan, infinity, -infinity, [nan], [None], 1, 1.0, True, "1", b"1", (1,), [1], {1}, frozenset({1}), {1: 1},
        {"1": 1}, {True: 1}, (nan,), 2**70, 2.0**70, "half \ud83d", "half \ud83e",
    ]  # fmt: skip
    assert len({hash_values(value) for value in alike}) == len(alike)


def test_where_one_value_ends_and_the_next_begins_is_told() -> None:
    assert hash_values("ab", "c") != hash_values("a", "bc") != hash_values("abc")


def test_the_order_in_which_sets_and_dictionaries_were_filled_does_not_matter() -> None:
    names = [f"name {number}" for number in range(100)]
    assert hash_values({*names}) == hash_values({*reversed(names)})
    assert hash_values(frozenset(names)) == hash_values(frozenset(reversed(names)))
    assert hash_values(dict.fromkeys(names)) == hash_values(dict.fromkeys(reversed(names)))
    assert hash_values({(1, 2): 3, (4, 5): 6}) == hash_values({(4, 5): 6, (1, 2): 3})
    assert hash_values(Point({*names}, {3: 1, 1: 3})) == hash_values(Point({*reversed(names)}, {1: 3, 3: 1}))


def test_one_object_twice_is_as_good_as_two_that_are_equal() -> None:
    point = Point(1)
    assert hash_values((point, point)) == hash_values((Point(1), Point(1)))


def test_a_digest_is_the_same_in_every_process() -> None:
    value = "({'a', 'b', 'c', 'd'}, {1: {'x', 'y', 'z'}}, frozenset('efgh'), ['plain', 1.5], 2 ** 70, range(3))"
    code = f"from headrace.engine.caching import hash_values; print(hash_values({value}))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert digests == {f"{hash_values(eval(value))}\n"}


def test_functions_and_values_within_themselves_have_digests() -> None:
    offset = 2
    assert hash_values(lambda value: value + offset)  # pyright: ignore[reportUnknownLambdaType, reportUnknownVariableType]
    circle: list[Any] = []
    circle.append(circle)
    assert hash_values(circle)


@pytest.mark.parametrize("value", [threading.Lock(), Unpicklable(), [Unpicklable()]])
def test_what_has_no_digest_is_named_with_the_way_out(value: Any) -> None:
    with pytest.raises(
        errors.SerializationError, match=rf"type {type(value).__name__} has no .* with `policy - 'name'`"
    ):
        hash_values(value)


# policies


def test_inputs_are_told_by_name_and_value() -> None:
    assert key(INPUTS, a=1, b=2) == key(INPUTS, b=2, a=1)
    assert len({key(INPUTS, a=1), key(INPUTS, a=2), key(INPUTS, b=1), key(INPUTS, a=1, b=1)}) == 4


def test_without_inputs_there_is_nothing_to_tell_calls_apart_by() -> None:
    assert key(INPUTS) is None
    assert key(INPUTS - "a", a=1) is None


def test_inputs_left_out_do_not_matter() -> None:
    policy = INPUTS - "b" - "c"
    assert key(policy, a=1, b=2, c=3) == key(policy, a=1, b=4) == key(INPUTS, a=1)
    assert key(INPUTS, a=1, b=2) != key(INPUTS, a=1)


def test_task_source_is_the_source_of_the_users_function() -> None:
    assert key(TASK_SOURCE, Called(CalledTask(double))) != key(TASK_SOURCE, Called(CalledTask(triple)))

    @functools.wraps(double)
    def wrapped(value: int) -> int:
        return double(value)

    assert key(TASK_SOURCE, Called(CalledTask(double))) == key(TASK_SOURCE, Called(CalledTask(wrapped)))


def test_task_source_is_the_byte_code_where_there_is_no_source() -> None:
    def typed(text: str) -> Called:
        made: dict[str, Any] = {}
        exec(text, made)
        return Called(CalledTask(made["typed"]))

    one, again, other = (
        typed("def typed(a): return a"),
        typed("def typed(a): return a"),
        typed("def typed(a): return -a"),
    )
    assert key(TASK_SOURCE, one) == key(TASK_SOURCE, again) != key(TASK_SOURCE, other)


def test_task_source_is_the_name_of_what_is_built_in() -> None:
    assert key(TASK_SOURCE, Called(CalledTask(len))) != key(TASK_SOURCE, Called(CalledTask(abs)))


def test_flow_parameters_are_those_of_the_flow_run() -> None:
    assert key(FLOW_PARAMETERS) is None
    assert key(FLOW_PARAMETERS, parameters={"a": 1}) == key(FLOW_PARAMETERS, parameters={"a": 1}, b=3)
    assert key(FLOW_PARAMETERS, parameters={"a": 1}) != key(FLOW_PARAMETERS, parameters={"a": 2})


def test_the_run_is_the_flow_run_or_else_the_task_run() -> None:
    flow_run, task_run = uuid4(), uuid4()
    assert key(RUN_ID, Called(flow_run_id=flow_run)) == str(flow_run)
    assert key(RUN_ID, Called(task_run_id=task_run)) == str(task_run)


def test_a_function_may_make_the_key() -> None:
    policy = CacheKeyFnPolicy(lambda context, arguments: f"{context.task.fn.__name__}-{arguments['a']}")
    assert key(policy, a=1) == "double-1"
    assert key(policy - "a", a=1) == "double-1"


def test_a_function_that_makes_something_else_is_told_so() -> None:
    number: Any = len
    with pytest.raises(errors.UsageError, match="cache_key_fn must return a text or None, not int"):
        key(CacheKeyFnPolicy(lambda context, arguments: number(arguments)), a=1)


def test_nothing_is_cached_without_a_policy() -> None:
    assert NONE is NO_CACHE
    assert key(NO_CACHE, a=1) is None
    assert key(NO_CACHE - "a", a=1) is None


def test_a_policy_must_say_how() -> None:
    class Mine(CachePolicy):
        pass

    with pytest.raises(errors.UsageError, match="Mine does not say how to compute a cache key"):
        key(Mine())


# their algebra


def test_no_cache_adds_nothing() -> None:
    assert INPUTS + NO_CACHE is INPUTS
    assert NO_CACHE + INPUTS is INPUTS
    assert key(NO_CACHE + NO_CACHE, a=1) is None


def test_policies_add_up() -> None:
    run, other = Called(flow_run_id=uuid4()), Called(flow_run_id=uuid4())
    policy = INPUTS + RUN_ID
    assert key(policy, run, a=1) == key(policy, run, a=1)
    assert len({key(policy, run, a=1), key(policy, run, a=2), key(policy, other, a=1), key(RUN_ID, run)}) == 4


def test_how_policies_were_added_up_does_not_matter() -> None:
    call, parameters = Called(flow_run_id=uuid4()), {"p": 1}
    one, other = (INPUTS + RUN_ID) + FLOW_PARAMETERS, INPUTS + (RUN_ID + FLOW_PARAMETERS)
    assert key(one, call, parameters, a=1) == key(other, call, parameters, a=1)


def test_policies_that_make_no_key_leave_it_to_the_others() -> None:
    call = Called(flow_run_id=uuid4())
    assert key(FLOW_PARAMETERS + RUN_ID, call) == key(INPUTS + RUN_ID, call) is not None
    assert key(FLOW_PARAMETERS + INPUTS) is None


def test_an_input_left_out_of_a_part_is_left_out_of_the_sum() -> None:
    call = Called()
    for policy in (
        (INPUTS - "b") + RUN_ID,
        RUN_ID + (INPUTS - "b"),
        INPUTS + RUN_ID - "b",
        INPUTS + (INPUTS - "b") + RUN_ID,
    ):
        assert key(policy, call, a=1, b=1) == key(policy, call, a=1, b=2) != key(policy, call, a=2, b=2)


def test_sums_without_inputs_have_none_to_let_go_of() -> None:
    policy = RUN_ID + TASK_SOURCE
    assert policy - "a" is policy


def test_the_default_is_equal_arguments_and_source_in_one_run() -> None:
    run = uuid4()
    call = Called(flow_run_id=run)
    assert key(DEFAULT, call, a=1) == key(DEFAULT, Called(flow_run_id=run), a=1)
    others = [key(DEFAULT, call, a=2), key(DEFAULT, Called(CalledTask(triple), run), a=1), key(DEFAULT, Called(), a=1)]
    assert key(DEFAULT, call, a=1) not in others


# how keys are used


def test_a_configured_policy_is_another_one(tmp_path: Path) -> None:
    manager = MemoryLockManager()
    made = INPUTS.configure(tmp_path / "keys", manager, IsolationLevel.SERIALIZABLE)
    assert (made.key_storage, made.lock_manager, made.isolation_level) == (
        tmp_path / "keys", manager, IsolationLevel.SERIALIZABLE,
    )  # fmt: skip
    assert isinstance(made, Inputs)
    assert (INPUTS.key_storage, INPUTS.lock_manager, INPUTS.isolation_level) == (None, None, None)
    again = made.configure(isolation_level=IsolationLevel.READ_COMMITTED)
    assert (again.key_storage, again.isolation_level) == (tmp_path / "keys", IsolationLevel.READ_COMMITTED)
    assert made.compute_key(Called(), {"a": 1}, {}) == INPUTS.compute_key(Called(), {"a": 1}, {})


def test_sums_and_differences_are_configured_as_their_parts(tmp_path: Path) -> None:
    made = (INPUTS.configure(key_storage=tmp_path) + TASK_SOURCE.configure(lock_manager=MemoryLockManager())) - "a"
    assert made.key_storage == tmp_path
    assert made.lock_manager is not None
    assert (INPUTS.configure(key_storage=tmp_path) - "a").key_storage == tmp_path
    with pytest.raises(errors.UsageError, match="only be added if they agree on the key storage"):
        _ = INPUTS.configure(key_storage=tmp_path) + RUN_ID.configure(key_storage=tmp_path / "other")


def test_only_serializable_policies_lock(tmp_path: Path) -> None:
    manager = MemoryLockManager()
    for policy in (INPUTS, INPUTS.configure(lock_manager=manager, isolation_level=IsolationLevel.READ_COMMITTED)):
        assert policy.lock("key", "me", tmp_path) is None
    serializable = INPUTS.configure(isolation_level=IsolationLevel.SERIALIZABLE)
    assert isinstance(serializable.lock("key", "me", tmp_path), KeyLock)
    lock = serializable.configure(lock_manager=manager).lock("key", "me", tmp_path)
    assert lock is not None
    lock.acquire()
    assert manager.is_lock_holder("key", "me")
    for _ in range(2):  # who gives back twice takes nothing from others
        lock.release()
        assert manager.acquire_lock("key", "other")
    manager.release_lock("key", "other")
    lock.acquire()
    manager.release_lock("key", "me")
    assert manager.acquire_lock("key", "other")
    lock.release()  # nor does who has held it for too long
    assert manager.is_lock_holder("key", "other")


def test_a_function_makes_a_policy() -> None:
    assert CachePolicy.from_cache_key_fn(lambda _, inputs: inputs["a"]).compute_key(Called(), {"a": "k"}, {}) == "k"

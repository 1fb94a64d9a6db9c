"""Cache policies: how the key is made under which a task's value is kept and found again.

Policies add up (`INPUTS + TASK_SOURCE`) and let go of inputs (`INPUTS - "path"`). A policy that answers None for a
call leaves it uncached.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol, Self

from headrace.base import errors
from headrace.engine.digests import digest
from headrace.engine.isolation import IsolationLevel
from headrace.engine.locking import KeyLock, Lock, LockManager, ManagedLock

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

_JSON_TYPES = frozenset({str, int, bool, type(None)})


def hash_values(*values: Any) -> str:
    """A digest that is the same for equal values, in every process. Raises `SerializationError` for a value without one."""
    parts = [_stable_bytes(value) for value in values]
    return digest(*(part for content in parts for part in (len(content).to_bytes(8, "big"), content)))


def _stable_bytes(value: Any) -> bytes:
    try:
        if is_plain(value):
            return b"json" + _deterministic()(value)
    except (ValueError, RecursionError):  # half a surrogate pair; lists in lists without end
        pass
    try:
        from headrace.engine.canonical import pickle_canonically

        return b"pickle" + pickle_canonically(value)
    except Exception:  # whatever __reduce__ may raise
        pass
    try:
        import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

        return b"cloudpickle" + cloudpickle.dumps(value, protocol=4)  # pyright: ignore[reportUnknownMemberType]
    except Exception as error:
        raise errors.SerializationError(
            f"A value of type {type(value).__name__} has no stable digest ({error}); leave it out with `policy - 'name'`."
        ) from error


@cache
def _deterministic() -> Callable[[Any], bytes]:
    """Writes equal values alike. Made for the first value: a policy alone needs no encoder."""
    from msgspec import json

    return json.Encoder(order="deterministic").encode


def is_plain(value: Any) -> bool:
    """Whether JSON keeps the value apart from every other: no tuples, no sets, no keys that are not texts, no NaN."""
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind is float:
        return isfinite(value)
    if kind in _JSON_TYPES:
        return True
    if kind is list:
        return all(map(is_plain, value))
    if kind is dict:
        return all(type(key) is str and is_plain(item) for key, item in value.items())
    return False


class CachedTask(Protocol):
    """The task a key is made for."""

    @property
    def fn(self) -> Callable[..., Any]:
        """The user's function."""
        ...


class CachedCall(Protocol):
    """The call a key is made for: the task's run-time context."""

    @property
    def task(self) -> CachedTask:
        """The task."""
        ...

    @property
    def flow_run_id(self) -> UUID | None:
        """The id of the flow run the task runs in, if any."""
        ...

    @property
    def task_run_id(self) -> UUID:
        """The id of the task run."""
        ...


class CachePolicy:
    """Makes a call's cache key. Subclasses say of what."""

    key_storage: Path | None = None
    """The folder that says where the value of each key is; None where it is known from the key alone."""
    lock_manager: LockManager | None = None
    isolation_level: IsolationLevel | None = None

    @staticmethod
    def from_cache_key_fn(cache_key_fn: Callable[[Any, dict[str, Any]], str | None]) -> CachePolicy:
        """The policy that asks a function of the task's context and its arguments."""
        return CacheKeyFnPolicy(cache_key_fn)

    def configure(
        self,
        key_storage: Path | str | None = None,
        lock_manager: LockManager | None = None,
        isolation_level: IsolationLevel | None = None,
    ) -> Self:
        """A policy like this one, which says more of how keys are used.

        * `key_storage` – a folder that remembers where the value of each key is kept, so that tasks with results in
          different places, or under names of their own, share a cache
        * `isolation_level` – with SERIALIZABLE, calls of one key take turns: one computes the value, the others use it
        * `lock_manager` – what they take turns by (`headrace.locking`); by default files beside the results, for the
          processes of one machine
        """
        import copy
        from pathlib import Path

        made = copy.copy(self)
        if key_storage is not None:
            made.key_storage = Path(key_storage).expanduser().absolute()
        if lock_manager is not None:
            made.lock_manager = lock_manager
        if isolation_level is not None:
            made.isolation_level = isolation_level
        return made

    def lock(self, key: str, holder: str, folder: Path) -> Lock | None:
        """The lock of a key for calls that take turns; None when they do not. `folder` is that of the results."""
        if self.isolation_level is not IsolationLevel.SERIALIZABLE:
            return None
        return KeyLock(folder, key) if self.lock_manager is None else ManagedLock(self.lock_manager, key, holder)

    def compute_key(
        self, task_context: CachedCall, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> str | None:
        """The key of a call with these inputs, or None when it is not to be cached."""
        raise errors.UsageError(f"{type(self).__name__} does not say how to compute a cache key.")

    def __add__(self, other: CachePolicy) -> CachePolicy:
        if isinstance(other, NoCache):
            return self
        return CompoundCachePolicy((self, other))

    def __sub__(self, name: str) -> CachePolicy:
        return self  # looks at no inputs, so there is none to let go of


class NoCache(CachePolicy):
    """Never caches."""

    def compute_key(
        self, task_context: CachedCall, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> None:
        """No key."""
        return

    def __add__(self, other: CachePolicy) -> CachePolicy:
        return other


class Inputs(CachePolicy):
    """The values of the task's arguments, without those named in `exclude`."""

    def __init__(self, exclude: Iterable[str] = ()) -> None:
        self.exclude = frozenset(exclude)

    def compute_key(
        self, task_context: CachedCall, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> str | None:
        """A digest of the arguments by name."""
        kept = [(name, inputs[name]) for name in sorted(inputs) if name not in self.exclude]
        return hash_values(*(part for pair in kept for part in pair)) if kept else None

    def __sub__(self, name: str) -> CachePolicy:
        return _configure_like([self], Inputs(self.exclude | {name}))


class TaskSource(CachePolicy):
    """The task's own source code, so that a change makes a new key."""

    def compute_key(
        self, task_context: CachedCall, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> str | None:
        """A digest of the function's source, or of its byte code where no source is at hand."""
        function = inspect.unwrap(task_context.task.fn)
        try:
            source = inspect.getsource(function)
        except (OSError, TypeError):
            code = getattr(function, "__code__", None)
            source = code.co_code.hex() if code is not None else repr(function)
        return hash_values(source)


class FlowParameters(CachePolicy):
    """The parameters of the flow run the task belongs to."""

    def compute_key(
        self, task_context: CachedCall, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> str | None:
        """A digest of the parameters, None outside of a flow or without any."""
        return hash_values(dict(flow_parameters)) if flow_parameters else None


class RunId(CachePolicy):
    """The flow run, or the task run itself outside of a flow: values are found again only within it."""

    def compute_key(
        self, task_context: CachedCall, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> str | None:
        """The id of the run."""
        return str(task_context.flow_run_id or task_context.task_run_id)


class CacheKeyFnPolicy(CachePolicy):
    """A function of the task's context and its arguments."""

    def __init__(self, cache_key_fn: Callable[[Any, dict[str, Any]], str | None]) -> None:
        self.cache_key_fn = cache_key_fn

    def compute_key(
        self, task_context: CachedCall, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> str | None:
        """What the function returns. Raises `UsageError` unless that is a text, or None."""
        key = self.cache_key_fn(task_context, dict(inputs))
        if key is not None and not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
            raise errors.UsageError(f"cache_key_fn must return a text or None, not {type(key).__name__}.")
        return key


class CompoundCachePolicy(CachePolicy):
    """Several policies at once; their keys together make the key. They agree on how it is used."""

    def __init__(self, policies: Iterable[CachePolicy]) -> None:
        given = [*policies]
        flat: list[CachePolicy] = []
        for policy in given:
            flat += policy.policies if isinstance(policy, CompoundCachePolicy) else [policy]
        excluded = frozenset[str]().union(*(p.exclude for p in flat if isinstance(p, Inputs)))
        whole = any(isinstance(p, Inputs) for p in flat)
        self.policies = [p for p in flat if not isinstance(p, Inputs)]
        if whole:
            self.policies.insert(0, Inputs(excluded))
        _configure_like(given, self)

    def compute_key(
        self, task_context: CachedCall, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> str | None:
        """A digest of the keys of those policies that make one; None when none does."""
        keys = [policy.compute_key(task_context, inputs, flow_parameters) for policy in self.policies]
        made = [key for key in keys if key is not None]
        return hash_values(*made) if made else None

    def __sub__(self, name: str) -> CachePolicy:
        if not any(isinstance(policy, Inputs) for policy in self.policies):
            return self
        return _configure_like([self], CompoundCachePolicy((*self.policies, Inputs({name}))))


def _configure_like(policies: Iterable[CachePolicy], made: CachePolicy) -> CachePolicy:
    """Have a policy use keys as those do that it is made of. Raises `UsageError` where they do not agree."""
    for policy in policies:
        for name, noun in _CONFIGURED.items():
            said, known = getattr(policy, name), getattr(made, name)
            if said is not None and known is not None and said != known:
                raise errors.UsageError(f"Cache policies can only be added if they agree on the {noun}.")
            if said is not None:
                setattr(made, name, said)
    return made


_CONFIGURED = {"key_storage": "key storage", "lock_manager": "lock manager", "isolation_level": "isolation level"}

NO_CACHE = NoCache()
NONE = NO_CACHE
INPUTS = Inputs()
TASK_SOURCE = TaskSource()
FLOW_PARAMETERS = FlowParameters()
RUN_ID = RunId()
DEFAULT = INPUTS + TASK_SOURCE + RUN_ID
"""The default: equal arguments, equal source, same run."""

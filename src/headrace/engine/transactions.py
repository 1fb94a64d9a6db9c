"""Transactions: what runs within one counts together, or is undone together.

A task that runs within a transaction is one of its own, which joins the one around it when it has completed. The outermost
one commits all of them, or rolls all of them back, latest first.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from headrace.base import errors
from headrace.engine.context import RunContext, current
from headrace.engine.isolation import IsolationLevel
from headrace.engine.locking import KeyLock

if TYPE_CHECKING:
    from headrace.engine.commands import Request
    from headrace.engine.results import Result
    from headrace.engine.session import Session
    from headrace.schema.fact import Fact

TransactionHook = Callable[[Any], Any]
"""`hook(transaction)`; may be a coroutine function."""


class CommitMode(Enum):
    """When a transaction is committed that has come to its end without an error."""

    EAGER = auto()
    """At once, whatever becomes of the one around it."""
    LAZY = auto()
    """With the one around it; at once where there is none."""
    OFF = auto()
    """Only by `commit`; without, it is rolled back."""


class TransactionState(Enum):
    """How far a transaction is."""

    PENDING = auto()
    ACTIVE = auto()
    STAGED = auto()
    COMMITTED = auto()
    ROLLED_BACK = auto()


ENDED = frozenset({TransactionState.COMMITTED, TransactionState.ROLLED_BACK})


class Store(Protocol):
    """Where the values of transactions with a key are kept; `ResultStore` is one."""

    def find(self, storage_key: str) -> Any:
        """A record of the value under a key, or None."""
        ...

    def read(self, storage_key: str) -> Any:
        """The value under a key."""
        ...


class Node(ABC):
    """A transaction as those around it know it: a part of a tree, which is settled as a whole."""

    def __init__(
        self, session: Session, context: RunContext | None, parent: Node | None, mode: CommitMode | None
    ) -> None:
        self.session = session
        self.run_context = context
        self.parent = parent
        inherited = CommitMode.LAZY if parent is None or parent.commit_mode is CommitMode.OFF else parent.commit_mode
        self.commit_mode = mode or inherited
        self.state = TransactionState.PENDING
        self.children: list[Node] = []
        self.commit_hooks: list[TransactionHook] = []
        self.rollback_hooks: list[TransactionHook] = []
        self._values: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def context(self) -> Any:
        """The context entered around its hooks: the run's it belongs to, None outside of runs."""
        return self.run_context

    @property
    def is_deferred(self) -> bool:
        """Whether it is settled by the one around it."""
        return self.parent is not None and self.commit_mode is CommitMode.LAZY

    def set(self, name: str, value: Any) -> None:
        """Remember a value for its hooks, and for the transactions within it."""
        self._values[name] = value

    def get(self, name: str, default: Any = ...) -> Any:
        """What was remembered here or in a transaction around. Raises `UsageError` for nothing, unless there is a default."""
        node: Node | None = self
        while node is not None:
            if name in node._values:
                return node._values[name]
            node = node.parent
        if default is not ...:
            return default
        raise errors.UsageError(f"This transaction knows no value {name!r}.")

    def stage(
        self,
        value: Any,
        on_rollback_hooks: Sequence[TransactionHook] = (),
        on_commit_hooks: Sequence[TransactionHook] = (),
    ) -> None:
        """Say who else is to be told of the commit or the rollback. The value of a task is what it returns."""
        self.rollback_hooks += on_rollback_hooks
        self.commit_hooks += on_commit_hooks

    def is_pending(self) -> bool:
        """Whether it has not begun."""
        return self.state is TransactionState.PENDING

    def is_active(self) -> bool:
        """Whether it has begun and not ended."""
        return self.state is TransactionState.ACTIVE

    def is_staged(self) -> bool:
        """Whether it has come to its end, and waits for the one around it."""
        return self.state is TransactionState.STAGED

    def is_committed(self) -> bool:
        """Whether what it stands for is done: it was committed, or its key was known before."""
        return self.state is TransactionState.COMMITTED

    def is_rolled_back(self) -> bool:
        """Whether it was undone."""
        return self.state is TransactionState.ROLLED_BACK

    def adopt(self, child: Node) -> bool:
        """Take in a transaction that has come to its end; False when this one has been settled already."""
        with self._lock:
            if self.state in ENDED:
                return False
            self.children.append(child)
            child.state = TransactionState.STAGED
            return True

    def end(self, state: TransactionState) -> None:
        """Take note that it is settled."""
        with self._lock:
            self.state = state

    def all(self) -> list[Node]:
        """It and those within it that are not settled, each after what is within it: in the order of their ends."""
        found = [node for child in self.children for node in child.all() if node.state not in ENDED]
        return [*found, self]

    # what the kinds of transactions do in addition

    @abstractmethod
    def writing(self) -> Request[Result] | None:
        """What has to be kept when it commits."""
        ...

    def undoing(self) -> Fact | None:
        """What has to be told when it was rolled back."""
        return None

    @abstractmethod
    def remove(self) -> None:
        """Take back what was kept, since it cannot be committed after all."""
        ...


current_transaction: ContextVar[Transaction | None] = ContextVar("headrace_transaction", default=None)
"""The innermost transaction that a block has opened here."""


class Transaction(Node):
    """A block whose effects count together. Made by `transaction`, which documents the options."""

    def __init__(
        self,
        session: Session,
        key: str | None = None,
        store: Any = None,
        commit_mode: CommitMode | None = None,
        isolation_level: IsolationLevel | None = None,
        overwrite: bool = False,
        write_on_commit: bool = True,
        logger: Any = None,
    ) -> None:
        parent = get_transaction()
        super().__init__(session, current.get(), parent, commit_mode)
        outer = parent if isinstance(parent, Transaction) else None
        self.key = key
        self.store: Any = store or (outer.store if outer is not None else session.results)
        around = outer.isolation_level if outer is not None else IsolationLevel.READ_COMMITTED
        self.isolation_level = isolation_level or around
        self.overwrite = overwrite
        self.write_on_commit = write_on_commit
        self.logger = logger
        self._staged: Any = ...
        self._key_lock: KeyLock | None = None
        if key is None and isolation_level is IsolationLevel.SERIALIZABLE:
            raise errors.UsageError("A transaction can only be serializable if it has a key.")

    def begin(self) -> None:
        """Begin, which waits for the others of the key where they take turns. A key that is known is committed already."""
        self.state = TransactionState.ACTIVE
        if self.key is None:
            return
        if self.isolation_level is IsolationLevel.SERIALIZABLE and not self._holds(self.key):
            self._key_lock = KeyLock(self.session.settings.results_path, self.key)
            self._key_lock.acquire()
        if not self.overwrite and self.store.find(self.key) is not None:
            self.end(TransactionState.COMMITTED)

    def _holds(self, key: str) -> bool:
        """Whether one around this one holds the key already."""
        node = self.parent
        while node is not None:
            if isinstance(node, Transaction) and node.key == key and node._key_lock is not None:
                return True
            node = node.parent
        return False

    def stage(
        self,
        value: Any,
        on_rollback_hooks: Sequence[TransactionHook] = (),
        on_commit_hooks: Sequence[TransactionHook] = (),
    ) -> None:
        """Say what is to be kept under the key on commit, and who is to be told of the commit or the rollback."""
        super().stage(value, on_rollback_hooks, on_commit_hooks)
        self._staged = value

    def load(self) -> Any:
        """The value that is staged, or else kept under the key. Raises `MissingResult` when there is neither."""
        if self._staged is not ...:
            return self._staged
        if self.key is None:
            raise errors.MissingResult("This transaction has no value: nothing was staged, and it has no key.")
        return self.store.read(self.key)

    def end(self, state: TransactionState) -> None:
        super().end(state)
        if self._key_lock is not None:
            self._key_lock.release()
            self._key_lock = None

    def writing(self) -> Request[Result] | None:
        from headrace.engine.requests import KeepValue

        if self.key is None or self._staged is ... or not self.write_on_commit:
            return None
        context = self.run_context
        return KeepValue(
            self.store,
            self.key,
            self._staged,
            self.session.settings.results_default_serializer,
            context.flow_run_id if context is not None else None,
            context.task_run_id if context is not None else None,
        )

    def remove(self) -> None:
        assert self.key is not None
        self.store.remove(self.key)


def get_transaction() -> Any:
    """The innermost transaction here: of a block, or of the task that executes; None without any."""
    opened = current_transaction.get()
    context = current.get()
    if opened is not None and opened.run_context is context:
        return opened
    own = context.transaction if context is not None else None
    return opened if own is None else own

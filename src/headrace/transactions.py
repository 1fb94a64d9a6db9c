"""Transactions: `with transaction():` – the tasks that run within count together, or are undone together."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from headrace.connect import open_session
from headrace.engine.drivers import drive_sync
from headrace.engine.opening import set_opener
from headrace.engine.session import current_session
from headrace.engine.transaction_lifecycle import commit, roll_back, settle
from headrace.engine.transactions import (
    CommitMode,
    IsolationLevel,
    TransactionState,
    current_transaction,
    get_transaction,
)
from headrace.engine.transactions import Transaction as _Transaction

__all__ = [
    "AsyncTransaction", "CommitMode", "IsolationLevel", "Transaction", "TransactionState", "atransaction", "get_transaction",
    "transaction",
]  # fmt: skip

set_opener(open_session)


class Transaction(_Transaction):
    """What a `with transaction()` block is given."""

    def read(self) -> Any:
        """The value that is staged, or else kept under the key. Raises `MissingResult` when there is neither."""
        return self.load()

    def commit(self) -> bool:
        """Commit it now; False when it had ended already. What keeps it from that is raised, and all of it rolled back."""
        if self.is_committed() or self.is_rolled_back():
            return False
        error = drive_sync(commit(self), self)
        if error is not None:
            raise error
        return True

    def rollback(self) -> bool:
        """Undo it now, latest first; False when it had ended already."""
        if self.is_committed() or self.is_rolled_back():
            return False
        drive_sync(roll_back(self), self)
        return True


class AsyncTransaction(_Transaction):
    """What an `async with atransaction()` block is given."""

    async def read(self) -> Any:
        """The value that is staged, or else kept under the key. Raises `MissingResult` when there is neither."""
        from headrace.engine.loop import beside

        return await beside(self.load)

    async def commit(self) -> bool:
        """Commit it now; False when it had ended already. What keeps it from that is raised, and all of it rolled back."""
        if self.is_committed() or self.is_rolled_back():
            return False
        from headrace.engine.loop import drive_async

        error = await drive_async(commit(self), self)
        if error is not None:
            raise error
        return True

    async def rollback(self) -> bool:
        """Undo it now, latest first; False when it had ended already."""
        if self.is_committed() or self.is_rolled_back():
            return False
        from headrace.engine.loop import drive_async

        await drive_async(roll_back(self), self)
        return True


@contextmanager
def transaction(
    key: str | None = None,
    store: Any = None,
    commit_mode: CommitMode | None = None,
    isolation_level: IsolationLevel | None = None,
    overwrite: bool = False,
    write_on_commit: bool = True,
    logger: logging.Logger | logging.LoggerAdapter[Any] | None = None,
) -> Generator[Transaction]:
    """Have what runs within the block count together: an error that leaves it undoes all of it, latest first.

    The tasks that completed within are told by their `on_commit` hooks when the block has ended, or undone by their
    `on_rollback` hooks, and are RolledBack then; their values are kept and cached only on commit. Blocks may be nested: an
    inner one is settled with the outer one, unless its `commit_mode` says otherwise.

    * `key` – what the block stands for: one whose value is kept in the `store` is committed from the beginning (see
      `is_committed`), unless it is to `overwrite`; `stage` says what to keep, `write_on_commit` whether to do so
    * `isolation_level` – with SERIALIZABLE, blocks of one key on one machine take turns
    * `logger` – where it is told that something went wrong while it ended

    Raises what keeps it from being committed, after undoing all of it.
    """
    made = Transaction(current_session(), key, store, commit_mode, isolation_level, overwrite, write_on_commit, logger)
    made.begin()
    token = current_transaction.set(made)
    try:
        yield made
    except BaseException:
        current_transaction.reset(token)
        drive_sync(roll_back(made), made)
        raise
    current_transaction.reset(token)
    error = drive_sync(settle(made), made)
    if error is not None:
        raise error


@asynccontextmanager
async def atransaction(
    key: str | None = None,
    store: Any = None,
    commit_mode: CommitMode | None = None,
    isolation_level: IsolationLevel | None = None,
    overwrite: bool = False,
    write_on_commit: bool = True,
    logger: logging.Logger | logging.LoggerAdapter[Any] | None = None,
) -> AsyncGenerator[AsyncTransaction]:
    """Have what runs within the block count together: `transaction` for asynchronous flows."""
    from headrace.engine.loop import beside, drive_async

    made = AsyncTransaction(
        current_session(), key, store, commit_mode, isolation_level, overwrite, write_on_commit, logger
    )
    await beside(made.begin)
    token = current_transaction.set(made)
    try:
        yield made
    except BaseException:
        current_transaction.reset(token)
        await drive_async(roll_back(made), made)
        raise
    current_transaction.reset(token)
    error = await drive_async(settle(made), made)
    if error is not None:
        raise error

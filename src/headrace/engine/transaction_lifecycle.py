"""How transactions end. No I/O: see `commands`."""

from __future__ import annotations

import logging
from typing import Any

from headrace.engine.commands import Ask, Call, Emit, Lifecycle, Outcome
from headrace.engine.context import current
from headrace.engine.transactions import ENDED, CommitMode, Node, TransactionHook, TransactionState

log = logging.getLogger("headrace.transactions")


def commit(node: Node) -> Lifecycle[BaseException | None]:
    """Commit a transaction that has not ended, and all within it: first everybody is told, then everything is kept.

    What goes wrong before all is done undoes all of it, and is returned.
    """
    nodes = node.all()
    kept: list[Node] = []
    try:
        yield from _tell(nodes)
        for each in nodes:
            writing = each.writing()
            if writing is not None:
                kept.append(each)
                yield Ask(writing)
    except GeneratorExit:
        raise
    except BaseException as error:
        _logger(node).error("The transaction cannot be committed and is rolled back: %r", error)
        for each in kept:
            each.remove()
        yield from roll_back(node)
        if not isinstance(error, Exception):
            raise
        return error
    for each in nodes:
        each.end(TransactionState.COMMITTED)
    return None


def _tell(nodes: list[Node]) -> Lifecycle[None]:
    """Tell everybody of the commit. Raises what a hook raises."""
    for each in nodes:
        for hook in each.commit_hooks:
            outcome = yield from _call_hook(hook, each)
            if outcome.error is not None:
                raise outcome.error


def roll_back(node: Node) -> Lifecycle[None]:
    """Undo a transaction and all within it, latest first. One that has ended already stays as it ended.

    A hook that fails is logged and does not keep the others from undoing what they can.
    """
    if node.state in ENDED:
        return
    for each in reversed(node.all()):
        each.end(TransactionState.ROLLED_BACK)
        for hook in reversed(each.rollback_hooks):
            outcome = yield from _call_hook(hook, each)
            if outcome.interrupt is not None:
                raise outcome.interrupt
            if outcome.error is not None:
                name = getattr(hook, "__name__", repr(hook))
                _logger(each).error("Rollback hook %r failed: %r", name, outcome.error, exc_info=outcome.error)
        fact = each.undoing()
        if fact is not None:
            yield Emit(fact)


def settle(node: Node) -> Lifecycle[BaseException | None]:
    """What becomes of a transaction that has come to its end without an error; what goes wrong with a commit is returned."""
    if node.state in ENDED:
        return None
    if node.commit_mode is CommitMode.OFF:
        yield from roll_back(node)
        return None
    if node.is_deferred and node.parent is not None:
        if node.parent.adopt(node):
            return None
        if node.parent.state is TransactionState.ROLLED_BACK:  # it comes too late: the one around it is settled
            yield from roll_back(node)
            return None
    return (yield from commit(node))


def _call_hook(hook: TransactionHook, node: Node) -> Lifecycle[Outcome]:
    outcome: Outcome = yield Call(_call_within, (hook, node))
    return outcome


def _call_within(hook: TransactionHook, node: Node) -> Any:
    """Call the hook as part of the run that the transaction belongs to."""
    token = current.set(node.context)
    try:
        return hook(node)
    finally:
        current.reset(token)


def _logger(node: Node) -> Any:
    return getattr(node, "logger", None) or log

"""A session and a run that record what a lifecycle does, without an orchestrator."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NoReturn, cast
from uuid import UUID

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.base.settings import Settings, load_settings
from headrace.engine.context import FlowContext, RunContext
from headrace.engine.flow_definition import Flow
from headrace.engine.session import Session
from headrace.gateway.execution import Execution
from headrace.rules.transitions import ENDING
from headrace.schema.fact import Fact
from headrace.schema.run import FlowRun
from headrace.schema.state import StateType


class NoOrchestrator:
    """A gateway that answers nothing: whoever asks is told that the test has no orchestrator."""

    def __getattr__(self, verb: str) -> Callable[..., NoReturn]:
        def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
            raise errors.UsageError(f"{verb} was asked, but this session has no orchestrator.")

        return refuse


class RecordingSession(Session):
    """A session that keeps what is emitted in `facts`, and notes waits in `waits`, which take no time.

    With `woken` waits end because the flow run was cancelled.
    """

    def __init__(self, settings: Settings | None = None, woken: bool = False) -> None:
        super().__init__(cast("Execution", NoOrchestrator()), settings or load_settings())
        self.facts: list[Fact] = []
        self.durable: list[Fact] = []
        self.waits: list[float] = []
        self.woken = woken

    def emit(self, fact: Fact, durable: bool = False) -> None:
        """Keep a fact."""
        self.facts.append(fact)
        if durable:
            self.durable.append(fact)

    def sleep(
        self, delay: float, wake: UUID | None, turn: UUID | None = None, until: frozenset[StateType] = ENDING
    ) -> bool:
        """Note a wait."""
        self.waits.append(delay)
        return self.woken

    @contextmanager
    def watch(
        self,
        flow_run_id: UUID | None,
        wake: Callable[[], None],
        duration: float,
        until: frozenset[StateType] = ENDING,
    ) -> Generator[None]:
        """Note a wait that somebody else performs."""
        self.waits.append(duration)
        if self.woken:
            wake()
        yield


class RecordingRun:
    """A run for lifecycles of a test's own: what a driver must know of one, and nothing behind it."""

    def __init__(self, session: Session | None = None, context: RunContext | None = None) -> None:
        self.session: Session = session or RecordingSession()
        self.context: RunContext = context or self._stand_in()

    def _stand_in(self) -> FlowContext:
        flow = Flow(_nothing, name="recording")
        record = FlowRun(id=uuid7(), flow_id=uuid7(), name="recording")
        return FlowContext(self.session, flow, record, {}, log_prints=False, persist_result=False)


def _nothing() -> None:
    """The function of a flow that is never called."""

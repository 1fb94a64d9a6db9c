"""One pause of the flow run that executes here, from its beginning to what it was resumed with."""

from __future__ import annotations

from typing import Any

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.engine.context import FlowContext, current_run
from headrace.engine.forms import Form
from headrace.engine.logs import RunLogger
from headrace.engine.requests import LeaveInput, Propose
from headrace.rules.transitions import PAUSED, SUSPENDED
from headrace.schema.flow_run_input import FlowRunInputCreate
from headrace.schema.orchestration import Proposal
from headrace.schema.state import State, StateCreate, StateDetails


class Suspension(BaseException):
    """Unwinds the code of a flow run that is suspended. No `Exception`, so that user code does not take it for an error."""

    def __init__(self, state: State) -> None:
        super().__init__("The flow run is suspended.")
        self.state = state


class Pause:
    """A pause of the innermost flow run, `timeout` seconds long at most.

    `key` names it among the pauses of the run, each of which fires once; by default it is their number. `leaves` says that
    the process ends meanwhile, and the run begins again from the top.
    """

    def __init__(
        self,
        kind: Any = None,
        timeout: float = 3600.0,
        poll_interval: float = 10.0,
        key: str | None = None,
        *,
        leaves: bool = False,
    ) -> None:
        context = current_run()
        if not isinstance(context, FlowContext):
            raise errors.UsageError("Only a flow can pause, and this is a task: pause in the flow that calls it.")
        for name, seconds in (("timeout", timeout), ("poll_interval", poll_interval)):
            if not seconds > 0:
                raise errors.UsageError(f"{name} must be a number of seconds above 0, not {seconds!r}.")
        self.context = context
        self.session = context.session
        self.form = None if kind is None else Form(kind)
        self.key = key or context.next_pause()
        self.leaves = leaves
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.ends = clock.micros() + int(min(timeout, 1e9) * 1_000_000)

    @property
    def log(self) -> RunLogger:
        """The run's logger."""
        return RunLogger(self.context)

    @property
    def remaining(self) -> float:
        """Seconds that are left to resume it."""
        return (self.ends - clock.micros()) / 1_000_000

    def name(self, what: str) -> str:
        """The key of an input that belongs to this pause."""
        return f"{'suspended' if self.leaves else 'paused'}-{self.key}-{what}"

    def asks(self) -> list[LeaveInput]:
        """The requests that tell others what the run waits for."""
        if self.form is None:
            return []
        texts = {"schema": self.form.schema, "description": self.form.description}
        run_id = self.context.run.id
        return [
            LeaveInput(run_id, FlowRunInputCreate(key=self.name(what), value=text))
            for what, text in texts.items()
            if text is not None
        ]

    def proposal(self) -> Propose:
        """The request to pause."""
        keys = {what: self.name(what) for what in ("schema", "response")}
        if self.form is not None and self.form.description is not None:
            keys["description"] = self.name("description")
        details = StateDetails(
            transition_id=uuid7(),
            pause_timeout=clock.to_datetime(self.ends),
            pause_key=self.key,
            pause_reschedule=self.leaves,
            run_input_keyset=None if self.form is None else keys,
        )
        state = StateCreate(type=PAUSED, name=SUSPENDED if self.leaves else None, state_details=details)
        run_id = self.context.run.id
        return Propose(Proposal(flow_run_id=run_id, state=state, epoch=self.session.attempts.get(run_id)))

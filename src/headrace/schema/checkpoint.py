"""What earlier attempts of a flow run have left behind, and the wish for another attempt."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import field

from headrace.schema.presence import Presence
from headrace.schema.state import State
from headrace.schema.wire import Request, Wire


class Checkpoint(Wire, kw_only=True):
    """A call that an earlier attempt made: its task run as it stands.

    `call` is the call's identity, without the attempt that made it; `result` the record of its value, if one was kept.
    """

    task_run_id: UUID
    name: str
    task_key: str
    call: str
    state: State | None
    result: Any = None
    child_flow_run_id: UUID | None = None


class Reopening(Request, kw_only=True):
    """Asks for another attempt of a flow run that has ended.

    `parameters` replace those of the same name. With `from_task` no call of that task, and none that began after the first
    of them had ended, is restored. With `presence` whoever asks executes the attempt itself, and holds it from now on;
    without, the run goes back on the schedule of its deployment. `parent_task_run_id` is the task run that stands for it
    from now on, if a new attempt of its parent takes it up, under `parent_epoch`; it need not have ended then.
    """

    flow_run_id: UUID
    message: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    from_task: str | None = None
    presence: Presence | None = None
    parent_task_run_id: UUID | None = None
    parent_epoch: int | None = None

"""What pages of the contract's UI ask for in one answer: states that runs are in, the next run of each flow."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from headrace.schema.state import StateType
from headrace.schema.wire import Wire


class ObservedStateSort(StrEnum):
    """Orders of a list of observed states."""

    NAME_ASC = "NAME_ASC"
    LAST_SEEN_DESC = "LAST_SEEN_DESC"


class ObservedState(Wire, kw_only=True):
    """A name of a state that flow runs are in, with the type of the newest of them.

    It was first seen when the oldest of these runs entered it, last when the newest did.
    """

    state_type: StateType
    state_name: str
    first_seen: datetime
    last_seen: datetime


class NextFlowRun(Wire, kw_only=True):
    """The run of a flow that is due next."""

    id: UUID
    flow_id: UUID
    name: str
    state_name: str
    state_type: StateType
    next_scheduled_start_time: datetime

"""Answers whose status tells something."""

from __future__ import annotations

import math
from typing import TypeVar

from litestar import Response

from headrace.base import clock
from headrace.schema.orchestration import Decision, TaskDecision, Verb
from headrace.schema.state import State
from headrace.schema.wire import Stored, Wire

S = TypeVar("S", bound=Stored)


class VerdictDetails(Wire, kw_only=True, omit_defaults=True):
    """Why a proposed state was not simply accepted, in the contract's form."""

    type: str
    reason: str | None = None
    delay_seconds: int | None = None


class OrchestrationResult(Wire, kw_only=True):
    """What was decided about a proposed state."""

    state: State | None
    status: Verb
    details: VerdictDetails


def answer_task_decision(decision: TaskDecision) -> Response[OrchestrationResult]:
    """The decision about a task run, with 201 if a state was written."""
    details = VerdictDetails(type=f"{decision.verb.lower()}_details", reason=decision.reason)
    result = OrchestrationResult(state=decision.state, status=decision.verb, details=details)
    return Response(result, status_code=201 if decision.written else 200)


def note_arrival() -> int:
    """The instant at which a request arrived, in microseconds."""
    return clock.micros()


def created_or_found(stored: S, arrival: int) -> Response[S]:
    """The object with 201 if the request made it, with 200 if it was there before."""
    new = stored.created is None or clock.to_micros(stored.created) >= arrival
    return Response(stored, status_code=201 if new else 200)


def to_result(decision: Decision) -> OrchestrationResult:
    """A decision in the contract's form."""
    waits = decision.verb is Verb.WAIT
    details = VerdictDetails(
        type=f"{decision.verb.lower()}_details",
        reason=decision.reason,
        delay_seconds=max(1, math.ceil(decision.delay or 0)) if waits else None,
    )
    return OrchestrationResult(state=decision.state, status=decision.verb, details=details)


def answer_decision(decision: Decision) -> Response[OrchestrationResult]:
    """The decision, with 201 if a state was written."""
    return Response(to_result(decision), status_code=201 if decision.written else 200)

"""Why a flow run is not running: one function per idea, asked in the order of what to do first; each may have reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from headrace.rules.transitions import (
    AWAITING_RETRY,
    CANCELLED,
    CANCELLING,
    COMPLETED,
    NOT_READY,
    PAUSED,
    PENDING,
    RUNNING,
    SCHEDULED,
    is_terminal,
)
from headrace.schema.explanation import HeldLimit, Reason, ReasonKind, SlotHolder
from headrace.schema.run import FlowRun

PUNCTUAL = timedelta(seconds=15)
"""So long after its time nobody calls a run late."""

NAMED = 3
"""How many holders of a limit a sentence names."""


class PlaceFacts(Struct, frozen=True, kw_only=True):
    """The queue a run waits in, and its pool: who serves them, and the limits of both that are full."""

    pool: str
    queue: str
    pool_paused: bool = False
    queue_paused: bool = False
    online: int = 0
    seen: datetime | None = None
    polled: datetime | None = None
    polled_lately: bool = False
    full: tuple[HeldLimit, ...] = ()


class DeploymentFacts(Struct, frozen=True, kw_only=True):
    """The deployment of a run. `limit` is there when the run waits for it, and `place` is where in line it stands.

    `scheduled` says of a run that a schedule made whether that schedule is active still.
    """

    name: str
    paused: bool = False
    polled_lately: bool = False
    limit: HeldLimit | None = None
    place: int | None = None
    scheduled: bool | None = None


class ClaimFacts(Struct, frozen=True, kw_only=True):
    """Who holds a run, since when, and whether they show that they are alive."""

    holder: str | None
    since: datetime
    shown: bool


class TaskWait(Struct, frozen=True, kw_only=True):
    """A task run, or the flow's own code, that waits for slots since an instant; the limits that it waits for, if known."""

    name: str | None
    since: datetime
    limits: tuple[HeldLimit, ...] = ()


class RunFacts(Struct, frozen=True, kw_only=True):
    """All that an explanation may depend on. `ancestors` are the runs that wait for this one to end."""

    now: datetime
    run: FlowRun
    place: PlaceFacts | None = None
    deployment: DeploymentFacts | None = None
    claim: ClaimFacts | None = None
    waits: tuple[TaskWait, ...] = ()
    ancestors: frozenset[UUID] = frozenset()


Idea = Callable[[RunFacts], Iterator[Reason]]


def explain(facts: RunFacts) -> list[Reason]:
    """The reasons, in the order of what to do first; at least one."""
    return [reason for idea in IDEAS for reason in idea(facts)]


def has_ended(facts: RunFacts) -> Iterator[Reason]:
    """A run that has ended runs no more."""
    run, state = facts.run, facts.run.state
    if not is_terminal(run.state_type):
        return
    said = f" It said: {state.message}" if state is not None and state.message else ""
    again = "Nothing needs to be done."
    if run.state_type is not COMPLETED:
        verb = "resume" if run.state_type is not CANCELLED else "rerun"
        again = f"See what happened with `headrace flow-run logs {run.id}`; `headrace flow-run {verb} {run.id}` runs it again."
    yield _make(ReasonKind.ENDED, f"The run has ended: it is {run.state_name}.{said}", again, since=_entered(run))


def waits_for_somebody(facts: RunFacts) -> Iterator[Reason]:
    """A run that is paused waits to be resumed, with the input that it asks for if it asks for any."""
    run, state = facts.run, facts.run.state
    if run.state_type is not PAUSED or state is None:
        return
    details = state.state_details
    asks = " and the input that it asks for" if details.run_input_keyset else ""
    given = " --input '{…}'" if details.run_input_keyset else ""
    kind = ReasonKind.SUSPENDED if details.pause_reschedule else ReasonKind.PAUSED
    stands = "suspended, without a process" if details.pause_reschedule else "paused where it stands"
    yield _make(
        kind,
        f"The run is {stands}: it waits for somebody to resume it{asks}.",
        f"Resume it: `headrace flow-run resume {run.id}{given}`.",
        since=_entered(run),
        until=details.pause_timeout,
    )


def is_being_cancelled(facts: RunFacts) -> Iterator[Reason]:
    """Who executes a run has to end it first."""
    if facts.run.state_type is CANCELLING:
        who = f" by {facts.claim.holder}" if facts.claim is not None and facts.claim.holder else ""
        yield _make(
            ReasonKind.CANCELLING,
            f"Somebody wants the run to end; its process is being ended{who}.",
            "Wait: whoever executes it has a while to end in good order, and is ended then.",
            since=_entered(facts.run),
        )


def tasks_wait(facts: RunFacts) -> Iterator[Reason]:
    """A run that has begun may wait for slots, in its tasks or in the flow's own code."""
    for wait in facts.waits:
        who = "The flow's own code" if wait.name is None else f"Task run {wait.name!r}"
        for limit in wait.limits or (None,):
            what = "a slot of a concurrency limit" if limit is None else f"a slot of {_call(limit)}"
            held = "" if limit is None else f", {_say_held(limit, facts)}"
            yield _make(
                ReasonKind.TASK_LIMIT,
                f"{who} waits for {what}{held}.",
                "Wait until one is given back, or raise the limit.",
                since=wait.since,
                limit=limit,
            )


def is_running(facts: RunFacts) -> Iterator[Reason]:
    """A run may be running after all."""
    if facts.run.state_type is not RUNNING:
        return
    shown = facts.claim is not None and facts.claim.shown
    message = "The run is running."
    step = f"Follow it: `headrace flow-run watch {facts.run.id}`."
    if not shown:
        message += " Nobody shows that its process is alive, so nobody would notice if it had died."
        step = f"If its process is gone, cancel it: `headrace flow-run cancel {facts.run.id}`."
    yield _make(ReasonKind.RUNNING, message, step, since=_entered(facts.run))


def was_taken(facts: RunFacts) -> Iterator[Reason]:
    """A run that somebody has taken is about to begin."""
    run, claim = facts.run, facts.claim
    if run.state_type is not PENDING:
        return
    if run.state_name == NOT_READY:
        step = f"See which: `headrace flow-run inspect {run.id}`."
        yield _make(ReasonKind.NOT_READY, "A run that it depends on did not complete.", step, since=_entered(run))
        return
    who = claim.holder if claim is not None and claim.holder else "Somebody"
    how = f" ({run.state_name})" if run.state_name not in {None, "Pending"} else ""
    if claim is not None and claim.shown:
        message = f"{who} has taken the run and is about to start it{how}."
        step = "Wait a moment; if that worker dies, the run is taken from it. Its log says what takes so long."
    else:
        message = f"{who} has taken the run{how} and has not started it; nobody shows that it still will."
        step = f"Look at the log of who took it; if it is gone, cancel the run: `headrace flow-run cancel {run.id}`."
    yield _make(ReasonKind.CLAIMED, message, step, since=_entered(run))


def is_not_due(facts: RunFacts) -> Iterator[Reason]:
    """A run waits for its time: the one it was scheduled for, or the time to try again."""
    due = _due(facts.run)
    if facts.run.state_type is not SCHEDULED or due is None or due <= facts.now:
        return
    if facts.run.state_name == AWAITING_RETRY:
        step = "Wait for it; nothing else needs to be done."
        message = f"The run failed and is tried again in {_say(due - facts.now)}."
        yield _make(ReasonKind.AWAITING_RETRY, message, step, since=_entered(facts.run), until=due)
    else:
        message = f"The run is scheduled for later: it is due in {_say(due - facts.now)}."
        step = "Wait for it, or run its deployment by hand."
        yield _make(ReasonKind.SCHEDULED, message, step, until=due)


def is_held_up_where_it_waits(facts: RunFacts) -> Iterator[Reason]:
    """What is paused gives nothing to do."""
    place = facts.place
    if facts.run.state_type is not SCHEDULED or place is None:
        return
    if place.pool_paused:
        step = f"Resume it: `headrace work-pool resume {place.pool}`."
        yield _make(ReasonKind.POOL_PAUSED, f"Work pool {place.pool!r} is paused.", step)
    if place.queue_paused:
        step = f"Resume it: `headrace work-queue resume {place.queue} --pool {place.pool}`."
        yield _make(ReasonKind.QUEUE_PAUSED, f"Work queue {place.queue!r} of pool {place.pool!r} is paused.", step)


def nobody_would_take_it(facts: RunFacts) -> Iterator[Reason]:
    """Somebody has to be there who takes runs from where it waits."""
    run, place, deployment = facts.run, facts.place, facts.deployment
    if run.state_type is not SCHEDULED or (run.state_name == AWAITING_RETRY and facts.claim is not None):
        return
    if run.deployment_id is None or deployment is None:
        gone = run.deployment_id is not None
        message = (
            "The run's deployment is gone, so nobody knows what to execute."
            if gone
            else ("The run belongs to no deployment, so no worker will ever take it.")
        )
        step = f"Cancel it: `headrace flow-run cancel {run.id}`."
        yield _make(ReasonKind.NO_DEPLOYMENT, message, step)
    elif place is None and not deployment.polled_lately:
        yield _make(
            ReasonKind.NO_POOL,
            f"Deployment {deployment.name!r} has no work pool, and nobody serves it.",
            "Start the script that serves it (`flow.serve()`), or deploy it to a work pool.",
        )
    elif place is not None and not place.online and not place.polled_lately:
        seen = f"; the last was seen {_say(facts.now - place.seen)} ago" if place.seen is not None else ""
        yield _make(
            ReasonKind.NO_WORKER,
            f"No worker is online for work pool {place.pool!r}{seen}.",
            f"Start one: `headrace worker start --pool {place.pool}`.",
            since=place.seen,
        )
    elif place is not None and not place.polled_lately and not (place.pool_paused or place.queue_paused):
        asked = f" for {_say(facts.now - place.polled)}" if place.polled is not None else " yet"
        yield _make(
            ReasonKind.QUEUE_UNSERVED,
            f"Workers of pool {place.pool!r} are online, but none has asked its queue {place.queue!r} for runs{asked}.",
            f"Start one for it: `headrace worker start --pool {place.pool} --work-queue {place.queue}`.",
            since=place.polled,
        )


def limits_are_full(facts: RunFacts) -> Iterator[Reason]:
    """As many execute as may: of the deployment, of the queue, of the pool. A parent that waits for its child is told of."""
    if facts.run.state_type is not SCHEDULED:
        return
    deployment, full = facts.deployment, facts.place.full if facts.place is not None else ()
    own = (deployment.limit,) if deployment is not None and deployment.limit is not None else ()
    for limit in (*own, *full):
        waiting = [each for each in limit.holders if each.id is not None and each.id in facts.ancestors]
        if waiting:
            yield _make(
                ReasonKind.DEADLOCK,
                f"{_start(_call(limit))} is held by {_name(waiting[0])}, which itself waits for this run to end: "
                "neither can go on.",
                "Raise the limit, or have the parent call the flow directly and not as a run of its deployment; "
                f"`headrace flow-run cancel {facts.run.id}` lets the parent go on.",
                since=waiting[0].since,
                limit=limit,
            )
            continue
        line = f" It is number {deployment.place} in line." if deployment and deployment.place and limit in own else ""
        yield _make(
            ReasonKind.LIMIT,
            f"{_start(_call(limit))} is full: {_say_held(limit, facts)}.{line}",
            "Wait until one of them ends, or raise the limit: " + _raise(limit, facts),
            since=min((each.since for each in limit.holders), default=None),
            limit=limit,
        )


HOLDING: tuple[Idea, ...] = (is_held_up_where_it_waits, nobody_would_take_it, limits_are_full)
"""The ideas of what holds up a run that is due."""


def is_late(facts: RunFacts) -> Iterator[Reason]:
    """A run that nobody has taken in time is late. One that is due just now waits for nothing, unless something holds it."""
    due = _due(facts.run) or facts.now
    if facts.run.state_type is not SCHEDULED or due > facts.now:
        return
    late = facts.now - due
    if late < PUNCTUAL:
        if any(True for idea in HOLDING for _ in idea(facts)):
            return  # to wait a moment would not help
        message, step = "The run is due, and nobody has taken it yet.", "Wait a moment."
    else:
        message = f"The run is late by {_say(late)}: nobody has taken it."
        step = "See to the reasons above."
        if facts.place is not None and facts.place.online:
            step = (
                f"See to the reasons above; {_count(facts.place.online, 'worker')} of the pool "
                f"{'is' if facts.place.online == 1 else 'are'} online, and may have reached a limit of their own (`--limit`)."
            )
    yield _make(ReasonKind.LATE, message, step, since=due)


def no_more_will_come(facts: RunFacts) -> Iterator[Reason]:
    """What does not hold this run up, but keeps others from being made."""
    deployment = facts.deployment
    if deployment is None or facts.run.deployment_id is None:
        return
    if deployment.paused:
        yield _make(
            ReasonKind.DEPLOYMENT_PAUSED,
            f"Deployment {deployment.name!r} is paused: its schedules make no runs. It does not hold this run up.",
            f"Resume it: `headrace deployment resume {facts.run.deployment_id}`.",
        )
    if deployment.scheduled is False:
        yield _make(
            ReasonKind.SCHEDULE_INACTIVE,
            "The schedule that made this run is inactive or gone, and makes no more. It does not hold this run up.",
            f"See the schedules: `headrace deployment schedule ls {facts.run.deployment_id}`.",
        )


IDEAS: tuple[Idea, ...] = (
    has_ended,
    waits_for_somebody,
    is_being_cancelled,
    tasks_wait,
    is_running,
    was_taken,
    is_not_due,
    is_held_up_where_it_waits,
    nobody_would_take_it,
    limits_are_full,
    is_late,
    no_more_will_come,
)
"""The ideas, in the order in which their reasons are told."""


def _make(
    kind: ReasonKind,
    message: str,
    next_step: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: HeldLimit | None = None,
) -> Reason:
    return Reason(kind=kind, message=message, next_step=next_step, since=since, until=until, limit=limit)


def _due(run: FlowRun) -> datetime | None:
    return run.next_scheduled_start_time or (run.state.state_details.scheduled_time if run.state is not None else None)


def _entered(run: FlowRun) -> datetime | None:
    timestamp = run.state.timestamp if run.state is not None else None
    return timestamp if isinstance(timestamp, datetime) else None


def _call(limit: HeldLimit) -> str:
    """What a limit is called in a sentence."""
    match limit.kind:
        case "pool":
            return f"work pool {limit.name!r} (limit {limit.limit})"
        case "queue":
            return f"work queue {limit.name!r} (limit {limit.limit})"
        case "deployment":
            return f"the limit of its deployment ({limit.limit})"
        case "tag":
            return f"the limit on tag {limit.name!r} ({limit.limit})"
        case _:
            return f"concurrency limit {limit.name!r} ({limit.limit})"


def _raise(limit: HeldLimit, facts: RunFacts) -> str:
    """How a limit is raised."""
    more = (limit.limit or 0) + 1
    match limit.kind:
        case "pool":
            return f"`headrace work-pool set-concurrency-limit {limit.name} {more}`."
        case "queue":
            pool = f" --pool {facts.place.pool}" if facts.place is not None else ""
            return f"`headrace work-queue set-concurrency-limit {limit.name} {more}{pool}`."
        case "deployment":
            return f"`headrace deploy … --concurrency-limit {more}`."
        case _:
            return f"`headrace global-concurrency-limit update {limit.name} --limit {more}`."


def _say_held(limit: HeldLimit, facts: RunFacts) -> str:
    """Who holds a limit, since when."""
    if not limit.holders:
        return f"{limit.used} of {limit.limit} in use"
    named = [f"{_name(each)} for {_say(facts.now - each.since)}" for each in limit.holders[:NAMED]]
    left = limit.used - sum(each.slots for each in limit.holders[:NAMED])
    more = f" and {left} more" if left > 0 else ""
    return f"held by {', '.join(named)}{more}"


def _name(holder: SlotHolder) -> str:
    kind = holder.type.replace("_", " ")
    return f"{kind} {holder.name!r}" if holder.name else f"{kind} {holder.id or 'of an unknown name'}"


def _start(text: str) -> str:
    return text[0].upper() + text[1:]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _say(duration: timedelta) -> str:
    """A duration in words: `3 seconds`, `5 minutes`, `2 hours`, `4 days`."""
    seconds = max(duration.total_seconds(), 0)
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return _count(int(seconds // size), noun)
    return _count(int(seconds), "second")

"""Why a run is not running: which reasons, in which order, with which words."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from headrace.base.clock import to_datetime
from headrace.rules.explanations import ClaimFacts, DeploymentFacts, PlaceFacts, RunFacts, TaskWait, explain
from headrace.schema.explanation import HeldLimit, LimitKind, Reason, ReasonKind, SlotHolder
from headrace.schema.run import FlowRun
from headrace.schema.state import State, StateDetails, StateType

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType
NOW = to_datetime(1_700_000_000_000_000)
RUN, DEPLOYMENT, OTHER = (UUID(int=number) for number in range(1, 4))
SERVED = PlaceFacts(pool="p", queue="q", online=2, polled=NOW, polled_lately=True)
NIGHTLY = DeploymentFacts(name="nightly")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def run(
    type_: StateType = SCHEDULED,
    name: str | None = None,
    due: float | None = 0,
    message: str | None = None,
    **details: Any,
) -> FlowRun:
    """A run of a deployment that has been in a state for a minute and is, or was, due so many seconds ago."""
    if due is not None:
        details["scheduled_time"] = ago(due)
    state = State(type=type_, name=name, timestamp=ago(60), message=message, state_details=StateDetails(**details))
    told = FlowRun(id=RUN, name="quiet-heron", flow_id=OTHER, deployment_id=DEPLOYMENT, state=state)
    told.state_type, told.state_name = type_, state.name
    return told


def reasons(told: FlowRun, **what: Any) -> list[Reason]:
    known: dict[str, Any] = {"place": SERVED, "deployment": NIGHTLY} | what
    return explain(RunFacts(now=NOW, run=told, **known))


def kinds(told: FlowRun, **what: Any) -> list[ReasonKind]:
    return [reason.kind for reason in reasons(told, **what)]


def limit(kind: LimitKind, *holders: SlotHolder, slots: int = 1, used: int = 1, name: str = "db") -> HeldLimit:
    return HeldLimit(kind=kind, name=name, limit=slots, used=used, holders=[*holders])


def holder(
    id_: UUID | None = OTHER, seconds: float = 300, name: str | None = "brave-otter", type_: str = "flow_run"
) -> SlotHolder:
    return SlotHolder(type=type_, id=id_, name=name, since=ago(seconds))


@pytest.mark.parametrize(
    ("type_", "step"),
    [
        (COMPLETED, "Nothing needs to be done."),
        (FAILED, f"`headrace flow-run resume {RUN}` runs it again."),
        (CRASHED, f"`headrace flow-run resume {RUN}` runs it again."),
        (CANCELLED, f"`headrace flow-run rerun {RUN}` runs it again."),
    ],
)
def test_a_run_that_has_ended(type_: StateType, step: str) -> None:
    (reason,) = reasons(run(type_, message="That was it."))
    assert (reason.kind, reason.since) == (ReasonKind.ENDED, ago(60))
    assert reason.message == f"The run has ended: it is {type_.capitalize()}. It said: That was it."
    assert reason.next_step.endswith(step)
    assert reasons(run(type_))[0].message == f"The run has ended: it is {type_.capitalize()}."


def test_a_run_that_waits_for_somebody() -> None:
    (asks,) = reasons(run(PAUSED, pause_timeout=ago(-60), run_input_keyset={"schema": "x"}))
    assert (asks.kind, asks.since, asks.until) == (ReasonKind.PAUSED, ago(60), ago(-60))
    assert (
        asks.message
        == "The run is paused where it stands: it waits for somebody to resume it and the input that it asks for."
    )
    assert asks.next_step == f"Resume it: `headrace flow-run resume {RUN} --input '{{…}}'`."
    (suspended,) = reasons(run(PAUSED, "Suspended", pause_reschedule=True))
    assert suspended.kind is ReasonKind.SUSPENDED
    assert suspended.next_step == f"Resume it: `headrace flow-run resume {RUN}`."


@pytest.mark.parametrize(("who", "said"), [("worker-1", "by worker-1."), (None, "ended."), ("", "ended.")])
def test_a_run_that_is_being_cancelled(who: str | None, said: str) -> None:
    claim = None if who is None else ClaimFacts(holder=who or None, since=ago(9), shown=True)
    (reason,) = reasons(run(CANCELLING), claim=claim)
    assert reason.kind is ReasonKind.CANCELLING
    assert reason.message.endswith(said)


def test_a_run_that_runs() -> None:
    (shown,) = reasons(run(RUNNING), claim=ClaimFacts(holder=None, since=ago(9), shown=True))
    assert (shown.kind, shown.message) == (ReasonKind.RUNNING, "The run is running.")
    for claim in (None, ClaimFacts(holder=None, since=ago(9), shown=False)):
        (silent,) = reasons(run(RUNNING), claim=claim)
        assert "Nobody shows that its process is alive" in silent.message
        assert "flow-run cancel" in silent.next_step


def test_tasks_that_wait_for_slots_come_first() -> None:
    told = limit("tag", holder(type_="task_run", name="load-3"), name="database")
    waits = (
        TaskWait(name="load-1", since=ago(20), limits=(told, limit("global", used=1))),
        TaskWait(name=None, since=ago(10)),
    )
    first, second, third, running = reasons(run(RUNNING), waits=waits)
    assert first.message == (
        "Task run 'load-1' waits for a slot of the limit on tag 'database' (1), held by task run 'load-3' for 5 minutes."
    )
    assert (first.kind, first.since, first.limit) == (ReasonKind.TASK_LIMIT, ago(20), told)
    assert second.message == "Task run 'load-1' waits for a slot of concurrency limit 'db' (1), 1 of 1 in use."
    assert third.message == "The flow's own code waits for a slot of a concurrency limit."
    assert running.kind is ReasonKind.RUNNING


def test_a_run_that_was_taken_and_not_started() -> None:
    (shown,) = reasons(run(PENDING), claim=ClaimFacts(holder="worker-1", since=ago(9), shown=True))
    assert shown.message == "worker-1 has taken the run and is about to start it."
    (silent,) = reasons(run(PENDING, "Submitting"))
    assert silent.message == (
        "Somebody has taken the run (Submitting) and has not started it; nobody shows that it still will."
    )
    assert (shown.kind, silent.kind) == (ReasonKind.CLAIMED, ReasonKind.CLAIMED)
    assert kinds(run(PENDING, "NotReady")) == [ReasonKind.NOT_READY]


def test_a_run_whose_time_has_not_come() -> None:
    (later,) = reasons(run(due=-7200))
    assert (later.kind, later.until) == (ReasonKind.SCHEDULED, ago(-7200))
    assert later.message == "The run is scheduled for later: it is due in 2 hours."
    (again,) = reasons(run(SCHEDULED, "AwaitingRetry", due=-1))
    assert again.kind is ReasonKind.AWAITING_RETRY
    assert again.message == "The run failed and is tried again in 1 second."


def test_what_is_paused_is_named() -> None:
    place = PlaceFacts(pool="p", queue="q", pool_paused=True, queue_paused=True, online=1)
    pool, queue, late = reasons(run(due=400), place=place)
    assert (pool.kind, pool.next_step) == (ReasonKind.POOL_PAUSED, "Resume it: `headrace work-pool resume p`.")
    assert queue.next_step == "Resume it: `headrace work-queue resume q --pool p`."
    assert late.kind is ReasonKind.LATE


def test_nobody_is_there_to_take_it() -> None:
    place = PlaceFacts(pool="p", queue="q", seen=ago(172_800))
    (none,) = reasons(run(), place=place)
    assert (none.kind, none.since) == (ReasonKind.NO_WORKER, ago(172_800))
    assert none.message == "No worker is online for work pool 'p'; the last was seen 2 days ago."
    assert none.next_step == "Start one: `headrace worker start --pool p`."
    assert reasons(run(), place=PlaceFacts(pool="p", queue="q"))[0].message == "No worker is online for work pool 'p'."


def test_workers_are_there_but_none_for_the_queue() -> None:
    place = PlaceFacts(pool="p", queue="q", online=1, polled=ago(600))
    (unserved,) = reasons(run(), place=place)
    assert unserved.kind is ReasonKind.QUEUE_UNSERVED
    assert unserved.message.endswith("but none has asked its queue 'q' for runs for 10 minutes.")
    assert unserved.next_step == "Start one for it: `headrace worker start --pool p --work-queue q`."
    never = reasons(run(), place=PlaceFacts(pool="p", queue="q", online=1))[0]
    assert never.message.endswith("for runs yet.")
    # A client of the contract asks for runs and need not show itself as a worker.
    assert kinds(run(), place=PlaceFacts(pool="p", queue="q", polled_lately=True)) == [ReasonKind.LATE]


def test_a_run_that_belongs_nowhere() -> None:
    told = run()
    assert kinds(told, place=None) == [ReasonKind.NO_POOL]
    assert kinds(told, place=None, deployment=DeploymentFacts(name="served", polled_lately=True)) == [ReasonKind.LATE]
    (gone,) = reasons(told, place=None, deployment=None)
    assert (gone.kind, gone.message) == (
        ReasonKind.NO_DEPLOYMENT,
        "The run's deployment is gone, so nobody knows what to execute.",
    )
    told.deployment_id = None
    assert reasons(told, place=None, deployment=None)[0].message.startswith("The run belongs to no deployment")
    trying = run(SCHEDULED, "AwaitingRetry", due=-5)
    held = ClaimFacts(holder=None, since=ago(5), shown=True)
    assert kinds(trying, place=None, deployment=None, claim=held) == [ReasonKind.AWAITING_RETRY]


def test_full_limits_say_who_holds_them() -> None:
    holders = [holder(name=f"run-{number}", seconds=100 - number) for number in range(4)]
    own = limit("deployment", *holders, slots=5, used=5)
    pool, queue = limit("pool", used=1, name="p"), limit("queue", holder(name=None, type_="flow_run"), name="q")
    place = PlaceFacts(pool="p", queue="q", online=1, polled_lately=True, full=(queue, pool))
    first, second, third = reasons(run(), place=place, deployment=DeploymentFacts(name="n", limit=own, place=2))
    assert (first.kind, first.since, first.limit) == (ReasonKind.LIMIT, ago(100), own)
    assert first.message == (
        "The limit of its deployment (5) is full: held by flow run 'run-0' for 100 seconds, "
        "flow run 'run-1' for 99 seconds, flow run 'run-2' for 98 seconds and 2 more. It is number 2 in line."
    )
    assert second.message == f"Work queue 'q' (limit 1) is full: held by flow run {OTHER} for 5 minutes."
    assert second.next_step.endswith("`headrace work-queue set-concurrency-limit q 2 --pool p`.")
    assert third.message == "Work pool 'p' (limit 1) is full: 1 of 1 in use."
    assert third.next_step.endswith("`headrace work-pool set-concurrency-limit p 2`.")


def test_a_limit_that_is_shared_is_named() -> None:
    shared = limit("global", holder(None, name=None, type_="process"))
    (full,) = reasons(run(), deployment=DeploymentFacts(name="n", limit=shared))
    assert full.message == ("Concurrency limit 'db' (1) is full: held by process of an unknown name for 5 minutes.")
    assert full.next_step.endswith("`headrace global-concurrency-limit update db --limit 2`.")


def test_a_parent_that_holds_what_its_child_waits_for_is_a_deadlock() -> None:
    own = limit("deployment", holder())
    told = reasons(run(), deployment=DeploymentFacts(name="n", limit=own, place=1), ancestors=frozenset([OTHER]))
    assert [reason.kind for reason in told] == [ReasonKind.DEADLOCK]
    assert told[0].message == (
        "The limit of its deployment (1) is held by flow run 'brave-otter', which itself waits for this run to end: "
        "neither can go on."
    )
    assert "Raise the limit" in told[0].next_step


def test_late_by_how_much() -> None:
    (due,) = reasons(run(due=14))
    assert (due.kind, due.message) == (ReasonKind.LATE, "The run is due, and nobody has taken it yet.")
    (late,) = reasons(run(due=600))
    assert (late.message, late.since) == ("The run is late by 10 minutes: nobody has taken it.", ago(600))
    assert "2 workers of the pool are online, and may have reached a limit of their own" in late.next_step
    one = reasons(run(due=600), place=PlaceFacts(pool="p", queue="q", online=1, polled_lately=True))[-1]
    assert "1 worker of the pool is online" in one.next_step
    assert reasons(run(due=600), place=PlaceFacts(pool="p", queue="q"))[-1].next_step == "See to the reasons above."
    assert kinds(run(due=None)) == [ReasonKind.LATE]


def test_a_moment_is_not_waited_for_where_something_holds_the_run() -> None:
    paused = PlaceFacts(pool="p", queue="q", pool_paused=True, online=1, polled_lately=True)
    assert kinds(run(due=14), place=paused) == [ReasonKind.POOL_PAUSED]
    assert kinds(run(due=16), place=paused) == [ReasonKind.POOL_PAUSED, ReasonKind.LATE]


def test_what_keeps_further_runs_from_being_made_comes_last() -> None:
    resting = DeploymentFacts(name="nightly", paused=True, scheduled=False)
    told = reasons(run(), deployment=resting)
    assert [reason.kind for reason in told] == [
        ReasonKind.LATE,
        ReasonKind.DEPLOYMENT_PAUSED,
        ReasonKind.SCHEDULE_INACTIVE,
    ]
    assert told[1].next_step == f"Resume it: `headrace deployment resume {DEPLOYMENT}`."
    assert kinds(run(), deployment=DeploymentFacts(name="nightly", scheduled=True)) == [ReasonKind.LATE]


@pytest.mark.parametrize("type_", [*StateType])
def test_every_run_has_a_reason(type_: StateType) -> None:
    for due in (None, 0, -100):
        assert kinds(run(type_, due=due))

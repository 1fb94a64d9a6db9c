"""Proposals: load what a decision depends on, decide by the rules, and let the database confirm the guard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from headrace.base.errors import GatewayError, ObjectNotFound, StaleEpoch
from headrace.orchestration.deployment_slots import find_slot, follow
from headrace.orchestration.events import SLOTS, append, event_row
from headrace.orchestration.facts import store_batch
from headrace.orchestration.leases import is_held, release_lease, take_lease
from headrace.orchestration.places import find_full, is_limited
from headrace.orchestration.states import pack_rest, to_progress, to_state_fact
from headrace.orchestration.task_runs import crash_unfinished, mirror_child
from headrace.orchestration.turns import load_turn
from headrace.orchestration.unit import Unit
from headrace.rules.bookkeeping import enter_flow_run
from headrace.rules.flow_policy import decide_flow_run
from headrace.rules.transitions import ACTIVE, CANCELLING, PAUSED, PENDING, RUNNING, SCHEDULED
from headrace.rules.verdicts import (
    Abort,
    Accept,
    CancelRuns,
    ChangePolicy,
    CrashTaskRuns,
    Effect,
    FlowRunFacts,
    MirrorOnParent,
    Offer,
    RaiseEpoch,
    Reject,
    ReleaseLease,
    TakeLease,
    Transition,
    Verdict,
    Wait,
)
from headrace.schema.fact import StateFact
from headrace.schema.orchestration import Decision, Proposal, Verb
from headrace.schema.state import StateCreate
from headrace.storage import compiled
from headrace.storage.rows import FlowRunRow, to_current_state, to_flow_run, to_flow_run_policy
from headrace.storage.texts import storable, storable_json


def propose(unit: Unit, proposal: Proposal, holder: str | None = None, placed: bool = False) -> Decision | GatewayError:
    """Decide on a proposed state and do what was decided. `placed`: there is room for the run in its pool, which is held.

    The batch the proposal carries stays stored whatever is decided; so an error is returned and not raised.
    """
    if proposal.batch is not None:
        store_batch(unit, proposal.batch)
    while True:
        row = load_flow_run(unit, proposal.flow_run_id)
        if row is None:
            return ObjectNotFound(f"There is no flow run with id {proposal.flow_run_id}.")
        if proposal.epoch is not None and proposal.epoch != row.epoch:
            return stale(row, proposal.epoch)
        verdict = decide(unit, row, proposal, placed)
        decision = _perform(unit, row, verdict, holder)
        if decision is not None:
            return decision


def stale(row: FlowRunRow, epoch: int | None) -> StaleEpoch:
    """What an attempt is told that is over."""
    return StaleEpoch(f"Attempt {epoch} of flow run {row.name!r} is over: attempt {row.epoch} has taken its place.")


def load_flow_run(unit: Unit, flow_run_id: UUID) -> FlowRunRow | None:
    """The row of a flow run, if there is one."""
    rows = unit.fetch(compiled.find_flow_run, id=flow_run_id)
    return FlowRunRow(*rows[0]) if rows else None


def decide(unit: Unit, row: FlowRunRow, proposal: Proposal, placed: bool = False) -> Verdict:
    """What the rules say to a proposal about the run as it is."""
    transition = Transition(
        source=to_current_state(row),
        target=proposal.state,
        epoch=proposal.epoch,
        presence=proposal.presence,
        renewal=proposal.renewal,
    )
    matters = proposal.state.type is CANCELLING or transition.before is PAUSED
    taken = not placed and proposal.state.type is PENDING and transition.before is SCHEDULED
    starts = transition.before is SCHEDULED and proposal.state.type in {PENDING, RUNNING}
    facts = FlowRunFacts(
        flow_run_id=row.id,
        now=unit.now,
        policy=to_flow_run_policy(row),
        run_count=row.run_count,
        deployment_id=row.deployment_id,
        parent_task_run_id=row.parent_task_run_id,
        held=matters and is_held(unit, row),
        full=find_full(unit, row.work_queue_id) if taken and row.work_queue_id is not None else None,
        slot=find_slot(unit, row, transition),
        turn=load_turn(unit, row) if starts else None,
    )
    return decide_flow_run(transition, facts, proposal.force)


def enter(unit: Unit, row: FlowRunRow, state: StateCreate, effects: tuple[Effect, ...]) -> tuple[FlowRunRow, StateFact]:
    """The row of a run that has entered a state, and the fact that it has. Nothing is written yet."""
    time = max(unit.now, (row.state_timestamp or 0) + 1)
    fact = to_state_fact(state, row.state_ordinal + 1, time)
    resumed = bool(to_flow_run_policy(row).resuming)
    after = enter_flow_run(to_progress(row), fact, offered=Offer() in effects, resumed=resumed)
    policy = next((effect.policy for effect in effects if isinstance(effect, ChangePolicy)), None)
    moved = row._replace(
        run_count=after.run_count,
        expected_start_time=after.expected_start_time,
        next_scheduled_start_time=after.next_scheduled_start_time,
        start_time=after.start_time,
        end_time=after.end_time,
        total_run_time=after.total_run_time,
        state_type=fact.type,
        state_name=storable(fact.name),
        state_timestamp=fact.timestamp,
        state_ordinal=fact.ordinal,
        state=pack_rest(fact),
        epoch=row.epoch + (RaiseEpoch() in effects),
        empirical_policy=row.empirical_policy if policy is None else storable_json(policy),
        updated=unit.now,
    )
    return moved, fact


def follow_up(
    unit: Unit, row: FlowRunRow, fact: StateFact, effects: tuple[Effect, ...], holder: str | None = None
) -> None:
    """Append the event of a step that was written, and do what follows from it."""
    append(unit, [event_row("flow-run", row.id, row.id, [fact])])
    for effect in effects:
        match effect:
            case TakeLease(presence):
                take_lease(unit, row.id, row.epoch, presence, holder)
            case ReleaseLease():
                release_lease(unit, row.id)
            case ChangePolicy():
                unit.execute(compiled.change_flow_run_policy, id=row.id, new_empirical_policy=row.empirical_policy)
            case CrashTaskRuns():
                crash_unfinished(unit, row.id, fact.message or "The flow run crashed.")
            case CancelRuns(others):
                _cancel(unit, others)
            case MirrorOnParent() if row.parent_task_run_id is not None:
                mirror_child(unit, row.parent_task_run_id, row.id, fact, row.run_count)
            case _:
                follow(unit, row, effect)  # RaiseEpoch and Offer are columns of the row


def _cancel(unit: Unit, flow_run_ids: Iterable[UUID]) -> None:
    state = StateCreate(type=CANCELLING, message="The next run of its schedule takes its place.")
    for flow_run_id in flow_run_ids:
        propose(unit, Proposal(flow_run_id=flow_run_id, state=state))


def _perform(unit: Unit, row: FlowRunRow, verdict: Verdict, holder: str | None) -> Decision | None:
    """The decision, once it is written; None when the run has moved on meanwhile."""
    match verdict:
        case Accept(state, effects):
            return _write(unit, row, state, effects, Verb.ACCEPT, None, holder)
        case Reject(reason, state, effects) if state is not None:
            return _write(unit, row, state, effects, Verb.REJECT, reason, holder)
        case Reject(reason):
            return _answer(unit, row, Verb.REJECT, reason)
        case Wait(reason, delay):
            return _answer(unit, row, Verb.WAIT, reason, delay)
        case Abort(reason):
            return _answer(unit, row, Verb.ABORT, reason)


def _write(
    unit: Unit,
    row: FlowRunRow,
    state: StateCreate,
    effects: tuple[Effect, ...],
    verb: Verb,
    reason: str | None,
    holder: str | None,
) -> Decision | None:
    moved, fact = enter(unit, row, state, effects)
    if not unit.execute(compiled.move_flow_run, id=row.id, state_ordinal=row.state_ordinal, **_moved_columns(moved)):
        return None
    follow_up(unit, moved, fact, effects, holder)
    if row.work_queue_id is not None and row.state_type in ACTIVE and moved.state_type not in ACTIVE:
        _tell_of_room(unit, row, row.work_queue_id)
    return _answer(unit, moved, verb, reason, written=True)


def _tell_of_room(unit: Unit, row: FlowRunRow, queue_id: UUID) -> None:
    """Have the workers of a pool look for runs that found no room, now that there is some."""
    if is_limited(unit, queue_id):
        append(unit, [(SLOTS, queue_id, row.id, unit.now, "{}")])


_MOVED = (
    "run_count",
    "expected_start_time",
    "next_scheduled_start_time",
    "start_time",
    "end_time",
    "total_run_time",
    "state_type",
    "state_name",
    "state_timestamp",
    "state_ordinal",
    "state",
    "epoch",
    "updated",
)


def _moved_columns(row: FlowRunRow) -> dict[str, Any]:
    return {f"new_{name}": getattr(row, name) for name in _MOVED}


def _answer(
    unit: Unit, row: FlowRunRow, verb: Verb, reason: str | None, delay: float | None = None, written: bool = False
) -> Decision:
    flow_run = to_flow_run(row, unit.now)
    return Decision(
        verb=verb,
        state=flow_run.state,
        written=written,
        epoch=row.epoch,
        flow_run=flow_run,
        reason=reason,
        delay=delay,
    )

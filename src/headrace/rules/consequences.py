"""What follows from a flow run's entering a state: the state completed with what it inherits, and the effects."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import msgspec

from headrace.base.clock import to_datetime
from headrace.rules.transitions import (
    AWAITING_RETRY,
    AWAITING_SLOT,
    AWAITING_TURN,
    CRASHED,
    PAUSED,
    PENDING,
    RUNNING,
    SCHEDULED,
    is_terminal,
)
from headrace.rules.verdicts import (
    CancelRuns,
    ChangePolicy,
    CrashTaskRuns,
    Effect,
    FlowRunFacts,
    KeepSlot,
    LeaveLine,
    MirrorOnParent,
    Offer,
    RaiseEpoch,
    ReleaseLease,
    ReleaseSlot,
    StandInLine,
    TakeLease,
    TakeSlot,
    Transition,
)
from headrace.schema.run import FlowRunPolicy
from headrace.schema.state import StateCreate, StateDetails

GRACE = 300.0
"""How many seconds a run may take from the claim until it begins before its slot is another's, if nobody shows that it
is alive and its deployment does not say.
"""


def flow_run_consequences(
    transition: Transition, state: StateCreate, facts: FlowRunFacts
) -> tuple[StateCreate, tuple[Effect, ...]]:
    """The state as it is to be stored, and the effects of entering it, in the order in which they are to happen."""
    return _completed(transition, state, facts), tuple(_effects(transition, state, facts))


def _completed(transition: Transition, state: StateCreate, facts: FlowRunFacts) -> StateCreate:
    """Add what a state inherits: whose it is, its time, and the slot a deployment's run holds until it ends."""
    before = transition.source.state_details if transition.source else StateDetails()
    details = msgspec.structs.replace(
        state.state_details,
        flow_run_id=facts.flow_run_id,
        task_run_id=facts.parent_task_run_id,
    )
    if state.type is SCHEDULED and details.scheduled_time is None:
        inherited = before.scheduled_time if transition.before is SCHEDULED else None
        details.scheduled_time = inherited or to_datetime(facts.now)
    if state.type is PENDING and details.scheduled_time is None:
        details.scheduled_time = before.scheduled_time
    details.deployment_concurrency_lease_id = _slot_after(transition, state, facts)
    return msgspec.structs.replace(state, name=state.name or state.type.capitalize(), state_details=details)


def _effects(transition: Transition, state: StateCreate, facts: FlowRunFacts) -> Iterator[Effect]:
    if begins_attempt(transition, state):
        yield RaiseEpoch()
    if is_let_go(transition, state, facts.policy):
        yield ReleaseLease()
    elif transition.presence is not None and state.type in {PENDING, RUNNING}:
        yield ReleaseLease() if transition.presence.kind == "none" else TakeLease(transition.presence)
    if is_offered(transition, state, facts.policy):
        yield Offer()
    policy = _changed_policy(transition, state, facts.policy)
    if policy is not None:
        yield ChangePolicy(policy)
    if state.type is CRASHED or outlives_crash(transition, state):
        yield CrashTaskRuns()
    if facts.parent_task_run_id is not None:
        yield MirrorOnParent()
    yield from _slot_effects(transition, state, facts)
    if state.name == AWAITING_TURN and facts.turn is not None and facts.turn.overlap == "cancel-running":
        yield CancelRuns(facts.turn.under_way)


def _slot_effects(transition: Transition, state: StateCreate, facts: FlowRunFacts) -> Iterator[Effect]:
    """What becomes of the slot of the deployment's limit that the run holds, or waits for."""
    slot = facts.slot
    takes = _takes_slot(state, facts)
    if takes and slot is not None:
        yield TakeSlot(slot.lease_id, _slot_lasts(transition, state, slot.grace))
    elif slot is not None and slot.held and state.type is RUNNING:
        yield KeepSlot(slot.lease_id, _slot_lasts(transition, state, slot.grace))
    elif facts.deployment_id is not None and not _was_let_go(transition) and is_let_go(transition, state, facts.policy):
        yield ReleaseSlot()
    if _stands_in_line(transition, state):
        yield StandInLine()
    elif not takes and transition.before is SCHEDULED and transition.source and transition.source.name == AWAITING_SLOT:
        yield LeaveLine()


def _slot_after(transition: Transition, state: StateCreate, facts: FlowRunFacts) -> UUID | None:
    """The lease of the slot that the run holds once it is in the state."""
    if _takes_slot(state, facts):
        return facts.slot and facts.slot.lease_id
    if transition.source is None or is_terminal(transition.before) or is_let_go(transition, state, facts.policy):
        return None
    if facts.slot is not None and not facts.slot.held:
        return None
    return transition.source.state_details.deployment_concurrency_lease_id


def _takes_slot(state: StateCreate, facts: FlowRunFacts) -> bool:
    """Whether the run takes a slot. Somebody who insists has it enter the state without one, where there is no room."""
    slot = facts.slot
    return state.type in {PENDING, RUNNING} and slot is not None and not slot.held and slot.place is None


def _slot_lasts(transition: Transition, state: StateCreate, grace: float | None) -> float | None:
    """How many seconds a slot is the run's without being renewed; None for as long as its attempt.

    Of an attempt that shows that it is alive the reaper knows when it has died. Others have a time to begin; then they
    renew the slot themselves, if their client can.
    """
    if state.type is RUNNING:
        return transition.renewal
    shown = transition.presence is not None and transition.presence.kind != "none"
    return grace if shown or grace is not None else GRACE


def _stands_in_line(transition: Transition, state: StateCreate) -> bool:
    """Whether the run was to begin, and has to wait for a slot instead."""
    return transition.target.type in {PENDING, RUNNING} and state.type is SCHEDULED and state.name == AWAITING_SLOT


def begins_attempt(transition: Transition, state: StateCreate) -> bool:
    """Whether a new attempt begins: by a claim, by a start that names no attempt, or by opening a run that had ended.

    A run put back on the schedule, or suspended, by somebody else is taken out of its attempt's hands as well.
    """
    before = transition.before
    if before is not None and is_terminal(before):
        return not is_terminal(state.type)
    if state.type is PENDING:
        return before is SCHEDULED
    if transition.epoch is not None:
        return False
    if state.type is SCHEDULED:
        return before in {PENDING, RUNNING} and state.name != AWAITING_RETRY
    if _is_suspended(state):
        return before is RUNNING
    return state.type is RUNNING and before is not PAUSED


def is_offered(transition: Transition, state: StateCreate, policy: FlowRunPolicy) -> bool:
    """Whether somebody has to start the run. A run that tries again in its own process starts itself."""
    if state.type is not SCHEDULED:
        return False
    return not waits_in_process(transition, state, policy)


def is_let_go(transition: Transition, state: StateCreate, policy: FlowRunPolicy) -> bool:
    """Whether nobody executes the run in this state: it has ended, is suspended, or waits for somebody to start it."""
    return is_terminal(state.type) or _is_suspended(state) or is_offered(transition, state, policy)


def _was_let_go(transition: Transition) -> bool:
    """Whether nobody executed the run before, so that it held no slot. What waited to try again may have been executed."""
    source = transition.source
    if source is None or is_terminal(source.type):
        return True
    if source.type is PAUSED:
        return source.state_details.pause_reschedule
    return source.type is SCHEDULED and source.name != AWAITING_RETRY


def outlives_crash(transition: Transition, state: StateCreate) -> bool:
    """Whether an attempt has died and the run goes on in another."""
    return transition.target.type is CRASHED and state.type is SCHEDULED


def waits_in_process(transition: Transition, state: StateCreate, policy: FlowRunPolicy) -> bool:
    """Whether a scheduled run's own process waits for the time to try again."""
    return transition.before is RUNNING and state.name == AWAITING_RETRY and policy.retry_type != "reschedule"


def _is_suspended(state: StateCreate) -> bool:
    return state.type is PAUSED and state.state_details.pause_reschedule


def _changed_policy(transition: Transition, state: StateCreate, policy: FlowRunPolicy) -> FlowRunPolicy | None:
    """The policy after the step, if it changes: which pauses have fired, whether the run goes on after one."""
    replace = msgspec.structs.replace
    key = state.state_details.pause_key
    if is_terminal(transition.before) or state.name == AWAITING_RETRY:
        kind = "in_process" if waits_in_process(transition, state, policy) else None
        kept = policy.retry_type if policy.retry_type == "reschedule" else kind
        resumes = None if is_terminal(transition.before) else policy.resumes  # somebody has looked at it meanwhile
        return replace(policy, pause_keys=None, resuming=False, retry_type=kept, resumes=resumes)
    if outlives_crash(transition, state):
        return replace(policy, resumes=(policy.resumes or 0) + 1)
    if state.type is PAUSED and key is not None:
        return replace(policy, pause_keys=[*(policy.pause_keys or ()), key])
    if transition.before is PAUSED and state.type is SCHEDULED:
        return replace(policy, resuming=True)
    if state.type is RUNNING and policy.resuming:
        return replace(policy, resuming=False)
    return None

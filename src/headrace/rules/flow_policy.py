"""What a flow run may do next: one function per idea, asked in order; the first that has something to say decides."""

from __future__ import annotations

from datetime import timedelta

from headrace.base.clock import to_datetime, to_micros
from headrace.rules.consequences import flow_run_consequences
from headrace.rules.transitions import (
    AWAITING_RETRY,
    AWAITING_SLOT,
    CANCELLED,
    CANCELLING,
    CRASHED,
    FAILED,
    LATE,
    PAUSED,
    PENDING,
    RESUMING,
    RUNNING,
    SCHEDULED,
    flow_run_may,
    is_terminal,
)
from headrace.rules.turns import slot_has_its_turn
from headrace.rules.verdicts import Abort, Accept, FlowRunFacts, Reject, Transition, Verdict, Wait, first_verdict
from headrace.schema.run import FlowRunPolicy
from headrace.schema.state import StateCreate, StateDetails

FULL = "As many runs of the deployment are executing as may."
ONE_MORE = "One more is cancelled: that is its collision strategy."


def repeat_changes_nothing(transition: Transition, _facts: FlowRunFacts) -> Verdict | None:
    """A proposal whose answer was lost is made again: the run is where it was put the first time."""
    asked = transition.target.state_details.transition_id
    if asked and transition.source and transition.source.state_details.transition_id == asked:
        return Reject("This transition has been made already.")
    return None


def pending_is_taken_once(transition: Transition, _facts: FlowRunFacts) -> Verdict | None:
    """Becoming Pending is the claim on a run: whoever comes second must not work on it."""
    if transition.target.type is not PENDING or transition.before in {None, SCHEDULED}:
        return None
    if transition.source and transition.before is PENDING:
        if transition.target.name not in {None, transition.source.name}:
            return None
        return Abort("The run is Pending already: somebody else has taken it.")
    return Abort(f"The run is {transition.source and transition.source.name}: it is not waiting to be taken.")


def terminal_is_final(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A run that has ended stays as it ended, unless a deployment can run it again: that is a new attempt."""
    if not transition.source or not is_terminal(transition.before):
        return None
    if transition.target.type is not SCHEDULED:
        return Reject(f"The run has ended: it is {transition.source.name}.")
    if facts.deployment_id is None:
        return Reject("The run has ended, and without a deployment nobody could run it again.")
    return None


def cancelling_ends_cancelled(transition: Transition, _facts: FlowRunFacts) -> Verdict | None:
    """A run that is being cancelled can only become Cancelled; if it dies meanwhile, that is what was wanted."""
    if transition.before is not CANCELLING or transition.target.type is CANCELLED:
        return None
    if transition.target.type is CRASHED:
        message = transition.target.message or "The run ended while it was being cancelled."
        return Reject("The run was being cancelled.", StateCreate(type=CANCELLED, message=message))
    return Reject("The run is being cancelled and can only become Cancelled.")


def cancelling_needs_somebody_to_end(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A run that nothing executes is cancelled at once: nobody would ever finish cancelling it."""
    if transition.target.type is not CANCELLING or not transition.source:
        return None
    suspended = transition.before is PAUSED and transition.source.state_details.pause_reschedule
    idle = transition.before is SCHEDULED or (transition.before is PENDING and not facts.held)
    if not (suspended or idle):
        return None
    state = StateCreate(
        type=CANCELLED, message=transition.target.message, state_details=transition.target.state_details
    )
    return Reject("Nothing was executing the run, so it is cancelled at once.", state)


def only_scheduled_is_late(transition: Transition, _facts: FlowRunFacts) -> Verdict | None:
    """Late is what is said of a run that nobody has started, once."""
    if transition.target.type is not SCHEDULED or transition.target.name != LATE:
        return None
    if transition.source and transition.before is SCHEDULED and transition.source.name != LATE:
        return None
    return Reject("Only a scheduled run can become late.")


def only_running_may_pause(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """Running code pauses; a pause that has a key fires once, so that a flow started again from the top goes on."""
    if transition.target.type is not PAUSED or not transition.source:
        return None
    details = transition.target.state_details
    if transition.before is not RUNNING:
        return Reject("Only a running flow can pause.")
    if details.pause_key is not None and details.pause_key in (facts.policy.pause_keys or ()):
        return Reject("This pause has already fired.")
    if details.pause_reschedule and facts.parent_task_run_id:
        return Abort("A subflow cannot be suspended by itself; suspend its parent.")
    if details.pause_reschedule and not facts.deployment_id:
        return Abort("A run without a deployment cannot be suspended: nobody could start it again.")
    return None


def paused_resumes_as_it_paused(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A waiting process goes on where it stands, a suspended run starts again from the top, too late is too late."""
    if not transition.source or transition.before is not PAUSED or transition.target.type not in {RUNNING, SCHEDULED}:
        return None
    details = transition.source.state_details
    if details.pause_timeout and to_micros(details.pause_timeout) < facts.now:
        failed = StateCreate(type=FAILED, message="The run was paused and not resumed in time.")
        return Reject("The pause has timed out.", failed)
    if details.pause_reschedule and transition.target.type is RUNNING:
        state = StateCreate(type=SCHEDULED, name=RESUMING, state_details=transition.target.state_details)
        return Reject("The run is suspended: it starts again from the top.", state)
    if not details.pause_reschedule and transition.target.type is SCHEDULED and facts.held:
        state = StateCreate(type=RUNNING, state_details=transition.target.state_details)
        return Reject("The run's process is waiting: it goes on where it stands.", state)
    return None


def running_waits_for_its_time(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A run starts when its time has come, by the orchestrator's clock."""
    if transition.target.type is not RUNNING or not transition.source:
        return None
    time = transition.source.state_details.scheduled_time
    if transition.before not in {SCHEDULED, PENDING} or time is None:
        return None
    early = to_micros(time) - facts.now
    return Wait("The run's time has not come.", early / 1_000_000) if early > 0 else None


def failed_is_tried_again(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A run that fails with retries left is scheduled again after its delay, unless its process has given up already."""
    if transition.before is not RUNNING or transition.target.type is not FAILED:
        return None
    if transition.target.state_details.retriable is False:
        return None
    if max(facts.run_count, 1) > allowed_retries(facts.policy):
        return None
    delay = facts.policy.retry_delay if facts.policy.retry_delay is not None else facts.policy.retry_delay_seconds
    state = StateCreate(
        type=SCHEDULED,
        name=AWAITING_RETRY,
        message=transition.target.message,
        data=transition.target.data,
        state_details=StateDetails(
            scheduled_time=to_datetime(facts.now) + timedelta(seconds=delay),
            transition_id=transition.target.state_details.transition_id,
        ),
    )
    return Reject("The run has retries left.", state)


def crashed_is_resumed(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A run whose attempt dies is started again if its flow says so, not for ever, and if somebody can start it."""
    if transition.target.type is not CRASHED or transition.before not in {PENDING, RUNNING, SCHEDULED}:
        return None
    if facts.policy.on_crash != "resume" or facts.deployment_id is None or facts.parent_task_run_id is not None:
        return None
    times, most = (facts.policy.resumes or 0) + 1, facts.policy.max_resumes or 0
    if times > most:
        return None
    message = f"{transition.target.message or 'The attempt has died.'} The run is resumed ({times} of {most} times)."
    state = StateCreate(
        type=SCHEDULED,
        name=RESUMING,
        message=message,
        state_details=StateDetails(
            scheduled_time=to_datetime(facts.now), transition_id=transition.target.state_details.transition_id
        ),
    )
    return Reject("The attempt has died, and the run is resumed.", state)


def pool_has_room(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A run is taken only while its work pool and queue may execute one more; until then it stays where it is."""
    if facts.full is None or transition.target.type is not PENDING or transition.before is not SCHEDULED:
        return None
    return Reject(f"{facts.full} executes as many runs as it may.")


def deployment_has_room(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A run that finds as many runs of its deployment executing as may waits in line, or is cancelled, as that says."""
    slot, target = facts.slot, transition.target
    if slot is None or slot.held or slot.place is None or transition.before not in {None, SCHEDULED, PENDING}:
        return None
    late = target.type is SCHEDULED and target.name == LATE
    if not late and target.type not in {PENDING, RUNNING}:
        return None
    details = StateDetails(transition_id=target.state_details.transition_id)
    if slot.cancels:
        return Reject(FULL, StateCreate(type=CANCELLED, message=f"{FULL} {ONE_MORE}", state_details=details))
    if late:
        return None
    if transition.source is not None:
        details.scheduled_time = transition.source.state_details.scheduled_time
    message = f"{FULL} This one is number {slot.place.position} in line."
    return Reject(FULL, StateCreate(type=SCHEDULED, name=AWAITING_SLOT, message=message, state_details=details))


def there_is_an_arc(transition: Transition, _facts: FlowRunFacts) -> Verdict | None:
    """What the table does not know is not possible."""
    if flow_run_may(transition.before, transition.target.type):
        return None
    return Abort(f"A flow run cannot go from {transition.before or 'nowhere'} to {transition.target.type}.")


FLOW_RUN_POLICY = (
    repeat_changes_nothing,
    pending_is_taken_once,
    terminal_is_final,
    cancelling_ends_cancelled,
    cancelling_needs_somebody_to_end,
    only_scheduled_is_late,
    slot_has_its_turn,
    only_running_may_pause,
    paused_resumes_as_it_paused,
    running_waits_for_its_time,
    failed_is_tried_again,
    crashed_is_resumed,
    pool_has_room,
    deployment_has_room,
    there_is_an_arc,
)
"""The ideas, in the order in which they are asked."""

FORCED_POLICY = (repeat_changes_nothing, cancelling_needs_somebody_to_end)
"""What holds even for somebody who insists: asked twice is asked once, and nothing stays cancelling for ever."""


def allowed_retries(policy: FlowRunPolicy) -> int:
    """How often a run may be tried again; the contract's older field counts where the newer is not sent."""
    return policy.retries if policy.retries is not None else policy.max_retries


def decide_flow_run(transition: Transition, facts: FlowRunFacts, force: bool = False) -> Verdict:
    """Decide whether a flow run may make the transition, and what follows from it.

    With `force` the policies are passed over; what follows from beginning, leaving and ending an attempt holds.
    """
    verdict = first_verdict(FORCED_POLICY if force else FLOW_RUN_POLICY, transition, facts)
    match verdict:
        case Accept(state=state):
            return Accept(*flow_run_consequences(transition, state, facts))
        case Reject(reason=reason, state=state) if state is not None:
            return Reject(reason, *flow_run_consequences(transition, state, facts))
        case _:
            return verdict

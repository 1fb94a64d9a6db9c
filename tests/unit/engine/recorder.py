"""The real orchestrator on a database of the test's own, with a witness in front of it that can also get in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import msgspec

from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor
from headrace.schema.fact import ArtifactFact, Batch, Fact, LogFact, ResultFact, TaskRunFact, TaskStateFact
from headrace.schema.orchestration import Decision, Proposal, Verb
from headrace.schema.run import FlowRunCreate
from headrace.schema.state import State, StateCreate, StateType


class Answer(msgspec.Struct):
    """What a proposal is answered instead of what the orchestrator would say; the run stays where it is."""

    verb: Verb
    state: StateType | None = None
    reason: str | None = None
    delay: float | None = None


class Recorder:
    """The verbs of an execution gateway, with everything that was delivered at hand.

    `before` is called with the name of each verb and its first argument, and may raise or wait. `answers` are given to
    the next proposals; a None among them lets one through.
    """

    def __init__(self, gateway: Execution) -> None:
        self.gateway = gateway
        self.facts: list[Fact] = []
        self.proposals: list[Proposal] = []
        self.created: list[FlowRunCreate] = []
        self.marks: dict[UUID, int] = {}
        self.answers: list[Answer | None] = []
        self.before: Callable[[str, Any], None] = lambda verb, request: None
        self.has_ledger = True

    def __getattr__(self, verb: str) -> Any:
        perform = getattr(self.gateway, verb)

        def ask(*arguments: Any, **named: Any) -> Any:
            self.before(verb, arguments[0] if arguments else None)
            return perform(*arguments, **named)

        return ask

    def ledger(self) -> str | None:
        return self.gateway.ledger() if self.has_ledger else None

    # what passes by is noted once it is stored

    def deliver(self, batch: Batch) -> int:
        self.before("deliver", batch)
        mark = self.gateway.deliver(batch)
        self._note(batch)
        return mark

    def create_flow_run(self, run: FlowRunCreate, batch: Batch | None = None) -> Any:
        self.before("create_flow_run", run)
        created = self.gateway.create_flow_run(run, batch)
        self._note(batch)
        self.created.append(run)
        return created

    def propose_flow_run_state(self, proposal: Proposal) -> Decision:
        self.before("propose_flow_run_state", proposal)
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            decision = self.gateway.propose_flow_run_state(proposal)
            self._note(proposal.batch)
            self.proposals.append(proposal)
            return decision
        run = self.gateway.read_flow_run(proposal.flow_run_id)
        if answer.state is not None:
            run.state = State(type=answer.state)
        return Decision(
            verb=answer.verb,
            state=run.state,
            written=False,
            epoch=run.epoch,
            flow_run=run,
            reason=answer.reason,
            delay=answer.delay,
        )

    def _note(self, batch: Batch | None) -> None:
        if batch is not None:
            mark = self.marks.get(batch.journal_id, 0)
            self.facts += batch.facts[max(mark + 1 - batch.first, 0) :]
            self.marks[batch.journal_id] = max(mark, batch.last)

    # what tests look at

    @property
    def execution(self) -> Execution:
        """This witness, as what it stands for."""
        return cast("Execution", self)

    def states(self, run_id: UUID) -> list[State]:
        """Every state a run entered, from the event log."""
        states: list[State] = []
        cursor = Cursor()
        while True:
            page = self.gateway.read_events(cursor)
            if not page.events:
                return states
            cursor = page.cursor
            states += (state for event in page.events if event.subject_id == run_id for state in event.states)

    def path(self, run_id: UUID) -> list[str | None]:
        """The names of the states a run entered."""
        return [state.name for state in self.states(run_id)]

    def flow_runs(self, name: str | None = None) -> list[UUID]:
        """The flow runs that were created, oldest first; those of one name, if it is given."""
        return [run.id for run in self.created if run.id is not None and name in {None, run.name}]

    def task_runs(self, key: str = "") -> list[TaskRunFact]:
        """The task runs that were made, in order; those whose key begins so."""
        return [fact for fact in self.facts if isinstance(fact, TaskRunFact) and fact.task_key.startswith(key)]

    def task_paths(self, key: str = "") -> list[list[str | None]]:
        """The names of the states each task run entered."""
        return [self.path(made.id) for made in self.task_runs(key)]

    def task_states(self) -> list[TaskStateFact]:
        """The facts that a task run entered a state."""
        return [fact for fact in self.facts if isinstance(fact, TaskStateFact)]

    def messages(self, level: int = 0) -> list[str]:
        """The lines logged, at least of a level."""
        return [fact.message for fact in self.facts if isinstance(fact, LogFact) and fact.level >= level]

    def artifacts(self) -> list[ArtifactFact]:
        return [fact for fact in self.facts if isinstance(fact, ArtifactFact)]

    def results(self) -> list[ResultFact]:
        return [fact for fact in self.facts if isinstance(fact, ResultFact)]

    def cancel(self, flow_run_id: UUID) -> None:
        """Ask that a run be cancelled, as somebody else would."""
        self.gateway.propose_flow_run_state(
            Proposal(flow_run_id=flow_run_id, state=StateCreate(type=StateType.CANCELLING))
        )

"""Facts as an engine's journal delivers them, by the thousand, to the server that the settings name.

This is the one script that goes below the public interface: it asks the gateway, as the journal does.
"""

import time
from contextlib import closing

from report import report

from headrace.base.clock import micros
from headrace.base.ids import uuid7
from headrace.base.settings import load_settings
from headrace.connect import open_execution
from headrace.schema.fact import Batch, Fact, StateFact, TaskRunFact, TaskStateFact
from headrace.schema.flow import FlowCreate
from headrace.schema.run import FlowRunCreate, TaskRunPolicy
from headrace.schema.state import StateType

TASKS = 5_000
CHUNK = 2_000
"""As many facts as the journal delivers at once."""

STATES = ((StateType.PENDING, "Pending"), (StateType.RUNNING, "Running"), (StateType.COMPLETED, "Completed"))


def make_facts(flow_run_id, number: int) -> list[Fact]:
    """Return what is journaled of one task: that it is there, and the states it goes through."""
    run, now = uuid7(), micros()
    made = TaskRunFact(run, flow_run_id, f"noop-{number}", "noop-1", str(number), now, [], {}, TaskRunPolicy())
    return [
        made,
        *(
            TaskStateFact(run, flow_run_id, StateFact(ordinal, kind, name, now + ordinal), int(ordinal > 1))
            for ordinal, (kind, name) in enumerate(STATES, 1)
        ),
    ]


if __name__ == "__main__":
    with closing(open_execution(load_settings())) as execution:
        flow = execution.register_flow(FlowCreate(name="ingest"))
        flow_run = execution.create_flow_run(FlowRunCreate(flow_id=flow.id))
        facts = [fact for number in range(TASKS) for fact in make_facts(flow_run.id, number)]
        journal = uuid7()
        begin = time.perf_counter()
        for first in range(0, len(facts), CHUNK):
            mark = execution.deliver(Batch(journal, first + 1, facts[first : first + CHUNK]))
        seconds = time.perf_counter() - begin
    report(seconds=seconds / mark, recorded=mark)

"""Flows that wait for a person, and the person."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

import sys
from uuid import UUID

from prefect import flow, pause_flow_run
from prefect.context import get_run_context
from prefect.flow_runs import resume_flow_run
from prefect.input import RunInput


class Answer(RunInput):
    """What is asked for."""

    value: int


@flow
def pausing():
    print(get_run_context().flow_run.id, flush=True)
    pause_flow_run(timeout=100, poll_interval=1)


@flow
def asking():
    print(get_run_context().flow_run.id, flush=True)
    return pause_flow_run(wait_for_input=Answer, timeout=100, poll_interval=1).value


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["pausing"]:
            pausing()
        case ["asking"]:
            assert asking() == 7
        case ["resume", run_id]:
            resume_flow_run(UUID(run_id))
        case ["answer", run_id]:
            resume_flow_run(UUID(run_id), run_input={"value": 7})

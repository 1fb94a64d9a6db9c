"""A script that only records needs neither SQLAlchemy nor anything else that takes long to import."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from headrace.orchestration.execution import OrchestratedExecution
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import ClaimRequest, Proposal, SlotRequest
from headrace.schema.run import FlowRunCreate
from headrace.schema.state import StateCreate, StateType
from headrace.storage.databases import open_database
from headrace.base.clock import now
from headrace.base.ids import uuid7

execution = OrchestratedExecution(open_database(sys.argv[1]))
flow = execution.register_flow(FlowCreate(name="etl"))
run = execution.create_flow_run(FlowRunCreate(flow_id=flow.id))
running = StateCreate(type=StateType.RUNNING)
execution.propose_flow_run_state(Proposal(flow_run_id=run.id, state=running, presence=execution.presence()))
execution.propose_flow_run_state(Proposal(flow_run_id=run.id, state=StateCreate(type=StateType.COMPLETED), epoch=1))
execution.claim_flow_runs(ClaimRequest(claimant="me", before=now(), limit=1))
execution.acquire_slots(SlotRequest(names=["db"], request_id=uuid7()))
execution.crash_if_dead()
execution.close()
heavy = {"sqlalchemy", "alembic", "psycopg", "pydantic", "asyncio", "litestar"}
print(*sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


def test_execution_needs_no_sqlalchemy(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/headrace.db"
    done = subprocess.run([sys.executable, "-c", SCRIPT, url], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")

"""What is told when somebody begins or ceases to serve."""

from headrace.base.clock import FrozenClock
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.loops.readiness import Readiness
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.event import Cursor
from headrace.schema.orchestration import DueRequest
from headrace.schema.work_pool import WorkerBeat, WorkPoolCreate, WorkPoolUpdate
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.conformance.scenes import Stage


def test_each_change_is_told_once(database: Database, database_url: str, clock: FrozenClock, stage: Stage) -> None:
    administration, readiness = OrchestratedAdministration(database, clock=clock), Readiness(database, clock)
    pool = administration.create_work_pool(WorkPoolCreate(name="pool"))
    made = administration.create_deployment(DeploymentCreate(name="prod", flow_id=stage.flow(), work_pool_name="pool"))
    cursor = Cursor()

    def told() -> list[str]:
        nonlocal cursor
        page = stage.execution.read_events(cursor, kinds=("custom",))
        cursor = page.cursor
        return sorted(str((event.body or {})["event"]) for event in page.events)

    assert readiness.run_once() == 0
    stage.execution.beat_worker(WorkerBeat(work_pool_name="pool", name="w", heartbeat_interval_seconds=10))
    stage.execution.list_due_flow_runs(DueRequest(work_pool_name="pool", before=stage.now, limit=1))
    assert readiness.run_once() == 4
    page = stage.execution.read_events(cursor, kinds=("custom",))
    bodies = {(event.body or {})["event"]: event.body or {} for event in page.events}
    ready = bodies["prefect.deployment.ready"]
    assert ready["resource"] == {
        "prefect.resource.id": f"prefect.deployment.{made.id}",
        "prefect.resource.name": "prod",
    }
    assert [each["prefect.resource.role"] for each in ready["related"]] == ["flow", "work-pool", "work-queue"]
    assert {f"prefect.work-pool.{pool.id}"} == {
        each["prefect.resource.id"] for each in bodies["prefect.work-queue.ready"]["related"]
    }
    assert told() == [
        "prefect.deployment.ready",
        "prefect.work-pool.ready",
        "prefect.work-queue.ready",
        "prefect.worker.online",
    ]
    with open_database(database_url) as other:
        assert Readiness(other, clock).run_once() == 0
    clock.advance(31)
    assert readiness.run_once() == 2
    assert told() == ["prefect.work-pool.not-ready", "prefect.worker.offline"]
    clock.advance(30)
    assert readiness.run_once() == 2
    assert told() == ["prefect.deployment.not-ready", "prefect.work-queue.not-ready"]
    administration.update_work_pool("pool", WorkPoolUpdate(is_paused=True))
    assert readiness.run_once() == 1
    assert told() == ["prefect.work-pool.paused"]
    assert readiness.run_once() == 0

from typing import Any
from uuid import UUID

import pytest
from msgspec import UNSET, structs

from headrace.base.errors import InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.deployment import (
    ConcurrencyOptions,
    Deployment,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentSort,
    DeploymentStatus,
    DeploymentUpdate,
)
from headrace.schema.filters import (
    AmountFilter,
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    NameFilter,
    PausedFilter,
    RunSelection,
    TagsFilter,
    TextFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from headrace.schema.orchestration import ClaimRequest
from headrace.schema.run import Page
from headrace.schema.schedule import (
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    Schedule,
)
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.schema.work_pool import WorkPoolCreate, WorkQueueCreate
from tests.conformance.scenes import Stage

HOURLY = DeploymentScheduleCreate(schedule=Schedule(cron="0 * * * *"), slug="hourly")
SCHEMA = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "who": {"type": "string"}},
    "required": ["x"],
}


def deploy(
    administration: Administration, stage: Stage, name: str = "prod", flow: str = "etl", **what: Any
) -> Deployment:
    return administration.create_deployment(DeploymentCreate(name=name, flow_id=stage.flow(flow), **what))


def test_a_deployment_is_kept_as_it_was_made(administration: Administration, stage: Stage) -> None:
    administration.create_work_pool(WorkPoolCreate(name="local"))
    made = deploy(
        administration,
        stage,
        paused=True,
        schedules=[HOURLY],
        concurrency_limit=2,
        concurrency_options=ConcurrencyOptions(collision_strategy="CANCEL_NEW"),
        parameter_openapi_schema=SCHEMA,
        parameters={"x": 1},
        tags=["a"],
        labels={"team": "data"},
        pull_steps=[{"set_working_directory": {"directory": "/srv"}}],
        work_pool_name="local",
        description="What it does",
        path="/srv",
        version="1",
        entrypoint="flows.py:etl",
        job_variables={"env": {"A": "1"}},
        version_info={"type": "git", "version": "abc"},
    )
    assert made == administration.read_deployment(made.id) == administration.read_deployment_by_name("etl", "prod")
    assert (made.work_pool_name, made.work_queue_name, made.paused) == ("local", "default", True)
    assert (made.tags, made.labels, made.parameters) == (["a"], {"team": "data"}, {"x": 1})
    assert (made.concurrency_limit, made.enforce_parameter_schema, made.status) == (2, True, DeploymentStatus.NOT_READY)
    (schedule,) = made.schedules
    assert (schedule.slug, schedule.schedule, schedule.active) == ("hourly", HOURLY.schedule, True)
    assert schedule.deployment_id == made.id


def test_the_same_name_again_is_the_same_deployment(administration: Administration, stage: Stage) -> None:
    first = deploy(administration, stage, version="1", schedules=[HOURLY])
    administration.pause_deployment(first.id)
    stage.clock.advance(1)
    again = deploy(administration, stage, version="2")
    assert (again.id, again.created, again.version, again.paused) == (first.id, first.created, "2", True)
    assert [schedule.id for schedule in again.schedules] == [schedule.id for schedule in first.schedules]
    assert deploy(administration, stage, schedules=[]).schedules == []
    assert deploy(administration, stage, paused=False).paused is False
    assert administration.count_deployments() == 1
    assert deploy(administration, stage, flow="other").id != first.id


def test_what_is_not_there_is_not_found(administration: Administration, stage: Stage) -> None:
    made = deploy(administration, stage, schedules=[HOURLY])
    for ask in (
        lambda: administration.read_deployment(uuid7()),
        lambda: administration.read_deployment_by_name("etl", "nothing"),
        lambda: administration.read_deployment_by_name("nothing", "prod"),
        lambda: administration.update_deployment(uuid7(), DeploymentUpdate()),
        lambda: administration.pause_deployment(uuid7()),
        lambda: administration.resume_deployment(uuid7()),
        lambda: administration.delete_deployment(uuid7()),
        lambda: administration.run_deployment(uuid7(), DeploymentFlowRunCreate()),
        lambda: administration.create_deployment_schedules(uuid7(), [HOURLY]),
        lambda: administration.update_deployment_schedule(made.id, uuid7(), DeploymentScheduleUpdate()),
        lambda: administration.delete_deployment_schedule(made.id, uuid7()),
        lambda: administration.create_deployment(DeploymentCreate(name="x", flow_id=uuid7())),
        lambda: deploy(administration, stage, work_pool_name="nowhere"),
    ):
        with pytest.raises(ObjectNotFound):
            ask()


def test_a_queue_without_a_pool_is_refused(administration: Administration, stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match="name the pool"):
        deploy(administration, stage, work_queue_name="fast")


def test_what_an_update_leaves_out_stays(administration: Administration, stage: Stage) -> None:
    administration.create_work_pool(WorkPoolCreate(name="local"))
    administration.create_work_queue("local", WorkQueueCreate(name="fast"))
    made = deploy(administration, stage, tags=["a"], parameters={"x": 1}, version="1", work_pool_name="local")
    administration.update_deployment(made.id, DeploymentUpdate(tags=["b"], version=None, work_queue_name="fast"))
    changed = administration.read_deployment(made.id)
    assert (changed.tags, changed.version, changed.parameters) == (["b"], None, {"x": 1})
    assert (changed.work_pool_name, changed.work_queue_name) == ("local", "fast")
    administration.update_deployment(made.id, DeploymentUpdate(work_pool_name=None, parameters=None))
    changed = administration.read_deployment(made.id)
    assert (changed.work_pool_name, changed.work_queue_name, changed.parameters) == (None, None, {})


def test_a_deployment_pauses_and_resumes(administration: Administration, stage: Stage) -> None:
    made = deploy(administration, stage)
    administration.pause_deployment(made.id)
    assert administration.read_deployment(made.id).paused is True
    administration.resume_deployment(made.id)
    assert administration.read_deployment(made.id).paused is False


def test_deployments_are_filtered_and_counted(administration: Administration, stage: Stage) -> None:
    administration.create_work_pool(WorkPoolCreate(name="local", type="docker"))
    administration.create_work_queue("local", WorkQueueCreate(name="fast"))
    wanted = deploy(
        administration,
        stage,
        "nightly",
        tags=["red"],
        paused=True,
        work_pool_name="local",
        work_queue_name="fast",
        concurrency_limit=3,
    )
    run = administration.run_deployment(wanted.id, DeploymentFlowRunCreate())
    other = deploy(administration, stage, "weekly", flow="other")
    for selection in (
        RunSelection(deployments=DeploymentFilter(id=IdFilter(any_=[wanted.id]))),
        RunSelection(deployments=DeploymentFilter(id=IdFilter(not_any_=[other.id]))),
        RunSelection(deployments=DeploymentFilter(name=TextFilter(like_="NIGHT"))),
        RunSelection(deployments=DeploymentFilter(flow_or_deployment_name=TextFilter(like_="etl"))),
        RunSelection(deployments=DeploymentFilter(flow_or_deployment_name=TextFilter(like_="nightl"))),
        RunSelection(deployments=DeploymentFilter(flow_or_deployment_name=TextFilter(any_=["etl"]))),
        RunSelection(deployments=DeploymentFilter(flow_or_deployment_name=TextFilter(any_=["nightly", "x"]))),
        RunSelection(deployments=DeploymentFilter(flow_or_deployment_name=TextFilter(not_any_=["other"]))),
        RunSelection(deployments=DeploymentFilter(work_queue_name=TextFilter(like_="FAS"))),
        RunSelection(deployments=DeploymentFilter(paused=PausedFilter(eq_=True))),
        RunSelection(deployments=DeploymentFilter(tags=TagsFilter(all_=["red"]))),
        RunSelection(deployments=DeploymentFilter(work_queue_name=TextFilter(any_=["fast"]))),
        RunSelection(deployments=DeploymentFilter(concurrency_limit=AmountFilter(ge_=3, le_=3))),
        RunSelection(deployments=DeploymentFilter(concurrency_limit=AmountFilter(is_null_=False))),
        RunSelection(flows=FlowFilter(name=TextFilter(any_=["etl"]))),
        RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[run.id]))),
        RunSelection(work_pools=WorkPoolFilter(type=TextFilter(any_=["docker"]))),
        RunSelection(work_pool_queues=WorkQueueFilter(name=NameFilter(startswith_=["fa"]))),
        RunSelection(work_queues=WorkQueueFilter(name=NameFilter(any_=["fast"]))),
    ):
        assert [found.id for found in administration.list_deployments(selection)] == [wanted.id]
        assert administration.count_deployments(selection) == 1
        assert [found.name for found in administration.list_flows(selection)] == ["etl"]
        assert [found.id for found in administration.list_flow_runs(selection)] == [run.id]
    for missing, count in ((False, 2), (True, 0)):
        named = DeploymentFilter(flow_or_deployment_name=TextFilter(is_null_=missing))
        assert administration.count_deployments(RunSelection(deployments=named)) == count
    assert (
        administration.list_deployments(RunSelection(work_queues=WorkQueueFilter(name=NameFilter(startswith_=[]))))
        == []
    )
    assert administration.count_deployments_by_flow([wanted.flow_id, run.id]) == {wanted.flow_id: 1, run.id: 0}


def test_numbers_that_no_database_holds_are_refused(administration: Administration, stage: Stage) -> None:
    deploy(administration, stage, concurrency_limit=3)
    for ask in (
        lambda: administration.list_deployments(page=Page(1, 2**70)),
        lambda: administration.count_deployments(
            RunSelection(deployments=DeploymentFilter(concurrency_limit=AmountFilter(ge_=2**70)))
        ),
        lambda: deploy(administration, stage, "huge", concurrency_limit=2**70),
    ):
        with pytest.raises(InvalidRequest):
            ask()


def test_deployments_are_listed_in_order(administration: Administration, stage: Stage) -> None:
    for name in "bca":
        deploy(administration, stage, name)
        stage.clock.advance(1)
    deploy(administration, stage, "b", description="changed")

    def names(sort: DeploymentSort, page: Page = Page()) -> str:
        return "".join(found.name for found in administration.list_deployments(None, sort, page))

    assert names(DeploymentSort.NAME_ASC) == "abc"
    assert names(DeploymentSort.NAME_DESC) == "cba"
    assert names(DeploymentSort.CREATED_DESC) == "acb"
    assert names(DeploymentSort.UPDATED_DESC) == "bac"
    assert names(DeploymentSort.NAME_ASC, Page(1, 1)) == "b"


def test_a_run_takes_what_its_deployment_gives(
    administration: Administration, execution: Execution, stage: Stage
) -> None:
    administration.create_work_pool(WorkPoolCreate(name="local"))
    made = deploy(
        administration,
        stage,
        parameters={"x": 1, "who": "me"},
        tags=["a"],
        labels={"team": "data"},
        version="3",
        work_pool_name="local",
    )
    run = administration.run_deployment(
        made.id,
        DeploymentFlowRunCreate(
            name="by-hand", parameters={"x": 2}, tags=["a", "b"], labels={"by": "me"}, job_variables={"cpu": 1}
        ),
    )
    assert run == execution.read_flow_run(run.id) == administration.list_flow_runs()[0]
    assert (run.name, run.parameters, run.tags) == ("by-hand", {"x": 2, "who": "me"}, ["a", "b"])
    assert (run.labels, run.job_variables) == ({"team": "data", "by": "me"}, {"cpu": 1})
    assert (run.deployment_id, run.deployment_version, run.auto_scheduled) == (made.id, "3", False)
    assert (run.work_pool_name, run.work_queue_name) == ("local", "default")
    assert (run.state_type, run.next_scheduled_start_time) == (StateType.SCHEDULED, stage.now)
    assert run.created_by
    assert (run.created_by.id, run.created_by.type, run.created_by.display_value) == (made.id, "DEPLOYMENT", "prod")


def test_a_run_waits_for_its_time(administration: Administration, execution: Execution, stage: Stage) -> None:
    made = deploy(administration, stage)
    state = StateCreate(type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=stage.after(60)))
    run = administration.run_deployment(made.id, DeploymentFlowRunCreate(state=state))
    assert run.expected_start_time == stage.after(60)
    early = ClaimRequest(claimant="me", before=stage.now, limit=9, deployment_ids=[made.id])
    assert execution.claim_flow_runs(early) == []
    assert administration.read_deployment(made.id).status is DeploymentStatus.READY
    late = ClaimRequest(claimant="me", before=stage.after(60), limit=9, deployment_ids=[made.id])
    assert [claim.flow_run.id for claim in execution.claim_flow_runs(late)] == [run.id]


def test_an_idempotency_key_makes_one_run(administration: Administration, stage: Stage) -> None:
    made = deploy(administration, stage)
    wanted = DeploymentFlowRunCreate(idempotency_key="once")
    assert administration.run_deployment(made.id, wanted).id == administration.run_deployment(made.id, wanted).id


def test_parameters_have_to_fit(administration: Administration, stage: Stage) -> None:
    made = deploy(administration, stage, parameter_openapi_schema=SCHEMA)

    def run(enforce: bool | None = None, **parameters: Any) -> UUID:
        return administration.run_deployment(
            made.id, DeploymentFlowRunCreate(parameters=parameters, enforce_parameter_schema=enforce)
        ).id

    run(x=1)
    run(enforce=False, x="one")
    with pytest.raises(InvalidRequest, match='x: "one" is not of type "integer"'):
        run(x="one")
    with pytest.raises(InvalidRequest, match='"x" is a required property'):
        run()
    administration.update_deployment(made.id, DeploymentUpdate(parameter_openapi_schema={"$ref": "http://localhost/x"}))
    with pytest.raises(InvalidRequest, match="parameter schema cannot be used"):
        run(x=1)
    administration.update_deployment(made.id, DeploymentUpdate(enforce_parameter_schema=False))
    run(x="one")


def test_parameters_of_schedules_have_to_fit(administration: Administration, stage: Stage) -> None:
    twice = [structs.replace(HOURLY, parameters=given) for given in ({"who": "me"}, {"x": "one"})]
    fits, other = twice
    refused = pytest.raises(InvalidRequest, match='x: "one" is not of type "integer"')
    with refused:
        deploy(administration, stage, parameter_openapi_schema=SCHEMA, schedules=[other])
    assert administration.count_deployments() == 0
    # What is missing comes from the deployment, or from nowhere, as its runs will tell.
    made = deploy(administration, stage, parameter_openapi_schema=SCHEMA, schedules=[fits])
    with refused:
        administration.create_deployment_schedules(made.id, [structs.replace(other, slug="other")])
    with refused:
        administration.update_deployment(
            made.id,
            DeploymentUpdate(
                schedules=[DeploymentScheduleUpdate(schedule=Schedule(interval=60), parameters={"x": "one"})]
            ),
        )
    (kept,) = administration.read_deployment(made.id).schedules
    with refused:
        administration.update_deployment_schedule(made.id, kept.id, DeploymentScheduleUpdate(parameters={"x": "one"}))
    assert administration.read_deployment(made.id).schedules == [kept]
    administration.update_deployment(made.id, DeploymentUpdate(enforce_parameter_schema=False))
    administration.update_deployment_schedule(made.id, kept.id, DeploymentScheduleUpdate(parameters={"x": "one"}))
    # It is as it is: to pause it takes no other parameters.
    administration.update_deployment(made.id, DeploymentUpdate(enforce_parameter_schema=True))
    administration.update_deployment_schedule(made.id, kept.id, DeploymentScheduleUpdate(active=False))


def test_a_deleted_deployment_leaves_no_run_waiting(
    administration: Administration, execution: Execution, stage: Stage
) -> None:
    made = deploy(administration, stage, schedules=[HOURLY])
    ended = administration.run_deployment(made.id, DeploymentFlowRunCreate())
    stage.propose(ended, StateType.COMPLETED)
    waiting = administration.run_deployment(made.id, DeploymentFlowRunCreate())
    administration.delete_deployment(made.id)
    assert administration.count_deployments() == 0
    assert execution.read_flow_run(ended.id).state_type is StateType.COMPLETED
    cancelled = execution.read_flow_run(waiting.id)
    assert cancelled.state
    assert (cancelled.state_type, cancelled.state.message) == (
        StateType.CANCELLED,
        "Its deployment 'prod' was deleted.",
    )


def test_a_flow_is_deleted_with_its_deployments(administration: Administration, stage: Stage) -> None:
    made = deploy(administration, stage, schedules=[HOURLY])
    administration.delete_flow(made.flow_id)
    assert administration.count_deployments() == 0


def test_schedules_are_added_changed_and_deleted(administration: Administration, stage: Stage) -> None:
    made = deploy(administration, stage)
    daily = DeploymentScheduleCreate(schedule=Schedule(interval=86_400, timezone="Europe/Berlin"), slug="daily")
    first, second = administration.create_deployment_schedules(made.id, [HOURLY, daily])
    assert administration.read_deployment(made.id).schedules == [first, second]
    with pytest.raises(ObjectAlreadyExists, match="'hourly'"):
        administration.create_deployment_schedules(made.id, [HOURLY])
    with pytest.raises(ObjectAlreadyExists, match="'hourly'"):
        administration.update_deployment_schedule(made.id, second.id, DeploymentScheduleUpdate(slug="hourly"))
    (instead,) = administration.create_deployment_schedules(
        made.id, [DeploymentScheduleCreate(schedule=Schedule(rrule="FREQ=DAILY"), slug="rule", replaces="daily")]
    )
    assert (instead.id, instead.slug, instead.schedule) == (second.id, "rule", Schedule(rrule="FREQ=DAILY"))
    administration.update_deployment_schedule(
        made.id,
        first.id,
        DeploymentScheduleUpdate(active=False, parameters={"x": 1}, max_scheduled_runs=2, schedule=UNSET),
    )
    changed = administration.read_deployment(made.id).schedules[0]
    assert (changed.active, changed.parameters, changed.max_scheduled_runs) == (False, {"x": 1}, 2)
    assert (changed.schedule, changed.slug) == (HOURLY.schedule, "hourly")
    administration.delete_deployment_schedule(made.id, first.id)
    assert [schedule.slug for schedule in administration.read_deployment(made.id).schedules] == ["rule"]


def test_an_update_replaces_all_schedules(administration: Administration, stage: Stage) -> None:
    made = deploy(administration, stage, schedules=[HOURLY])
    renamed = DeploymentScheduleUpdate(schedule=Schedule(cron="0 * * * *"), slug="each hour", replaces="hourly")
    daily = DeploymentScheduleUpdate(schedule=Schedule(cron="@daily"))
    administration.update_deployment(made.id, DeploymentUpdate(schedules=[renamed, daily]))
    first, second = administration.read_deployment(made.id).schedules
    assert (first.id, first.slug) == (made.schedules[0].id, "each hour")
    assert second.schedule == Schedule(cron="@daily")
    administration.update_deployment(made.id, DeploymentUpdate(schedules=[]))
    assert administration.read_deployment(made.id).schedules == []


@pytest.mark.parametrize(
    "schedule", [Schedule(), Schedule(cron="1 2 3"), Schedule(cron="@daily", timezone="Mars"), Schedule(rrule="x")]
)
def test_what_is_no_schedule_is_refused(administration: Administration, stage: Stage, schedule: Schedule) -> None:
    made = deploy(administration, stage)
    wrong = DeploymentScheduleCreate(schedule=schedule)
    with pytest.raises(InvalidRequest):
        administration.create_deployment_schedules(made.id, [wrong])
    with pytest.raises(InvalidRequest):
        deploy(administration, stage, schedules=[wrong])
    with pytest.raises(ObjectAlreadyExists):
        deploy(administration, stage, schedules=[HOURLY, HOURLY])
    with pytest.raises(InvalidRequest):
        administration.update_deployment(made.id, DeploymentUpdate(schedules=[DeploymentScheduleUpdate()]))

import pytest

from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.schema.overview import ObservedState, ObservedStateSort
from headrace.schema.state import StateCreate, StateType
from headrace.schema.workspace import Scope
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage

BY_NAME = ObservedStateSort.NAME_ASC


def test_states_are_observed_as_long_as_runs_are_in_them(administration: Administration, stage: Stage) -> None:
    assert administration.list_observed_states() == []
    first = stage.run()
    began = stage.now
    stage.clock.advance(10)
    stage.run(state=StateCreate(type=StateType.PENDING))
    running = stage.running()
    stage.clock.advance(10)
    stage.propose(running, StateType.COMPLETED, "Skipped 100%")
    assert administration.list_observed_states() == [
        ObservedState(
            state_type=StateType.COMPLETED, state_name="Skipped 100%", first_seen=stage.now, last_seen=stage.now
        ),
        ObservedState(state_type=StateType.PENDING, state_name="Pending", first_seen=began, last_seen=stage.after(-10)),
    ]
    administration.delete_flow_run(running.id)
    administration.delete_flow_run(first.id)
    assert [(each.state_name, each.first_seen) for each in administration.list_observed_states()] == [
        ("Pending", stage.after(-10))
    ]


def test_observed_states_are_searched_ordered_and_cut(administration: Administration, stage: Stage) -> None:
    for name in ("b", "A", "c", "Ab"):
        stage.propose(stage.running(), StateType.COMPLETED, name)
        stage.clock.advance(1)

    def names(query: str | None = None, sort: ObservedStateSort = BY_NAME, limit: int = 200) -> list[str]:
        return [state.state_name for state in administration.list_observed_states(query, sort, limit)]

    assert names() == ["A", "Ab", "b", "c"]
    assert names("B") == ["Ab", "b"]
    assert names("%") == []
    assert names(limit=1) == ["A"]
    assert names(sort=ObservedStateSort.LAST_SEEN_DESC, limit=2) == ["Ab", "c"]
    with pytest.raises(InvalidRequest):
        names(limit=201)


def test_the_run_that_is_due_next_is_found_for_each_flow(
    implementation: Orchestrations, administration: Administration, stage: Stage
) -> None:
    stage.scheduled(50, flow="etl")
    soon = stage.scheduled(20, flow="etl", name="soon")
    stage.running(flow="etl")
    stage.scheduled(10, flow="other")
    idle = stage.flow("idle")
    found = administration.list_next_flow_runs([soon.flow_id, idle, uuid7()])
    assert len(found) == 3
    run = found[soon.flow_id]
    assert run is not None
    assert (run.id, run.name, run.flow_id) == (soon.id, "soon", soon.flow_id)
    assert (run.state_type, run.next_scheduled_start_time) == (StateType.SCHEDULED, stage.after(20))
    assert found[idle] is None
    elsewhere = implementation.open(Scope(workspace_id=uuid7())).administration
    assert elsewhere.list_next_flow_runs([soon.flow_id]) == {soon.flow_id: None}
    assert elsewhere.list_observed_states() == []
    with pytest.raises(InvalidRequest):
        administration.list_next_flow_runs([uuid7() for _ in range(201)])

import pytest

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.cli.lookup import find_flow_run, find_task_run, read_flow_names, read_pages
from headrace.schema.flow import Flow
from headrace.schema.run import Page
from headrace.schema.state import StateType
from tests.unit.cli.memory import MemoryAdministration, number


@pytest.fixture
def administration() -> MemoryAdministration:
    return MemoryAdministration()


def flows(amount: int) -> list[Flow]:
    return [Flow(id=number(value), name=str(value)) for value in range(amount)]


@pytest.mark.parametrize(
    ("amount", "limit", "found"), [(5, None, 5), (450, None, 450), (450, 300, 300), (400, None, 400)]
)
def test_lists_are_read_page_by_page(amount: int, limit: int | None, found: int) -> None:
    asked: list[Page] = []

    def fetch(page: Page) -> list[Flow]:
        asked.append(page)
        return flows(amount)[page.offset : page.offset + page.limit]

    assert read_pages(fetch, limit) == flows(amount)[:found]
    assert all(page.limit <= 200 for page in asked)


def test_what_moves_to_the_next_page_is_taken_once() -> None:
    """While the second page is read, another object has arrived at the front."""
    everything = flows(300)

    def fetch(page: Page) -> list[Flow]:
        shift = 1 if page.offset else 0
        return everything[max(page.offset - shift, 0) : page.offset - shift + page.limit]

    found = read_pages(fetch)
    assert len({flow.id for flow in found}) == len(found) == 300


def test_a_run_is_found_by_its_id_or_by_a_name_that_is_its_own(administration: MemoryAdministration) -> None:
    flow = administration.add_flow(1, "f")
    run = administration.add_flow_run(10, flow, "quiet-heron", StateType.COMPLETED)
    administration.add_flow_run(11, flow, "twin-otter", StateType.COMPLETED)
    administration.add_flow_run(12, flow, "twin-otter", StateType.COMPLETED)
    task_run = administration.add_task_run(20, run, "fetch-0", StateType.COMPLETED)
    with administration.open() as opened:
        assert find_flow_run(opened, str(run.id)) is run
        assert find_flow_run(opened, str(run.id).upper().replace("-", "")) is run
        assert find_flow_run(opened, "quiet-heron") is run
        assert find_task_run(opened, "fetch-0") is task_run
        assert find_task_run(opened, str(task_run.id)) is task_run
        with pytest.raises(InvalidRequest, match=r"Several flow runs are called 'twin-otter'; .*headrace flow-run ls"):
            find_flow_run(opened, "twin-otter")
        with pytest.raises(ObjectNotFound, match="There is no flow run 'quiet'"):
            find_flow_run(opened, "quiet")
        with pytest.raises(ObjectNotFound):
            find_task_run(opened, str(run.id))


def test_names_of_very_many_flows_are_read_in_pages(administration: MemoryAdministration) -> None:
    known = {administration.add_flow(value, f"flow {value}").id: f"flow {value}" for value in range(450)}
    with administration.open() as opened:
        assert read_flow_names(opened, [*known, *known]) == known
    assert len(administration.pages) == 3

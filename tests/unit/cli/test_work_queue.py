import json
from uuid import uuid4

import pytest

from headrace.schema.state import StateType
from headrace.schema.work_pool import WorkQueue
from tests.unit.cli.conftest import Terminal


@pytest.fixture(autouse=True)
def pools(terminal: Terminal) -> None:
    for name in ("local", "big"):
        terminal.read("work-pool", "create", name)
    terminal.read("work-queue", "create", "urgent", "--pool", "local", "--priority", "1", "--limit", "2")


def find(terminal: Terminal, name: str) -> WorkQueue:
    (queue,) = [queue for queue in terminal.administration.queues.values() if queue.name == name]
    return queue


def test_create(terminal: Terminal) -> None:
    queue = find(terminal, "urgent")
    assert (queue.work_pool_name, queue.priority, queue.concurrency_limit) == ("local", 1, 2)
    shown = terminal.read("work-queue", "create", "later", "-p", "big", "--paused", "--description", "d")
    assert shown == "Created work queue later in big, with priority 2.\n"
    assert (find(terminal, "later").is_paused, find(terminal, "later").description) == (True, "d")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (["urgent", "-p", "local"], "already"),
        (["x"], "--pool"),
        (["x", "-p", "lokal"], "did you mean 'local'?"),
        (["a/b", "-p", "local"], "'a/b' is no name for a work queue"),
        (["x", "-p", "local", "-q", "0"], "0"),
        (["x", "-p", "local", "-l", "-1"], "-1"),
    ],
)
def test_create_refuses(terminal: Terminal, bad: list[str], said: str) -> None:
    assert said in terminal.fail("work-queue", "create", *bad)
    assert len(terminal.administration.queues) == 3


def test_ls(terminal: Terminal) -> None:
    head, *rows = terminal.read("work-queue", "ls").splitlines()
    assert head.split() == ["Name", "Pool", "Priority", "Status", "Slots", "Last", "asked", "ID"]
    assert [row.split()[:2] for row in rows] == [["default", "big"], ["default", "local"], ["urgent", "local"]]
    assert len(json.loads(terminal.read("work-queue", "ls", "-p", "local", "-o", "json"))) == 2
    assert all(len(line) <= 80 for line in terminal.read("work-queue", "ls", width=80).splitlines())
    assert "did you mean 'big'?" in terminal.fail("work-queue", "ls", "-p", "bigg")
    terminal.administration.queues.clear()
    assert "There are no such work queues" in terminal.read("work-queue", "ls")


def test_inspect(terminal: Terminal) -> None:
    queue = find(terminal, "urgent")
    shown = terminal.read("work-queue", "inspect", "urgent")
    for line in ("Work queue urgent", f"ID          {queue.id}", "Work pool   local", "Slots       0 of 2"):
        assert line in shown
    assert terminal.read("work-queue", "inspect", str(queue.id)) == shown
    assert json.loads(terminal.read("work-queue", "inspect", "urgent", "-o", "json"))["priority"] == 1


def test_a_name_that_several_pools_have_needs_the_pool(terminal: Terminal) -> None:
    assert "name one with --pool" in terminal.fail("work-queue", "pause", "default")
    assert terminal.read("work-queue", "pause", "default", "-p", "big") == "Paused work queue default of big.\n"
    paused = [queue.work_pool_name for queue in terminal.administration.queues.values() if queue.is_paused]
    assert paused == ["big"]


def test_pause_resume_limits_and_delete(terminal: Terminal) -> None:
    terminal.read("work-queue", "pause", "urgent")
    assert find(terminal, "urgent").is_paused
    terminal.read("work-queue", "resume", "urgent")
    assert not find(terminal, "urgent").is_paused
    shown = terminal.read("work-queue", "set-concurrency-limit", "urgent", "7")
    assert shown == "Work queue urgent of local executes at most 7 at once.\n"
    assert find(terminal, "urgent").concurrency_limit == 7
    assert "no limit" in terminal.read("work-queue", "clear-concurrency-limit", "urgent")
    assert find(terminal, "urgent").concurrency_limit is None
    assert terminal.read("work-queue", "delete", "urgent") == "Deleted work queue urgent of local.\n"
    assert len(terminal.administration.queues) == 2
    assert "default queue" in terminal.fail("work-queue", "delete", "default", "-p", "big")


def test_a_queue_that_is_not_there_is_an_error(terminal: Terminal) -> None:
    assert "no work queue 'urgnt'; did you mean 'urgent'?" in terminal.fail("work-queue", "inspect", "urgnt")
    assert "no work queue 'urgent' in work pool 'big'." in terminal.fail("work-queue", "inspect", "urgent", "-p", "big")
    assert "no work pool 'bg'" in terminal.fail("work-queue", "preview", "urgent", "-p", "bg")
    assert "There is no work queue with id" in terminal.fail("work-queue", "inspect", str(uuid4()))


@pytest.mark.parametrize("command", [["work-pool", "delete", "local"], ["work-queue", "delete", "urgent"]])
def test_deleting_asks_when_told_to(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setattr("builtins.input", lambda: "n")
    ended = terminal.type("--prompt", *command)
    assert (ended.code, len(terminal.administration.pools), len(terminal.administration.queues)) == (1, 2, 3)
    assert ended.err.endswith("Error: Nothing was deleted.\n")


def test_queues_whose_names_begin_so(terminal: Terminal) -> None:
    found = json.loads(terminal.read("work-queue", "ls", "--match", "urg", "-o", "json"))
    assert [each["name"] for each in found] == ["urgent"]
    assert "There are no such work queues" in terminal.read("work-queue", "ls", "-m", "x")


def test_slots_of_a_queue(terminal: Terminal) -> None:
    queue = find(terminal, "urgent")
    world = terminal.administration
    flow = world.add_flow(1, "f")
    world.add_flow_run(10, flow, "busy", StateType.RUNNING, work_queue_id=queue.id, work_queue_name="urgent")
    world.add_flow_run(11, flow, "done", StateType.COMPLETED, work_queue_id=queue.id)
    shown = terminal.read("work-queue", "slots", "urgent")
    assert shown.startswith("Work queue urgent of local: 0 of 2 slots taken.\n")
    assert "busy" in shown
    assert "done" not in shown
    found = json.loads(terminal.read("work-queue", "slots", "urgent", "-o", "json"))
    assert [run["name"] for run in found["flow_runs"]] == ["busy"]
    assert terminal.read("work-queue", "read-runs", "urgent") == terminal.read("work-queue", "preview", "urgent")

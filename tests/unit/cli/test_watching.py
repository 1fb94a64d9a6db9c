"""How a run is followed. Time passes as the tests say: the command line waits, and then the next moment happens."""

import pytest
from rich.text import Text

from headrace.base.errors import Unavailable
from headrace.schema.deployment import Deployment
from headrace.schema.run import FlowRun
from headrace.schema.state import State, StateType
from headrace.testing.frozen import frozen_clock
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import MemoryAdministration, at, number


@pytest.fixture
def world(terminal: Terminal) -> MemoryAdministration:
    return terminal.administration


@pytest.fixture(autouse=True)
def run(world: MemoryAdministration) -> FlowRun:
    """A run that was scheduled and executes now."""
    made = world.add_flow_run(10, world.add_flow(1, "f"), "quiet-heron", StateType.RUNNING, start_time=at(50))
    world.states[made.id] = [State(type=StateType.SCHEDULED, timestamp=at(2000)), *world.states[made.id]]
    return made


def messages(shown: str) -> list[str]:
    """What the lines say, without when."""
    return [line.partition(" | ")[2] or line for line in shown.splitlines()]


def test_states_and_lines_are_shown_once_in_order_of_time(
    terminal: Terminal, world: MemoryAdministration, run: FlowRun
) -> None:
    task = world.add_task_run(21, run, "fetch-0", StateType.RUNNING)
    world.add_log(1, "early", flow_run_id=run.id)

    def go_on() -> None:
        world.add_log(980, "working", level=30, flow_run_id=run.id, task_run_id=task.id)
        world.add_log(981, "another run's", flow_run_id=number(11))

    def end() -> None:
        world.enter(run, StateType.COMPLETED, "All well", ago=0)
        world.add_log(990, "the last", flow_run_id=run.id)

    world.moments = [go_on, lambda: None, end]
    shown = terminal.read("flow-run", "watch", "quiet-heron")
    assert messages(shown) == [
        "STATE    | Flow run 'quiet-heron' is Scheduled",
        "INFO     | Flow run 'quiet-heron' - early",
        "STATE    | Flow run 'quiet-heron' is Pending",
        "STATE    | Flow run 'quiet-heron' is Running",
        "WARNING  | Task run 'fetch-0' - working",
        "INFO     | Flow run 'quiet-heron' - the last",
        "STATE    | Flow run 'quiet-heron' is Completed - All well",
        "Flow run quiet-heron ended Completed in 0ms",
    ]
    assert world.waits == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("kind", [StateType.FAILED, StateType.CRASHED, StateType.CANCELLED])
def test_a_run_that_does_not_complete_is_an_error(
    terminal: Terminal, world: MemoryAdministration, run: FlowRun, kind: StateType
) -> None:
    world.moments = [lambda: world.enter(run, kind, "no\nluck")]
    ended = terminal.type("flow-run", "watch", "quiet-heron")
    assert ended.code == 1
    assert ended.err == f"Error: Flow run quiet-heron ended {kind.capitalize()}: no luck\n"
    assert f"is {kind.capitalize()} - no" in ended.out


def test_of_many_lines_the_last_are_shown_and_from_then_on_all(
    terminal: Terminal, world: MemoryAdministration, run: FlowRun
) -> None:
    for value in range(300):
        world.add_log(value, f"line {value}", flow_run_id=run.id)

    def write_much() -> None:
        for value in range(300, 800):
            world.add_log(value, f"line {value}", flow_run_id=run.id)

    world.moments = [write_much, lambda: None, lambda: world.enter(run, StateType.COMPLETED)]
    lines = [line for line in messages(terminal.read("flow-run", "watch", "quiet-heron")) if "INFO" in line]
    assert [int(line.rpartition(" ")[2]) for line in lines] == list(range(280, 800))


def test_a_line_that_was_being_written_while_later_ones_were_read_is_not_lost(
    terminal: Terminal, world: MemoryAdministration, run: FlowRun
) -> None:
    world.add_log(1, "before", flow_run_id=run.id)

    def write_late() -> None:
        world.add_log(2, "slow", flow_run_id=run.id)
        slow = world.logs.pop()
        world.add_log(3, "fast", flow_run_id=run.id)
        world.moments.insert(0, lambda: world.logs.insert(1, slow))

    world.moments = [write_late, lambda: world.enter(run, StateType.COMPLETED)]
    lines = [line for line in messages(terminal.read("flow-run", "watch", "quiet-heron")) if "INFO" in line]
    assert [line.rpartition(" ")[2] for line in lines] == ["before", "fast", "slow"]


def test_an_outage_is_waited_out(terminal: Terminal, world: MemoryAdministration, run: FlowRun) -> None:
    def fall_silent() -> None:
        world.outage = Unavailable("Nothing answers.", retry_after=7)

    def come_back() -> None:
        world.outage = None
        world.add_log(1, "meanwhile", flow_run_id=run.id)
        world.enter(run, StateType.COMPLETED)

    world.moments = [fall_silent, lambda: None, come_back]
    ended = terminal.type("flow-run", "watch", str(run.id), "--interval", "2")
    assert ended.code == 0
    assert ended.err == "Warning: Nothing answers. Trying again until it answers.\n", "said once"
    assert "meanwhile" in ended.out
    assert world.waits == [2.0, 7.0, 7.0]


def test_an_outage_does_not_last_for_ever(terminal: Terminal, world: MemoryAdministration, run: FlowRun) -> None:
    terminal.environ["HEADRACE_OUTAGE_LIMIT_SECONDS"] = "60"
    with frozen_clock() as clock:

        def fall_silent() -> None:
            world.outage = Unavailable("Nothing answers.")

        world.moments = [fall_silent, lambda: clock.advance(59), lambda: clock.advance(2)]
        ended = terminal.type("flow-run", "watch", str(run.id))
    assert ended.code == 1
    assert ended.err.endswith("Error: Nothing answers.\n")
    assert world.moments == []


def test_watching_ends_at_its_time_limit(terminal: Terminal, world: MemoryAdministration, run: FlowRun) -> None:
    with frozen_clock() as clock:
        world.moments = [lambda: clock.advance(1), lambda: clock.advance(0.5)]
        said = terminal.fail("flow-run", "watch", str(run.id), "--timeout", "1.5")
    assert said == "Error: The run has not ended within 1.5s; it goes on."
    assert world.waits == [1.0, 0.5]


def test_a_run_that_is_deleted_meanwhile_is_an_error(
    terminal: Terminal, world: MemoryAdministration, run: FlowRun
) -> None:
    world.moments = [lambda: world.delete_flow_run(run.id)]
    assert "There is no flow run" in terminal.fail("flow-run", "watch", str(run.id))


def test_ctrl_c_ends_the_watching_and_not_the_run(
    terminal: Terminal, world: MemoryAdministration, run: FlowRun
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    world.moments = [interrupt]
    ended = terminal.type("flow-run", "watch", "quiet-heron")
    assert ended.code == 130
    assert ended.err == f"The run goes on; `headrace flow-run watch {run.id}` follows it again.\n"


def test_a_terminal_shows_what_the_run_is_doing(terminal: Terminal, world: MemoryAdministration, run: FlowRun) -> None:
    def fall_silent() -> None:
        world.outage = Unavailable("Nothing answers.")

    def end() -> None:
        world.outage = None
        world.add_log(1, "the only line", flow_run_id=run.id)
        world.enter(run, StateType.COMPLETED)

    world.moments = [fall_silent, end]
    ended = terminal.type("flow-run", "watch", "quiet-heron", in_color=True)
    assert ended.code == 0
    shown = Text.from_ansi(ended.out).plain
    assert "quiet-heron is Running" in shown
    assert "Ctrl-C stops watching, not the run" in shown
    assert shown.count("the only line") == 1
    assert ended.out.count("\x1b[?25l") == ended.out.count("\x1b[?25h") == 2, "the cursor is given back each time"


def test_a_deployment_is_run_and_watched(terminal: Terminal, world: MemoryAdministration) -> None:
    world.add_deployment(Deployment(id=number(21), name="daily", flow_id=number(1)))

    def end(kind: StateType) -> None:
        made = next(run for run in world.flow_runs.values() if run.name == "new-run")
        world.enter(made, kind)
        made.name = "old-run"

    world.moments = [lambda: end(StateType.COMPLETED)]
    shown = terminal.read("deployment", "run", "daily", "--watch", "--watch-interval", "0.5")
    assert messages(shown)[-1] == "Flow run old-run ended Completed"
    world.moments = [lambda: end(StateType.FAILED)]
    assert terminal.type("deployment", "run", "daily", "--watch").code == 1
    with frozen_clock() as clock:
        world.moments = [lambda: clock.advance(3)]
        assert "within 3.0s" in terminal.fail("deployment", "run", "daily", "--watch", "--watch-timeout", "3")
    assert world.waits == [0.5, 1.0, 1.0]

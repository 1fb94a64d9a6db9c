import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from headrace.schema.orchestration import Decision, Proposal, Verb
from headrace.schema.run import FlowRun
from headrace.schema.state import State, StateType
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import NOW, at, number


@pytest.fixture
def facts(terminal: Terminal) -> FlowRun:
    """A flow run with everything that a run can have."""
    world = terminal.administration
    flow, cats = world.add_flow(1, "animal-facts"), world.add_flow(2, "fetch-cat-fact")
    run = world.add_flow_run(
        10,
        flow,
        "quiet-heron",
        StateType.COMPLETED,
        start_time=at(120),
        end_time=at(110),
        total_run_time=10.0,
        run_count=1,
        tags=["nightly"],
        parameters={"limit": 5},
        idempotency_key="once",
    )
    world.states[run.id] = [
        State(type=StateType.PENDING, timestamp=at(121)),
        State(type=StateType.RUNNING, timestamp=at(120)),
        State(type=StateType.COMPLETED, timestamp=at(110), message="All states completed."),
    ]
    first = world.add_task_run(
        21, run, "fetch-0", StateType.COMPLETED, start_time=at(119), total_run_time=0.25, run_count=3
    )
    world.add_task_run(22, run, "fetch-1", StateType.FAILED, start_time=at(118), total_run_time=2.0, run_count=1)
    world.add_flow_run(11, cats, "brave-otter", StateType.CRASHED, start_time=at(115), parent_task_run_id=first.id)
    report = "# Report\n\n| model | rmse |\n|--|--|\n| xgb | **6.5** |\n"
    world.add_artifact(31, "markdown", report, key="the-report", flow_run_id=run.id)
    return run


class TestLs:
    def test_shows_runs_newest_first(self, terminal: Terminal, facts: FlowRun) -> None:
        head, newer, older = terminal.read("flow-run", "ls").splitlines()
        assert head.split() == ["ID", "Flow", "Name", "State", "When", "Duration", "Tries", "Tags"]
        assert newer.split() == [str(number(11)), "fetch-cat-fact", "brave-otter", "Crashed", "1m", "ago", "0ms", "0"]
        assert older.split()[:4] == [str(facts.id), "animal-facts", "quiet-heron", "Completed"]

    def test_fits_eighty_columns_with_whole_ids(self, terminal: Terminal, facts: FlowRun) -> None:
        lines = terminal.read("flow-run", "ls", width=80).splitlines()
        assert all(len(line) <= 80 for line in lines)
        assert str(facts.id) in lines[2]

    def test_json_is_the_wire_form(self, terminal: Terminal, facts: FlowRun) -> None:
        found = msgspec.json.decode(terminal.read("flow-run", "ls", "-o", "json", width=20), type=list[FlowRun])
        assert found[1] == facts

    def test_filters(self, terminal: Terminal, facts: FlowRun) -> None:
        def ids(*arguments: str) -> list[UUID]:
            return [UUID(run["id"]) for run in json.loads(terminal.read("flow-run", "ls", "-o", "json", *arguments))]

        assert ids("--flow-name", "animal-facts") == [facts.id]
        assert ids("--flow-name", "animal-facts", "--flow-name", "fetch-cat-fact") == [number(11), facts.id]
        assert ids("--state", "crashed") == [number(11)]
        assert ids("--state-type", "COMPLETED") == ids("--state-type", "completed") == [facts.id]
        assert ids("--state", "Completed", "--state-type", "crashed") == []
        assert ids("--limit", "1") == [number(11)]
        assert ids("--state", "My own") == []

    def test_reads_no_more_than_asked_for(self, terminal: Terminal) -> None:
        flow = terminal.administration.add_flow(1, "f")
        for value in range(500):
            terminal.administration.add_flow_run(1000 + value, flow, "r", StateType.COMPLETED)
        assert len(json.loads(terminal.read("flow-run", "ls", "-o", "json"))) == 15
        assert len(json.loads(terminal.read("flow-run", "ls", "-o", "json", "--limit", "450"))) == 450

    def test_says_when_there_are_none(self, terminal: Terminal) -> None:
        assert terminal.read("flow-run", "ls").strip() == "There are no such flow runs."
        assert json.loads(terminal.read("flow-run", "ls", "-o", "json")) == []

    @pytest.mark.parametrize("bad", [("--limit", "0"), ("--limit", "x"), ("--state-type", "x"), ("-o", "xml"), ("x",)])
    def test_refuses(self, terminal: Terminal, bad: tuple[str, ...]) -> None:
        terminal.fail("flow-run", "ls", *bad)

    def test_other_peoples_text_cannot_touch_the_terminal(self, terminal: Terminal) -> None:
        flow = terminal.administration.add_flow(1, "f\x1b[2J")
        terminal.administration.add_flow_run(2, flow, "a\nb\x1b]0;x\x07", StateType.COMPLETED, tags=["[red]t[/red]"])
        shown = terminal.read("flow-run", "ls")
        assert "\x1b" not in shown
        assert "a b" in shown
        assert "[red]t[/red]" in shown


class TestInspect:
    def test_shows_all_there_is(self, terminal: Terminal, facts: FlowRun) -> None:
        shown = terminal.read("flow-run", "inspect", "quiet-heron", width=120)
        for line in (
            "Flow run quiet-heron",
            f"  ID               {facts.id}",
            "  Flow             animal-facts",
            "  State            Completed",
            "  Started          2026-03-01 11:58:00 (2m ago)",
            "  Ended            2026-03-01 11:58:10 (1m ago)",
            "  Duration         10s",
            "  Tags             nightly",
            '  Parameters       {"limit":5}',
            "  Idempotency key  once",
            "States",
            "  Running    11:58:00.000     10s",
            "  Completed  11:58:10.000          All states completed.",
            "Task runs (2)",
            f"  {number(21)}  fetch-0  Completed      3     250ms  +1.0s",
            f"  {number(22)}  fetch-1  Failed         1      2.0s  +2.0s",
            "Subflow runs (1)",
            f"  {number(11)}  fetch-cat-fact  brave-otter  Crashed",
            "Artifacts (1)",
            f"  the-report  markdown  {number(31)}",
        ):
            assert line in shown
        assert "**" not in shown, "markdown is rendered"
        assert "xgb" in shown

    @pytest.mark.parametrize("width", [80, 120, 200])
    def test_fits(self, terminal: Terminal, facts: FlowRun, width: int) -> None:
        shown = terminal.read("flow-run", "inspect", str(facts.id), width=width)
        assert all(len(line) <= width for line in shown.splitlines())
        assert str(number(21)) in shown

    def test_a_subflow_run_names_its_parent(self, terminal: Terminal, facts: FlowRun) -> None:
        shown = terminal.read("flow-run", "inspect", "brave-otter")
        assert f"Parent    quiet-heron ({facts.id})" in shown
        assert "Task runs" not in shown

    def test_json_is_the_wire_form_with_the_states(self, terminal: Terminal, facts: FlowRun) -> None:
        text = terminal.read("flow-run", "inspect", str(facts.id), "-o", "json")
        assert msgspec.json.decode(text, type=FlowRun) == facts
        assert [state["type"] for state in json.loads(text)["states"]] == ["PENDING", "RUNNING", "COMPLETED"]

    def test_a_run_of_very_many_tasks_shows_the_last_and_counts_all(self, terminal: Terminal) -> None:
        world = terminal.administration
        run = world.add_flow_run(1, world.add_flow(1, "f"), "big", StateType.COMPLETED)
        for value in range(1500):
            kind = StateType.FAILED if value % 500 == 0 else StateType.COMPLETED
            world.add_task_run(10_000 + value, run, f"t-{value}", kind)
        for value in range(60):
            parent = number(10_000 + value)
            world.add_flow_run(
                20_000 + value, world.flows[number(1)], "s", StateType.COMPLETED, parent_task_run_id=parent
            )
        for value in range(25):
            world.add_artifact(30_000 + value, "link", "http://x", flow_run_id=run.id)
        shown = terminal.read("flow-run", "inspect", "big")
        assert "Task runs (the last 100 of 1,500: 1,497 Completed, 3 Failed)" in shown
        assert "Subflow runs (the last 50 of 60)" in shown
        assert "Artifacts (the last 20 of 25)" in shown
        assert "t-1499" in shown
        assert "t-1399" not in shown

    def test_a_run_that_waits_shows_what_is_known(self, terminal: Terminal) -> None:
        world = terminal.administration
        world.add_flow_run(
            1,
            world.add_flow(1, "f"),
            "later",
            StateType.SCHEDULED,
            expected_start_time=at(-7200),
            parameters={"x": "y" * 5000},
            work_pool_name="pool",
        )
        shown = terminal.read("flow-run", "inspect", "later")
        assert "Expected    2026-03-01 14:00:00 (in 2h)" in shown
        assert "Duration    –" in shown
        assert "Work pool   pool" in shown
        assert "more)" in shown

    def test_a_run_that_is_not_there_is_an_error(self, terminal: Terminal) -> None:
        assert "There is no flow run" in terminal.fail("flow-run", "inspect", str(number(404)))
        assert "There is no flow run 'x'" in terminal.fail("flow-run", "inspect", "x")
        assert terminal.fail("flow-run", "inspect")


class TestLogs:
    @pytest.fixture(autouse=True)
    def lines(self, terminal: Terminal, facts: FlowRun) -> None:
        for value in range(300):
            terminal.administration.add_log(value, f"line {value}", flow_run_id=facts.id)
        terminal.administration.add_log(900, "another run's", flow_run_id=number(11))

    def numbers(self, terminal: Terminal, *arguments: str) -> list[int]:
        lines = terminal.read("flow-run", "logs", "quiet-heron", *arguments).splitlines()
        return [int(line.rpartition(" ")[2]) for line in lines]

    def test_all_are_shown_oldest_first(self, terminal: Terminal) -> None:
        assert self.numbers(terminal) == list(range(300))

    @pytest.mark.parametrize(
        ("arguments", "shown"),
        [
            (("--head",), range(20)),
            (("-h", "-n", "3"), range(3)),
            (("-n", "250"), range(250)),
            (("--tail",), range(280, 300)),
            (("-t", "--num-logs", "2"), (298, 299)),
            (("-t", "-n", "2", "-r"), (299, 298)),
            (("-h", "-n", "2", "--reverse"), (1, 0)),
            (("--reverse",), range(299, -1, -1)),
        ],
    )
    def test_some_are_shown(self, terminal: Terminal, arguments: tuple[str, ...], shown: range) -> None:
        assert self.numbers(terminal, *arguments) == list(shown)

    def test_json_is_the_wire_form(self, terminal: Terminal) -> None:
        found = json.loads(terminal.read("flow-run", "logs", "quiet-heron", "-o", "json", "-t", "-n", "1"))
        assert [line["message"] for line in found] == ["line 299"]

    def test_a_line_shows_time_and_level_and_keeps_its_shape(self, terminal: Terminal, facts: FlowRun) -> None:
        terminal.administration.logs.clear()
        terminal.administration.add_log(0, "one\n  two" + " long" * 60, level=40, flow_run_id=facts.id)
        terminal.administration.add_log(1, "\x1b[31mred\x1b[0m [bold]x[/bold]", level=15, flow_run_id=facts.id)
        shown = terminal.type("flow-run", "logs", "quiet-heron", width=80).out
        assert shown.splitlines() == [
            "2026-03-01 11:43:20.000 | ERROR    | Flow run 'quiet-heron' - one",
            "  two" + " long" * 60,
            "2026-03-01 11:43:21.000 | Level 15 | Flow run 'quiet-heron' - red [bold]x[/bold]",
        ]

    def test_a_line_says_whose_it_is(self, terminal: Terminal, facts: FlowRun) -> None:
        terminal.administration.logs.clear()
        for value, task_run in enumerate((None, number(21), number(22), number(21), number(404))):
            terminal.administration.add_log(value, "x", flow_run_id=facts.id, task_run_id=task_run)
        lines = terminal.read("flow-run", "logs", "quiet-heron").splitlines()
        assert [line.partition("INFO     | ")[2] for line in lines] == [
            "Flow run 'quiet-heron' - x",
            "Task run 'fetch-0' - x",
            "Task run 'fetch-1' - x",
            "Task run 'fetch-0' - x",
            f"Task run '{number(404)}' - x",
        ]

    def test_none_is_said_beside_the_output(self, terminal: Terminal, facts: FlowRun) -> None:
        terminal.administration.logs.clear()
        ended = terminal.type("flow-run", "logs", "quiet-heron")
        assert (ended.code, ended.out, ended.err) == (0, "", "There are no log lines.\n")

    def test_head_and_tail_exclude_each_other(self, terminal: Terminal) -> None:
        assert "exclude" in terminal.fail("flow-run", "logs", "quiet-heron", "-h", "-t")

    def test_an_amount_is_at_least_one(self, terminal: Terminal) -> None:
        terminal.fail("flow-run", "logs", "quiet-heron", "-n", "0")


class TestDelete:
    def test_deletes_what_is_named(self, terminal: Terminal, facts: FlowRun) -> None:
        assert "Deleted flow run quiet-heron" in terminal.read("flow-run", "delete", "quiet-heron")
        assert list(terminal.administration.flow_runs) == [number(11)]

    def test_deletes_all_or_none_when_one_is_unknown(self, terminal: Terminal, facts: FlowRun) -> None:
        terminal.fail("flow-run", "delete", str(facts.id), "nobody")
        assert len(terminal.administration.flow_runs) == 2

    def test_wants_a_name(self, terminal: Terminal) -> None:
        terminal.fail("flow-run", "delete")

    @pytest.mark.parametrize(("answer", "left"), [("y", 1), ("", 2), ("no", 2)])
    def test_asks_when_told_to(
        self, terminal: Terminal, facts: FlowRun, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
    ) -> None:
        monkeypatch.setattr("builtins.input", lambda: answer)
        ended = terminal.type("--prompt", "flow-run", "delete", "quiet-heron")
        assert "Delete flow run quiet-heron with all task runs" in ended.err
        assert ended.code == (0 if left == 1 else 1)
        assert len(terminal.administration.flow_runs) == left


class TestWaiting:
    def answer(self, run: FlowRun, kind: StateType, written: bool, reason: str | None = None) -> Decision:
        verb = Verb.ACCEPT if written else Verb.REJECT
        return Decision(verb=verb, state=State(type=kind), written=written, epoch=1, flow_run=run, reason=reason)

    def test_resumes_with_what_is_asked_for(self, terminal: Terminal, facts: FlowRun) -> None:
        given: list[Any] = []

        def resume(run_id: UUID, run_input: dict[str, Any] | None) -> Decision:
            given.append((run_id, run_input))
            return self.answer(facts, StateType.SCHEDULED if run_input else StateType.RUNNING, written=True)

        terminal.administration.resume = resume
        shown = f"Flow run quiet-heron ({facts.id})"
        assert terminal.read("flow-run", "resume", "quiet-heron") == f"{shown} goes on.\n"
        said = terminal.read("flow-run", "resume", "quiet-heron", "--input", '{"x": 1}')
        assert said == f"{shown} begins again when a worker takes it.\n"
        assert given == [(facts.id, None), (facts.id, {"x": 1})]

    def test_says_why_a_run_is_not_resumed(self, terminal: Terminal, facts: FlowRun) -> None:
        late = self.answer(facts, StateType.FAILED, written=True, reason="The pause has timed out.")
        terminal.administration.resume = lambda run_id, run_input: late
        assert "cannot be resumed. The pause has timed out." in terminal.fail("flow-run", "resume", "quiet-heron")
        assert "--input" in terminal.fail("flow-run", "resume", "quiet-heron", "--input", "[1]")

    def test_suspends(self, terminal: Terminal, facts: FlowRun) -> None:
        asked: list[Proposal] = []

        def decide(proposal: Proposal) -> Decision:
            asked.append(proposal)
            return self.answer(facts, StateType.PAUSED, len(asked) == 1, "Only a running flow can pause.")

        terminal.administration.decide = decide
        said = terminal.read("flow-run", "suspend", "quiet-heron", "--timeout", "2 hours")
        assert said.startswith(f"Flow run quiet-heron ({facts.id}) is suspended; ")
        details = asked[0].state.state_details
        assert (asked[0].state.name, details.pause_reschedule) == ("Suspended", True)
        assert details.pause_timeout == NOW + timedelta(hours=2)
        said = terminal.fail("flow-run", "suspend", "quiet-heron")
        assert "cannot be suspended. Only a running flow can pause." in said
        assert "is no duration" in terminal.fail("flow-run", "suspend", "quiet-heron", "--timeout", "soon")


class TestCancel:
    @pytest.fixture
    def answers(self, terminal: Terminal, facts: FlowRun) -> dict[UUID, Decision]:
        """What is decided of each run; the proposals are for cancelling."""
        answers: dict[UUID, Decision] = {}

        def decide(proposal: Proposal) -> Decision:
            assert proposal.state.type is StateType.CANCELLING
            return answers[proposal.flow_run_id]

        terminal.administration.decide = decide
        return answers

    def answer(self, run: FlowRun, verb: Verb, kind: StateType, written: bool, reason: str | None = None) -> Decision:
        return Decision(verb=verb, state=State(type=kind), written=written, epoch=1, flow_run=run, reason=reason)

    def test_says_what_came_of_it(self, terminal: Terminal, facts: FlowRun, answers: dict[UUID, Decision]) -> None:
        shown = f"Flow run quiet-heron ({facts.id})"
        answers[facts.id] = self.answer(facts, Verb.ACCEPT, StateType.CANCELLING, written=True)
        assert terminal.read("flow-run", "cancel", "quiet-heron") == f"{shown} is being cancelled.\n"
        answers[facts.id] = self.answer(facts, Verb.REJECT, StateType.CANCELLING, written=False)
        assert terminal.read("flow-run", "cancel", str(facts.id)) == f"{shown} is being cancelled already.\n"
        answers[facts.id] = self.answer(facts, Verb.REJECT, StateType.CANCELLED, written=True)
        assert (
            terminal.read("flow-run", "cancel", "quiet-heron") == f"{shown} is cancelled: nothing was executing it.\n"
        )

    def test_a_run_that_has_ended_is_an_error(
        self, terminal: Terminal, facts: FlowRun, answers: dict[UUID, Decision]
    ) -> None:
        for kind in (StateType.COMPLETED, StateType.CANCELLED):
            answers[facts.id] = self.answer(facts, Verb.REJECT, kind, written=False, reason="The run has ended.")
            said = terminal.fail("flow-run", "cancel", "quiet-heron")
            assert f"({facts.id}) cannot be cancelled. The run has ended." in said

    def test_a_run_that_is_not_there_is_an_error(self, terminal: Terminal) -> None:
        assert "There is no flow run 'x'" in terminal.fail("flow-run", "cancel", "x")
        assert "Name the flow run to cancel" in terminal.fail("flow-run", "cancel")

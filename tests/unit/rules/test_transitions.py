import subprocess
import sys
from pathlib import Path

import pytest

from headrace.rules import drawing
from headrace.rules.transitions import (
    FLOW_RUN_ARCS,
    MEANINGS,
    NAMES,
    TASK_RUN_ARCS,
    Arc,
    flow_run_may,
    is_terminal,
    task_run_may,
)
from headrace.schema.state import TERMINAL, StateType

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("arcs", [FLOW_RUN_ARCS, TASK_RUN_ARCS], ids=["flow runs", "task runs"])
def test_each_step_is_in_the_table_once_and_has_a_meaning(arcs: tuple[Arc, ...]) -> None:
    steps = [(arc.source, arc.target) for arc in arcs]
    assert len(steps) == len(set(steps))
    assert all(arc.meaning for arc in arcs)


@pytest.mark.parametrize("arcs", [FLOW_RUN_ARCS, TASK_RUN_ARCS], ids=["flow runs", "task runs"])
def test_every_state_can_be_reached_and_every_live_state_can_end(arcs: tuple[Arc, ...]) -> None:
    steps = {(arc.source, arc.target) for arc in arcs}
    reached: set[StateType | None] = {None}
    while more := {target for source, target in steps if source in reached} - reached:
        reached |= more
    assert reached - {None} == set(StateType)
    live = set(StateType) - TERMINAL
    assert all({target for source, target in steps if source is state} & TERMINAL for state in live)


def test_a_final_flow_run_can_only_be_scheduled_again() -> None:
    assert {target for state in TERMINAL for target in StateType if flow_run_may(state, target)} == {
        StateType.SCHEDULED
    }


def test_a_final_task_run_can_only_be_undone() -> None:
    steps = {(state, target) for state in TERMINAL for target in StateType if task_run_may(state, target)}
    assert steps == {(StateType.COMPLETED, StateType.COMPLETED)}


def test_every_type_has_a_meaning_and_every_name_a_type() -> None:
    assert set(MEANINGS) == set(StateType)
    assert len({named.name for named in NAMES}) == len(NAMES)
    assert [is_terminal(state) for state in (None, StateType.RUNNING, StateType.FAILED)] == [False, False, True]


def test_the_page_of_states_is_what_the_tables_draw() -> None:
    assert drawing.main(["--check"], REPOSITORY / drawing.PAGE) == 0, "run python -m headrace.rules.drawing"


def test_a_page_that_is_missing_or_old_is_said_and_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "states.md"
    assert drawing.main(["--check"], page) == 1
    assert "not up to date" in capsys.readouterr().err
    assert drawing.main([], page) == 0
    assert drawing.main(["--check"], page) == 0
    page.write_text("old")
    assert drawing.main(["--check"], page) == 1


def test_the_drawing_is_a_command(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "headrace.rules.drawing"], cwd=tmp_path, check=True)
    assert (tmp_path / drawing.PAGE).read_text(encoding="utf-8") == drawing.draw()

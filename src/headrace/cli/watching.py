"""Following a flow run until it has ended: its states and log lines, as they come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from msgspec import UNSET
from rich.status import Status
from rich.text import Text

from headrace.base import clock
from headrace.base.errors import RunError, Unavailable, UnfinishedRun
from headrace.cli.log_lines import FEW, name_run, show_line
from headrace.cli.lookup import read_task_run_names
from headrace.cli.runs import say_run_time
from headrace.cli.texts import clean, one_line, say_duration, show_state
from headrace.schema.filters import IdFilter, LogFilter
from headrace.schema.log import Log, LogSort
from headrace.schema.run import FlowRun, Page
from headrace.schema.state import State, StateType

if TYPE_CHECKING:
    from uuid import UUID

    from headrace.cli.invocation import Invocation
    from headrace.gateway.administration import Administration

OVERLAP = 100
"""How many places of the log are read again at each look: lines that were being written when others after them were
read already."""

REMEMBERED = 1000
"""How many lines are known by their ids: more than can be read again."""

Interval = Annotated[float, Parameter(validator=Number(gte=0.1, lte=3_600), help="Seconds between two looks.")]
Seconds = Annotated[float, Parameter(validator=Number(gt=0, lte=86_400 * 366))]


def watch_run(
    administration: Administration, run: FlowRun, invocation: Invocation, interval: float, timeout: float | None
) -> None:
    """Show what a run does, looking every `interval` seconds, until it has ended.

    Raises `RunError` when it did not complete, `UnfinishedRun` when it has not ended within `timeout` seconds, and
    `Unavailable` when nobody has answered for as long as an outage may last.
    """
    progress = _Progress(invocation, run)
    try:
        with progress:
            ended = _follow(_Follower(administration, run), progress, invocation, interval, timeout)
    except KeyboardInterrupt:
        again = f"headrace flow-run watch {run.id}"
        invocation.err.print(Text(f"The run goes on; `{again}` follows it again.", "bright_black"), soft_wrap=True)
        raise
    shown = f"Flow run {one_line(ended.name)}"
    if ended.state_type is StateType.COMPLETED:
        took = f" in {say_run_time(ended)}" if ended.start_time is not None else ""
        invocation.print_line(
            Text(f"{shown} ended ").append(show_state(ended.state_type, ended.state_name)).append(took)
        )
        return
    message = ended.state.message if ended.state is not None else None
    raise RunError(f"{shown} ended {ended.state_name}{f': {message}' if message else ''}")


class _Progress:
    """What is shown of a run: lines, and in a terminal below them what the run is doing now."""

    def __init__(self, invocation: Invocation, run: FlowRun) -> None:
        self._invocation = invocation
        self._status: Status | None = None
        if invocation.out.is_terminal:
            self._status = Status(self._tell(run), console=invocation.out, spinner="dots")

    def __enter__(self) -> None:
        if self._status is not None:
            self._status.start()

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, run: FlowRun, lines: list[Text]) -> None:
        """Show lines, and how the run stands."""
        for line in lines:
            self._invocation.print_line(line)
        if self._status is not None:
            self._status.update(self._tell(run))

    def warn(self, text: str) -> None:
        """Say something that is no line of the run's."""
        if self._status is not None:
            self._status.stop()
        self._invocation.print_warning(text)
        if self._status is not None:
            self._status.start()

    def _tell(self, run: FlowRun) -> Text:
        text = Text(f"{one_line(run.name)} is ").append(show_state(run.state_type, run.state_name))
        if run.start_time is not None:
            text.append(f", {say_run_time(run)}")
        return text.append("  (Ctrl-C stops watching, not the run)", "bright_black")


class _Follower:
    """Reads of a run what it has not read yet. What a look that failed has read, the next one reads again."""

    def __init__(self, administration: Administration, run: FlowRun) -> None:
        self._administration = administration
        self._run = run
        self._wanted = LogFilter(flow_run_id=IdFilter(any_=[run.id]))
        self._state_id: UUID | None = None
        self._states = 0
        self._place: int | None = None
        self._known: dict[UUID, None] = {}
        self._names: dict[UUID, str] = {}

    def look(self) -> tuple[FlowRun, list[Text]]:
        """The run as it is now, and what happened since the last look, in order of time."""
        run = self._administration.read_flow_run(self._run.id)
        states: list[State] = []
        if run.state_id != self._state_id:
            states = self._administration.list_flow_run_states(run.id)[self._states :]
        place, lines, passed_over = self._read_lines()
        found = [(_when(state), _show_state_line(state, run)) for state in states]
        found += [(line.timestamp, show_line(line, name_run(line, run.name, self._names))) for line in lines]
        found.sort(key=lambda each: each[0])
        self._state_id, self._states, self._place = run.state_id, self._states + len(states), place
        self._known.update((line.id, None) for line in passed_over + lines)
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return run, [text for _, text in found]

    def _read_lines(self) -> tuple[int, list[Log], list[Log]]:
        """The place to go on from, the lines that were not shown yet, and at first those older ones that never will be."""
        if self._place is None:
            place = self._administration.tail_logs(self._wanted).place
            newest = self._administration.list_logs(self._wanted, LogSort.TIMESTAMP_DESC, Page(FEW + OVERLAP))
            lines, passed_over = newest[:FEW][::-1], newest[FEW:][::-1]
        else:
            place, lines = self._read_on(self._place)
            passed_over = []
        unknown = {line.task_run_id for line in lines if line.task_run_id is not None} - self._names.keys()
        self._names |= read_task_run_names(self._administration, unknown)
        return place, lines, passed_over

    def _read_on(self, place: int) -> tuple[int, list[Log]]:
        """All lines from a little before a place on that are not known, and the place of the last one."""
        fresh: dict[UUID, Log] = {}
        after = max(place - OVERLAP, 0)
        while True:
            tail = self._administration.tail_logs(self._wanted, after)
            new = [line for line in tail.logs if line.id not in self._known and line.id not in fresh]
            fresh.update((line.id, line) for line in new)
            if not new or tail.place <= after:
                return max(tail.place, place), [*fresh.values()]
            after = tail.place


def _when(state: State) -> datetime:
    return datetime.min.replace(tzinfo=UTC) if state.timestamp is UNSET else state.timestamp


def _show_state_line(state: State, run: FlowRun) -> Text:
    """A state as if the log said it."""
    text = Text(f"{_when(state).astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3], "bright_black")
    text.append(f" | STATE    | Flow run '{one_line(run.name)}' is ", "default")
    text.append(show_state(state.type, state.name))
    return text.append(f" - {clean(state.message)}", "default") if state.message else text


def _follow(
    follower: _Follower, progress: _Progress, invocation: Invocation, interval: float, timeout: float | None
) -> FlowRun:
    begun = answered = clock.monotonic()
    silent = False
    while True:
        pause = interval
        try:
            run, lines = follower.look()
        except Unavailable as error:
            if clock.monotonic() - answered >= invocation.settings.outage_limit_seconds:
                raise
            if not silent:
                progress.warn(f"{error} Trying again until it answers.")
            silent, pause = True, max(interval, error.retry_after or 0.0)
        else:
            answered, silent = clock.monotonic(), False
            progress.show(run, lines)
            if run.state is not None and run.state.is_final():
                return run
        if timeout is not None:
            left = timeout - (clock.monotonic() - begun)
            if left <= 0:
                raise UnfinishedRun(f"The run has not ended within {say_duration(timeout)}; it goes on.")
            pause = min(pause, left)
        invocation.wait(pause)

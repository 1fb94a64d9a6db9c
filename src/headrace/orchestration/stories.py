"""What a batch tells of task runs: gathered run by run, then written with few statements for all of them.

A task run that begins in the batch is inserted without looking for it. The others are read and held in one query, and
written back in one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal
from uuid import UUID

from headrace.orchestration import background
from headrace.orchestration.events import LATE, TASK_RUN, EventRow, append, event_row, load_histories
from headrace.orchestration.states import pack_rest, to_progress
from headrace.orchestration.tags import keep_task_run_tags, replace_task_run_tags
from headrace.orchestration.task_runs import advance
from headrace.orchestration.unit import Unit
from headrace.rules.bookkeeping import BEGINNING, OUTSIDE, comes_too_late, in_order, number_outside, project
from headrace.rules.transitions import CRASHED, is_terminal
from headrace.schema.fact import StateFact, TaskNameFact, TaskRunFact, TaskStateFact
from headrace.storage import compiled
from headrace.storage.rows import TaskRunRow
from headrace.storage.texts import storable, storable_json

_OVER = "This attempt of the flow run was over before the task run ended."


class Story:
    """What a batch tells of one task run."""

    __slots__ = ("cache_expiration", "cache_key", "flow_run_id", "id", "kind", "made", "name", "run_count", "states")

    def __init__(self, run_id: UUID, flow_run_id: UUID | None) -> None:
        self.id = run_id
        self.flow_run_id = flow_run_id
        self.made: TaskRunFact | None = None
        self.states: list[StateFact] = []
        self.kind: Literal["task-run", "late"] = TASK_RUN
        self.run_count = 0
        self.name: str | None = None
        self.cache_key: str | None = None
        self.cache_expiration: int | None = None


class Stories:
    """The stories of a batch, by task run. Runs in `stale` are executed by another attempt by now.

    Of the task runs only those in `claimed` may be background runs.
    """

    def __init__(self, stale: frozenset[UUID], claimed: Collection[UUID] = ()) -> None:
        self.stale = stale
        self.claimed = claimed
        self.by_id: dict[UUID, Story] = {}

    def add(self, fact: TaskRunFact | TaskStateFact | TaskNameFact) -> None:
        """Go on with the story of the fact's task run."""
        story = self.by_id.get(fact.id)
        if story is None:
            flow_run_id = None if isinstance(fact, TaskNameFact) else fact.flow_run_id
            story = self.by_id[fact.id] = Story(fact.id, flow_run_id)
        if isinstance(fact, TaskStateFact):
            story.states.append(fact.state)
            story.run_count = max(story.run_count, fact.run_count)
            story.cache_key = fact.cache_key or story.cache_key
            story.cache_expiration = fact.cache_expiration or story.cache_expiration
        elif isinstance(fact, TaskRunFact):
            story.made = fact
        else:
            story.name = fact.name

    def split(self) -> tuple[list[Story], list[Story]]:
        """The stories that move their runs, and those that are history only."""
        told = self.by_id.values()
        if not self.stale:
            return list(told), []
        over = [story for story in told if self.stale & {story.id, story.flow_run_id}]
        return [story for story in told if not self.stale & {story.id, story.flow_run_id}], over


def store_stories(unit: Unit, stories: Stories) -> None:
    """Write the stories: the rows of task runs, and the events of the states they entered."""
    live, stale = stories.split()
    begun = [story for story in live if story.made is not None]
    known = [story for story in live if story.made is None]
    if begun:
        known += _insert(unit, begun)
    moved = _advance(unit, known) if known else []
    append(unit, [event_row(story.kind, story.id, story.flow_run_id, story.states) for story in live if story.states])
    background.settle(unit, [row for row in moved if row.id in stories.claimed])
    if stale:
        _keep(unit, stale)


def _insert(unit: Unit, begun: list[Story]) -> list[Story]:
    """Create the rows of task runs that begin. If some were there already, all are to be advanced, which harms none."""
    rows = [_first_row(story, unit.now) for story in begun]
    count = unit.insert(compiled.insert_task_runs, rows)
    keep_task_run_tags(unit, rows)
    return [] if count == len(begun) else begun


def _advance(unit: Unit, stories: Sequence[Story]) -> list[TaskRunRow]:
    """Go on with task runs that exist, and return the rows; one that nobody has announced yet gets a row to be completed."""
    found = unit.fetch(compiled.lock_task_runs, ids=[story.id for story in stories])
    rows = {values[0]: TaskRunRow._make(values) for values in found}
    histories: dict[UUID, list[StateFact]] | None = None

    def history(run_id: UUID) -> Iterable[StateFact]:
        nonlocal histories
        if histories is None:
            histories = load_histories(unit, rows)
        return histories.get(run_id, ())

    moved: list[TaskRunRow] = []
    retagged: list[TaskRunRow] = []
    for story in stories:
        before = rows.get(story.id) or _unannounced_row(story, unit.now)
        row = _told(before, story)
        if row.tags != before.tags:
            retagged.append(row)
        if before.state_ordinal > OUTSIDE and comes_too_late(to_progress(before), story.states):
            story.kind = LATE
        row = advance(row, story.states, unit.now, lambda run_id=story.id: history(run_id), story.run_count)
        moved.append(row)
    unit.insert(compiled.replace_task_runs, moved)
    if retagged:
        replace_task_run_tags(unit, retagged)
    return moved


def _keep(unit: Unit, stale: Sequence[Story]) -> None:
    """Keep the stories of attempts that are over. They move nothing; a task run that only they know ends with them."""
    begun: list[TaskRunRow] = []
    events: list[EventRow] = []
    for story in stale:
        states = [*in_order(story.states)]
        if story.made is not None:
            if not states or not any(is_terminal(state.type) for state in states):
                last = states[-1] if states else StateFact(0, CRASHED, "Crashed", story.made.created)
                states.append(StateFact(number_outside(last.ordinal), CRASHED, "Crashed", last.timestamp + 1, _OVER))
            story.states = states
            begun.append(_first_row(story, unit.now))
        if states:
            events.append(event_row(LATE, story.id, story.flow_run_id, states))
    if unit.insert(compiled.insert_task_runs, begun) != len(begun):
        begun = [TaskRunRow._make(row) for row in unit.fetch(compiled.lock_task_runs, ids=[row.id for row in begun])]
    keep_task_run_tags(unit, begun)
    append(unit, events)


def _first_row(story: Story, now: int) -> TaskRunRow:
    """The row of a task run that begins in the batch, with all its states."""
    made = story.made
    assert made is not None
    after = project(BEGINNING, story.states, tuple, story.run_count)
    state = after.state
    return TaskRunRow(
        made.id,
        made.flow_run_id,
        made.task_key,
        made.dynamic_key,
        storable(story.name or made.name),
        storable_json(made.tags) if made.tags else "[]",
        storable_json(made.labels) if made.labels else None,
        after.run_count,
        made.created if made.expected_start_time is None else made.expected_start_time,
        after.next_scheduled_start_time,
        after.start_time,
        after.end_time,
        after.total_run_time,
        state and state.type.value,
        state and storable(state.name),
        state and state.timestamp,
        state.ordinal if state else 0,
        pack_rest(state) if state else None,
        made.flow_run_run_count,
        made.task_version,
        story.cache_key and storable(story.cache_key),
        story.cache_expiration,
        storable_json(made.empirical_policy),
        storable_json(made.task_inputs) if made.task_inputs else "{}",
        made.created,
        now,
    )


def _told(row: TaskRunRow, story: Story) -> TaskRunRow:
    """The row with what the story tells besides states: who the run is, what it is called, what it is cached under."""
    made = story.made
    if made is not None:
        row = row._replace(
            flow_run_id=made.flow_run_id,
            task_key=made.task_key,
            dynamic_key=made.dynamic_key,
            name=storable(made.name) if row.name in {"", made.name} else row.name,
            tags=storable_json(made.tags),
            labels=storable_json(made.labels) if made.labels else None,
            expected_start_time=made.created if made.expected_start_time is None else made.expected_start_time,
            flow_run_run_count=made.flow_run_run_count,
            task_version=made.task_version,
            empirical_policy=storable_json(made.empirical_policy),
            task_inputs=storable_json(made.task_inputs),
            created=made.created,
        )
    if story.name is not None:
        row = row._replace(name=storable(story.name))
    if story.cache_key is not None:
        row = row._replace(cache_key=storable(story.cache_key), cache_expiration=story.cache_expiration)
    return row


def _unannounced_row(story: Story, now: int) -> TaskRunRow:
    """The row of a task run whose states came before the fact that it exists, as from another process's journal."""
    first = min((state.timestamp for state in story.states), default=now)
    return TaskRunRow(
        id=story.id,
        flow_run_id=story.flow_run_id,
        task_key="",
        dynamic_key=str(story.id),
        name="",
        tags="[]",
        labels=None,
        run_count=0,
        expected_start_time=first,
        next_scheduled_start_time=None,
        start_time=None,
        end_time=None,
        total_run_time=0,
        state_type=None,
        state_name=None,
        state_timestamp=None,
        state_ordinal=0,
        state=None,
        flow_run_run_count=0,
        task_version=None,
        cache_key=None,
        cache_expiration=None,
        empirical_policy="{}",
        task_inputs="{}",
        created=first,
        updated=now,
    )

"""What schedules say of their slots, and which of their runs are under way."""

from __future__ import annotations

from sqlalchemy import Executable, bindparam, or_, select, union_all

from headrace.storage import tables as t
from headrace.storage.dialect import Dialect
from headrace.storage.statements.registry import has, own, statement


@statement
def lock_slot_policy(_: Dialect) -> Executable:
    """What a schedule does with slots that pass or meet an earlier run, if it says; held, so that slots go one by one."""
    schedule = t.deployment_schedules.c
    query = select(schedule.max_lateness, schedule.overlap)
    says = or_(schedule.max_lateness.is_not(None), schedule.overlap.is_not(None))
    return query.where(*has(t.deployment_schedules, "id"), says).with_for_update()


@statement
def find_runs_under_way(dialect: Dialect) -> Executable:
    """The runs that a schedule made which have begun and not ended."""
    run = t.flow_runs.c
    made = select(run.id).where(
        own(t.flow_runs), run.created_by_id == bindparam("schedule_id", type_=run.created_by_id.type)
    )
    # Each on its own, because no index serves an OR of the two.
    return union_all(
        made.where(dialect.among(run.state_type, "types")),
        made.where(dialect.among(run.state_name, "names"), run.epoch > 0),
    )

"""What schedules say of their slots, and which of their runs are under way."""

from __future__ import annotations

from sqlalchemy import Executable, and_, bindparam, or_, select

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
    begun = or_(
        dialect.among(run.state_type, "types"),
        and_(dialect.among(run.state_name, "names"), run.epoch > 0),
    )
    maker = run.created_by_id == bindparam("schedule_id", type_=run.created_by_id.type)
    return select(run.id).where(own(t.flow_runs), maker, begun).order_by(run.id)

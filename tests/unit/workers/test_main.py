"""What a worker's process says of what it is to serve, before it does. That it serves is in acceptance."""

from __future__ import annotations

import pytest

from headrace.schema.work_pool import WorkQueueCreate
from headrace.workers.__main__ import warn_of_missing_queues
from tests.unit.workers.conftest import Pool


def test_a_queue_that_is_not_there_is_named(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_missing_queues(pool.administration, "pool", ())
    warn_of_missing_queues(pool.administration, "pool", ("default", "nope q", "nope q", "urgent"))
    assert {each.levelname for each in caplog.records} == {"WARNING"}
    end = "so nothing comes from it until there is: `headrace work-queue create"
    assert [each.getMessage() for each in caplog.records] == [
        f"Work pool 'pool' has no queue 'nope q', {end} 'nope q' --pool pool` makes it.",
        f"Work pool 'pool' has no queue 'urgent', {end} urgent --pool pool` makes it.",
    ]
    caplog.clear()
    pool.administration.create_work_queue("pool", WorkQueueCreate(name="urgent"))
    warn_of_missing_queues(pool.administration, "pool", ("urgent",))
    assert caplog.records == []

"""Who of one process waits for the same slots: first come, first at the front."""

from uuid import UUID

from headrace.base.ids import uuid7
from headrace.engine.slot_lines import SlotLines


def test_one_at_a_time_is_at_the_front_of_a_line() -> None:
    called: list[UUID] = []
    lines = SlotLines(called.append)
    first, second, third, other = uuid7(), uuid7(), uuid7(), uuid7()
    assert lines.stand(["db", "gpu"], first)
    assert not lines.stand(["gpu", "db"], second)
    assert not lines.stand(["db", "gpu"], third)
    assert lines.stand(["db"], other)
    assert not lines.stand(["db", "gpu"], second)
    lines.leave(["db", "gpu"], second)
    assert called == []
    lines.leave(["gpu", "db"], first)
    assert called == [third]
    assert lines.stand(["db", "gpu"], third)
    lines.leave(["db", "gpu"], third)
    lines.leave(["db", "gpu"], third)
    lines.leave(["db"], second)
    assert called == [third]
    assert lines.stand(["db", "gpu"], second)

from headrace.gateway.administration import Administration
from headrace.orchestration.loops.lateness import Lateness
from headrace.orchestration.loops.runner import Runner
from headrace.schema.loop import LoopStatus
from headrace.storage.databases import open_database
from tests.conformance.conftest import Orchestrations


def test_loops_say_where_they_go_on(administration: Administration, implementation: Orchestrations) -> None:
    assert administration.list_loops() == []
    clock = implementation.clock
    with open_database(implementation.url) as database:
        loop = Lateness(database, clock)
        runner = Runner(database, [loop], "here", clock)
        runner.attend()
        loop.look()
        clock.advance(1)
        runner.attend()
        (told,) = administration.list_loops()
        assert (told.name, told.interval, told.place, told.done, told.error) == ("lateness", 5.0, "here", 0, None)
        assert told.last_seen
        assert told.last_look
        assert (told.last_seen - told.last_look).total_seconds() == 1
        assert (told.took, told.lag) == (0.0, 0.0)
        runner.stop()
    (told,) = administration.list_loops()
    assert isinstance(told, LoopStatus)
    assert told.place is None

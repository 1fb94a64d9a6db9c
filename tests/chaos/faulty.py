"""A server with a planted bug: `python tests/chaos/faulty.py BUG …`, for tests that must notice it."""

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic

from litestar import Response
from litestar.exceptions import ValidationException
from msgspec import structs

from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.orchestration import deaths, execution, flow_runs, proposals
from headrace.orchestration.loops import reaper
from headrace.orchestration.unit import Unit
from headrace.rules import flow_policy, liveness
from headrace.rules.liveness import K
from headrace.server import errors


class _Undone(Exception):
    """Takes back what a unit has done."""


def acknowledge_early() -> None:
    """Creating a run is answered before it is stored."""

    def store(self: Any, run: Any, batch: Any) -> None:
        def store_it(unit: Any) -> None:
            flow_runs.create_flow_run(unit, run, batch)

        self._desk.write(store_it)

    def create(self: Any, run: Any, batch: Any = None) -> Any:
        run = structs.replace(run, id=run.id or uuid7())
        answers: list[Any] = []

        def try_it(unit: Any) -> None:
            answers.append(flow_runs.create_flow_run(unit, run, batch))
            raise _Undone

        try:
            self._desk.write(try_it)
        except _Undone:
            timer = threading.Timer(0.5, store, (self, run, batch))
            timer.daemon = True
            timer.start()
        return answers[0]

    execution.OrchestratedExecution.create_flow_run = create


def forget_epochs() -> None:
    """Whoever asks for a state is heard, under whichever attempt."""
    propose = proposals.propose

    def hear(unit: Any, proposal: Any, holder: str | None = None) -> Any:
        return propose(unit, structs.replace(proposal, epoch=None), holder)

    proposals.propose = hear


def reopen_ends() -> None:
    """A run that has ended may go on."""
    flow_policy.FLOW_RUN_POLICY = ()


def judge_outages() -> None:
    """Whoever has moved since the last look is taken to have done so right after it, however long ago that was."""

    class Watch(liveness.Watch[K], Generic[K]):
        def look(self, pulses: Iterable[liveness.Pulse[K]], now: float) -> list[K]:
            before, last = self._still, now if self._looked is None else self._looked
            self._looked, self._still = now, {}
            dead: list[K] = []
            for pulse in pulses:
                counter, since = before.get(pulse.key, (pulse.counter, now))
                since = since if counter == pulse.counter else last
                self._still[pulse.key] = (pulse.counter, since)
                if now - since > liveness.PATIENCE * pulse.interval:
                    dead.append(pulse.key)
            return dead

        def forget(self) -> None:
            pass

    reaper.Watch = Watch


def wait_for_a_first_beat() -> None:
    """Who has never shown that it lives is not looked at."""
    find = reaper.find_beating

    def find_those(unit: Unit) -> list[deaths.BeatingAttempt]:
        return [attempt for attempt in find(unit) if attempt.beats]

    reaper.find_beating = find_those


def refuse_mutely() -> None:
    """What is refused is not told what is wrong with it."""

    def answer(*_: Any) -> Response[Any]:
        return Response({"exception_message": "Invalid request received."}, status_code=422)

    errors.ANSWERS |= dict.fromkeys((InvalidRequest, ValidationException), answer)


BUGS: dict[str, Callable[[], None]] = {
    "acknowledges-early": acknowledge_early,
    "forgets-epochs": forget_epochs,
    "reopens-ends": reopen_ends,
    "judges-outages": judge_outages,
    "waits-for-a-first-beat": wait_for_a_first_beat,
    "refuses-mutely": refuse_mutely,
}


if __name__ == "__main__":
    BUGS[sys.argv.pop(1)]()
    from headrace.server.__main__ import main

    sys.exit(main())

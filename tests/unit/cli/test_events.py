"""`headrace events`: emitting on a real database; following on a log that the test writes."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from rich.console import Console

from headrace.base.errors import Unavailable
from headrace.base.settings import Settings, load_settings
from headrace.cli.app import run
from headrace.cli.invocation import Invocation
from headrace.connect import open_execution
from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor, EventPage, LoggedEvent
from tests.unit.cli.conftest import Machine
from tests.unit.cli.memory import NOW, MemoryAdministration, number


def read_log(machine: Machine) -> list[LoggedEvent]:
    execution = open_execution(load_settings(machine.environ))
    try:
        return execution.read_events(Cursor()).events
    finally:
        execution.close()


def test_an_event_is_emitted(machine: Machine) -> None:
    related = '[{"prefect.resource.id": "shop.cart.1", "prefect.resource.role": "cart"}]'
    resource = '{"prefect.resource.name": "seven"}'
    more = ["--related", related, "-p", '{"amount": 3}', "-r", resource, "--resource-id", "shop.order.7"]
    shown = machine.read("events", "emit", "shop.order.paid", *more)
    assert shown.startswith("Emitted event shop.order.paid (")
    (logged,) = read_log(machine)
    assert logged.body is not None
    assert logged.body["event"] == "shop.order.paid"
    assert logged.body["resource"] == {
        "prefect.resource.id": "shop.order.7",
        "prefect.resource.name": "seven",
    }
    assert logged.body["related"][0]["prefect.resource.role"] == "cart"
    assert logged.body["payload"] == {"amount": 3}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x"], "Say what it happened to"),
        ([" ", "--resource-id", "a"], "not empty"),
        (["prefect.flow-run.Completed", "--resource-id", "a"], "for the orchestrator to say"),
        (["x", "-r", "nonsense"], "--resource is no JSON"),
        (["x", "-r", '{"prefect.resource.id": 7}'], "the label 'prefect.resource.id' is no text"),
        (["x", "--resource-id", "a", "-p", "[1]"], "--payload is no JSON object"),
        (["x", "--resource-id", "a", "--related", "{}"], "--related is no JSON list"),
        (["x", "--resource-id", "a", "--related", "[1]"], "--related is no JSON list"),
        (["x", "--resource-id", "a", "--related", "["], "--related is no JSON"),
        (["x", "--resource-id", "a", "--related", '[{"prefect.resource.id": "b"}]'], "prefect.resource.role"),
        (["x", "--resource-id", "a", "-p", json.dumps({"text": "x" * 1_600_000})], "are the most that are kept"),
    ],
)
def test_what_is_no_event_is_refused(machine: Machine, arguments: list[str], said: str) -> None:
    assert said in machine.fail("events", "emit", *arguments)
    assert read_log(machine) == []


class Script:
    """An execution whose log the test writes: pages, or an outage."""

    def __init__(self, *pages: list[str] | Unavailable) -> None:
        self.pages = list(pages)
        self.waits: list[float] = []

    @contextmanager
    def open(self, settings: Settings) -> Generator[Execution]:
        yield cast("Execution", self)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def last_cursor(self) -> Cursor:
        return Cursor(0, 5)

    def wait_for_events(self, timeout: float) -> bool:
        return True

    def read_events(self, after: Cursor, limit: int = 500, kinds: Any = ()) -> EventPage:
        if not self.pages:
            raise KeyboardInterrupt
        page = self.pages.pop(0)
        if isinstance(page, Unavailable):
            raise page
        place = after.sequence
        events = [told(name, Cursor(0, place + number)) for number, name in enumerate(page, 1)]
        return EventPage(events=events, cursor=Cursor(0, place + len(page)))


def told(name: str, cursor: Cursor) -> LoggedEvent:
    body = {
        "id": str(number(cursor.sequence)),
        "event": name,
        "occurred": NOW.isoformat(),
        "resource": {"prefect.resource.id": f"id.{name}", "prefect.resource.name": name.upper()},
    }
    kind = "slots" if name == "slots" else "custom"
    return LoggedEvent(cursor=cursor, kind=kind, subject_id=UUID(int=1), occurred=NOW, body=body)


def follow(script: Script, home: Path, *options: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    invocation = Invocation(
        {"HEADRACE_HOME": str(home)},
        MemoryAdministration().open,
        Console(file=out, width=200),
        Console(file=err, width=200),
        lambda: NOW,
        script.open,
        script.wait,
    )
    code = run(["events", "stream", *options], invocation)
    return code, out.getvalue(), err.getvalue()


def test_events_are_shown_until_ctrl_c(home: Path) -> None:
    code, out, err = follow(Script(["a", "slots"], [], ["b"]), home)
    assert code == 130
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["a", "b"]
    assert err == "Events are shown as they happen; Ctrl-C ends it.\n"


def test_events_are_shown_for_people(home: Path) -> None:
    _, out, _ = follow(Script(["a"]), home, "--format", "text")
    assert out == "2026-03-01 12:00:00.000 | a | A (id.a)\n"


def test_the_first_event_is_enough(home: Path) -> None:
    code, out, _ = follow(Script([], ["a", "b"], ["c"]), home, "--run-once")
    assert (code, out.count("\n")) == (0, 1)


def test_events_are_written_to_the_end_of_a_file(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for name in "ab":
        assert follow(Script([name]), home, "--output-file", str(path))[1] == ""
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["a", "b"]
    code, _, err = follow(Script(["a"]), home, "--output-file", str(tmp_path))
    assert code == 1
    assert err == f"Error: --output-file: {tmp_path} cannot be written: Is a directory.\n"


def test_an_outage_is_waited_for_and_nothing_is_missed(home: Path) -> None:
    script = Script(["a"], Unavailable("Nothing answers."), Unavailable("Nothing answers.", 7.0), ["b"])
    _, out, err = follow(script, home, "--format", "text")
    assert [line.split(" | ")[1] for line in out.splitlines()] == ["a", "b"]
    assert err.count("Warning: Nothing answers. Trying again until it answers.") == 1
    assert script.waits == [1.0, 7.0]


def test_a_long_outage_ends_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 2_000.0])
    monkeypatch.setattr("headrace.base.clock.monotonic", lambda: next(moments))
    code, _, err = follow(Script(Unavailable("Nothing answers.")), home)
    assert code == 1
    assert err.endswith("Error: Nothing answers.\n")

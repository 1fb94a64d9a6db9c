"""Automations: reads what happened, lets triggers fire, and does what is to be done about it."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import DatabaseError, HeadraceError, Unavailable
from headrace.orchestration.actions import carry_out, give_up
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.desk import Desk
from headrace.orchestration.events import read_events
from headrace.orchestration.figures import measure_rules
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.narration import PREFIXES, Narrator
from headrace.orchestration.triggering import Rule, Told, load_rules, take_due, take_events, take_measures
from headrace.orchestration.unit import Unit
from headrace.rules.triggers import may_matter
from headrace.schema.event import Cursor, EventKind, LoggedEvent
from headrace.schema.trigger import MetricTrigger, list_triggers
from headrace.storage import firings
from headrace.storage.automation_rows import ActionRow
from headrace.storage.database import Database

INTERVAL = 1.0
"""Seconds from one look to the next: how long an event may wait before it fires anything."""
PAGE = 200
"""How many rows of the log are taken in one transaction."""
PAIRS = 2_000
"""How many rows times automations, about: nobody else can write meanwhile."""
ACTIONS = 100
"""How many actions are loaded at once."""
MEASURING = 10.0
"""Seconds from one look at figures to the next, and from one sweep to the next."""
RETENTION = 7 * 86_400 * 1_000_000
"""How long it is remembered what fired, in microseconds."""
FORGOTTEN = 200
"""How many firings are forgotten at once."""
KINDS: tuple[EventKind, ...] = ("flow-run", "task-run", "custom")
"""What may be the events of the contract."""


class Automations(Loop):
    """Lets automations fire, each time once, and performs their actions, each once.

    Several may go on over one database: events and time are taken by whoever holds the workspace's cursor, actions one by
    one. `ui_url` is where people look at runs, for links in messages.
    """

    name = "automations"

    def __init__(
        self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL, ui_url: str = "", page: int = PAGE
    ) -> None:
        super().__init__(database, clock, interval)
        self._ui_url = ui_url
        self._page = page
        self._measured: float | None = None

    def run_once(self) -> int:
        """Look once; how many actions were performed, or failed. What they make happen is looked at as well."""
        now = self._clock.monotonic()
        measuring = self._measured is None or now - self._measured >= MEASURING
        if measuring:
            self._measured = now
        return sum(self._look_at(desk, measuring) for desk in self._desks())

    def _look_at(self, desk: Desk, measuring: bool) -> int:
        if measuring:
            self._measure(desk)
            self._sweep(desk)
        done = 0
        while True:
            self._react(desk)
            performed = self._perform(desk)
            done += performed
            if not performed or self._stopping.is_set():
                return done

    def _react(self, desk: Desk) -> None:
        """Take what happened, then what time has come for."""
        while not self._stopping.is_set():
            now = self._clock.micros()
            rules, seen = desk.read(_find_rules)
            if not rules or seen is None:
                return
            kinds: tuple[EventKind, ...] = tuple(
                kind for kind in KINDS if any(may_matter(rule.trigger, PREFIXES[kind]) for rule in rules)
            )
            rows = max(1, min(self._page, PAIRS // len(rules)))
            page = desk.read(
                lambda unit, seen=seen, kinds=kinds, rows=rows: read_events(unit, seen, rows, kinds or ("custom",))
            )
            if page.cursor != seen:
                told = self._tell(desk, page.events)
                desk.write(lambda unit, seen=seen, told=told, end=page.cursor: take_events(unit, seen, told, end))
            elif not desk.write(lambda unit, seen=seen, now=now: take_due(unit, seen, now)):
                return

    def _tell(self, desk: Desk, logged: Sequence[LoggedEvent]) -> list[Told]:
        """What was logged, as the events it makes."""
        narrator = Narrator(OrchestratedAdministration(desk.database, desk.scope, desk.clock))
        return [Told(entry.cursor, event) for entry, events in narrator.tell_each(logged) for event in events]

    def _measure(self, desk: Desk) -> None:
        """Take the figures that triggers watch."""
        watching = [rule for rule in desk.read(load_rules) if _watches(rule)]
        if watching:
            figures = desk.read(lambda unit: measure_rules(unit, watching))
            desk.write(lambda unit: take_measures(unit, figures))

    def _perform(self, desk: Desk) -> int:
        """Perform the actions that are due."""
        rows = desk.read(lambda unit: firings.find_due_actions(unit.connection, unit.workspace_id, unit.now, ACTIONS))
        return sum(self._carry_out(desk, row) for row in rows if not self._stopping.is_set())

    def _carry_out(self, desk: Desk, row: ActionRow) -> bool:
        try:
            return desk.write(lambda unit: carry_out(unit, row, self._ui_url))
        except (Unavailable, DatabaseError):
            raise  # the action waits for better times
        except HeadraceError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - no action may keep the others from being performed
            self._log.exception("An action of an automation failed in a way that nobody foresaw.")
            reason = f"Something unforeseen happened: {type(error).__name__}."
        return desk.write(lambda unit: give_up(unit, row, reason))

    def _sweep(self, desk: Desk) -> None:
        """Forget what fired long ago."""
        before = self._clock.micros() - RETENTION
        old = desk.read(lambda unit: firings.find_old(unit.connection, unit.workspace_id, before, FORGOTTEN))
        if old:
            desk.write(lambda unit: firings.delete_firings(unit.connection, unit.workspace_id, old))

    def _report(self, done: int) -> None:
        self._log.info("%d actions of automations were performed.", done)


def _find_rules(unit: Unit) -> tuple[list[Rule], Cursor | None]:
    return load_rules(unit), firings.find_cursor(unit.connection, unit.workspace_id)


def _watches(rule: Rule) -> bool:
    return any(isinstance(trigger, MetricTrigger) for trigger in list_triggers(rule.trigger))

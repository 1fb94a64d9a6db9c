"""The table of all background loops: a process that is the orchestrator goes through it and runs each.

A new loop is a file here and a line in `LOOPS`. What a loop needs is in `Equipment`; what it is called, how often it looks
and what it does then (`name`, `interval`, `run_once`) are its own.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from headrace.base.clock import SYSTEM, Clock
from headrace.orchestration.loops.automations import Automations
from headrace.orchestration.loops.keeper import Keeper
from headrace.orchestration.loops.lateness import Lateness
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.loops.outbox import Outbox
from headrace.orchestration.loops.patience import Patience
from headrace.orchestration.loops.readiness import Readiness
from headrace.orchestration.loops.reaper import Reaper
from headrace.orchestration.loops.scheduler import Scheduler
from headrace.orchestration.loops.slots import Slots
from headrace.orchestration.loops.sweeper import Sweeper
from headrace.orchestration.loops.turns import Turns
from headrace.orchestration.loops.vacuum import Retention, Vacuum
from headrace.outbound.courier import Courier
from headrace.outbound.vault import Vault
from headrace.storage.database import Database


class Equipment(Struct, frozen=True, kw_only=True):
    """What loops are made from."""

    database: Database
    vault: Vault
    courier: Courier
    ui_url: str
    kept: Retention
    clock: Clock = SYSTEM


LOOPS: tuple[Callable[[Equipment], Loop], ...] = (
    lambda given: Reaper(given.database, given.clock),
    lambda given: Scheduler(given.database, given.clock),
    lambda given: Turns(given.database, given.clock),
    lambda given: Lateness(given.database, given.clock),
    lambda given: Patience(given.database, given.clock),
    lambda given: Slots(given.database, given.clock),
    lambda given: Sweeper(given.database, given.clock),
    lambda given: Readiness(given.database, given.clock),
    lambda given: Automations(given.database, ui_url=given.ui_url, clock=given.clock),
    lambda given: Outbox(given.database, given.vault, given.courier, clock=given.clock),
    lambda given: Keeper(given.database, given.clock),
    lambda given: Vacuum(given.database, given.kept, given.clock),
)
"""Every loop, in the order in which they make up for what passed while nobody looked."""


def make_loops(given: Equipment) -> list[Loop]:
    """All loops, not started yet."""
    return [make(given) for make in LOOPS]

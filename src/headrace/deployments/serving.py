"""Serving deployments from this process."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from headrace.base.errors import UsageError
from headrace.base.settings import load_settings
from headrace.connect import show_errors_in_one_line
from headrace.deployments.making import check_all, refusal, warn
from headrace.engine.awaiting import in_async_code
from headrace.projects.blueprints import Blueprint, Deployed, Plan, draw_plan, refuse_twins

if TYPE_CHECKING:
    from headrace.workers.serving import Service


def serve(
    *deployments: Blueprint,
    limit: int | None = None,
    pause_on_shutdown: bool = True,
    print_starting_message: bool = True,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Make deployments and execute their runs, each in a process of its own, until Ctrl-C or SIGTERM.

    Then their schedules rest, unless `pause_on_shutdown` says otherwise, and runs under way are finished; a second Ctrl-C
    ends them. `limit` is how many runs are executed at once. Without a server, this process is the orchestrator as well.
    `environ` is the environment of settings and runs, by default this process's. Raises `UsageError` in one line.
    """
    if in_async_code():
        raise UsageError("serve would block the event loop that runs here: write `await aserve(…)`.")
    from headrace.workers.signals import stopping_at_signals

    service = _open_service(deployments, limit, pause_on_shutdown, environ)
    with stopping_at_signals(service.stop):
        service.run(_teller(print_starting_message))


async def aserve(
    *deployments: Blueprint,
    limit: int | None = None,
    pause_on_shutdown: bool = True,
    print_starting_message: bool = True,
    environ: Mapping[str, str] | None = None,
) -> None:
    """As `serve`, beside the running event loop, until the task that awaits it is cancelled, as Ctrl-C does."""
    import asyncio

    from headrace.engine.loop import beside

    service = _open_service(deployments, limit, pause_on_shutdown, environ)
    serving = asyncio.ensure_future(beside(lambda: service.run(_teller(print_starting_message))))
    cancelled: asyncio.CancelledError | None = None
    while not serving.done():
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError as error:
            cancelled = error
            service.stop()
    if cancelled is not None:
        raise cancelled


def _open_service(
    deployments: Sequence[Blueprint], limit: int | None, pause: bool, environ: Mapping[str, str] | None
) -> Service:
    from headrace.engine.logs import configure_logging
    from headrace.workers.serving import Service

    show_errors_in_one_line()
    if limit is not None and (not isinstance(limit, int) or limit < 1):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"limit is how many runs are executed at once, at least 1, not {limit!r}.")
    plans = [_plan(each) for each in check_all("serve", deployments)]
    refuse_twins(plans, UsageError)
    environ = os.environ if environ is None else environ
    configure_logging(load_settings(environ))
    return Service(plans, limit, pause, environ)


def _plan(blueprint: Blueprint) -> Plan:
    """The plan of what is served: paused by whoever served it before, it goes on unless it is to be paused."""
    definition = structs.replace(blueprint.definition, paused=bool(blueprint.definition.paused))
    return draw_plan(structs.replace(blueprint, definition=definition), None, refusal(blueprint.name))


def _teller(aloud: bool) -> Callable[[Sequence[Deployed]], None]:
    def tell(made: Sequence[Deployed]) -> None:
        warn(made)
        if aloud:
            lines = ["Serving"]
            lines += [f"  {each.full_name}{'  (paused)' if each.deployment.paused else ''}" for each in made]
            lines += ["", "Ctrl-C stops it. From elsewhere, this starts a run:"]
            lines += [f"  headrace deployment run {shlex.quote(each.full_name)}" for each in made]
            sys.stdout.write("\n".join(lines) + "\n\n")
            sys.stdout.flush()

    return tell

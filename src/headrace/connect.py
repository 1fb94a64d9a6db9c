"""Embedded or remote: the only place that chooses, and the only one that puts the rooms together.

Whoever may have to open one of these ways knows this module; what is behind a way is loaded when it is opened.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from headrace.base import errors

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from headrace.base.settings import Settings
    from headrace.client.transport import Transport
    from headrace.engine.session import Session
    from headrace.gateway.administration import Administration
    from headrace.gateway.execution import Execution
    from headrace.orchestration.loops.runner import Runner
    from headrace.orchestration.measures import Measures
    from headrace.outbound.courier import Courier
    from headrace.outbound.vault import Vault
    from headrace.storage.upkeep import Upkeep

ARRIVAL = 3.0
"""Seconds that a script waits for a server which does not answer: one that is just being started anew."""


def open_execution(settings: Settings, *, supervised: bool = False) -> Execution:
    """The way for engines and workers: the server that the settings name, else the database itself, in this process.

    A database is created or migrated; raises `DatabaseError` in one line when that cannot be. A server has to answer, as
    one of ours: raises `Unavailable` and `ConfigurationError` in one line. What runs in a `supervised` process is beaten
    for by its supervisor.
    """
    if settings.api_url is not None:
        from headrace.client.execution import RemoteExecution

        transport = _reach_server(settings.api_url, settings, ARRIVAL)
        return RemoteExecution(transport, settings.heartbeat_seconds, supervised=supervised)
    from headrace.orchestration.execution import OrchestratedExecution
    from headrace.storage.databases import open_database

    return OrchestratedExecution(open_database(settings.database_url, synchronous=settings.database_synchronous))


def open_administration(settings: Settings) -> Administration:
    """The way for those who look and manage. Raises as `open_execution`."""
    if settings.api_url is not None:
        from headrace.client.administration import RemoteAdministration

        return RemoteAdministration(_reach_server(settings.api_url, settings))
    from headrace.orchestration.administration import OrchestratedAdministration
    from headrace.storage.databases import open_database

    database = open_database(settings.database_url, synchronous=settings.database_synchronous)
    return OrchestratedAdministration(database, vault=open_vault(settings))


def open_vault(settings: Settings) -> Vault:
    """Where the keys for secrets are: beside what is kept in the home, never in the database."""
    from headrace.outbound.vault import Vault

    return Vault(settings.home / "secrets.key", settings.secrets_key)


def open_courier(settings: Settings) -> Courier:
    """Who hands over what a server sends: by the mail server of the settings, to where the settings allow."""
    from headrace.base.settings import EVERYWHERE
    from headrace.orchestration.loops.outbox import SECONDS
    from headrace.outbound.courier import Courier, PostOffice
    from headrace.outbound.egress import Egress
    from headrace.outbound.mail import MailServer

    networks = settings.server_outbound_private
    egress = Egress(private=networks == EVERYWHERE, networks=networks, seconds=SECONDS)
    if settings.server_smtp_host is None:
        return Courier(egress=egress)
    sender = settings.server_smtp_from or settings.server_smtp_user
    if sender is None:
        raise errors.ConfigurationError("Nobody says from whom the server's e-mail is: set HEADRACE_SERVER_SMTP_FROM.")
    server = MailServer(
        host=settings.server_smtp_host,
        port=settings.server_smtp_port,
        security=settings.server_smtp_security,
        username=settings.server_smtp_user,
        password=settings.server_smtp_password,
    )
    return Courier(post_office=PostOffice(server=server, sender=sender), egress=egress)


def open_upkeep(settings: Settings) -> Upkeep:
    """What can be done to the database that the settings name, as a whole. Raises `UnusableDatabase`."""
    from headrace.storage.databases import open_upkeep

    return open_upkeep(settings.database_url)


class Orchestrator(NamedTuple):
    """Both protocols over one database or one server; over a database, with the loops that look after it, not started yet."""

    execution: Execution
    administration: Administration
    loops: Runner | None
    measure: Callable[[], Measures] | None = None
    hurry: Callable[[], None] = lambda: None
    """For who is about to end: a database that is away is waited for no more."""

    def close(self) -> None:
        """Close the database, or the way to the server; the loops have been stopped before."""
        self.execution.close()


def open_orchestrator(settings: Settings, place: str | None = None, url: str | None = None) -> Orchestrator:
    """The orchestrator itself, for a process that serves it. Raises `DatabaseError` and `ConfigurationError` in one line.

    `place` is where people are told that its loops go on; `url` is where its pages are, where the settings do not say so.
    """
    import os
    from socket import gethostname

    from headrace.orchestration import measures
    from headrace.orchestration.administration import OrchestratedAdministration
    from headrace.orchestration.desk import Desk
    from headrace.orchestration.execution import OrchestratedExecution
    from headrace.orchestration.loops.runner import Runner
    from headrace.orchestration.loops.table import Equipment, make_loops
    from headrace.orchestration.loops.vacuum import Retention
    from headrace.storage.databases import open_database

    courier, vault = open_courier(settings), open_vault(settings)
    database = open_database(settings.database_url, synchronous=settings.database_synchronous)
    kept = Retention(
        runs=settings.retention_runs_days, events=settings.retention_events_days, results=settings.results_path
    )
    equipment = Equipment(
        database=database,
        vault=vault,
        courier=courier,
        ui_url=settings.ui_url or url or _usual_address(settings),
        kept=kept,
    )
    administration = OrchestratedAdministration(database, vault=vault)
    runner = Runner(database, make_loops(equipment), place or f"process {os.getpid()} on {gethostname()}")
    desk = Desk(database)
    execution = OrchestratedExecution(database)
    return Orchestrator(execution, administration, runner, lambda: measures.measure(desk), database.hurry)


def _usual_address(settings: Settings) -> str:
    """Where the pages of a server are that is started with these settings, as seen from its own machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.server_api_host, settings.server_api_host)  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.server_api_port}"


def open_service(settings: Settings) -> Orchestrator:
    """The way for a process that executes what others ask for: the server, else the orchestrator itself, in this process.

    A server has its own loops; without one, those that make scheduled runs are this process's. Raises as `open_execution`.
    """
    if settings.api_url is None:
        return open_orchestrator(settings)
    from headrace.client.administration import RemoteAdministration
    from headrace.client.execution import RemoteExecution

    transport = _reach_server(settings.api_url, settings, ARRIVAL)
    execution = RemoteExecution(transport, settings.heartbeat_seconds, supervised=True)
    return Orchestrator(execution, RemoteAdministration(transport), None)


def open_session(settings: Settings | None = None, *, supervised: bool = False) -> Session:
    """The session of a process that runs flows: settings read, logging set up, what an outage left behind delivered.

    A process that executes task runs of another one is given the other's `settings`.
    """
    from msgspec import structs

    from headrace.base.settings import load_settings
    from headrace.engine.logs import configure_logging
    from headrace.engine.session import Session

    show_errors_in_one_line()
    settings = settings or load_settings()
    configure_logging(settings)
    execution = open_execution(settings, supervised=supervised)
    session = Session(
        execution,
        structs.replace(settings, spool_path=find_spool(settings)),
        lambda: open_administration(settings),
    )
    session.spool.deliver(session.gateway)
    return session


def find_spool(settings: Settings) -> Path:
    """Where what could not be delivered waits: what was meant for one server is not for another, nor for a database."""
    if settings.api_url is None:
        return settings.spool_path
    from hashlib import sha256

    name = f"server-{sha256(settings.api_url.encode()).hexdigest()[:16]}"
    return settings.spool_path if settings.spool_path.name == name else settings.spool_path / name


def _reach_server(api_url: str, settings: Settings, patience: float = 0.0) -> Transport:
    """A way to the server, which answers. Raises `Unavailable` when it does not within `patience` seconds."""
    from headrace.client.transport import Transport

    transport = Transport(api_url, settings.api_key)
    try:
        _await_server(transport, patience)
    except BaseException:
        transport.close()
        raise
    return transport


def _await_server(transport: Transport, patience: float) -> None:
    from threading import Event

    from headrace.base.clock import monotonic
    from headrace.client.transport import is_a_server

    end = monotonic() + patience
    while True:
        try:
            ours = is_a_server(transport)
            break
        except errors.Unavailable:
            if monotonic() >= end:
                raise
        Event().wait(0.25)
    if not ours:
        raise errors.ConfigurationError(
            f"What answers at {transport.shown} is no Headrace server: set HEADRACE_API_URL to a server's address with "
            "/api at its end, or unset it."
        )


def show_errors_in_one_line() -> None:
    """An error of ours that ends a script is a sentence for its reader, not a traceback through our code."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show_error


def _show_error(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    from headrace.base.settings import wants_debug

    ours = (
        errors.UsageError,
        errors.ConfigurationError,
        errors.DatabaseError,
        errors.GatewayError,
        errors.ConcurrencySlotError,
    )
    if isinstance(error, ours) and not wants_debug():
        sys.stderr.write(f"Error: {error}\n")
    else:
        sys.__excepthook__(kind, error, traceback)

"""Embedded or remote: the only place that chooses, and the only one that puts the rooms together."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from headrace.base import errors
from headrace.base.settings import Settings, load_settings, wants_debug
from headrace.engine.logs import configure_logging
from headrace.engine.session import Session

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration
    from headrace.gateway.execution import Execution


def open_execution(settings: Settings) -> Execution:
    """The way for engines and workers: the database itself, in this process.

    Opens the database, creating or migrating it. Raises `DatabaseError` in one line when that cannot be, and
    `ConfigurationError` when the settings name a server.
    """
    from headrace.orchestration.execution import OrchestratedExecution
    from headrace.storage.databases import open_database

    _refuse_server(settings)
    return OrchestratedExecution(open_database(settings.database_url, synchronous=settings.database_synchronous))


def open_administration(settings: Settings) -> Administration:
    """The way for those who look and manage. Raises as `open_execution`."""
    from headrace.orchestration.administration import OrchestratedAdministration
    from headrace.storage.databases import open_database

    _refuse_server(settings)
    return OrchestratedAdministration(open_database(settings.database_url, synchronous=settings.database_synchronous))


def open_session() -> Session:
    """The session of a process that runs flows: settings read, logging set up, what an outage left behind delivered."""
    _show_errors_in_one_line()
    settings = load_settings()
    configure_logging(settings)
    session = Session(open_execution(settings), settings)
    session.spool.deliver(session.gateway)
    return session


def _refuse_server(settings: Settings) -> None:
    if settings.api_url is not None:
        raise errors.ConfigurationError(
            f"HEADRACE_API_URL is {settings.api_url}, but this version records into a database only: unset it."
        )


def _show_errors_in_one_line() -> None:
    """An error of ours that ends a script is a sentence for its reader, not a traceback through our code."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show_error


def _show_error(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    ours = (errors.UsageError, errors.ConfigurationError, errors.DatabaseError)
    if isinstance(error, ours) and not wants_debug():
        sys.stderr.write(f"Error: {error}\n")
    else:
        sys.__excepthook__(kind, error, traceback)

"""The session that code is in."""

from __future__ import annotations

from headrace.engine.context import current
from headrace.engine.session import Session, current_session


def session_here() -> Session:
    """The session of the run that executes here, or else that of the process."""
    run = current.get()
    return run.session if run is not None else current_session()

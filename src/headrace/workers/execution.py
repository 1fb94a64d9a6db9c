"""What happens in the process of a run: its environment, its code, its flow."""

from __future__ import annotations

import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

from headrace.base import errors
from headrace.connect import open_session
from headrace.engine.flow_definition import Flow
from headrace.engine.logs import RunLogger, describe_error
from headrace.engine.opening import set_opener
from headrace.engine.session import Session, current_session
from headrace.projects.blocks import BlockReader
from headrace.projects.entrypoints import load_flow
from headrace.projects.steps.sequence import run_pull_steps
from headrace.projects.variables import VariableReader
from headrace.rules.transitions import FAILED
from headrace.schema.orchestration import Proposal
from headrace.schema.state import StateCreate
from headrace.workers.charge import Charge

INTERRUPTED = 130
"""The exit code of a process that was told to end."""

log = logging.getLogger("headrace.execution")


class Preparation:
    """A run whose flow is not loaded yet, for the lines that are logged meanwhile."""

    task_run_id: UUID | None = None

    def __init__(self, session: Session, charge: Charge) -> None:
        self.session = session
        self.name = charge.claim.flow_run.name
        self.flow_run_id: UUID | None = charge.claim.flow_run.id


def execute(charge: Charge, *, supervised: bool = True) -> int:
    """Execute a claimed run in this process, which is for nothing else; return the exit code: 0 for a run that
    has completed, or is suspended. Unless it is `supervised`, the process shows itself that the run is alive.
    """
    os.environ.clear()
    os.environ.update(charge.environ)
    signal.signal(signal.SIGTERM, _interrupt)
    set_opener(partial(open_session, supervised=supervised))
    try:
        session = current_session()
    except errors.HeadraceError as error:
        log.error("Flow run %r cannot be executed: %s", charge.claim.flow_run.name, error)  # noqa: TRY400 - one sentence
        return 1
    session.attempts[charge.claim.flow_run.id] = charge.claim.epoch
    try:
        flow = _prepare(charge, session)
        if flow is None:
            return 1
        state = flow.execute(charge.claim)
        return int(not (state.is_completed() or state.is_paused()))
    except KeyboardInterrupt:
        return INTERRUPTED
    except errors.Unavailable as error:
        log.error("Flow run %r could not begin: %s", charge.claim.flow_run.name, error)  # noqa: TRY400 - one sentence
        return 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End as on Ctrl-C, which event loops understand as well."""
    signal.raise_signal(signal.SIGINT)


def _prepare(charge: Charge, session: Session) -> Flow[..., Any] | None:
    """The run's flow, loaded in its place; None when that failed, and the run with it."""
    logger = RunLogger(Preparation(session, charge))
    try:
        folder = Path(charge.working_dir or charge.folder)
        os.chdir(folder)
        variables, blocks = VariableReader(lambda: session.administration), BlockReader(lambda: session.administration)
        folder = run_pull_steps(charge.pull_steps, folder, logger.info, variables, blocks)
        os.chdir(folder)
        sys.argv = [charge.entrypoint.partition(":")[0]]
        return load_flow(charge.entrypoint, folder)
    except KeyboardInterrupt:
        _fail(session, charge, "The run was told to end before its flow was loaded.")
        raise
    except BaseException as error:
        # What we say ourselves is one sentence; what comes from the user's code has its traceback.
        cause = error.__cause__ if isinstance(error, errors.HeadraceError) else error
        logger.error(  # noqa: TRY400 - with the traceback of what was wrong, which need not be this error's
            "The flow could not be loaded: %s", describe_error(error), exc_info=cause
        )
        _fail(session, charge, f"The flow could not be loaded: {describe_error(error)}")
        return None


def _fail(session: Session, charge: Charge, message: str) -> None:
    """Say of the run that it never began."""
    claim = charge.claim
    state = StateCreate(type=FAILED, message=message)
    try:
        session.propose(Proposal(flow_run_id=claim.flow_run.id, state=state, epoch=claim.epoch))
    except errors.HeadraceError as error:
        log.error("Flow run %r: %s", claim.flow_run.name, error)  # noqa: TRY400 - one sentence

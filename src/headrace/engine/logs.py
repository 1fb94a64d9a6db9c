"""Logging: run loggers, the lines on the terminal, the lines in the journal, `print` in runs that log it."""

from __future__ import annotations

import builtins
import logging
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, Self
from uuid import UUID

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.base.settings import Settings
from headrace.engine.context import RunContext, TaskContext, current
from headrace.engine.forks import after_fork
from headrace.engine.log_files import apply_log_file
from headrace.schema.fact import LogFact

if TYPE_CHECKING:
    from headrace.engine.session import Session

ROOT = "headrace"
FLOW_RUNS = "headrace.flow_runs"
TASK_RUNS = "headrace.task_runs"
_OWN = frozenset({"headrace.journal", "headrace.live", "headrace.results", "headrace.session", "headrace.spool"})
LIMIT = 1_000_000
"""Lines longer than this are kept cut and marked."""

LEFT = 1_000
"""The most lines that are left to the thread that writes to the terminal."""

LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}

_COLORS = {logging.DEBUG: "2", logging.INFO: "36", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}
_configuring = threading.Lock()
_configured = False


class LoggedRun(Protocol):
    """What lines must know of the run they belong to. A run in execution is one; so is a run that is being prepared."""

    session: Session

    @property
    def name(self) -> str:
        """The run's name."""
        ...

    @property
    def flow_run_id(self) -> UUID | None:
        """The id of the flow run, if the line belongs to one."""
        ...

    @property
    def task_run_id(self) -> UUID | None:
        """The id of the task run, if the line belongs to one."""
        ...


_of_flows = logging.getLogger(FLOW_RUNS)
_of_tasks = logging.getLogger(TASK_RUNS)


class RunLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines belong to one run."""

    def __init__(self, context: LoggedRun) -> None:
        super().__init__(_of_tasks if isinstance(context, TaskContext) else _of_flows, {"run": context})

    def tell(self, text: str) -> None:
        """Log what every run has to say, as information. Nobody asks where in our code it is said, so it is not found out."""
        logger = self.logger
        if logger.isEnabledFor(logging.INFO):
            logger.handle(logger.makeRecord(logger.name, logging.INFO, __file__, 0, text, (), None, "tell", self.extra))

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        """Give the record its run."""
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **(self.extra or {})}
        return msg, kwargs


class MutedLogger(RunLogger):
    """A run logger that says nothing, and needs no run."""

    def __init__(self) -> None:
        logging.LoggerAdapter.__init__(self, logging.getLogger(FLOW_RUNS), {})  # pyright: ignore[reportUnknownMemberType]

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's own name
        """No line of any level is."""
        return False


_muted: ContextVar[bool] = ContextVar("headrace_muted", default=False)


@contextmanager
def disable_run_logger() -> Generator[None]:
    """Have `get_run_logger` drop its lines within the block, so that `flow.fn` and `task.fn` can be called in tests."""
    token = _muted.set(True)
    try:
        yield
    finally:
        _muted.reset(token)


class LogEavesdropper(logging.Handler):
    """Hears what a logger says within a `with` block, and gives it as one text."""

    def __init__(self, eavesdrop_on: str, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self.setFormatter(logging.Formatter("[%(levelname)s]: %(message)s"))
        self._logger = logging.getLogger(eavesdrop_on)
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Note a line."""
        self._lines.append(self.format(record))

    def text(self) -> str:
        """What was said so far, a line each."""
        return "\n".join(self._lines)


def get_logger(name: str | None = None) -> logging.Logger:
    """A logger of Headrace's own, below the root logger `headrace`."""
    if name is None or name == ROOT:
        return logging.getLogger(ROOT)
    return logging.getLogger(name if name.startswith(f"{ROOT}.") else f"{ROOT}.{name}")


def get_run_logger(context: RunContext | None = None) -> RunLogger:
    """A logger whose lines are kept with the run that executes here. Raises `MissingContextError` outside of any run.

    Within `disable_run_logger` it drops them, and no run is needed.
    """
    if _muted.get():
        return MutedLogger()
    run = context or current.get()
    if run is None:
        raise errors.MissingContextError(
            "There is no run here to log for: use get_run_logger() within a flow or a task."
        )
    return RunLogger(run)


class _Open:
    """Stands where a handler has a lock that needs none: threads that log at once do not wait for each other."""

    def acquire(self) -> None:
        """Nobody is kept out."""

    def release(self) -> None:
        """Nobody was."""

    def __enter__(self) -> None:
        """As above."""

    def __exit__(self, *_: object) -> None:
        """As above."""


class JournalHandler(logging.Handler):
    """Keeps the lines of runs, each once: it belongs to the run it was logged for, or else to the one executing here.

    What the journal itself and those beside it have to say is not kept: to keep it would make more of it.
    """

    def createLock(self) -> None:  # noqa: N802 - logging's own name
        """The journal has a lock."""
        self.lock: Any = _Open()

    def emit(self, record: logging.LogRecord) -> None:
        """Journal the record if it belongs to a run."""
        run: LoggedRun | None = getattr(record, "run", None) or current.get()
        if run is None or record.name in _OWN or getattr(record, "kept_with_run", False):
            return
        record.kept_with_run = True
        message = _whole(record, _message(record))
        if len(message) > LIMIT:
            message = f"{message[:LIMIT]}\n… (cut: {len(message)} characters)"
        fact = LogFact(
            uuid7(),
            record.name,
            record.levelno,
            message,
            int(record.created * 1_000_000),
            run.flow_run_id,
            run.task_run_id,
        )
        run.session.emit(fact)


class TerminalFormatter(logging.Formatter):
    """`12:34:56.789 | INFO    | Flow run 'quiet-heron' - message`, coloured by level on a terminal."""

    def __init__(self, colors: bool) -> None:
        super().__init__()
        self._colors = colors
        self._second = (0, "")

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        run: LoggedRun | None = getattr(record, "run", None)
        origin = (
            record.name if run is None else f"{'Task' if isinstance(run, TaskContext) else 'Flow'} run {run.name!r}"
        )
        second, clock = self._second
        if second != int(record.created):
            second = int(record.created)
            clock = time.strftime("%H:%M:%S", time.localtime(second))
            self._second = second, clock
        level = f"{record.levelname:<7}"
        if self._colors:
            level = f"\x1b[{_COLORS.get(record.levelno, '0')}m{level}\x1b[0m"
            origin = f"\x1b[1m{origin}\x1b[0m"
        return _whole(record, f"{clock}.{int(record.msecs):03d} | {level} | {origin} - {_message(record)}")


def _message(record: logging.LogRecord) -> str:
    """What was logged; arguments that do not fit their text are shown beside it."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - whatever formatting calls; a line must not fail the run that logs it
        text: object = record.msg
        shown = text if isinstance(text, str) else object.__repr__(text)
        return f"{shown} (cannot be filled: {describe_error(error)})"


def _whole(record: logging.LogRecord, text: str) -> str:
    """The text with the traceback and the stack that were logged with it."""
    if record.exc_info and record.exc_info[0] is not None:
        text = f"{text}\n{_plain.formatException(record.exc_info)}"
    return f"{text}\n{record.stack_info}" if record.stack_info else text


_plain = logging.Formatter()


class TerminalHandler(logging.StreamHandler[Any]):
    """Writes to whatever standard error is at the moment, so that captured output is captured.

    Who logs while another thread is writing leaves the line to that thread. To write gives the interpreter away: threads
    that waited for their turn at it would spend more time on that than on their tasks.
    """

    def __init__(self) -> None:
        super().__init__()
        self._renew()
        after_fork(self._renew)

    def _renew(self) -> None:
        """Begin without lines: what a forked child has of them its parent writes."""
        self._lines: list[str] = []
        self._writing = threading.Lock()
        self._writer: int | None = None

    def createLock(self) -> None:  # noqa: N802 - logging's own name
        """Nobody waits for a turn here."""
        self.lock: Any = _Open()

    @property
    def stream(self) -> Any:
        """Standard error, now."""
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        pass

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or leave it to who is writing; not if that one cannot keep up."""
        try:
            self._lines.append(f"{self.format(record)}\n")
            self._write_lines(wait=len(self._lines) > LEFT)
        except Exception:  # noqa: BLE001 - logging knows what becomes of it
            self.handleError(record)

    def flush(self) -> None:
        """Return when all lines are written; the end of a process waits for that."""
        self._write_lines(wait=True)

    def _write_lines(self, wait: bool) -> None:
        # Who is writing already does it, should a signal log something meanwhile.
        while self._lines and self._writer != threading.get_ident() and self._writing.acquire(wait):
            try:
                self._writer = threading.get_ident()
                lines = self._lines[:]
                try:
                    self.stream.write("".join(lines))
                    self.stream.flush()
                finally:
                    del self._lines[: len(lines)]
            finally:
                self._writer = None
                self._writing.release()


def configure_logging(settings: Settings) -> None:
    """Set up Headrace's loggers as the settings say, once per process. Raises `ConfigurationError`.

    What a file says of them (see `engine.log_files`) goes before.
    """
    global _configured  # noqa: PLW0603 - logging is a process's, as its loggers are
    with _configuring:
        if _configured:
            return
        said = apply_log_file(settings.logging_settings_path, needed=_is_chosen(settings))
        _configured = True
    level = LEVELS.get(settings.logging_level.upper(), logging.INFO)
    if ROOT not in said:
        root = logging.getLogger(ROOT)
        root.setLevel(level)
        root.propagate = False
        terminal = TerminalHandler()
        terminal.setFormatter(TerminalFormatter(_colors(settings)))
        root.addHandler(terminal)
    journal = JournalHandler(level)
    for name in (FLOW_RUNS, TASK_RUNS, *settings.logging_extra_loggers):
        logger = logging.getLogger(name)
        logger.addHandler(journal)
        if not name.startswith(ROOT) and logger.level == logging.NOTSET:
            logger.setLevel(level)


def _is_chosen(settings: Settings) -> bool:
    """Whether the file of logging settings is another one than is looked for by default."""
    return settings.logging_settings_path != settings.home / "logging.yml"


def _colors(settings: Settings) -> bool:
    if settings.logging_colors == "auto":
        return sys.stderr.isatty()
    return settings.logging_colors == "always"


_print = builtins.print


def _print_or_log(
    *args: Any, sep: str | None = None, end: str | None = None, file: Any = None, flush: bool = False
) -> None:
    context = current.get()
    if context is None or not context.log_prints or file not in (None, sys.stdout):
        _print(*args, sep=sep, end=end, file=file, flush=flush)
        return
    get_run_logger(context).info("%s", (" " if sep is None else sep).join(map(str, args)))


def take_over_print() -> None:
    """From here on, `print` within a run that logs its prints logs instead; everywhere else it prints as ever."""
    if builtins.print is _print:
        builtins.print = _print_or_log  # pyright: ignore[reportAttributeAccessIssue]


def _fork() -> None:
    global _configuring  # noqa: PLW0603 - as above
    _configuring = threading.Lock()


after_fork(_fork)


def describe_error(error: BaseException | None) -> str:
    """An error in one phrase: its type and what it says, if it can say it."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the user's own; the run has failed with `error`, not with this
        text = "(it cannot be shown)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

"""Lines of runs: kept with the run they belong to, shown on the terminal, `print` included where a run says so."""

from __future__ import annotations

import builtins
import io
import logging
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from headrace import flow, get_run_logger, task
from headrace.base import errors
from headrace.base.settings import load_settings
from headrace.engine import logs
from headrace.engine.logs import (
    LIMIT,
    JournalHandler,
    TerminalFormatter,
    configure_logging,
    describe_error,
    get_logger,
    take_over_print,
)
from headrace.schema.fact import LogFact
from tests.unit.engine.conftest import Stage


class Unspeakable(Exception):
    def __str__(self) -> NoReturn:
        raise RuntimeError("no words")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def printing(stage: Stage) -> None:
    """`print` is taken over for the test; the stage gives it back."""
    take_over_print()


@pytest.fixture
def library() -> Iterator[logging.Logger]:
    """A logger that is none of ours."""
    logger = logging.getLogger("some_library")
    yield logger
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


LIMIT_SECONDS = 30.0
"""Seconds after which a test that waits has failed."""


def record_of(message: str = "a line", *args: Any, level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    record = logging.LogRecord("headrace.test", level, __file__, 1, message, args, None)
    vars(record).update(extra)
    return record


def kept(stage: Stage) -> list[LogFact]:
    return [fact for fact in stage.settle().facts if isinstance(fact, LogFact)]


# loggers


def test_our_loggers_are_below_one_root() -> None:
    assert get_logger().name == get_logger("headrace").name == "headrace"
    assert get_logger("train").name == get_logger("headrace.train").name == "headrace.train"


def test_outside_of_runs_there_is_no_run_logger() -> None:
    with pytest.raises(errors.MissingContextError, match="There is no run here to log for"):
        get_run_logger()


def test_lines_belong_to_the_run_that_logs_them(stage: Stage) -> None:
    @task
    def load() -> None:
        get_run_logger().warning("%d rows", 3, extra={"source": "file"})

    @flow
    def pipeline() -> None:
        get_run_logger().info("begin")
        load()

    pipeline()
    lines = [fact for fact in kept(stage) if fact.message in {"begin", "3 rows"}]
    (run,) = stage.recorder.flow_runs()
    (made,) = stage.recorder.task_runs()
    assert [(line.name, line.level, line.flow_run_id, line.task_run_id) for line in lines] == [
        ("headrace.flow_runs", logging.INFO, run, None),
        ("headrace.task_runs", logging.WARNING, run, made.id),
    ]


def test_lines_of_other_loggers_are_kept_when_asked_for(stage: Stage, library: logging.Logger) -> None:
    logs._configured = False  # pyright: ignore[reportPrivateUsage]
    for name in (logs.ROOT, logs.FLOW_RUNS, logs.TASK_RUNS):
        logging.getLogger(name).handlers.clear()
    configure_logging(stage.use(logging_extra_loggers=("some_library", "headrace.extra")).settings)

    @flow
    def pipeline() -> None:
        library.info("from within")
        library.debug("too low")

    pipeline()
    library.info("from outside")
    messages = [line.message for line in kept(stage)]
    assert messages.count("from within") == 1
    assert "too low" not in messages
    assert "from outside" not in messages
    assert library.level == logging.INFO
    logging.getLogger("headrace.extra").handlers.clear()


def test_a_level_that_a_library_has_is_left_to_it(library: logging.Logger, quiet_logging: None, home: object) -> None:
    library.setLevel(logging.ERROR)
    configure_logging(load_settings({"HEADRACE_LOGGING_EXTRA_LOGGERS": "some_library"}))
    assert library.level == logging.ERROR


def test_what_the_journal_says_is_not_journaled(stage: Stage) -> None:
    @flow
    def pipeline() -> None:
        JournalHandler().emit(record_of("about the journal", name="headrace.journal"))
        JournalHandler().emit(record_of("about anything"))

    pipeline()
    messages = [line.message for line in kept(stage)]
    assert "about anything" in messages
    assert "about the journal" not in messages


def test_long_lines_are_cut_and_say_so(stage: Stage) -> None:
    @flow
    def pipeline() -> None:
        get_run_logger().info("x" * (LIMIT + 1))

    pipeline()
    (line,) = [line.message for line in kept(stage) if line.message.startswith("x")]
    assert line == f"{'x' * LIMIT}\n… (cut: {LIMIT + 1} characters)"


def test_a_line_that_cannot_be_made_does_not_fail_the_run(stage: Stage) -> None:
    @flow
    def pipeline() -> int:
        handler = JournalHandler()
        handler.emit(record_of("%d rows", "three"))
        handler.emit(record_of("%s", Unspeakable()))
        handler.emit(record_of(msg=Unspeakable()))
        return 3

    assert pipeline() == 3
    lines = [line.message for line in kept(stage) if "cannot be filled" in line.message]
    assert lines[0].startswith("%d rows (cannot be filled: TypeError: ")
    assert lines[1] == "%s (cannot be filled: RuntimeError: no words)"
    assert re.fullmatch(r"<.*Unspeakable object at .*> \(cannot be filled: RuntimeError: no words\)", lines[2])


# errors


def test_an_error_is_told_in_one_phrase() -> None:
    assert describe_error(ValueError("no such file")) == "ValueError: no such file"
    assert describe_error(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert describe_error(Unspeakable()) == "Unspeakable: (it cannot be shown)"


def test_a_run_whose_error_has_no_words_fails_all_the_same(stage: Stage) -> None:
    @flow
    def pipeline() -> None:
        raise Unspeakable

    state: Any = pipeline(return_state=True)
    assert state.is_failed()


def test_a_traceback_and_a_stack_are_part_of_the_line() -> None:
    formatter = TerminalFormatter(colors=False)
    text = ""
    try:
        int("three")
    except ValueError:
        text = formatter.format(record_of(exc_info=sys.exc_info(), stack_info="Stack (most recent call last): …"))
    assert re.search(
        r"a line\nTraceback .*ValueError: invalid .*\nStack \(most recent call last\): …$", text, re.DOTALL
    )
    assert formatter.format(record_of(exc_info=(None, None, None))).endswith("- a line")


# the terminal


def test_a_line_on_the_terminal_tells_time_level_and_origin() -> None:
    text = TerminalFormatter(colors=False).format(record_of("%d rows", 3, level=logging.WARNING))
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d\d \| WARNING \| headrace\.test - 3 rows", text)


@pytest.mark.parametrize(
    ("level", "shown"),
    [(logging.ERROR, "\x1b[31mERROR  \x1b[0m"), (logging.INFO, "\x1b[36mINFO   \x1b[0m"), (7, "\x1b[0mLevel 7\x1b[0m")],
)
def test_levels_have_colours(level: int, shown: str) -> None:
    text = TerminalFormatter(colors=True).format(record_of(level=level))
    assert f"| {shown} | \x1b[1mheadrace.test\x1b[0m - a line" in text


def test_runs_are_named_on_the_terminal(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    @task(task_run_name="load the file")
    def load() -> None:
        get_run_logger().info("rows")

    @flow(flow_run_name="nightly")
    def pipeline() -> None:
        get_run_logger().info("begin")
        load()

    pipeline()
    shown = capsys.readouterr().err
    assert "| INFO    | Flow run 'nightly' - begin\n" in shown
    assert "| INFO    | Task run 'load the file' - rows\n" in shown


@pytest.mark.parametrize(
    ("colors", "stream", "coloured"),
    [
        ("auto", Terminal(), True),
        ("auto", io.StringIO(), False),
        ("always", io.StringIO(), True),
        ("never", Terminal(), False),
    ],
)
def test_colours_are_for_terminals_unless_said(
    colors: str, stream: io.StringIO, coloured: bool, quiet_logging: None, home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    logging.getLogger(logs.ROOT).handlers.clear()
    configure_logging(load_settings({"HEADRACE_LOGGING_COLORS": colors}))
    get_logger("test").warning("a line")
    assert ("\x1b[" in stream.getvalue()) is coloured
    assert "a line" in stream.getvalue()


def test_logging_is_configured_once(quiet_logging: None, home: object) -> None:
    root = logging.getLogger(logs.ROOT)
    root.handlers.clear()
    configure_logging(load_settings({"HEADRACE_LOGGING_LEVEL": "warning"}))
    configure_logging(load_settings({"HEADRACE_LOGGING_LEVEL": "debug"}))
    assert len(root.handlers) == 1
    assert root.level == logging.WARNING
    (terminal,) = root.handlers
    assert isinstance(terminal, logs.TerminalHandler)
    terminal.setStream(io.StringIO())
    assert terminal.stream is sys.stderr


class Slow(io.StringIO):
    """A terminal that is busy with its first line until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.busy = threading.Event()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.busy.set()
        assert self.go_on.wait(LIMIT_SECONDS)
        return super().write(text)


def test_lines_are_left_to_the_thread_that_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, stream = logs.TerminalHandler(), Slow()
    monkeypatch.setattr(sys, "stderr", stream)
    writer = threading.Thread(target=terminal.handle, args=(record_of("first"),))
    writer.start()
    assert stream.busy.wait(LIMIT_SECONDS)
    terminal.handle(record_of("second"))
    terminal.handle(record_of("third"))
    assert stream.getvalue() == ""
    stream.go_on.set()
    writer.join(LIMIT_SECONDS)
    assert stream.getvalue() == "first\nsecond\nthird\n"


def test_who_flushes_waits_until_all_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, stream = logs.TerminalHandler(), Slow()
    monkeypatch.setattr(sys, "stderr", stream)
    writer = threading.Thread(target=terminal.handle, args=(record_of("first"),))
    writer.start()
    assert stream.busy.wait(LIMIT_SECONDS)
    terminal.handle(record_of("second"))
    waiting = threading.Thread(target=terminal.flush)
    waiting.start()
    stream.go_on.set()
    waiting.join(LIMIT_SECONDS)
    assert stream.getvalue() == "first\nsecond\n"
    writer.join(LIMIT_SECONDS)


@pytest.mark.parametrize(("left", "waits"), [(0, [True]), (1, [False])])
def test_a_thread_that_cannot_keep_up_is_waited_for(
    left: int, waits: list[bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Turn:
        def acquire(self, wait: bool) -> bool:
            waited.append(wait)
            return True

        def release(self) -> None: ...

    waited: list[bool] = []
    terminal = logs.TerminalHandler()
    monkeypatch.setattr(logs, "LEFT", left)
    monkeypatch.setattr(terminal, "_writing", Turn())
    terminal.handle(record_of("first"))
    assert (waited, capsys.readouterr().err) == (waits, "first\n")


def test_what_a_signal_logs_while_its_thread_writes_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            if "first" in text:
                terminal.handle(record_of("told to end"))
                terminal.flush()
            return super().write(text)

    terminal, stream = logs.TerminalHandler(), Interrupted()
    monkeypatch.setattr(sys, "stderr", stream)
    terminal.handle(record_of("first"))
    assert stream.getvalue() == "first\ntold to end\n"


def test_a_terminal_that_is_gone_fails_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    failed: list[str] = []
    terminal = logs.TerminalHandler()
    monkeypatch.setattr(terminal, "handleError", lambda record: failed.append(record.getMessage()))  # pyright: ignore[reportUnknownLambdaType, reportUnknownMemberType, reportUnknownArgumentType]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", Gone())
        terminal.handle(record_of("lost"))
    terminal.handle(record_of("next"))
    assert (failed, capsys.readouterr().err) == (["lost"], "next\n")


def test_a_forked_child_writes_for_nobody_but_itself(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = logs.TerminalHandler()
    terminal._writing.acquire()  # pyright: ignore[reportPrivateUsage] - as another thread of the parent had
    terminal.handle(record_of("the parent's"))
    terminal._renew()  # pyright: ignore[reportPrivateUsage]
    terminal.handle(record_of("the child's"))
    assert capsys.readouterr().err == "the child's\n"


@pytest.mark.parametrize("handler", [JournalHandler(), logs.TerminalHandler()])
def test_our_handlers_keep_nobody_waiting(handler: logging.Handler) -> None:
    assert handler.lock is not None
    with handler.lock, handler.lock:
        handler.acquire()
    handler.release()


def test_what_every_run_says_has_a_level(stage: Stage) -> None:
    @flow
    def pipeline() -> None:
        get_run_logger().tell("heard")
        logging.getLogger(logs.FLOW_RUNS).setLevel(logging.ERROR)
        get_run_logger().tell("not heard")
        logging.getLogger(logs.FLOW_RUNS).setLevel(logging.NOTSET)

    pipeline()
    messages = [line.message for line in kept(stage)]
    assert "heard" in messages
    assert "not heard" not in messages


def test_a_forked_child_waits_for_nobody_who_configures(monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Lock()
    held.acquire()
    monkeypatch.setattr(logs, "_configuring", held)
    logs._fork()  # pyright: ignore[reportPrivateUsage]
    assert not logs._configuring.locked()  # pyright: ignore[reportPrivateUsage]


# print


def test_prints_are_lines_where_the_run_says_so(
    stage: Stage, printing: None, capsys: pytest.CaptureFixture[str]
) -> None:
    @flow(log_prints=True)
    def pipeline() -> None:
        print("rows:", 3, sep=" = ")
        print("two", "words")
        print()
        print("to a file", file=sys.stderr)
        print("to standard output", file=sys.stdout)

    pipeline()
    print("outside")
    messages = [line.message for line in kept(stage)]
    assert [text for text in messages if text in {"rows: = 3", "two words", "", "to standard output"}] == [
        "rows: = 3", "two words", "", "to standard output",
    ]  # fmt: skip
    assert "to a file" not in messages
    captured = capsys.readouterr()
    assert captured.out == "outside\n"
    assert "\nto a file\n" in captured.err


@pytest.mark.parametrize(
    ("of_flow", "of_task", "logged"),
    [(True, None, True), (True, False, False), (None, None, False), (None, True, True), (False, True, True)],
)
def test_tasks_and_subflows_inherit_unless_they_say_otherwise(
    of_flow: bool | None,
    of_task: bool | None,
    logged: bool,
    stage: Stage,
    printing: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @task(log_prints=of_task)
    def load() -> None:
        print("from the task")

    @flow(log_prints=of_task)
    def inner() -> None:
        print("from the subflow")

    @flow(log_prints=of_flow)
    def pipeline() -> None:
        load()
        inner()

    pipeline()
    messages = [line.message for line in kept(stage)]
    printed = capsys.readouterr().out
    for text in ("from the task", "from the subflow"):
        assert (text in messages) is logged
        assert (f"{text}\n" in printed) is not logged


def test_print_is_taken_over_once(quiet_logging: None) -> None:
    take_over_print()
    ours = builtins.print
    take_over_print()
    assert builtins.print is ours


def test_a_print_that_somebody_else_took_over_is_left_to_them(
    quiet_logging: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs: Any = sys.stdout.write
    monkeypatch.setattr(builtins, "print", theirs)
    take_over_print()
    assert builtins.print is theirs

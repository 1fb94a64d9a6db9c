"""Files that set up logging: what they say holds, and what is wrong with them is said in one line that names them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace import flow, get_run_logger
from headrace.base import errors
from headrace.base.settings import load_settings
from headrace.engine import logs
from headrace.engine.logs import configure_logging, get_logger
from headrace.schema.fact import LogFact
from tests.unit.engine.conftest import Stage


class Listener(logging.Handler):
    """A handler that a file can name."""

    heard: list[str] = []  # noqa: RUF012 - who names it has no other way to it

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@pytest.fixture(autouse=True)
def loggers(quiet_logging: None) -> Iterator[None]:
    """Loggers are as they were afterwards."""
    Listener.heard.clear()
    yield
    for name in ("some_library", "some_library.part"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.disabled = False


DOCUMENT: dict[str, Any] = {
    "version": 1,
    "handlers": {"listener": {"class": f"{__name__}.Listener"}},
    "loggers": {"headrace": {"level": "DEBUG", "handlers": ["listener"]}},
}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_the_file_says_of_headrace_holds(home: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "logs.json", json.dumps(DOCUMENT))
    configure_logging(load_settings({"HEADRACE_LOGGING_SETTINGS_PATH": str(path)}))
    (handler,) = logging.getLogger(logs.ROOT).handlers
    assert isinstance(handler, Listener)
    get_logger("test").debug("a line")
    assert Listener.heard == ["a line"]


def test_the_file_in_the_home_is_read_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    existing = logging.getLogger("some_library.part")
    write(
        tmp_path / "home" / "logging.yml",
        f"""
        version: 1
        handlers: {{listener: {{class: {__name__}.Listener}}}}
        loggers: {{some_library: {{level: INFO, handlers: [listener]}}}}
        """,
    )
    configure_logging(load_settings({"HEADRACE_HOME": str(tmp_path / "home")}))
    (handler,) = logging.getLogger(logs.ROOT).handlers
    assert isinstance(handler, logs.TerminalHandler)
    assert not existing.disabled
    existing.info("a line")
    assert Listener.heard == ["a line"]


def test_a_file_may_disable_what_exists(tmp_path: Path) -> None:
    existing = logging.getLogger("some_library.part")
    path = write(tmp_path / "logs.yml", "{version: 1, disable_existing_loggers: true}")
    configure_logging(load_settings({"HEADRACE_LOGGING_SETTINGS_PATH": str(path)}))
    assert existing.disabled
    for name in (logs.ROOT, *logging.Logger.manager.loggerDict):
        logging.getLogger(name).disabled = False


def test_lines_of_runs_are_kept_whatever_the_file_says(stage: Stage, tmp_path: Path) -> None:
    logs._configured = False  # pyright: ignore[reportPrivateUsage]
    for name in (logs.ROOT, logs.FLOW_RUNS, logs.TASK_RUNS):
        logging.getLogger(name).handlers.clear()
    path = write(tmp_path / "logs.yml", json.dumps(DOCUMENT))
    extra = ("some_library", "some_library.part", "headrace")
    configure_logging(stage.use(logging_settings_path=path, logging_extra_loggers=extra).settings)

    @flow
    def pipeline() -> None:
        get_run_logger().info("of the run")
        logging.getLogger("some_library.part").info("of a part")

    pipeline()
    kept = [fact.message for fact in stage.settle().facts if isinstance(fact, LogFact)]
    assert kept.count("of the run") == kept.count("of a part") == 1
    assert "of the run" in Listener.heard


def test_without_a_file_logging_is_as_ever(home: Path) -> None:
    configure_logging(load_settings())
    (handler,) = logging.getLogger(logs.ROOT).handlers
    assert isinstance(handler, logs.TerminalHandler)


BAD: list[tuple[str, str, str]] = [
    ("logs.yml", "version: [1", "logs.yml:1 is no YAML: expected"),
    ("logs.yml", "version:\n  \x01", "logs.yml:2 is no YAML: unacceptable character"),
    ("logs.yml", "version: 2001-13-01", "logs.yml is no YAML: month must be in 1..12."),
    ("logs.json", '{\n"version" 1}', "logs.json:2 is no JSON: Expecting ':' delimiter."),
    ("logs.yml", "- version", "logs.yml are no mapping with `version: 1`."),
    ("logs.yml", "", "logs.yml are no mapping with `version: 1`."),
    ("logs.yml", "handlers: {}", "logs.yml cannot be used: "),
    ("logs.yml", "{version: 1, loggers: {a: {level: LOUD}}}", "Unable to configure logger 'a': Unknown level: 'LOUD'."),
    ("logs.yml", "{version: 1, handlers: {h: {class: no.such.Handler}}}", "Unable to configure handler 'h': "),
    ("logs.yml", "{version: 1, loggers: 3}", "logs.yml cannot be used: "),
    ("logs.yml", "version: 1\nhandlers: [1]", "logs.yml:2 cannot be used: Unable to configure handler 1: "),
    ("logs.yml", "version: 1\nroot:\n  level: LOUD", "logs.yml:2 cannot be used: Unable to configure root logger: "),
    ("logs.yml", "version: 1\nloggers:\n  a: {}\n  b:\n    level: LOUD", "logs.yml:4 cannot be used: Unable to "),
    (
        "logs.yml",
        "version: 1\nfilters:\n  7: {(): no.such}",
        "logs.yml:3 cannot be used: Unable to configure filter 7: ",
    ),
    (
        "logs.json",
        '{"version": 1,\n  "handlers":\n  {"h": {"class": "no.such"}}}',
        "logs.json:3 cannot be used: Unable",
    ),
    (
        "logs.json",
        '{"version": 1,\n\t"root":\n\t{"level": "LOUD"}}',
        "logs.json cannot be used: Unable to configure root",
    ),
]


@pytest.mark.parametrize(("name", "text", "message"), BAD)
def test_a_bad_file_is_named_in_one_line(home: Path, tmp_path: Path, name: str, text: str, message: str) -> None:
    path = write(tmp_path / name, text)
    settings = load_settings({"HEADRACE_LOGGING_SETTINGS_PATH": str(path)})
    for _ in range(2):  # it is no better the second time
        with pytest.raises(errors.ConfigurationError) as caught:
            configure_logging(settings)
        assert message in str(caught.value)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_file_that_is_named_must_be_there_and_readable(home: Path, tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "none.yml", r"There is no file of logging settings \S+none.yml\."),
        (tmp_path, r"The logging settings in \S+ cannot be read: Is a directory\."),
    ):
        with pytest.raises(errors.ConfigurationError, match=message):
            configure_logging(load_settings({"HEADRACE_LOGGING_SETTINGS_PATH": str(path)}))
    path = tmp_path / "latin.yml"
    path.write_bytes(b"version: \xff")
    with pytest.raises(errors.ConfigurationError, match="they are not UTF-8"):
        configure_logging(load_settings({"HEADRACE_LOGGING_SETTINGS_PATH": str(path)}))

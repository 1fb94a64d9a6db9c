"""How a server writes its log: lines for people, or a JSON object each for whoever collects them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

TEXT = "%(asctime)s | %(levelname)-7s | %(name)s - %(message)s"

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""The attributes that every record has; others are what the line adds."""

TELLING = ("httpx2", "httpcore2", "apprise")
"""Libraries whose lines hold the addresses that they call, which are secrets of Slack's, Teams' and others' webhooks."""


class JsonLines(logging.Formatter):
    """One line of JSON for each record: `time`, `level`, `logger`, `message`, `exception`, and what is extra."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN and name not in line}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode("utf-8", "replace")


def configure_logging(level: str, form: Literal["text", "json"] = "text") -> None:
    """Say on stderr what the server has to say."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter(TEXT, "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler])
    # What its library says of itself is for those who look for its faults.
    logging.getLogger("uvicorn").setLevel("WARNING" if level != "DEBUG" else level)
    for name in TELLING:
        logging.getLogger(name).setLevel("WARNING")

import json
import logging
import subprocess
import sys
from uuid import UUID

import pytest

from headrace.server.log_lines import JsonLines
from tests.unit.outbound.receivers import receive_web


def write(message: str, *arguments: object, **what: object) -> dict[str, object]:
    error = what.pop("error", None)
    record = logging.LogRecord("headrace.server", logging.WARNING, "x.py", 1, message, arguments, error)  # pyright: ignore[reportArgumentType]
    vars(record).update(what)
    line = JsonLines().format(record)
    assert "\n" not in line
    return json.loads(line)


def test_a_record_is_one_line_of_json() -> None:
    line = write("%d runs\nare late", 3, run=UUID(int=1))
    assert line.pop("time")
    assert line == {
        "level": "WARNING",
        "logger": "headrace.server",
        "message": "3 runs\nare late",
        "run": "00000000-0000-0000-0000-000000000001",
    }


def test_what_failed_is_told_with_its_traceback() -> None:
    line: dict[str, object] = {}
    try:
        int("broken")
    except ValueError:
        line = write("It failed", error=sys.exc_info())
    assert str(line["exception"]).startswith("Traceback")
    assert str(line["exception"]).endswith("ValueError: invalid literal for int() with base 10: 'broken'")


def test_what_a_record_adds_does_not_hide_what_it_is() -> None:
    assert write("hello", level="mine", time="mine")["level"] == "WARNING"


SENDING = """
import sys
from headrace.outbound.http import Outgoing, send
from headrace.server.log_lines import configure_logging
configure_logging(sys.argv[1])
assert send(Outgoing(method="POST", url=sys.argv[2], allow_private=True)).is_success
"""


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_the_address_of_a_webhook_is_a_secret_that_no_library_logs(level: str) -> None:
    with receive_web() as web:
        url = f"{web.url}/services/T000/s3cret"
        sent = subprocess.run([sys.executable, "-c", SENDING, level, url], stderr=subprocess.PIPE, check=True)
        assert [received.path for received in web.received] == ["/services/T000/s3cret"]
    assert b"s3cret" not in sent.stderr

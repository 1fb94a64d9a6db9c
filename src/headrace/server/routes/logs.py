from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from headrace.schema.filters import IdFilter, LogFilter
from headrace.schema.listing import LONGEST_LIST, LogListing
from headrace.schema.log import Log, LogCreate, LogTail
from headrace.schema.run import Page
from headrace.schema.wire import Request
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ, RUN = Permission.READ, Permission.RUN


class Counting(Request, kw_only=True):
    """Asks how many lines there are."""

    logs: LogFilter | None = None


class Tailing(Request, kw_only=True):
    """Asks for lines in the order they were written, from a place on."""

    logs: LogFilter | None = None
    after: int | None = None


@post("/api/logs/", **needs(RUN))
def create_logs(data: JSONBody[list[LogCreate]], administration: Office) -> None:
    administration.create_logs(data)


@post("/api/logs/filter", status_code=200, **needs(READ))
def list_logs(data: JSONBody[LogListing], administration: Office) -> list[Log]:
    return administration.list_logs(data.logs, data.sort, data.part)


@post("/api/logs/count", status_code=200, **needs(READ))
def count_logs(data: JSONBody[Counting], administration: Office) -> int:
    return administration.count_logs(data.logs)


@post("/api/logs/tail", status_code=200, **needs(READ))
def tail_logs(data: JSONBody[Tailing], administration: Office) -> LogTail:
    return administration.tail_logs(data.logs, data.after)


@get("/api/flow_runs/{flow_run_id:str}/logs/download", media_type="text/csv", **needs(READ))
def download_flow_run_logs(flow_run_id: FromPath[UUID], administration: Office) -> Stream:
    """Return the run's log lines as a CSV file, streamed."""
    run = administration.read_flow_run(flow_run_id)
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(run.name)}-logs.csv"'}
    return Stream(write_log_file(flow_run_id, administration), media_type="text/csv", headers=headers)


def write_log_file(flow_run_id: UUID, administration: Office) -> Iterator[str]:
    """The lines of a flow run as comma-separated text, a stretch at a time."""
    yield "timestamp,level,flow_run_id,task_run_id,message\r\n"
    wanted = LogFilter(flow_run_id=IdFilter(any_=[flow_run_id]))
    offset = 0
    while lines := administration.list_logs(wanted, page=Page(LONGEST_LIST, offset)):
        file = io.StringIO()
        rows = csv.writer(file)
        for line in lines:
            rows.writerow(
                [line.timestamp.isoformat(), line.level, line.flow_run_id, line.task_run_id or "", _cell(line.message)]
            )
        yield file.getvalue()
        offset += len(lines)


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _file_name(name: str) -> str:
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "_" for sign in name)[:100]


routes = [create_logs, list_logs, count_logs, tail_logs, download_flow_run_logs]

"""Request bodies as clients of the contract send them: read leniently, once, at the edge.

The wire types say what a request may hold. Between a client's bytes and them stands what clients do all the same: no
content type, no body where every field has a default, NaN, numbers in quotes, halves of surrogate pairs, unions
without the field that tells their members apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

import msgspec
from litestar import Request
from litestar.datastructures import State

from headrace.base.errors import InvalidRequest
from headrace.schema.automation import AutomationCreate, AutomationUpdate
from headrace.schema.deployment import DeploymentCreate, DeploymentUpdate
from headrace.schema.filters import RunSelection
from headrace.schema.listing import PlainListing
from headrace.schema.run import TaskRunCreate
from headrace.schema.schedule import DeploymentScheduleCreate, DeploymentScheduleUpdate, SchedulePreview
from headrace.schema.wire import DEEPEST, measure_depth

BODY = "headrace.body"
"""The key of a request's scope under which its body stands once it was read."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_decode = msgspec.json.Decoder().decode

Mender = Callable[[Any], None]
Questions = (PlainListing, RunSelection)
"""The types of questions. A field of theirs that is null asks for nothing: clients send all they know, and some versions know
fields that are not known here. Those that do say something are refused.
"""


class Lenient(Request[Any, Any, State]):
    """A request whose JSON is read as `read_json` reads it, whatever its content type says."""

    __slots__ = ()

    async def body(self) -> bytes:
        """The bytes of the body; no body at all is an object without fields."""
        body = await super().body() or b"{}"
        self.scope[BODY] = body  # pyright: ignore[reportGeneralTypeIssues]
        return body

    async def json(self) -> Any:
        """The body as plain values, mended for the wire type that the route takes."""
        wanted = self.route_handler.parsed_data_field
        return mend(read_json(await self.body()), wanted and wanted.annotation)


def read_json(data: bytes) -> Any:
    """Plain values of JSON text, where NaN and infinities are null and what is half a character is replaced.

    Raises `InvalidRequest` for what is no JSON or is nested deeper than `DEEPEST`.
    """
    try:
        try:
            value = _decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            value = _clean(json.loads(data.decode("utf-8-sig", "replace"), parse_constant=_forget))
    except (ValueError, RecursionError) as error:
        what = "is nested too deeply" if isinstance(error, RecursionError) else f"is not valid JSON: {error}"
        raise InvalidRequest(f"The request body {what}.") from None
    if data.count(b"[") + data.count(b"{") > DEEPEST and measure_depth(value) > DEEPEST:
        raise InvalidRequest("The request body is nested too deeply.")
    return value


def mend(value: Any, wanted: Any) -> Any:
    """The value with what its foreign shape leaves out filled in, for the wire type `wanted`."""
    if wanted is str and value == {}:
        return ""  # no body at all
    mender = MENDERS.get(wanted)
    for each in cast("list[Any]", value) if isinstance(value, list) else [value]:
        if mender is not None and isinstance(each, dict):
            mender(cast("dict[str, Any]", each))
    if isinstance(value, dict) and isinstance(wanted, type) and issubclass(wanted, Questions):
        asked = cast("dict[str, Any]", value)
        return {name: each for name, each in asked.items() if each is not None}
    return cast("Any", value)


def name_task_inputs(run: dict[str, Any]) -> None:
    """Say of each input of a task run what it is; the contract lets a client leave that to its fields."""
    inputs = run.get("task_inputs")
    if not isinstance(inputs, dict):
        return
    for entries in cast("dict[str, Any]", inputs).values():
        for entry in cast("list[Any]", entries) if isinstance(entries, list) else ():
            if isinstance(entry, dict) and "input_type" not in entry:
                entry["input_type"] = next((kind for field, kind in INPUT_FIELDS if field in entry), None)


def read_intervals(body: dict[str, Any]) -> None:
    """Read the intervals of schedules that are written as ISO 8601 durations; what is none is left for the types to refuse."""
    listed = body.get("schedules")
    for schedule in [body, *cast("list[Any]", listed if isinstance(listed, list) else [])]:
        rule: Any = cast("dict[str, Any]", schedule).get("schedule") if isinstance(schedule, dict) else None
        if isinstance(rule, dict) and isinstance(cast("dict[str, Any]", rule).get("interval"), str):
            with suppress(msgspec.ValidationError):
                rule["interval"] = msgspec.convert(rule["interval"], timedelta, strict=False).total_seconds()


def name_triggers(body: dict[str, Any]) -> None:
    """Say of triggers what they are; the contract lets a client leave that to their fields."""
    waiting: list[Any] = [body.get("trigger")]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            trigger = cast("dict[str, Any]", found)
            if "type" not in trigger:
                trigger["type"] = next((kind for field, kind in TRIGGER_FIELDS if field in trigger), "event")
            below = trigger.get("triggers")
            waiting += cast("list[Any]", below) if isinstance(below, list) else []


INPUT_FIELDS = (("id", "task_run"), ("name", "parameter"), ("type", "constant"))
"""Which field tells what an input is, where it does not say so itself."""

TRIGGER_FIELDS = (("require", "compound"), ("triggers", "sequence"), ("metric", "metric"))
"""Which field tells what a trigger is, where it does not say so itself."""

MENDERS: dict[Any, Mender] = {
    TaskRunCreate: name_task_inputs,
    DeploymentCreate: read_intervals,
    DeploymentUpdate: read_intervals,
    DeploymentScheduleUpdate: read_intervals,
    list[DeploymentScheduleCreate]: read_intervals,
    SchedulePreview: read_intervals,
    AutomationCreate: name_triggers,
    AutomationUpdate: name_triggers,
}
"""What is left out in which request, by the wire type that takes it."""


def _forget(_constant: str) -> None:
    return None


def _clean(value: Any) -> Any:
    """The value without halves of surrogate pairs and without numbers that are none."""
    match value:
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case float() if value in {float("inf"), float("-inf")}:
            return None
        case list():
            return [_clean(each) for each in cast("list[Any]", value)]
        case dict():
            return {_clean(key): _clean(each) for key, each in cast("dict[str, Any]", value).items()}
        case _:
            return value

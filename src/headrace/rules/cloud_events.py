"""CloudEvents, the form in which many services tell of events, as events of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

_PREFIX = "ce-"


def from_cloud_event(body: Any, headers: Mapping[str, str]) -> dict[str, Any] | None:
    """The event that a request tells by CloudEvents; None if it tells none.

    What it is about is named by its source, and by its subject if it has one; its data is the payload. The event is all in
    the body, or its data is the body and the rest is in headers that begin with `ce-`.
    """
    told = cast("dict[str, Any]", body) if isinstance(body, dict) else dict[str, Any]()
    data: Any
    if "specversion" in told:
        data = told.get("data")
    else:
        told = {name.removeprefix(_PREFIX): value for name, value in headers.items() if name.startswith(_PREFIX)}
        data = cast("Any", body)
    name, source, subject = told.get("type"), told.get("source"), told.get("subject")
    if not name or not source:
        return None
    event: dict[str, Any] = {
        "event": str(name),
        "resource": {
            "prefect.resource.id": f"{source}/{subject}" if subject else str(source),
            "prefect.resource.name": str(subject or source),
        },
        "payload": cast("dict[str, Any]", data) if isinstance(data, dict) else {"data": data},
    }
    if told.get("time"):
        event["occurred"] = str(told["time"])
    return event

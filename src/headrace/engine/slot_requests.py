"""What users say about slots, as a wish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from headrace.base.errors import UsageError
from headrace.base.ids import uuid7
from headrace.engine.context import current
from headrace.engine.slot_lifecycle import SlotWish
from headrace.schema.orchestration import SlotRequest


class ConcurrencyLeaseHolder(msgspec.Struct, frozen=True):
    """Who holds slots, as `headrace` and the pages show it. Without one: the run in which they are taken."""

    type: Literal["flow_run", "task_run", "deployment"]
    id: UUID


def make_wish(
    names: str | Sequence[str],
    occupy: int,
    timeout_seconds: float | None,
    strict: bool,
    *,
    duration: float = 60.0,
    max_retries: int | None = None,
    holder: ConcurrencyLeaseHolder | None = None,
    mode: Literal["concurrency", "rate_limit"] = "concurrency",
) -> SlotWish:
    """The wish that the arguments of a call mean. Raises `UsageError` for one that cannot mean anything."""
    run = current.get()
    told: dict[str, Any] = {
        "names": [names] if isinstance(names, str) else [*names],
        "request_id": uuid7(),
        "occupy": occupy,
        "duration": duration,
        "queue": timeout_seconds != 0 and max_retries != 0,
        "mode": mode,
    }
    if holder is not None:
        told |= {"holder_type": holder.type, "holder_id": holder.id}
    elif run is not None:
        of_task = run.task_run_id is not None
        told |= {
            "holder_type": "task_run" if of_task else "flow_run",
            "holder_id": run.task_run_id if of_task else run.flow_run_id,
        }
    for name, number in (("timeout_seconds", timeout_seconds), ("max_retries", max_retries)):
        if number is not None and not (isinstance(number, (int, float)) and number >= 0):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"{name} cannot be {number!r}: it is a number from 0, or None.")
    try:
        request = msgspec.convert(told, SlotRequest)
    except msgspec.ValidationError as error:
        raise UsageError(f"Slots cannot be asked for like this: {error}.") from None
    flow_run_id = run.flow_run_id if run is not None else None
    return SlotWish(request, timeout_seconds, max_retries, strict, flow_run_id)

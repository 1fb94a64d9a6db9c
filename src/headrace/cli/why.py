"""Why a flow run is not running, as a list of reasons and of what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from headrace.cli.invocation import Injected, Output
from headrace.cli.lookup import find_flow_run
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import MISSING, one_line, say_when, show_state

if TYPE_CHECKING:
    from headrace.cli.invocation import Invocation
    from headrace.schema.explanation import Explanation, HeldLimit, Reason

SHOWN_HOLDERS = 10


def why(
    run: Annotated[str, Parameter(help="The run's id, or its name if no other run has it.")],
    /,
    *,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Say why a flow run is not running: what keeps it, since when, who holds what it waits for, and what to do first."""
    with invocation.administration() as administration:
        explanation = administration.explain_flow_run(find_flow_run(administration, run).id)
    if output == "json":
        invocation.print_json(explanation)
        return
    invocation.print(_show_title(explanation))
    for number, reason in enumerate(explanation.reasons, 1):
        shown = Group(*_show_reason(number, reason, invocation))
        invocation.print("", Padding(shown, (0, 0, 0, 2), expand=False))


def _show_title(explanation: Explanation) -> Text:
    state = show_state(explanation.state_type, explanation.state_name)
    return Text.assemble("Flow run ", (one_line(explanation.name), "bold"), f" ({explanation.flow_run_id}) is ", state)


def _show_reason(number: int, reason: Reason, invocation: Invocation) -> Iterator[RenderableType]:
    since = "" if reason.since is None else f" (since {say_when(reason.since, invocation.now)})"
    yield Text.assemble((f"{number}. ", "bold"), one_line(reason.message), (since, "bright_black"))
    yield Text(f"→ {one_line(reason.next_step)}", "cyan")
    if reason.limit is not None and reason.limit.holders:
        yield Padding(_show_holders(reason.limit, invocation), (0, 0, 0, 3), expand=False)


def _show_holders(limit: HeldLimit, invocation: Invocation) -> RenderableType:
    columns = (Column("Held by", least=8), Column("ID"), Column("Slots", right=True, drop=1), Column("Since"))
    rows = [
        [
            f"{holder.type.replace('_', ' ')} {one_line(holder.name or '')}".strip(),
            str(holder.id or MISSING),
            str(holder.slots),
            say_when(holder.since, invocation.now),
        ]
        for holder in limit.holders[:SHOWN_HOLDERS]
    ]
    return fit_table(columns, rows, invocation.out.width - 5)

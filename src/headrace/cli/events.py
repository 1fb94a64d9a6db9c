from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from cyclopts import App, Parameter
from rich.text import Text

from headrace.base import clock
from headrace.base.errors import InvalidRequest, Unavailable
from headrace.base.ids import uuid7
from headrace.cli.invocation import Flag, Injected, Invocation
from headrace.cli.texts import one_line
from headrace.cli.values import read_object
from headrace.schema.wire import encode_json, encode_leniently
from headrace.schema.wire_event import FLOW_RUN, ID, LARGEST_EVENT, NAME, ROLE, TASK_RUN, WireEvent

if TYPE_CHECKING:
    from headrace.gateway.execution import Execution
    from headrace.server.events.derivation import Narrator

PAGE = 500
LOOK = 5.0
"""Seconds after which the log is read again although nothing was heard of."""

RETRY = 1.0
"""Seconds before it is tried again where nobody answers."""

OWN_KINDS = frozenset({"flow-run", "task-run", "custom"})
"""The kinds of logged events that are told; others are between the orchestrator and its clients."""

app = App(name="events", help_flags=["--help"])

Format = Annotated[
    Literal["json", "text"], Parameter(help="json: an event a line, with the API's field names; text: for people.")
]


@app.command
def stream(
    *,
    format: Format = "json",  # noqa: A002 - the option is called so
    output_file: Annotated[Path | None, Parameter(help="Write to the end of this file instead.")] = None,
    run_once: Annotated[Flag, Parameter(help="End after the first event.")] = False,
    invocation: Injected,
) -> None:
    """Show events as they happen, until Ctrl-C."""
    from headrace.server.events.derivation import Narrator

    with ExitStack() as stack:
        write = stack.enter_context(_open_writer(invocation, output_file))
        narrator = Narrator(stack.enter_context(invocation.administration()))
        execution = stack.enter_context(invocation.execution())
        for told in _follow(execution, narrator, invocation):
            for event in told:
                write(encode_json(event) if format == "json" else _say(event))
                if run_once:
                    return


@app.command
def emit(
    event: Annotated[str, Parameter(help="What the event is called, such as shop.order.paid.")],
    /,
    *,
    resource: Annotated[
        str | None,
        Parameter(
            ["--resource", "-r"],
            help='The labels of what it happened to, as a JSON object with "prefect.resource.id" in it.',
        ),
    ] = None,
    resource_id: Annotated[
        str | None, Parameter(help="The id of what it happened to, instead of or besides --resource.")
    ] = None,
    related: Annotated[
        str | None,
        Parameter(help="What else has to do with it: a JSON list of labels, each with a prefect.resource.role."),
    ] = None,
    payload: Annotated[str | None, Parameter(["--payload", "-p"], help="More about it, as a JSON object.")] = None,
    invocation: Injected,
) -> None:
    """Emit an event of your own."""
    if not event.strip():
        raise InvalidRequest("An event is called by a text that is not empty.")
    if event.startswith((FLOW_RUN, TASK_RUN)):
        raise InvalidRequest(f"{event} is for the orchestrator to say: events of your own have names of their own.")
    about = {} if resource is None else _read_labels(read_object(resource, "--resource"), "--resource")
    if resource_id is not None:
        about[ID] = resource_id
    if not about.get(ID):
        raise InvalidRequest('Say what it happened to: --resource-id, or --resource with "prefect.resource.id" in it.')
    occurred = clock.now()
    told = WireEvent(
        id=uuid7(),
        event=event,
        occurred=occurred,
        received=occurred,
        resource=about,
        related=[] if related is None else _read_related(related),
        payload={} if payload is None else read_object(payload, "--payload"),
    )
    _report(invocation, told)
    invocation.print_line(f"Emitted event {one_line(event)} ({told.id}).")


def _report(invocation: Invocation, told: WireEvent) -> None:
    import msgspec

    from headrace.schema.report import EventReport

    body: dict[str, Any] = msgspec.to_builtins(told)
    size = len(encode_leniently(body))
    if size > LARGEST_EVENT:
        raise InvalidRequest(f"The event has {size} bytes; {LARGEST_EVENT} are the most that are kept.")
    with invocation.execution() as execution:
        execution.report([EventReport(told.id, clock.to_micros(told.occurred), body)])


def _read_labels(given: Mapping[str, Any], option: str, *needed: str) -> dict[str, str]:
    """Labels, which are texts. Raises `InvalidRequest`."""
    for name, value in given.items():
        if not isinstance(value, str):
            raise InvalidRequest(f"{option}: the label {name!r} is no text.")
    for name in needed:
        if not given.get(name):
            raise InvalidRequest(f"{option}: each has the label {name!r}.")
    return dict(given)


def _read_related(text: str) -> list[dict[str, str]]:
    # A list is read as the value of an object, so that the errors of objects serve.
    found = read_object(f'{{"related": {text}}}', "--related")["related"]
    others: list[Any] = cast("list[Any]", found) if isinstance(found, list) else [found]
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in others):
        raise InvalidRequest("--related is no JSON list of objects.")
    return [_read_labels(each, "--related", ID, ROLE) for each in others]


def _follow(execution: Execution, narrator: Narrator, invocation: Invocation) -> Generator[list[WireEvent]]:
    """What happens from here on. While nobody answers it is tried again, for as long as an outage may last."""
    cursor = execution.last_cursor()
    invocation.err.print(Text("Events are shown as they happen; Ctrl-C ends it.", "bright_black"), soft_wrap=True)
    answered, silent, more = clock.monotonic(), False, False
    while True:
        try:
            if not more:
                execution.wait_for_events(LOOK)
            page = execution.read_events(cursor, PAGE)
            told = narrator.tell([event for event in page.events if event.kind in OWN_KINDS])
        except Unavailable as error:
            if clock.monotonic() - answered >= invocation.settings.outage_limit_seconds:
                raise
            if not silent:
                invocation.print_warning(f"{error} Trying again until it answers.")
            silent = True
            invocation.wait(error.retry_after or RETRY)
            continue
        answered, silent, more = clock.monotonic(), False, len(page.events) == PAGE
        cursor = page.cursor
        yield told


@contextmanager
def _open_writer(invocation: Invocation, path: Path | None) -> Generator[Callable[[str], None]]:
    """What writes a line: to the screen, or to the end of a file. Raises `InvalidRequest`."""
    if path is None:

        def show(line: str) -> None:
            invocation.out.file.write(f"{line}\n")
            invocation.out.file.flush()

        yield show
        return
    try:
        with path.open("a", encoding="utf-8") as file:

            def write(line: str) -> None:
                file.write(f"{line}\n")
                file.flush()

            yield write
    except OSError as error:
        raise InvalidRequest(f"--output-file: {path} cannot be written: {error.strerror}.") from None


def _say(event: WireEvent) -> str:
    """An event in a line: when, what, and to what."""
    shown = f"{event.occurred.astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3]
    name = event.resource.get(NAME)
    about = f"{name} ({event.resource[ID]})" if name else event.resource.get(ID, "")
    return f"{shown} | {one_line(event.event)} | {one_line(about)}"
